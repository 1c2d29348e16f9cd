// Paying on our page: everything that talks to Stripe's script is in this file.
//
// After docs.stripe.com/payments/quickstart-checkout-sessions (the page), /js/custom_checkout
// (the calls) and /elements/express-checkout-element (the wallets), as of the train "endive",
// which goes with the version of the API that the shop speaks. What has become of a payment
// the shop alone says, at `data-open` and `data-return`; this file never decides it.

const STRIPE_JS = "https://js.stripe.com/endive/stripe.js";
const PATIENCE_MS = 8000;

const form = document.getElementById("pay");
const button = form.querySelector("[type=submit]");
const email = document.getElementById("email"); // not there when the address is known
const hosted = document.querySelector("form.hosted button");
const problems = document.getElementById("problems");
let actions;
let troubled = false;

const late = setTimeout(sayTrouble, PATIENCE_MS);
start().catch(sayTrouble);

// Back from a bank or from the purchase, a browser may show this page as it was left.
addEventListener("pageshow", (event) => event.persisted && location.reload());

async function start() {
  await loaded(STRIPE_JS);
  const stripe = Stripe(form.dataset.key, { locale: document.documentElement.lang });
  const checkout = stripe.initCheckoutElementsSdk({
    clientSecret: form.dataset.secret,
    elementsOptions: { appearance: appearance() },
    adaptivePricing: { allowed: false }, // the button says what is charged
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    checkout.changeAppearance(appearance()),
  );
  showWallets(checkout);
  const [found] = await Promise.all([checkout.loadActions(), shownCard(checkout)]);
  if (found.type === "error") throw new Error(found.error.message);
  actions = found.actions;
  clearTimeout(late);
  if (troubled) tell([]); // late, but there
  setBusy(false);
}

function loaded(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    script.src = address;
    document.head.append(script);
  });
}

// Wallets first: who has one types nothing.
function showWallets(checkout) {
  const place = document.getElementById("express");
  const wallets = checkout.createExpressCheckoutElement();
  wallets.on("ready", ({ availablePaymentMethods }) => {
    if (availablePaymentMethods) place.classList.remove("waiting");
  });
  wallets.on("confirm", (event) => confirm({ expressCheckoutConfirmEvent: event }));
  wallets.mount("#wallets");
}

function shownCard(checkout) {
  const card = checkout.createPaymentElement({
    // Number, expiry and CVC: no country, no postcode, unless a way to pay cannot do without.
    fields: { billingDetails: { address: "if_required" } },
    wallets: { applePay: "never", googlePay: "never", link: "never" }, // they are above
  });
  const shown = new Promise((resolve, reject) => {
    card.on("ready", resolve);
    card.on("loaderror", reject);
  });
  card.mount("#card");
  return shown;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!button.disabled) pay();
});

async function pay() {
  setBusy(true);
  const wrong = email ? await wrongEmail() : "";
  if (wrong) return stop([{ text: wrong, field: "email" }]);
  confirm({});
}

async function wrongEmail() {
  const checked = await checkEmail();
  if (checked.error) return checked.error;
  const taken = await actions
    .updateEmail(email.value.trim())
    .catch(() => ({ type: "error", error: { message: "Please try again." } }));
  const wrong = taken.type === "error" ? taken.error.message : "";
  showAtEmail(wrong);
  return wrong;
}

// Banks that ask (3-D Secure) do so on top of this page; some ways to pay lead away, and
// come back to the shop by themselves.
async function confirm(how) {
  setBusy(true);
  const done = await actions
    .confirm({ ...how, redirect: "if_required" })
    .catch(() => ({ type: "error", error: { message: "Please try again." } }));
  if (done.type === "error" && (await isOpen())) stop([{ text: done.error.message }]);
  else location.assign(form.dataset.return);
}

// Whether nothing was charged, asked of the shop: an answer may have been lost on its way, or
// it was paid in another tab. If nobody knows, it is not for this page to say.
function isOpen() {
  return fetch(form.dataset.open)
    .then((answer) => answer.ok && answer.json())
    .then((found) => found.open)
    .catch(() => false);
}

function stop(found) {
  setBusy(false);
  tell(found);
  problems.focus();
}

function tell(found) {
  const lines = found.map(({ text, field }) => {
    const line = document.createElement("li");
    const link = document.createElement(field ? "a" : "span");
    if (field) link.href = `#${field}`;
    link.textContent = text;
    line.append(link);
    return line;
  });
  problems.querySelector("ul").replaceChildren(...lines);
  problems.hidden = !lines.length;
}

function setBusy(busy) {
  form.setAttribute("aria-busy", String(busy));
  button.disabled = hosted.disabled = busy;
}

// Stripe's script is blocked, or does not come in time: the other way is still there.
function sayTrouble() {
  troubled = true;
  form.setAttribute("aria-busy", "false");
  tell([{ text: "The fields for your card could not be loaded. Pay on Stripe’s page instead." }]);
}

// The address, typed once: the shop says what is wrong with it, in the words of every page.

let before = { value: "", answer: Promise.resolve({}) };

function checkEmail() {
  if (email.value !== before.value || !email.value)
    before = { value: email.value, answer: ask(email.value) };
  return before.answer;
}

async function ask(value) {
  const body = new URLSearchParams({ email: value });
  const found = await fetch(form.dataset.email, { method: "POST", body })
    .then((answer) => answer.json())
    .catch(() => ({ error: "", suggestion: "" })); // Stripe looks at it as well
  showAtEmail(found.error);
  showMeant(found.suggestion);
  return found;
}

function showAtEmail(wrong) {
  document.getElementById("email-error")?.remove();
  email.toggleAttribute("aria-invalid", false);
  email.setAttribute("aria-describedby", wrong ? "email-error email-hint" : "email-hint");
  if (!wrong) return;
  email.setAttribute("aria-invalid", "true");
  const line = document.createElement("p");
  line.id = "email-error";
  line.className = "error";
  line.textContent = wrong;
  email.after(line);
}

function showMeant(address) {
  const meant = document.getElementById("meant");
  meant.hidden = !address;
  meant.querySelector("button").textContent = address;
}

email?.addEventListener("change", () => email.value && checkEmail());
document.querySelector("#meant button")?.addEventListener("click", (event) => {
  email.value = event.target.textContent;
  checkEmail();
  email.focus();
});

// Stripe's fields look like ours, by day and by night.
function appearance() {
  const style = getComputedStyle(document.documentElement);
  const ours = (name) => style.getPropertyValue(name).trim();
  return {
    theme: style.colorScheme === "dark" ? "night" : "stripe",
    disableAnimations: matchMedia("(prefers-reduced-motion: reduce)").matches,
    variables: {
      borderRadius: "6px",
      colorBackground: ours("--paper"),
      colorDanger: ours("--bad"),
      colorPrimary: ours("--accent"),
      colorText: ours("--ink"),
      colorTextSecondary: ours("--soft"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSizeBase: getComputedStyle(document.body).fontSize,
      gridRowSpacing: "20px",
    },
    rules: {
      ".Label": { fontSize: "1rem", fontWeight: "600", color: ours("--ink") },
      ".Input": { border: `1px solid ${ours("--edge")}`, boxShadow: "none", padding: "12px" },
      ".Input:focus": { boxShadow: `0 0 0 3px ${ours("--accent")}` },
      ".Input--invalid": { borderColor: ours("--bad"), boxShadow: "none" },
    },
  };
}
