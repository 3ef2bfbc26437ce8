/** Puts the page together: composer → outbox → server → live → view. */

import { createConversation } from "./api.js";
import { focusInput, setDraft, setUpComposer } from "./composer.js";
import { currentLanguage, otherLanguage, preferredLanguage, setLanguage, t } from "./i18n.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import * as store from "./store.js";
import * as view from "./view.js";

let conversation = null;
let creating = null;
let unread = 0;

const live = new Live({
  onMessages(messages, { restored }) {
    if (!restored) adoptEchoes(messages);
    const news = view.showMessages(messages, { restored });
    if (conversation) store.saveConversation(conversation);
    if (!restored) notice(news.filter(({ from }) => from !== "customer").length);
  },
  onState: view.showState,
  onStatus(status) {
    view.showConnection(status);
    if (status === "online") outbox.wake();
  },
  onGone: begun,
});

const outbox = new Outbox({
  conversation: ensureConversation,
  onEntry(entry, before) {
    if (!entry.seen) view.showEntry(entry, before);
  },
  onSent(entry, seq) {
    view.settleEntry(entry.id, seq);
    live.refresh();
  },
  onGone: begun,
});

/** The conversation, made on the first message; another tab may have made it. */
async function ensureConversation() {
  if (conversation) return conversation;
  creating ??= (async () => {
    try {
      const saved = store.loadConversation();
      follow(saved ?? (await createConversation(currentLanguage())), { restored: Boolean(saved) });
      return conversation;
    } finally {
      creating = null;
    }
  })();
  return creating;
}

function follow(next, options) {
  conversation = next;
  store.saveConversation(next);
  view.showEndButton(true);
  live.start(next, options);
}

/** The server no longer knows the conversation: a new one begins, and unsent words move there. */
function begun() {
  leave({ ended: true });
  outbox.rehome();
  outbox.wake();
}

function leave({ ended }) {
  conversation = null;
  store.forgetConversation();
  live.stop();
  view.clear({ ended });
  view.showEndButton(false);
}

/** The stream may show a message before its POST is answered: take it for the one that is on its way. */
function adoptEchoes(messages) {
  const plain = (text) => text.replace(/^[\s/]+|\s+$/g, "");
  for (const { seq, from, text } of messages) {
    if (from !== "customer" || view.has(seq)) continue;
    const twin = outbox.entries.find((entry) => !entry.seen && plain(entry.label) === plain(text));
    if (!twin) continue;
    twin.seen = true;
    view.settleEntry(twin.id, seq);
  }
}

function say(text) {
  outbox.add({ text, label: text });
}

/** The number of unread messages, in the tab's title while the page is out of sight. */
function notice(count) {
  unread = document.hidden ? unread + count : 0;
  document.title = unread ? `(${unread}) ${t("title")}` : t("title");
}

function translate(language) {
  setLanguage(language);
  view.retranslate();
  notice(0);
}

translate(store.loadLanguage() ?? preferredLanguage());
view.setUp({
  onStarter(text) {
    say(text);
    focusInput();
  },
  onChoice(choice) {
    outbox.add({ choice: choice.token, label: choice.label });
    focusInput();
  },
  onRetry: (id) => outbox.retry(id),
  onEdit(id) {
    const entry = outbox.entries.find((one) => one.id === id);
    outbox.remove(id);
    view.removeEntry(id);
    if (entry) setDraft(entry.label);
  },
  onRemove(id) {
    outbox.remove(id);
    view.removeEntry(id);
    focusInput();
  },
});
setUpComposer(say);

document.getElementById("human").addEventListener("click", () => {
  say(t("humanMessage"));
  focusInput();
});

document.getElementById("language").addEventListener("click", () => {
  translate(otherLanguage());
  store.saveLanguage(currentLanguage());
  if (!view.isEmpty()) say(t("askLanguage")); // the desk switches as it would for anyone who asks
});

const dialog = document.getElementById("end-dialog");
document.getElementById("end").addEventListener("click", () => dialog.showModal());
dialog.addEventListener("close", () => {
  if (dialog.returnValue === "end") {
    for (const { id } of outbox.entries) view.removeEntry(id);
    outbox.clear();
    leave({ ended: false });
  }
  dialog.returnValue = "";
  focusInput();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  notice(0);
  live.reconnect();
  outbox.wake();
});
for (const event of ["online", "offline"]) {
  window.addEventListener(event, () => {
    live.reconnect();
    outbox.wake();
  });
}
window.addEventListener("storage", ({ key, newValue }) => {
  // Another tab ended the conversation or began a new one.
  if (key !== store.CONVERSATION_KEY || !conversation) return;
  const saved = newValue && JSON.parse(newValue);
  if (saved?.id === conversation.id) return;
  leaveTo(saved);
});

function leaveTo(saved) {
  conversation = null;
  live.stop();
  view.clear();
  view.showEndButton(false);
  if (saved) follow({ id: saved.id, token: saved.token }, { restored: true });
}

outbox.resume();
const saved = store.loadConversation();
if (saved) follow(saved, { restored: true });
focusInput();
