// Handsel on a page of the seller's: <a href="SHOP/buy/SLUG" data-handsel="overlay"> and
// its kin, "button" and "card". Version 1 of these marks: docs/embedding.md. Browsers get
// this without comments and space, and with the sites that are listed.
(() => {
  const on = addEventListener;
  const sheets = document.adoptedStyleSheets;
  // A browser of before 2023 is left with links, which work as well.
  if (!sheets) return;
  if (window.handsel?.scan) return handsel.scan();
  const SHOP = new URL(document.currentScript.src).origin;
  const listed = [/* origins */].includes(location.origin);
  const quiet = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
  // Links, and products of which it was reported that they were seen.
  const seen = new Set();

  const kindOf = (a) => listed && a.dataset.handsel;
  const nameOf = (a) => a.text.trim() || a.ariaLabel || "Buy";
  const slugOf = (a) =>
    a.origin === SHOP && a.pathname.match(/^\/(?:buy|p)\/([\w-]+)$/)?.[1];

  // What goes along to the shop. A test of the page's own says what it has shown in
  // data-handsel-variant="EXPERIMENT.VARIANT", on the link or on anything around it.
  const carried = (a) => {
    const cookie = (like) => (quiet ? "" : document.cookie.match(like)?.[1]);
    const ga = cookie(/\b_ga=GA\d\.\d+\.(\d+\.\d+)/);
    const from = document.referrer && new URL(document.referrer).host;
    const said = {
      ref: from !== location.host && from,
      page: location.host + location.pathname,
      ga,
      gas: cookie(/\b_ga_\w+=GS\d\.\d+\.s?(\d+)/),
      gat: ga && Math.round(Date.now() / 1e3),
      variant: a.closest("[data-handsel-variant]")?.dataset.handselVariant,
    };
    for (const [name, text] of new URLSearchParams(location.search))
      if (/^utm_/.test(name)) said[name] = text;
    return Object.entries(said).filter((each) => each[1]);
  };

  // What the link itself says counts more than what the page knows.
  const along = (a, address) => {
    const url = new URL(address);
    const query = url.searchParams;
    for (const [name, text] of carried(a))
      query.has(name) || query.set(name, text);
    return url;
  };

  const report = (kind, a) => {
    const said = { v: 1, kind, product: slugOf(a), ...Object.fromEntries(carried(a)) };
    if (listed && !quiet) navigator.sendBeacon(SHOP + "/e", JSON.stringify(said));
  };

  const make = (tag, facts) => Object.assign(document.createElement(tag), facts);

  const frame = (a, kind, heard) => {
    const path = `/embed/p/${slugOf(a)}?v=1&${kind}&${a.search.slice(1)}`;
    const made = make("iframe", { title: nameOf(a), loading: kind && "lazy" });
    made.src = along(a, SHOP + path);
    on("message", ({ origin, source, data }) => {
      if (origin === SHOP && source === made.contentWindow && data?.v === 1) heard(data);
    });
    return made;
  };

  const open = (a) => {
    const dialog = make("dialog", { className: "handsel", ariaLabel: nameOf(a) });
    const wait = make("p", { role: "status", textContent: "Loading…" });
    const shut = () => dialog.close();
    const cross = make("button", { ariaLabel: "Close", textContent: "×", onclick: shut });
    // A frame that says nothing is blocked, or the shop is down: then a link is a link.
    const leave = () => silence && (shut(), location.assign(along(a, a.href)));
    let silence = setTimeout(leave, 6000);
    const shown = frame(a, "", ({ type, h }) => {
      silence = clearTimeout(silence);
      wait.remove();
      type === "close" ? shut() : (dialog.style.height = h + "px");
    });
    shown.onload = () => setTimeout(leave, 1000);
    dialog.onclick = (event) => event.target === dialog && shut();
    dialog.onclose = () => {
      silence = clearTimeout(silence);
      dialog.remove();
      a.focus();
    };
    dialog.append(cross, wait, shown);
    document.body.append(dialog);
    dialog.showModal();
  };

  const card = (a) => {
    const box = make("span", { className: "handsel-card" });
    const shown = frame(a, "card", ({ h }) => {
      box.className = "handsel-card on";
      box.style.height = h + "px";
    });
    a.before(box);
    box.append(a, shown);
  };

  const scan = () =>
    document.querySelectorAll("a[data-handsel]").forEach((a) => {
      const slug = slugOf(a);
      if (!slug || seen.has(a)) return;
      seen.has(slug) || report("viewed", a);
      seen.add(a).add(slug);
      if (kindOf(a) === "overlay") a.ariaHasPopup = "dialog";
      if (kindOf(a) === "card") card(a);
    });

  const press = (event) => {
    const a = event.target.closest?.("a[data-handsel]");
    if (!a || !slugOf(a) || event.defaultPrevented || event.button > 1) return;
    report("clicked", a);
    // For this press alone: whoever copies the link later copies what the seller wrote.
    const written = a.href;
    a.href = along(a, written);
    setTimeout(() => (a.href = written));
    // Whoever wants a new tab gets one.
    const keys = ["button", "metaKey", "ctrlKey", "shiftKey", "altKey"];
    if (kindOf(a) !== "overlay" || keys.some((key) => event[key])) return;
    event.preventDefault();
    open(a);
  };

  // A sheet that is made, not written: the policies of strict sites let it pass. A link
  // with a class of its own keeps its looks. What styles a whole page (`dialog`, `button`)
  // is undone. The page is held fast only where nothing of it is seen, so it never moves
  // aside when its scroll bar goes. Whatever height a frame asks for, it is held between the least and the
  // most that stand here.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`a[data-handsel]:not([class]) {
      align-items: center; background: var(--handsel,#14614f); border-radius: 6px;
      color: var(--handsel-ink,#fff); display: inline-flex; font: 600 17px system-ui;
      min-height: 48px; padding: 0 20px; text-decoration: none
    }
    [class^=handsel]>iframe { all: unset; height: 100%; width: 100% }
    .handsel-card {
      display: block; max-height: 600px; max-width: 30rem; min-height: 204px; position: relative
    }
    .handsel-card>iframe { border-radius: 8px; inset: 0; position: absolute }
    .handsel-card:not(.on)>iframe, .handsel-card.on a { visibility: hidden }
    dialog.handsel[open] {
      all: initial; background: Canvas; border-radius: 12px; color-scheme: light dark;
      display: block; font: 17px system-ui; height: 420px; inset: 0; margin: auto;
      max-height: 92vh; min-height: 99px; overflow: hidden; position: fixed;
      text-align: center; width: 480px
    }
    .handsel::backdrop { background: #000a }
    .handsel.handsel>button {
      all: unset; cursor: pointer; font: 28px/48px system-ui; position: absolute;
      right: 0; top: 0; width: 48px
    }
    .handsel.handsel>:focus-visible { outline: 2px solid; outline-offset: -4px }
    @media (max-width:640px),(max-height:480px) {
      dialog.handsel[open] {
        border-radius: 0; height: 100%!important; max-height: none; width: 100%
      }
      html:has(dialog.handsel[open]) { overflow: hidden }
    }`);
  document.adoptedStyleSheets = [...sheets, sheet];

  window.handsel = { v: 1, scan };
  on("click", press);
  on("auxclick", press);
  on("DOMContentLoaded", scan);
  scan();
})();
