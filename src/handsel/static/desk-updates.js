// What is written at the desk is kept while one writes, and what it comes to is shown
// beside it. Without this script the buttons do the same.

const QUIET_MS = 700; // after the last key
const AGAIN_MS = 3000; // after a try that failed
const PATIENCE_MS = 20_000;

const form = document.querySelector("form[data-keep]");
const says = document.getElementById("kept");
const look = document.getElementById("look");
const clash = document.getElementById("clash");

let timer = 0;
let running = null; // the try that is on its way
let typed = false; // something is not kept yet
let halted = false; // another page was quicker: a person must decide
let leaving = false;

function later(delay) {
  typed = true;
  if (halted) return;
  if (!says.classList.contains("bad")) say("Not kept yet \u2026");
  clearTimeout(timer);
  timer = setTimeout(keep, delay);
}

async function keep() {
  clearTimeout(timer);
  if (running || halted) return;
  typed = false;
  running = once();
  const kept = await running;
  running = null;
  if (halted) return;
  if (!kept || typed) later(kept ? QUIET_MS : AGAIN_MS);
}

// Try once; say whether it was kept.
async function once() {
  let answer;
  let words;
  try {
    answer = await fetch(form.dataset.keep, {
      method: "POST",
      body: new FormData(form),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    words = await answer.text();
  } catch {
    return fail("Not kept: the shop does not answer. It is tried again by itself.");
  }
  if (answer.ok) return take(answer.headers.get("X-Revision"), words);
  if (answer.status === 409) return stop(words);
  if (answer.status === 401) return ask();
  if (answer.status === 404) return fail("Not kept: somebody has thrown this draft away.");
  if (answer.status === 413) return fail("Not kept: the text is too long.");
  return fail("Not kept: something went wrong. It is tried again by itself.");
}

function take(revision, words) {
  form.elements.revision.value = revision;
  const here = document.activeElement?.closest("#look a")?.getAttribute("href");
  if (look.dataset.words !== words) look.innerHTML = words;
  look.dataset.words = words;
  if (here) look.querySelector(`a[href="${CSS.escape(here)}"]`)?.focus();
  say(`Kept at ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.`);
  return true;
}

function stop(words) {
  halted = typed = true;
  clash.innerHTML = words;
  clash.scrollIntoView({ block: "nearest" });
  say("Not kept: see above.");
  says.classList.add("bad");
  return false;
}

function ask() {
  fail("Not kept: you were signed out. ");
  const link = document.createElement("a");
  Object.assign(link, { href: form.dataset.signIn, target: "_blank", textContent: "Sign in, in another tab" });
  says.append(link, "; then it is kept.");
  return false;
}

function fail(words) {
  typed = true;
  say(words);
  says.classList.add("bad");
  says.setAttribute("role", "alert");
  return false;
}

// Only what goes wrong is read out: who types wants no interruption.
function say(words) {
  says.classList.remove("bad");
  says.removeAttribute("role");
  if (says.textContent !== words) says.textContent = words;
}

if (form) {
  const mine = (event) => event.target.form === form;
  document.addEventListener("input", (event) => mine(event) && later(QUIET_MS));
  document.addEventListener("change", (event) => mine(event) && later(0));
  const tray = document.querySelector("[data-tray]");
  // A file that has just come is ticked without anybody's hand.
  if (tray) new MutationObserver(() => later(QUIET_MS)).observe(tray, { childList: true, subtree: true });

  form.addEventListener("submit", async (event) => {
    clearTimeout(timer);
    leaving = true;
    if (!running) return;
    // What is on its way would look to the shop as if somebody else had written.
    event.preventDefault();
    await running;
    form.requestSubmit(event.submitter);
  });
  addEventListener("pageshow", () => (leaving = false));
  // A phone may never come back to a page that is out of sight.
  document.addEventListener("visibilitychange", () => document.hidden && typed && keep());
  addEventListener("pagehide", () => {
    if (typed && !leaving && !halted) navigator.sendBeacon(form.dataset.keep, new FormData(form));
  });
  addEventListener("beforeunload", (event) => {
    if ((typed || running) && !leaving) event.preventDefault();
  });
}
