// The form of an article or a reply: what was typed survives a lost page, a lost sign-in and an accidental click.
const form = document.querySelector("form[data-draft]"), note = document.getElementById("draft");
const key = `knowledge-draft:${location.pathname}`;
const values = () => [...new FormData(form)].filter(([name]) => name !== "version" && name !== "nonce");
const fields = () => [...form.elements].filter((node) => node.name && node.name !== "version" && node.name !== "nonce");
const version = form?.elements.version;
let dirty = false;

function put(kept) {
  const left = [...kept];
  for (const node of fields()) {
    const at = left.findIndex(([name]) => name === node.name);
    if (node.type === "checkbox") node.checked = at >= 0;
    else if (at >= 0) node.value = left[at][1];
    if (at >= 0) left.splice(at, 1);
  }
}

if (form) {
  const shown = JSON.stringify(values());
  const present = version.value, kept = JSON.parse(sessionStorage.getItem(key));
  if (kept && JSON.stringify(kept.values) !== shown) {
    put(kept.values);
    version.value = kept.version; // who changed it since is not written over unseen
    dirty = true;
    note.hidden = false;
  }
  const forget = () => {
    sessionStorage.removeItem(key);
    dirty = false;
  };
  form.addEventListener("input", () => {
    sessionStorage.setItem(key, JSON.stringify({ version: version.value, values: values() }));
    dirty = true;
  });
  note.addEventListener("click", (event) => {
    if (!event.target.closest("[data-forget]")) return;
    forget();
    put(JSON.parse(shown));
    version.value = present;
    note.hidden = true;
    form.dispatchEvent(new Event("input"));
    forget();
  });
  // Saved: the desk leads to the page of what was saved; to the sign-in it leads where nothing was.
  document.body.addEventListener("htmx:beforeOnLoad", (event) => {
    const to = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (event.detail.elt !== form || !to) return;
    if (to.startsWith("/console/login")) dirty = false; // the draft stays
    else forget();
  });
  // Somebody else was faster: who has read that and saves again saves over it.
  document.body.addEventListener("htmx:afterSwap", () => {
    const other = document.querySelector("#knowledge-errors [data-version]");
    if (other) version.value = other.dataset.version;
  });
  document.querySelector("[data-leave]")?.addEventListener("click", forget);
  window.addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}
