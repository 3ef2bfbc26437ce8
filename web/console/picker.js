// Canned replies and articles: "/" at the start of an empty line, a word or a code, Enter.
const $ = (id) => document.getElementById(id);
let wanted = false; // Enter was pressed before the list was there
// What stands in the list may not yet be what is asked for.
const late = () => document.querySelector("#picks [data-q]")?.dataset.q !== $("picker-q").value;

function open() {
  const field = $("picker-q");
  if (!field) return;
  $("picker").hidden = false;
  $("open-picker").setAttribute("aria-expanded", "true");
  $("picks").replaceChildren();
  field.value = "";
  field.focus();
  wanted = false;
  field.dispatchEvent(new Event("open"));
}
function close() {
  $("picker").hidden = true;
  $("open-picker").setAttribute("aria-expanded", "false");
  $("reply-text").focus();
}
function choose(pick) {
  const text = pick.dataset.insert;
  close();
  document.body.dispatchEvent(new CustomEvent("insert-reply", { detail: { text } }));
}
function marked() {
  return document.querySelector("#picks .pick[aria-selected=true]");
}
function mark(by) {
  const picks = [...document.querySelectorAll("#picks .pick")];
  const next = picks[Math.min(Math.max(picks.indexOf(marked()) + by, 0), picks.length - 1)];
  for (const node of picks) node.setAttribute("aria-selected", node === next);
  if (!next) return $("picker-q").removeAttribute("aria-activedescendant");
  next.scrollIntoView({ block: "nearest" });
  $("picker-q").setAttribute("aria-activedescendant", next.id);
}
// What is typed is looked at, not which key it was: with a Chinese input method the key of "/" may write 、 or ／.
function slash(event) {
  const area = event.target;
  if (event.target.id === "picker-q") wanted = false;
  if (area.id !== "reply-text" || event.isComposing || !/^(insert(Text|CompositionText)|)$/.test(event.inputType ?? "")) return;
  const at = area.selectionStart;
  if (!/(^|\n)[/／、]$/.test(area.value.slice(0, at)) || !/^[/／、]$/.test(event.data ?? "")) return;
  area.setRangeText("", at - 1, at, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  open();
}
document.addEventListener("input", slash);
document.addEventListener("compositionend", slash);
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "picks") return;
  mark(0);
  if (!wanted || late()) return;
  wanted = false;
  if (marked()) choose(marked());
});
document.addEventListener("click", (event) => {
  const pick = event.target.closest("#picks .pick");
  if (pick) choose(pick);
  else if (event.target.closest("#open-picker")) $("picker").hidden ? open() : close();
  else if (event.target.closest("#close-picker")) close();
});
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  const node = event.target;
  if (node.id !== "picker-q") return;
  if (event.key === "Escape") close();
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    mark(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (late()) wanted = true;
    else if (marked()) choose(marked());
  }
});
