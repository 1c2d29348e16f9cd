// Buttons that copy a field beside them; without this script it can be marked and copied.

const said = document.querySelector("[data-copied]");

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // without https there is no other way
    }
    const words = button.firstChild.textContent;
    button.firstChild.textContent = "Copied";
    said.textContent = "Copied.";
    setTimeout(() => ((button.firstChild.textContent = words), (said.textContent = "")), 3000);
  });
}
