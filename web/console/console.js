// What the console's pages need beyond htmx: the state of the connection, notices, shortcuts, signs of life.
const up = { stream: true, requests: true };

function connected(what, yes) {
  up[what] = yes;
  const sign = document.getElementById("connection"), all = up.stream && up.requests;
  if (!sign) return;
  sign.hidden = all;
  sign.textContent = all ? "" : sign.dataset.lost;
  document.body.classList.toggle("offline", !all);
}
document.body.addEventListener("htmx:sseOpen", () => connected("stream", true));
document.body.addEventListener("htmx:sseError", () => connected("stream", false));
document.body.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr?.status ?? 0;
  connected("requests", status > 0);
  if (event.detail.requestConfig?.verb !== "get" && status >= 500 && status !== 503) failed();
  if (status > 0 && status < 500) pauses.delete(event.detail.elt);
  else fetchAgain(event.detail.elt);
});

// What the desk could not do it could not say in words of its own either.
function failed() {
  const place = document.getElementById("notices"), notice = document.createElement("p");
  notice.className = "notice bad";
  notice.textContent = place.dataset.failed;
  place.append(notice);
}

// What has not changed is not swapped: nothing is read out twice, and no focus or open part is lost. Nor is a list
// swapped under a pressed button or one that waits for its answer: the click, or what was answered, would be lost.
const LISTS = "#inbox, #live, #list, #to-tell, #my-calls, #calls-lists";
const shown = new WeakMap(), asking = new Set();
const late = new Set();
let pressed = null;
const hintOf = (node) => node.getAttribute("hx-trigger")?.match(/sse:[\w-]+/)?.[0];
const busy = (list) => list === pressed || [...asking].some((node) => list.contains(node));
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse, xhr, requestConfig } = event.detail;
  if (!target?.matches?.(`${LISTS}, .strips > div`) || xhr.status !== 200) return;
  const fresh = serverResponse.replace(/(<time data-since="[^"]*">)[^<]*/g, "$1");
  if (shown.get(target) === fresh) event.detail.shouldSwap = false;
  else if (requestConfig.elt === target && busy(target)) late.add(target), (event.detail.shouldSwap = false);
  else shown.set(target, fresh);
});
function catchUp() {
  for (const list of [...late].filter((node) => !busy(node))) {
    late.delete(list);
    window.htmx.trigger(list, hintOf(list));
  }
}
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.parentElement?.closest(LISTS)) asking.add(event.detail.elt);
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (asking.delete(event.detail.requestConfig?.elt)) catchUp(); // of one that its answer took away, too
});
document.addEventListener("pointerdown", (event) => (pressed = event.target.closest?.(LISTS) ?? null), true);
for (const kind of ["pointerup", "pointercancel", "dragend", "contextmenu"]) // a menu may swallow the first of them
  document.addEventListener(kind, () => {
    pressed = null;
    setTimeout(catchUp);
  });

// A fragment that could not be fetched is fetched again, because its hint does not come twice.
const pauses = new Map(); // by element: ms
function fetchAgain(node) {
  const hint = hintOf(node);
  if (!hint || !node.getAttribute("hx-get")?.startsWith("/console/_/")) return;
  const pause = Math.min((pauses.get(node) ?? 500) * 2, 15_000);
  pauses.set(node, pause);
  setTimeout(() => node.isConnected && pauses.has(node) && window.htmx.trigger(node, hint), pause);
}
window.addEventListener("offline", () => connected("requests", false));
window.addEventListener("online", () => {
  for (const node of pauses.keys()) window.htmx.trigger(node, hintOf(node));
});

// Notices go by a click or, the good ones, after a while.
document.body.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest("[data-notice]").remove();
});
new MutationObserver((changes) => {
  for (const change of changes)
    for (const node of change.addedNodes)
      if (node.matches?.("[data-notice].good")) setTimeout(() => node.remove(), 6000);
}).observe(document.getElementById("notices"), { childList: true });

// A sign of life, at most once a minute, so that writing a long answer is not taken for absence.
let told = 0;
for (const kind of ["keydown", "pointerdown"])
  document.addEventListener(kind, () => {
    const token = document.body.getAttribute("hx-headers");
    if (!token || Date.now() - told < 60_000) return;
    told = Date.now();
    fetch("/console/_/active", { method: "POST", headers: JSON.parse(token) }).catch(() => connected("requests", false));
  });

// Times that count up: <time data-since="ISO">.
setInterval(() => {
  for (const node of document.querySelectorAll("[data-since]")) {
    const s = Math.max(0, Math.floor((Date.now() - Date.parse(node.dataset.since)) / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    node.textContent = h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
  }
}, 1000);
