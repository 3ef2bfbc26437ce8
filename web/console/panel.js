// The panel, tickets and outages: sections stay as they were folded, forms are put away, lists go by keyboard.
const folded = new Map();

// A refresh brings sections anew: how they were folded is kept by their ids.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[id^=fold-], details[id^=history-]")) folded.set(event.target.id, event.target.open);
}, true);
document.body.addEventListener("htmx:beforeSwap", () => {
  for (const one of document.querySelectorAll("details[id^=fold-], details[id^=history-]")) folded.set(one.id, one.open);
});
document.body.addEventListener("htmx:afterSwap", () => {
  for (const [id, open] of folded) {
    const one = document.getElementById(id);
    if (one) one.open = open;
  }
});

document.body.addEventListener("click", (event) => {
  const button = event.target.closest("[data-clear]");
  if (!button) return;
  const work = button.closest(".work");
  if (work) work.replaceChildren();
});
// A proof that was right is put away, and the customer's file has the focus.
document.body.addEventListener("work-done", (event) => {
  event.target.closest(".work")?.replaceChildren();
  document.querySelector("#fold-customer > summary")?.focus();
});
// What was put into the reply has left the panel: the filing is done.
document.body.addEventListener("insert-reply", (event) => {
  if (event.target.closest("[data-filed]")) event.target.closest(".work")?.replaceChildren();
});
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.matches?.(".work")) event.target.querySelector("input:not([type=hidden]), select, textarea, button")?.focus();
});

// Lists: j and k move, Enter opens (the row's link has the focus), / searches. Never while somebody types.
const typing = (node) => node.closest("input, textarea, select, [contenteditable]");
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const links = [...document.querySelectorAll("[data-rows] tr td:first-child a")];
  if (!links.length) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); }
    return;
  }
  const step = { j: 1, k: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1)].focus();
});
