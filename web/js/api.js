/**
 * The desk's web chat over HTTP. A conversation is {id, token}; the token travels in a header, never in a URL.
 *
 * Message: {seq: number, from: "customer"|"bot"|"agent"|"system", text: string,
 *           choices?: {token: string, label: string}[], at: string (RFC 3339, UTC)}
 * State:   {owner: "bot"|"waiting"|"agent", busy: boolean}
 */

import { createParser } from "../vendor/eventsource-parser.js";

const ANSWER_MS = 20_000; // for an answer, and for a stream's first byte
const SILENCE_MS = 45_000; // in an open stream; the server sends a ping every 15 s

/** The server answered, but not with what was asked for. `retryAfter` is in seconds, or null. */
export class HttpError extends Error {
  constructor(response) {
    super(`HTTP ${response.status}`);
    this.status = response.status;
    this.retryAfter = retryAfter(response.headers.get("Retry-After"));
  }

  /** The conversation does not exist (any more), or not for this token. */
  get gone() {
    return [401, 404, 410].includes(this.status);
  }
}

function retryAfter(header) {
  if (!header) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}

/** A signal that fires when `outer` does or when nobody called `touch` for `ms`. */
function watchdog(ms, outer) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  let timer;
  const touch = (next) => {
    clearTimeout(timer);
    timer = setTimeout(abort, next);
  };
  touch(ms);
  if (outer?.aborted) abort();
  outer?.addEventListener("abort", abort);
  const stop = () => {
    clearTimeout(timer);
    outer?.removeEventListener("abort", abort);
  };
  return { signal: controller.signal, touch, stop };
}

function open(path, { conversation, signal, headers = {}, body }) {
  const all = { ...headers };
  if (conversation) all.Authorization = `Bearer ${conversation.token}`;
  if (body) all["Content-Type"] = "application/json";
  return fetch(path, {
    method: body ? "POST" : "GET",
    headers: all,
    body: body && JSON.stringify(body),
    cache: "no-store",
    signal,
  });
}

async function json(path, { timeout = ANSWER_MS, signal, ...options }) {
  const dog = watchdog(timeout, signal);
  try {
    const response = await open(path, { ...options, signal: dog.signal });
    if (!response.ok) throw new HttpError(response);
    return await response.json();
  } finally {
    dog.stop();
  }
}

const path = (conversation, end) => `/web/conversations/${encodeURIComponent(conversation.id)}/${end}`;

/** @returns {Promise<{id: string, token: string}>} */
export async function createConversation(language) {
  const made = await json("/web/conversations", { body: { language } });
  return { id: made.conversation_id, token: made.token };
}

/** Send `{client_message_id, text}` or `{client_message_id, choice}`; the same id may be sent again. @returns {Promise<number>} seq */
export async function postMessage(conversation, body) {
  return (await json(path(conversation, "messages"), { conversation, body })).seq;
}

/** Messages after a seq and the state; with `wait` (s) the answer may be held back until there is one. */
export function getMessages(conversation, { after, wait = 0, signal }) {
  const query = new URLSearchParams({ after, wait });
  const timeout = ANSWER_MS + wait * 1000;
  return json(`${path(conversation, "messages")}?${query}`, { conversation, signal, timeout });
}

/** Read the live stream until it ends; throws HttpError, or another error when it cannot be read. */
export async function readStream(conversation, { after, signal, onBytes, onMessage, onState }) {
  const dog = watchdog(ANSWER_MS, signal);
  try {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": String(after) };
    const response = await open(path(conversation, "stream"), { conversation, headers, signal: dog.signal });
    if (!response.ok) throw new HttpError(response);
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new Error("not an event stream");
    const parser = createParser({
      onEvent({ event, data }) {
        if (event === "state") onState(JSON.parse(data));
        else if (!event || event === "message") onMessage(JSON.parse(data));
      },
    });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      dog.touch(SILENCE_MS);
      onBytes();
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    dog.stop();
  }
}
