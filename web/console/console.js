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

// A fragment that could not be fetched is fetched again, because its hint does not come twice.
const pauses = new Map(); // by element: ms
function fetchAgain(node) {
  const hint = node.getAttribute("hx-trigger")?.match(/sse:[\w-]+/)?.[0];
  if (!hint || !node.getAttribute("hx-get")?.startsWith("/console/_/")) return;
  const pause = Math.min((pauses.get(node) ?? 500) * 2, 15_000);
  pauses.set(node, pause);
  setTimeout(() => node.isConnected && pauses.has(node) && window.htmx.trigger(node, hint), pause);
}
window.addEventListener("offline", () => connected("requests", false));
window.addEventListener("online", () => {
  for (const node of pauses.keys()) window.htmx.trigger(node, node.getAttribute("hx-trigger").match(/sse:[\w-]+/)[0]);
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
