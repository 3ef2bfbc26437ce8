/** The page: shows messages and states, knows nothing of the network. Text enters the document as text only. */

import { currentLanguage, label, languageOf, localTime, t } from "./i18n.js";

const byId = (id) => document.getElementById(id);

const ui = {
  scroll: byId("scroll"),
  log: byId("log"),
  welcome: byId("welcome"),
  ended: byId("ended"),
  typing: byId("typing"),
  newer: byId("newer"),
  connection: byId("connection"),
  owner: byId("owner"),
  ownerText: byId("owner-text"),
  human: byId("human"),
  end: byId("end"),
};

const NAMES = { customer: "fromCustomer", bot: "fromBot", agent: "fromAgent", system: "fromSystem" };
const OWNERS = { bot: "ownerBot", waiting: "ownerWaiting", agent: "ownerAgent" };
const STARTERS = [
  "starterHazard", "starterNoPower", "starterNoWater", "starterStatus", "starterPlanned",
  "starterSwitch", "starterBill", "starterTicket", "starterComplaint",
];

const bySeq = new Map(); // seq → element
const byEntry = new Map(); // client message id → element, until its seq is known

let handlers = {};
let pinned = true; // the reader is at the end and wants to stay there

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** handlers: onStarter(text), onChoice({token, label}), onRetry(id), onEdit(id), onRemove(id) */
export function setUp(given) {
  handlers = given;
  const starters = byId("starters");
  for (const key of STARTERS) {
    const button = make("button", key === "starterHazard" ? "starter starter-hazard" : "starter");
    button.type = "button";
    button.dataset.starter = key;
    label(button, key);
    button.addEventListener("click", () => handlers.onStarter(t(key)));
    starters.append(button);
  }
  ui.scroll.addEventListener("scroll", () => {
    pinned = ui.scroll.scrollHeight - ui.scroll.scrollTop - ui.scroll.clientHeight < 80;
    if (pinned) ui.newer.hidden = true;
  }, { passive: true });
  ui.newer.addEventListener("click", () => toEnd());
  new ResizeObserver(() => pinned && !isEmpty() && toEnd()).observe(ui.scroll);
}

export function toEnd() {
  pinned = true;
  ui.newer.hidden = true;
  ui.scroll.scrollTop = ui.scroll.scrollHeight;
}

function build(from, text, at, alert = false) {
  const element = make("div", "message");
  element.dataset.from = from;
  if (alert) element.dataset.alert = "true";
  const name = make("p", "name");
  if (alert) name.append(make("span", "icon icon-alert"));
  name.append(make("span"));
  label(name.lastChild, alert ? "fromAlert" : (NAMES[from] ?? "fromBot"));
  const words = make("p", "text", text);
  words.lang = languageOf(text);
  const foot = make("p", "foot");
  foot.append(make("time"), make("span", "status"));
  element.append(name, words, foot);
  setTime(element, at);
  return element;
}

function setTime(element, at) {
  const time = element.querySelector("time");
  time.dateTime = new Date(at).toISOString();
  time.textContent = localTime(at);
}

function addChoices(element, choices) {
  const group = make("div", "choices");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", t("choices"));
  group.dataset.i18nAriaLabel = "choices";
  for (const choice of choices) {
    const button = make("button", "choice", choice.label);
    button.type = "button";
    button.dataset.choice = choice.token;
    button.lang = languageOf(choice.label);
    button.addEventListener("click", () => handlers.onChoice(choice));
    group.append(button);
  }
  element.insertBefore(group, element.querySelector(".foot"));
}

/** Before the first message with a higher seq and before all that has none yet. */
function place(element, seq) {
  const next = [...ui.log.children].find((one) => !one.dataset.seq || Number(one.dataset.seq) > seq);
  ui.log.insertBefore(element, next ?? null);
}

/** Show messages, each seq once. `restored` ones are not announced. Returns those that were new. */
export function showMessages(messages, { restored = false } = {}) {
  const news = messages.filter(({ seq }) => !bySeq.has(seq) || bySeq.get(seq).dataset.provisional);
  if (restored) ui.log.setAttribute("aria-live", "off");
  for (const message of news) {
    const known = bySeq.get(message.seq);
    if (known) {
      delete known.dataset.provisional;
      known.querySelector(".text").textContent = message.text;
      setTime(known, message.at);
      continue;
    }
    const element = build(message.from, message.text, message.at, message.alert);
    element.dataset.seq = message.seq;
    if (message.alert && !restored) element.setAttribute("role", "alert");
    if (message.from === "customer") setStatus(element, "sent");
    if (message.choices?.length) addChoices(element, message.choices);
    bySeq.set(message.seq, element);
    place(element, message.seq);
  }
  if (restored) setTimeout(() => ui.log.setAttribute("aria-live", "polite"), 500);
  if (news.length) arranged({ own: restored || news.every(({ from }) => from === "customer") });
  return news;
}

/** Show or update a message that is on its way. `before`: the id it had until now. */
export function showEntry(entry, before = entry.id) {
  let element = byEntry.get(before);
  if (!element) {
    element = build("customer", entry.label, entry.at);
    ui.log.append(element);
  }
  byEntry.delete(before);
  byEntry.set(entry.id, element);
  element.dataset.clientId = entry.id;
  const key = entry.problem === "network" ? `problem_network_${entry.status}` : `problem_${entry.problem}`;
  setStatus(element, entry.problem ? key : "sending", { n: entry.seconds }, entry.status);
  if (entry.status === "failed") addRemedies(element, entry);
  arranged({ own: true });
}

function setStatus(element, key, values, state = "sent") {
  element.dataset.state = state;
  element.querySelector(".remedies")?.remove();
  label(element.querySelector(".status"), key, values);
}

function addRemedies(element, { id, problem }) {
  const remedies = make("span", "remedies");
  const add = (key, action) => {
    const button = make("button", "remedy");
    button.type = "button";
    button.dataset.testid = `message-${key}`;
    label(button, key);
    button.addEventListener("click", () => action(id));
    remedies.append(button);
  };
  if (problem === "tooLong") add("edit", handlers.onEdit);
  else if (problem !== "choiceGone") add("retry", handlers.onRetry);
  add("remove", handlers.onRemove);
  element.querySelector(".foot").append(remedies);
}

/** A message on its way got its seq: one bubble remains, whichever came first. */
export function settleEntry(id, seq) {
  const element = byEntry.get(id);
  if (!element) return;
  byEntry.delete(id);
  if (bySeq.has(seq)) {
    element.remove();
  } else {
    delete element.dataset.clientId;
    element.dataset.seq = seq;
    element.dataset.provisional = "true";
    setStatus(element, "sent");
    bySeq.set(seq, element);
    place(element, seq);
  }
  arranged({ own: true });
}

export function removeEntry(id) {
  byEntry.get(id)?.remove();
  byEntry.delete(id);
  arranged({ own: true });
}

/** What depends on neighbours: grouping, which choices are still open, what was chosen, scrolling. */
function arranged({ own }) {
  const elements = [...ui.log.children];
  let answer = null; // the newest thing that makes older choices moot
  let closed = false;
  for (let i = elements.length - 1; i >= 0; i -= 1) {
    const element = elements[i];
    const { from, state } = element.dataset;
    element.classList.toggle("follows", from !== "system" && elements[i - 1]?.dataset.from === from);
    const buttons = element.querySelectorAll(".choice");
    for (const button of buttons) {
      const hadFocus = button === document.activeElement;
      button.disabled = closed;
      button.classList.toggle("chosen", closed && answer === button.textContent);
      if (hadFocus && closed) byId("input").focus({ preventScroll: true });
    }
    if (from === "customer" && state !== "failed") {
      closed = true;
      answer = element.querySelector(".text").textContent;
    } else if (from === "agent" || buttons.length) {
      closed = true;
      answer = null;
    }
  }
  ui.welcome.hidden = elements.length > 0;
  if (!elements.length) ui.scroll.scrollTop = 0;
  else if (own || pinned) toEnd();
  else ui.newer.hidden = false;
}

export const isEmpty = () => ui.log.children.length === 0;

/** Does an element for this seq stand already? */
export const has = (seq) => bySeq.has(seq);

export function clear({ ended = false } = {}) {
  bySeq.clear();
  for (const element of [...ui.log.children]) if (element.dataset.seq) element.remove();
  label(ui.ended, ended ? "ended" : null);
  showState({ owner: "bot", busy: false });
  arranged({ own: true });
}

/** @param {{owner: "bot"|"waiting"|"agent", busy: boolean}} state */
export function showState({ owner, busy }) {
  if (ui.owner.dataset.owner !== owner) {
    ui.owner.dataset.owner = owner;
    label(ui.ownerText, OWNERS[owner] ?? "ownerBot");
    ui.human.hidden = owner !== "bot";
  }
  ui.typing.hidden = !busy;
  if (busy && pinned) toEnd();
}

export function showConnection(state) {
  ui.connection.dataset.state = state;
  label(ui.connection, ["connecting", "reconnecting"].includes(state) ? state : null);
}

export function showEndButton(visible) {
  ui.end.hidden = !visible;
}

/** After a change of language: what `data-i18n` cannot carry. */
export function retranslate() {
  for (const element of ui.log.children) setTime(element, element.querySelector("time").dateTime);
  const button = byId("language");
  label(button, "switchTo");
  button.lang = currentLanguage() === "zh" ? "en" : "zh-CN";
  button.setAttribute("aria-label", t("switchToLabel"));
  byId("privacy").hash = currentLanguage();
}
