// The composer: tabs, drafts, the counter, Enter, colleagues' names. The node may be swapped.
const $ = (id) => document.getElementById(id);
const draftOf = (area) => `mainsdesk-draft ${$("composer").dataset.draft} ${area.id}`;
const writing = (node) => node?.matches?.("#reply-text, #note-text");

// Enter sends, where the agent has chosen so; else it begins a new line and Ctrl+Enter sends.
const ENTER = "mainsdesk-enter-sends";
const entering = () => $("enter-sends") && ($("enter-sends").checked = Boolean(localStorage.getItem(ENTER)));
document.addEventListener("change", (event) => {
  if (event.target.id !== "enter-sends") return;
  if (event.target.checked) localStorage.setItem(ENTER, "1");
  else localStorage.removeItem(ENTER);
  $("reply-text").focus();
});

function count() {
  const form = $("reply-form"), area = $("reply-text"), sign = $("count");
  if (!sign) return;
  const longest = Number(form.dataset.longest), length = [...area.value.trim()].length;
  sign.textContent = `${length}/${longest}`;
  sign.classList.toggle("over", length > longest);
  $("send").disabled = length > longest;
}
function restore() {
  entering();
  for (const id of ["reply-text", "note-text"]) {
    const area = $(id);
    if (area && !area.value) area.value = sessionStorage.getItem(draftOf(area)) ?? "";
  }
  count();
}
restore();
document.addEventListener("input", (event) => {
  if (!writing(event.target)) return;
  sessionStorage.setItem(draftOf(event.target), event.target.value);
  count();
});

function show(tab) {
  for (const node of document.querySelectorAll("#composer [role=tab]")) {
    const on = node.id === tab;
    node.setAttribute("aria-selected", on);
    node.tabIndex = on ? 0 : -1;
    $(node.getAttribute("aria-controls")).hidden = !on;
  }
  const area = $(tab === "tab-note" ? "note-text" : "reply-text");
  (area.disabled ? $("barred") : area).focus();
}
function insert(text) {
  show("tab-reply");
  const area = $("reply-text");
  if (area.disabled) return;
  const before = area.value.slice(0, area.selectionStart);
  area.value = before + text + area.value.slice(area.selectionEnd);
  area.selectionStart = area.selectionEnd = before.length + text.length;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}
document.body.addEventListener("insert-reply", (event) => insert(event.detail.text ?? event.detail.value ?? ""));

// Sent: the field is emptied, unless more was written meanwhile.
const under = new Map();
document.body.addEventListener("htmx:beforeRequest", (event) => {
  const area = event.target.querySelector?.("#reply-text, #note-text");
  if (area) under.set(event.target, area.value);
});
document.body.addEventListener("form-sent", (event) => {
  const area = event.target.querySelector("#reply-text, #note-text");
  const sent = under.get(event.target) ?? "";
  area.value = area.value === sent ? "" : area.value.startsWith(sent) ? area.value.slice(sent.length) : area.value;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  if (event.target.contains(document.activeElement) || document.activeElement === document.body) area.focus();
});
// The composer was swapped because the conversation went to somebody else, or came back.
let before = null;
document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target.id !== "composer") return;
  before = { tab: document.querySelector("#composer [aria-selected=true]").id, at: event.detail.target.contains(document.activeElement) };
});
document.body.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target.id !== "composer" || !before) return;
  restore();
  if (before.at || before.tab === "tab-note") show(before.tab);
  before = null;
});

document.addEventListener("click", (event) => {
  const tab = event.target.closest("#composer [role=tab]");
  if (tab) show(tab.id);
  else if (event.target.closest("#mentions button")) name(event.target.closest("button").dataset.name);
});
document.addEventListener("open-tab", (event) => show(event.target.id));

// Colleagues' names after @ in a note.
const typed = () => {
  const area = $("note-text");
  return area.value.slice(0, area.selectionStart).match(/@([\p{L}\p{N}_.-]*)$/u)?.[1] ?? null;
};
function name(username) {
  const area = $("note-text"), at = area.selectionStart, part = typed() ?? "";
  area.setRangeText(`${username} `, at - part.length, at, "end");
  $("mentions").hidden = true;
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
}
function names() {
  const list = $("mentions"), part = typed();
  const fit = ([user, full]) => user.toLowerCase().startsWith(part.toLowerCase()) || full.toLowerCase().includes(part.toLowerCase());
  const all = $("note-text").dataset.names.trim().split("\n").map((line) => line.trim().split("\t")).filter((one) => one[1]);
  const found = part === null ? [] : all.filter(fit).slice(0, 6);
  list.replaceChildren(...found.map(([user, full], place) => {
    const item = document.createElement("li"), button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: `@${user} ${full}` });
    button.dataset.name = user;
    if (!place) button.setAttribute("aria-current", "true");
    item.append(button);
    return item;
  }));
  list.hidden = !found.length;
}
document.addEventListener("input", (event) => event.target.id === "note-text" && names());

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return; // 229: the key that ends a composition, in some browsers
  const node = event.target;
  if (node.matches("#composer [role=tab]") && (event.key === "ArrowLeft" || event.key === "ArrowRight"))
    return show(node.id === "tab-note" ? "tab-reply" : "tab-note"), $(node.id === "tab-note" ? "tab-reply" : "tab-note").focus();
  const sends = event.ctrlKey || event.metaKey || (node.id === "reply-text" && !event.shiftKey && localStorage.getItem(ENTER));
  if (writing(node) && event.key === "Enter" && sends) {
    event.preventDefault();
    return !event.repeat && node.value.trim() && node.form.requestSubmit(node.id === "note-text" ? $("save-note") : $("send"));
  }
  if (writing(node) && event.key === "Escape" && $("mentions").hidden) return $("scroll").focus();
  if (node.id === "note-text" && !$("mentions").hidden) {
    const buttons = [...document.querySelectorAll("#mentions button")];
    const at = buttons.findIndex((button) => button.getAttribute("aria-current"));
    if (event.key === "Escape") $("mentions").hidden = true;
    else if (event.key === "Enter" || event.key === "Tab") event.preventDefault(), name(buttons[at].dataset.name);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      buttons[at].removeAttribute("aria-current");
      buttons[(at + (event.key === "ArrowDown" ? 1 : buttons.length - 1)) % buttons.length].setAttribute("aria-current", "true");
    }
  }
});
