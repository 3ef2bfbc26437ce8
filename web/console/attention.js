// What calls an agent who looks elsewhere: the counts in the bar and the title, and a quiet sound.
const $ = (id) => document.getElementById(id);
const title = document.title;
const number = (text) => Number(text ?? 0);

// Where the lists are shown they say it themselves; elsewhere the bar asks.
function counted() {
  const lists = $("counts")?.dataset, bar = document.querySelector("#tally .tally")?.dataset;
  if (lists) return { owed: number(lists.owed), waiting: number(lists.waiting), words: lists.owedWords };
  return bar && { owed: number(bar.owed), waiting: number(bar.waiting), heard: bar.heard };
}
let last = null;
function look() {
  const now = counted();
  if (!now) return;
  if (now.words !== undefined) {
    const sign = document.createElement("span"), words = document.createElement("span");
    Object.assign(sign, { className: "tally", textContent: now.owed, hidden: !now.owed });
    Object.assign(words, { className: "sr-only", textContent: ` ${now.words}` });
    sign.append(words);
    $("tally").replaceChildren(sign);
  }
  document.title = now.owed + now.waiting ? `(${now.owed + now.waiting}) ${title}` : title;
  // Somebody new in the queue calls only who could take him; the lists see to lines themselves (inbox.js).
  const free = !now.owed && document.querySelector("select[name=presence]")?.value === "available";
  if (last && ((now.heard ?? "") > (last.heard ?? "") || (free && now.waiting > last.waiting))) ring();
  last = now;
}

// Two soft tones, once for all tabs of this browser.
const OFF = "mainsdesk-sound-off", RANG = "mainsdesk-rang";
let audio = null;
function ring() {
  if (localStorage.getItem(OFF) || Date.now() - number(localStorage.getItem(RANG)) < 3000) return;
  localStorage.setItem(RANG, Date.now());
  document.body.dataset.rang = number(document.body.dataset.rang) + 1;
  audio ??= new AudioContext();
  if (audio.state !== "running") return void audio.resume(); // nobody has touched this page yet
  [660, 880].forEach((pitch, place) => {
    const tone = audio.createOscillator(), volume = audio.createGain(), start = audio.currentTime + place * 0.14;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.06, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0005, start + 0.32);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.35);
  });
}
const sign = () => $("sound").setAttribute("aria-pressed", !localStorage.getItem(OFF));
$("sound").addEventListener("click", () => {
  if (localStorage.getItem(OFF)) localStorage.removeItem(OFF), ring();
  else localStorage.setItem(OFF, "1");
  sign();
});
window.addEventListener("storage", sign);
sign();

let alarms = null;
function danger() {
  const now = new Set([...document.querySelectorAll("#alarms [id^=alarm-open-]")].map((node) => node.id));
  if (alarms && [...now].some((id) => !alarms.has(id))) ring();
  alarms = now;
}
document.body.addEventListener("ring", ring);
document.body.addEventListener("htmx:afterSettle", (event) => {
  const part = event.detail.elt?.closest?.("#tally, #inbox, #alarms")?.id ?? "";
  if (part === "alarms") danger();
  else if (part) look();
});
look();
