// The strip of a call that is put through: g opens its conversation. Never while somebody types.
document.addEventListener("keydown", (event) => {
  if (event.key !== "g" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  document.querySelector("#call [data-go]")?.click();
});
