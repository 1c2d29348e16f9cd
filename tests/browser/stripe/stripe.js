// Plays Stripe's script (https://js.stripe.com/endive/stripe.js) in the tests.
//
// It knows the calls that pay.js makes, as @stripe/stripe-js 10.2.1 types them, and throws
// where the real one throws: an option it does not know, a place that is not there, a
// confirm without an address. Fields, wallet and bank are frames of Stripe's origins.

(() => {
  const API = "https://api.stripe.com/v1/payment_pages/";
  const FRAMES = "https://js.stripe.com/standin/";
  const BANK = "https://hooks.stripe.com/standin/bank.html";
  const HAS_WALLET = "__WALLETS__" === "yes";
  const WALLET = { number: "4242424242424242", email: "wallet@example.com" };

  class IntegrationError extends Error {}

  function only(options, known) {
    for (const name of Object.keys(options ?? {}))
      if (!known.includes(name)) throw new IntegrationError(`Unknown option: ${name}`);
  }

  class Element {
    constructor(file, title) {
      this.handlers = {};
      this.frame = document.createElement("iframe");
      this.frame.src = FRAMES + file;
      this.frame.title = title;
      this.frame.allow = "payment *";
      // By property, as a page's policy allows: nothing inline.
      Object.assign(this.frame.style, { border: "0", display: "block", width: "100%" });
    }

    on(name, handler) {
      this.handlers[name] = handler;
      return this;
    }

    mount(selector) {
      const place = document.querySelector(selector);
      if (!place) throw new IntegrationError(`${selector} is not in the document`);
      this.frame.addEventListener("load", () => this.talk());
      place.replaceChildren(this.frame);
    }

    talk() {
      const { port1, port2 } = new MessageChannel();
      this.port = port1;
      port1.onmessage = ({ data }) => this.hear(data);
      this.frame.contentWindow.postMessage({ appearance: this.appearance }, "*", [port2]);
    }

    hear(said) {
      if (said.height) this.frame.style.height = `${said.height}px`;
      if (said.ready) this.handlers.ready?.({ elementType: this.kind, ...this.able });
      if (said.typed) this.typed(said.typed);
      if (said.pressed) this.handlers.confirm?.({ expressPaymentType: "google_pay" });
    }

    collect() {
      return new Promise((resolve) => {
        this.typed = resolve;
        this.port.postMessage("collect");
      });
    }
  }

  class Checkout {
    constructor(key, options) {
      only(options, ["clientSecret", "elementsOptions", "adaptivePricing", "defaultValues"]);
      this.key = key;
      this.secret = options.clientSecret;
      this.name = String(this.secret).split("_secret_")[0];
      this.appearance = options.elementsOptions?.appearance;
      only(this.appearance, [
        ...["theme", "variables", "rules", "disableAnimations", "labels", "inputs"],
      ]);
      if (!["stripe", "night", "flat", undefined].includes(this.appearance?.theme))
        throw new IntegrationError("Unknown theme");
    }

    createPaymentElement(options) {
      only(options, [
        ...["layout", "paymentMethodOrder", "readOnly", "terms", "fields", "wallets"],
        "walletOptions",
      ]);
      const address = options?.fields?.billingDetails?.address;
      this.card = new Element("card.html", "Secure payment input frame");
      this.card.kind = "payment";
      this.card.appearance = { ...this.appearance, country: address !== "if_required" };
      return this.card;
    }

    createExpressCheckoutElement() {
      const made = new Element("wallet.html", "Secure express checkout frame");
      made.kind = "expressCheckout";
      made.able = { availablePaymentMethods: HAS_WALLET ? { googlePay: true } : undefined };
      return made;
    }

    changeAppearance(appearance) {
      this.card.port.postMessage({ appearance });
    }

    async loadActions() {
      this.session = await this.ask("init", {});
      if (this.session.error)
        return { type: "error", error: { message: this.session.error.message, code: null } };
      this.email = this.session.email;
      const actions = {
        getSession: () => ({ id: this.name, email: this.email, status: this.status() }),
        updateEmail: (email) => this.updateEmail(email),
        confirm: (how) => this.confirm(how),
      };
      return { type: "success", actions };
    }

    status() {
      const type = this.session.status;
      return type === "complete" ? { type, paymentStatus: this.session.payment_status } : { type };
    }

    async updateEmail(email) {
      if (this.session.email) throw new IntegrationError("customer_email was given");
      if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) {
        const message = "Your email is invalid.";
        return { type: "error", error: { message, code: "invalidEmail" } };
      }
      this.email = email;
      return { type: "success", session: {} };
    }

    async confirm(how) {
      only(how, ["returnUrl", "redirect", "email", "expressCheckoutConfirmEvent"]);
      const wallet = how?.expressCheckoutConfirmEvent;
      const typed = wallet ? WALLET : await this.card.collect();
      if (typed.wrong) return { type: "error", error: { message: typed.wrong, code: null } };
      const email = this.email ?? (wallet && WALLET.email);
      if (!email) throw new IntegrationError("There is no e-mail address.");
      const sent = { email, number: typed.number };
      let found = await this.ask("confirm", sent);
      if (found.requires_action)
        found = await this.ask("confirm", { ...sent, answer: await this.challenge() });
      this.session = { ...this.session, ...found, error: undefined };
      if (found.error) return this.failed(found.error.message);
      if (how?.redirect !== "if_required") location.assign(found.return_url);
      return { type: "success", session: {} };
    }

    failed(message) {
      const paymentFailed = { declineCode: "generic_decline" };
      return { type: "error", error: { message, code: "paymentFailed", paymentFailed } };
    }

    challenge() {
      const frame = document.createElement("iframe");
      frame.src = BANK;
      frame.title = "Your bank asks";
      Object.assign(frame.style, {
        ...{ background: "#fff", border: "0", height: "100%", inset: "0", position: "fixed" },
        ...{ width: "100%", zIndex: "2147483647" },
      });
      document.body.append(frame);
      return new Promise((resolve) => {
        addEventListener("message", function hear(event) {
          if (event.source !== frame.contentWindow) return;
          removeEventListener("message", hear);
          frame.remove();
          resolve(event.data.answer);
        });
      });
    }

    async ask(action, values) {
      const body = new URLSearchParams({
        ...values,
        key: this.key,
        client_secret: this.secret,
      });
      const answer = await fetch(`${API}${this.name}/${action}`, { method: "POST", body });
      return answer.json();
    }
  }

  window.Stripe = (key, options) => {
    only(options, ["locale", "stripeAccount", "apiVersion", "betas", "developerTools"]);
    if (!/^pk_(test|live)_/.test(key)) throw new IntegrationError("Invalid API key");
    return { initCheckoutElementsSdk: (wanted) => new Checkout(key, wanted) };
  };
})();
