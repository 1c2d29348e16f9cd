// Passkeys: asks a device to make one or to sign with one, and sends what it says.
// Forms with data-passkey ("create" or "get") are hidden until it is known that this works.

const able =
  window.PublicKeyCredential?.parseCreationOptionsFromJSON &&
  window.PublicKeyCredential.parseRequestOptionsFromJSON;

async function create(form) {
  const options = JSON.parse(form.dataset.options);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return navigator.credentials.create({ publicKey });
}

async function get(form) {
  const body = new FormData();
  body.set("form_token", form.elements.form_token.value);
  const answer = await fetch(form.dataset.ask, { method: "POST", body });
  if (!answer.ok) throw new Error(String(answer.status));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await answer.json());
  return navigator.credentials.get({ publicKey });
}

const WORDS = {
  InvalidStateError: "This device has a passkey for you already.",
  NotAllowedError: "The device said no, or was asked for too long. Try again.",
  429: "That was too often in a short time. Wait a quarter of an hour.",
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !able;
  form.addEventListener("submit", async (event) => {
    if (form.elements.answer.value) return;
    event.preventDefault();
    const problem = form.querySelector("[data-problem]");
    problem.hidden = true;
    form.setAttribute("aria-busy", "true");
    try {
      const made = await (form.dataset.passkey === "create" ? create(form) : get(form));
      form.elements.answer.value = JSON.stringify(made.toJSON());
      form.requestSubmit();
    } catch (error) {
      problem.textContent =
        WORDS[error.name] ?? WORDS[error.message] ?? "That did not work. Try again, or use your password.";
      problem.setAttribute("role", "alert");
      problem.hidden = false;
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
}
for (const each of document.querySelectorAll("[data-unable]")) each.hidden = able;
