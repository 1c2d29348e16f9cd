// Which of two headlines a page of the seller's shows: docs/experiments.md. Of elements
// marked data-handsel-variant="EXPERIMENT:VARIANT" one variant stays, as the shop says,
// and goes along to it. Browsers get this without indents and lines of comment.
(() => {
  const SHOP = new URL(document.currentScript.src).origin;
  const listed = [/* origins */].includes(location.origin);
  const quiet = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
  const root = document.documentElement;
  const markOf = (element) => element.dataset.handselVariant;

  // The page holds marked elements back for a moment. What was painted before the shop
  // has answered stays, so that nothing changes before anybody's eyes.
  const isHeld = (element) =>
    element.hidden || getComputedStyle(element).visibility === "hidden";

  const show = (marked, name, word) => {
    const [variant, signed] = word.split(".");
    const mine = marked.filter((each) => markOf(each).startsWith(name + ":"));
    const isWanted = (each) => markOf(each) === `${name}:${variant}`;
    if (!mine.some(isWanted) || (signed && !mine.every(isHeld))) return;
    for (const each of mine) each.hidden = !isWanted(each);
    // Links find it on whatever is around them.
    return signed && [`${name}.${word}`, mine];
  };

  const choose = async (marked) => {
    const names = new Set(marked.map((each) => markOf(each).split(":")[0]));
    if (!listed || !names.size) return;
    const options = { credentials: "omit", cache: "no-store" };
    const answer = await fetch(`${SHOP}/embed/variants?e=${[...names]}`, options);
    if (!answer.ok) return;
    const said = Object.entries(await answer.json());
    const shown = said.map((each) => show(marked, ...each)).filter(Boolean);
    const variant = shown.map((each) => each[0]).join();
    if (!variant) return;
    for (const each of [root, ...shown.flatMap((each) => each[1])])
      each.dataset.handselVariant = variant;
    const told = { v: 1, kind: "shown", variant };
    quiet || navigator.sendBeacon(SHOP + "/e", JSON.stringify(told));
  };

  // Where the shop cannot be reached, the page is as it was written.
  const begin = () => {
    const marked = [...document.querySelectorAll('[data-handsel-variant*=":"]')];
    const letGo = () => marked.forEach((each) => (each.style.animation = "none"));
    choose(marked).catch(() => {}).finally(letGo);
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
