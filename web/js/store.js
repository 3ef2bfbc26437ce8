/** What the browser remembers: the language and the conversation's key (local), the unsent messages (this tab). */

const IDLE_LIMIT_MS = 4 * 60 * 60 * 1000; // a backstop on shared devices; "end chat" forgets at once

/** A web storage area, or memory where the browser forbids storage. */
function area(name) {
  try {
    const storage = window[name];
    storage.setItem("mainsdesk.probe", "1");
    storage.removeItem("mainsdesk.probe");
    return storage;
  } catch {
    const memory = new Map();
    return {
      getItem: (key) => memory.get(key) ?? null,
      setItem: (key, value) => memory.set(key, value),
      removeItem: (key) => memory.delete(key),
    };
  }
}

const local = area("localStorage");
const tab = area("sessionStorage");

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key));
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or withdrawn storage: the page goes on without surviving a reload.
  }
}

export const CONVERSATION_KEY = "mainsdesk.conversation";
const LANGUAGE_KEY = "mainsdesk.language";
const OUTBOX_KEY = "mainsdesk.outbox";

/** @returns {{id: string, token: string} | null} */
export function loadConversation() {
  const saved = read(local, CONVERSATION_KEY);
  if (!saved?.id || !saved.token) return null;
  if (Date.now() - saved.usedAt > IDLE_LIMIT_MS) {
    forgetConversation();
    return null;
  }
  return { id: saved.id, token: saved.token };
}

export function saveConversation({ id, token }) {
  write(local, CONVERSATION_KEY, { id, token, usedAt: Date.now() });
}

export const forgetConversation = () => local.removeItem(CONVERSATION_KEY);

export const loadLanguage = () => read(local, LANGUAGE_KEY);
export const saveLanguage = (language) => write(local, LANGUAGE_KEY, language);

export function loadOutbox() {
  const entries = read(tab, OUTBOX_KEY);
  return Array.isArray(entries) ? entries : [];
}
export const saveOutbox = (entries) => write(tab, OUTBOX_KEY, entries);

/** A random UUID; crypto.randomUUID exists only in secure contexts. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
