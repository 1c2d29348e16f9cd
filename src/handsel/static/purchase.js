// Nicer with scripts, complete without: start the first download, calm double clicks,
// look whether a payment has arrived.

const QUIET_MS = 5000;

// A second press while the first is on its way would only be noise.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
  setTimeout(() => release(form), QUIET_MS); // a download leaves this page standing
});

function release(form) {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
}

const first = document.querySelector("form[data-autostart]");
const started = `started ${location.pathname}`;

addEventListener("pageshow", () => {
  // Back from the payment page, the browser may show this page as it was left.
  document.querySelectorAll("form").forEach(release);
  // Not earlier: a download that starts while the page loads stops the loading.
  if (!first || sessionStorage.getItem(started)) return;
  sessionStorage.setItem(started, "yes");
  first.requestSubmit();
  release(first); // nobody has pressed it yet: the page says that they may
  document.querySelector("[data-started]").hidden = false;
});

const waiting = document.querySelector("[data-refresh]");
if (waiting) {
  const look = () => location.replace(waiting.dataset.check);
  setTimeout(look, Number(waiting.dataset.refresh) * 1000);
}

// One answer to "what is it worth to you": a choice, or an amount.
const choices = document.querySelectorAll("input[name=amount][type=radio]");
const other = document.querySelector("input[name=other]");
other?.addEventListener("input", () => choices.forEach((each) => (each.checked = false)));
choices.forEach((each) => each.addEventListener("change", () => (other.value = "")));
