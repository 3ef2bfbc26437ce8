/** The message field: grows with its text, counts, sends on Enter but never in the middle of a composition (IME). */

import { label } from "./i18n.js";

const LIMIT = 1000; // characters as the server counts them
const COUNT_FROM = 900;

const form = document.getElementById("composer");
const input = document.getElementById("input");
const send = document.getElementById("send");
const counter = document.getElementById("counter");

const length = (text) => Array.from(text).length;

function refresh() {
  const size = length(input.value.trim());
  const over = size - LIMIT;
  input.style.height = "auto"; // through the CSSOM, which a strict policy for styles allows
  input.style.height = `${input.scrollHeight + input.offsetHeight - input.clientHeight}px`;
  if (over > 0) label(counter, "tooLong", { n: over });
  else label(counter, size >= COUNT_FROM ? "counter" : null, { n: size });
  counter.classList.toggle("over", over > 0);
  input.setAttribute("aria-invalid", String(over > 0));
  send.setAttribute("aria-disabled", String(over > 0 || size === 0));
}

/** A pointer that is not a finger: focusing the field does not raise a keyboard over the page. */
const fine = window.matchMedia("(pointer: fine)");

export function focusInput({ always = false } = {}) {
  if (always || fine.matches) input.focus({ preventScroll: true });
}

export function setDraft(text) {
  input.value = text;
  refresh();
  input.focus();
}

export function setUpComposer(onText) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    const size = length(text);
    if (size > 0 && size <= LIMIT) {
      input.value = "";
      refresh();
      onText(text);
    }
    focusInput({ always: true });
  });
  input.addEventListener("keydown", (event) => {
    const composing = event.isComposing || event.keyCode === 229; // 229: Safari's Enter that ends a composition
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  input.addEventListener("input", refresh);
  refresh();
}
