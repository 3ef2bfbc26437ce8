// The lists, their shortcuts, and the transcript's end: what htmx does not do for the inbox and a conversation.
const $ = (id) => document.getElementById(id);
const here = document.querySelector(".workplace[data-conversation]")?.dataset.conversation ?? "";

// What was seen of one's own conversations: ids and line numbers only.
const SEEN = "mainsdesk-seen";
function seen() {
  try {
    return JSON.parse(sessionStorage.getItem(SEEN)) ?? {};
  } catch {
    return {};
  }
}

let known = null; // ids that waited when the list was last looked at
const heardOf = new Map(); // the last line of each of one's own then
let acted = 0; // when a claim was asked for
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb === "post") acted = Date.now();
});
function lookAtLists() {
  const counts = $("counts");
  if (!counts) return;
  const before = seen(), now = {};
  let heard = false;
  for (const mark of document.querySelectorAll("#inbox .unread")) {
    const row = mark.closest("[data-conversation]"), link = row.querySelector("[data-seq]");
    const id = row.dataset.conversation, seq = Number(link.dataset.seq);
    const owes = row.querySelector("[data-since]"), looked = id === here && !document.hidden;
    const own = !heardOf.has(id) && Date.now() - acted < 5000; // just taken by this agent himself
    heard ||= known && owes && !looked && !own && seq > (heardOf.get(id) ?? 0);
    heardOf.set(id, seq);
    now[id] = looked ? seq : (before[id] ?? 0);
    mark.hidden = seq <= now[id];
  }
  sessionStorage.setItem(SEEN, JSON.stringify(now));
  if (heard) document.body.dispatchEvent(new Event("ring"));

  const waiting = new Set([...document.querySelectorAll("#inbox .claim")].map((node) => node.id));
  const fresh = known && [...waiting].filter((id) => !known.has(id)).length;
  if (fresh) $("inbox-news").textContent = counts.dataset.news.replace("#", fresh);
  known = waiting;
}
lookAtLists();
document.addEventListener("visibilitychange", lookAtLists);
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.closest?.("#inbox")) lookAtLists();
});

// What has not changed is not swapped, so that neither focus nor a reader's place is lost.
document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const quiet = (node) => node.innerHTML.replace(/(<time data-since="[^"]*">)[^<]*/g, "$1");
  const fresh = fragment.firstElementChild;
  if (fresh && target.matches(".about, #head, #window") && quiet(fresh) === quiet(target)) event.detail.shouldSwap = false;
});

// The transcript stays at its end while it is there; otherwise it says how many lines are new.
const scroll = $("scroll"), lines = $("lines"), jump = $("jump");
if (scroll) {
  let atEnd = true, missed = 0, last = lines.lastElementChild, height = scroll.scrollHeight;
  const toEnd = () => {
    scroll.scrollTop = scroll.scrollHeight;
    missed = 0;
    jump.hidden = true;
  };
  scroll.addEventListener("scroll", () => {
    atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
    if (atEnd) toEnd();
  });
  jump.addEventListener("click", () => {
    toEnd();
    scroll.focus();
  });
  new MutationObserver(() => {
    if (lines.lastElementChild !== last) {
      for (let node = last?.nextElementSibling ?? lines.firstElementChild; node; node = node.nextElementSibling) missed++;
      last = lines.lastElementChild;
      if (atEnd) toEnd();
      else {
        jump.hidden = false;
        jump.querySelector("span").textContent = missed;
      }
    } else if (!atEnd || scroll.scrollTop < 40) {
      scroll.scrollTop += scroll.scrollHeight - height; // earlier lines came in above
    }
    height = scroll.scrollHeight;
  }).observe(lines, { childList: true });
  new ResizeObserver(() => atEnd && toEnd()).observe(scroll);
  const named = location.hash.startsWith("#note-") && document.querySelector(CSS.escape ? `#${CSS.escape(location.hash.slice(1))}` : null);
  if (named) named.scrollIntoView({ block: "center" });
  else toEnd();
}

// The acts: what is opened can be filled in at once, Escape puts it away. A toggle does not bubble.
document.addEventListener("toggle", (event) => {
  if (event.target.open && event.target.closest("#acts")) event.target.querySelector("textarea, select, input")?.focus();
}, true);
document.addEventListener("keydown", (event) => {
  const fold = event.key === "Escape" && !event.isComposing && event.target.closest?.("#acts > details[open]");
  if (!fold) return;
  fold.open = false;
  fold.querySelector("summary").focus();
});
const act = (name) => () => {
  const fold = document.querySelector(`#acts > details:has(form[hx-post$="/${name}"])`);
  if (fold) fold.open = true;
};

// Shortcuts, never while somebody writes.
function step(by) {
  const items = [...document.querySelectorAll(".side .item")];
  if (!items.length) return;
  const at = items.indexOf(document.activeElement);
  const from = at < 0 ? items.findIndex((node) => node.getAttribute("aria-current")) : at;
  items[Math.min(Math.max(from + by, 0), items.length - 1)].focus();
}
const keys = {
  j: () => step(1),
  k: () => step(-1),
  n: () => $("take-next")?.click(),
  c: () => $("claim")?.click(),
  b: act("release"),
  t: act("transfer"),
  x: act("close"),
  r: () => $("tab-reply")?.dispatchEvent(new CustomEvent("open-tab", { bubbles: true })),
  i: () => $("tab-note")?.dispatchEvent(new CustomEvent("open-tab", { bubbles: true })),
  "/": () => $("search")?.focus(),
  "?": () => $("shortcuts").showModal(),
};
$("open-shortcuts").addEventListener("click", keys["?"]);
$("shortcuts").addEventListener("click", (event) => event.target === $("shortcuts") && $("shortcuts").close());

// A field that was taken away while somebody wrote in it (a colleague took over): what he types on is no shortcut.
const FIELDS = "input, textarea, select, [contenteditable]";
let wrote = 0;
document.addEventListener("pointerdown", () => (wrote = 0));
document.addEventListener("keydown", (event) => {
  if (!event.target.closest(FIELDS)) return;
  const done = ["Escape", "Tab"].includes(event.key) || event.ctrlKey || event.metaKey;
  wrote = done && !event.isComposing ? 0 : Date.now();
}, true);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest(`${FIELDS}, dialog[open]`)) return; // a closed one keeps the focus until the next frame
  if (Date.now() - wrote < 1500) return void (wrote = Date.now());
  const list = event.target.closest(".side") && { ArrowDown: "j", ArrowUp: "k" }[event.key];
  const shortcut = keys[list || event.key];
  if (!shortcut || (event.repeat && !"jk".includes(list || event.key))) return;
  event.preventDefault();
  shortcut();
});
