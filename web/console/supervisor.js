// The supervisor's pages: what is at risk stands in the title, and wordings are reviewed by keyboard.
const risks = () => Number(document.querySelector("#risks [data-risks]")?.dataset.risks ?? 0);
const plain = (title) => title.replace(/^⚠\d+ /, "");
function mark() {
  const wanted = risks() ? `⚠${risks()} ${plain(document.title)}` : plain(document.title);
  if (document.title !== wanted) document.title = wanted;
}
new MutationObserver(mark).observe(document.querySelector("title"), { childList: true });

document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt?.id === "risks") mark();
});

// Wordings: j and k move, 1 to 3 take one of the guesses, 0 says that it is no example, e edits, ? is on the page.
const rows = () => [...document.querySelectorAll(".wording")];
let at = 0;
function go(to) {
  const all = rows();
  if (!all.length) return document.getElementById("wordings-none")?.focus();
  at = Math.min(Math.max(to, 0), all.length - 1);
  all[at].focus();
}
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.(".wording");
  if (row) at = rows().indexOf(row);
});
document.body.addEventListener("reviewed", () => setTimeout(() => go(at), 30));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]") || !rows().length) return;
  const here = document.activeElement.closest(".wording");
  const press = (selector) => here?.querySelector(selector)?.click();
  if (event.key === "j") go(here ? at + 1 : 0);
  else if (event.key === "k") go(here ? at - 1 : 0);
  else if (/^[0-3]$/.test(event.key)) press(`[data-key="${event.key}"]`);
  else if (event.key === "e") here?.querySelector("textarea")?.focus();
  else return;
  event.preventDefault();
});
