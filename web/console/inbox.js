// The lists, their shortcuts, and the transcript's end: what htmx does not do for the inbox and a conversation.
const $ = (id) => document.getElementById(id);
const title = document.title;
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
function lookAtLists() {
  const counts = $("counts");
  if (!counts) return;
  const open = Number(counts.dataset.owed) + Number(counts.dataset.waiting);
  document.title = open ? `(${open}) ${title}` : title;

  const before = seen(), now = {};
  for (const mark of document.querySelectorAll("#inbox .unread")) {
    const row = mark.closest("[data-conversation]"), link = row.querySelector("[data-seq]");
    const id = row.dataset.conversation, seq = Number(link.dataset.seq);
    now[id] = id === here && !document.hidden ? seq : (before[id] ?? 0);
    mark.hidden = seq <= now[id];
  }
  sessionStorage.setItem(SEEN, JSON.stringify(now));

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
  "?": () => {
    const help = $("shortcuts");
    help.open = !help.open;
    if (help.open) help.querySelector("summary").focus();
  },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const list = event.target.closest(".side") && { ArrowDown: "j", ArrowUp: "k" }[event.key];
  const shortcut = keys[list || event.key];
  if (!shortcut) return;
  event.preventDefault();
  shortcut();
});
