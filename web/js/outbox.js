/**
 * Messages on their way to the server. An entry is written down before it is first sent and keeps its client_message_id,
 * so that sending it again after a lost answer or a reload changes nothing.
 *
 * Entry: {id, text?, choice?, label, at, attempts, notBefore (ms), status: "sending"|"waiting"|"failed",
 *         problem: null|"network"|"flood"|"tooLong"|"choiceGone"|"refused", seconds?, rehomed?}
 */

import { HttpError, postMessage } from "./api.js";
import { backoff } from "./live.js";
import { loadOutbox, saveOutbox, uuid } from "./store.js";

const TRIES_BEFORE_FAILED = 4; // shown as failed from then on, and tried all the same
const FLOOD_WAIT_S = 5;

const settled = (entry) => entry.status === "failed" && entry.problem !== "network";

export class Outbox {
  #entries = loadOutbox();
  #hooks;
  #running = false;
  #wakeUp = null;

  /** hooks: conversation() → Promise of the conversation, onEntry(entry), onSent(entry, seq), onGone() */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  get entries() {
    return [...this.#entries];
  }

  /** Take up what a reload left behind. */
  resume() {
    for (const entry of this.#entries) {
      if (!settled(entry)) entry.notBefore = entry.problem === "flood" ? entry.notBefore : 0;
      this.#hooks.onEntry(entry);
    }
    this.wake();
  }

  /** @param {{text?: string, choice?: string, label: string}} content */
  add(content) {
    const now = Date.now();
    const entry = { id: uuid(), ...content, at: now, attempts: 0, notBefore: 0, status: "sending", problem: null };
    this.#entries.push(entry);
    this.#change(entry);
    this.wake();
    return entry;
  }

  retry(id) {
    const entry = this.#find(id);
    if (!entry) return;
    // A refused id stays refused; what the network swallowed must keep its id.
    if (settled(entry)) entry.id = uuid();
    this.#change(entry, { status: "sending", problem: null, attempts: 0, notBefore: 0, rehomed: false }, id);
    this.wake();
  }

  remove(id) {
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
    saveOutbox(this.#entries);
    this.wake();
  }

  clear() {
    this.#entries = [];
    saveOutbox([]);
    this.wake();
  }

  /** Try at once all that waits for the network. A flood's pause stands. */
  wake() {
    for (const entry of this.#entries) if (entry.problem === "network") entry.notBefore = 0;
    this.#wakeUp?.();
    if (!this.#running) this.#pump();
  }

  /** The conversation is gone: words go to the next one under new ids, choices meant nothing but to the old one. */
  rehome() {
    for (const entry of this.#entries.filter((one) => !settled(one))) {
      const before = entry.id;
      entry.id = uuid();
      if (entry.choice) this.#change(entry, { status: "failed", problem: "choiceGone" }, before);
      else if (entry.rehomed) this.#change(entry, { status: "failed", problem: "refused" }, before);
      else this.#change(entry, { rehomed: true, attempts: 0, notBefore: 0, problem: null }, before);
    }
  }

  async #pump() {
    this.#running = true;
    try {
      for (;;) {
        const waiting = this.#entries.filter((entry) => !settled(entry));
        if (!waiting.length) return;
        const due = waiting.find((entry) => entry.notBefore <= Date.now());
        if (due) await this.#deliver(due);
        else await this.#pause(Math.min(...waiting.map((entry) => entry.notBefore)) - Date.now());
      }
    } finally {
      this.#running = false;
    }
  }

  async #deliver(entry) {
    const { id } = entry;
    const stillWanted = () => entry.id === id && this.#entries.includes(entry);
    let seq;
    try {
      const conversation = await this.#hooks.conversation();
      if (!stillWanted()) return;
      const content = entry.choice ? { choice: entry.choice } : { text: entry.text };
      seq = await postMessage(conversation, { client_message_id: id, ...content });
    } catch (error) {
      if (stillWanted()) this.#fail(entry, error);
      return;
    }
    if (!stillWanted()) return;
    this.#entries = this.#entries.filter((one) => one !== entry);
    saveOutbox(this.#entries);
    this.#hooks.onSent(entry, seq);
  }

  #fail(entry, error) {
    const status = error instanceof HttpError ? error.status : 0;
    if (status === 429) {
      // Only this message pauses: the next one may be about danger, which the desk takes even in a flood.
      const seconds = error.retryAfter ?? FLOOD_WAIT_S;
      this.#change(entry, { status: "waiting", problem: "flood", seconds, notBefore: Date.now() + seconds * 1000 });
    } else if (status && error.gone) {
      this.#hooks.onGone();
    } else if (status >= 400 && status < 500 && status !== 408) {
      const problem = entry.choice ? "choiceGone" : status === 422 ? "tooLong" : "refused";
      this.#change(entry, { status: "failed", problem });
    } else {
      const attempts = entry.attempts + 1;
      const notBefore = Date.now() + backoff(attempts);
      const shown = attempts < TRIES_BEFORE_FAILED ? "waiting" : "failed";
      this.#change(entry, { attempts, notBefore, status: shown, problem: "network" });
      // What comes after it waits with it, so that the order is kept; a message that alone upsets the server holds nobody up.
      if (shown === "waiting") {
        const queue = this.#entries.filter((one) => one !== entry && !one.problem);
        for (const other of queue) this.#change(other, { notBefore, status: "waiting", problem: "network" });
      }
    }
  }

  #find(id) {
    return this.#entries.find((entry) => entry.id === id);
  }

  #change(entry, change = {}, before = entry.id) {
    Object.assign(entry, change);
    saveOutbox(this.#entries);
    this.#hooks.onEntry(entry, before);
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        this.#wakeUp = null;
        resolve();
      };
    });
  }
}
