// How Markdown will look, while it is typed. Without this script a button shows it.

const WAIT_MS = 400;

for (const field of document.querySelectorAll("textarea[data-looks]")) {
  const place = document.getElementById(field.dataset.looks);
  let soon;
  let latest = 0;
  field.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(() => look(++latest), WAIT_MS);
  });

  async function look(turn) {
    const body = new URLSearchParams({ text: field.value });
    const headers = { "X-Form-Token": field.form.elements.form_token.value };
    try {
      const answer = await fetch(field.dataset.ask, { method: "POST", body, headers });
      // Whoever is signed out meanwhile goes on typing: nothing is lost when it is sent.
      if (answer.ok && turn === latest) place.innerHTML = await answer.text();
    } catch {
      // It looks as it did; the words are what counts.
    }
  }
}
