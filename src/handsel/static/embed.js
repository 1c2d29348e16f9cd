// Handsel on a page of the seller's: <a href="SHOP/buy/SLUG" data-handsel="overlay"> and
// its kin, "button" and "card". Version 1 of these marks: docs/embedding.md. Browsers get
// this without indents and lines of comment, and with the sites that are listed.
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
      gat: ga && Math.floor(Date.now() / 1000),
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
    const shut = () => dialog.close();
    const cross = make("button", { ariaLabel: "Close", textContent: "×", onclick: shut });
    // A frame that says nothing is blocked, or the shop is down: then a link is a link.
    const leave = () => silence && (shut(), location.assign(a.href));
    let silence = setTimeout(leave, 6000);
    const shown = frame(a, "", ({ type, h }) => {
      silence = clearTimeout(silence);
      type === "close" ? shut() : (dialog.style.height = h + "px");
    });
    shown.onload = () => setTimeout(leave, 1000);
    dialog.onclick = (event) => event.target === dialog && shut();
    dialog.onclose = () => {
      silence = clearTimeout(silence);
      dialog.remove();
      a.focus();
    };
    dialog.append(cross, shown);
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
    a.href = along(a, a.href);
    // Whoever wants a new tab gets one.
    const keys = ["button", "metaKey", "ctrlKey", "shiftKey", "altKey"];
    if (kindOf(a) !== "overlay" || keys.some((key) => event[key])) return;
    event.preventDefault();
    open(a);
  };

  // A sheet that is made, not written: the policies of strict sites let it pass. A link
  // with a class of its own keeps its looks. Whatever height a frame asks for, it is held
  // between the least and the most that stand here.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`a[data-handsel]:not([class]){align-items:center;background:var(--handsel,#14614f);
    border-radius:6px;color:var(--handsel-ink,#fff);display:inline-flex;
    font:600 17px system-ui;min-height:48px;padding:0 20px;text-decoration:none}
    [class^=handsel] iframe{border:0;height:100%;width:100%}
    .handsel-card{display:block;max-height:600px;max-width:30rem;min-height:204px;position:relative}
    .handsel-card iframe{border-radius:8px;inset:0;position:absolute}
    .handsel-card:not(.on) iframe,.handsel-card.on a{visibility:hidden}
    .handsel{background:Canvas;border:0;border-radius:12px;color-scheme:light dark;height:420px;
    max-height:92vh;max-width:none;min-height:99px;overflow:hidden;padding:0;width:min(30rem,100%)}
    .handsel::backdrop{background:#000a}
    .handsel button{background:0 0;border:0;color:CanvasText;font:28px/48px system-ui;padding:0;
    position:absolute;right:0;width:48px}
    html:has(.handsel){overflow:hidden}
    @media(max-width:40rem){.handsel{border-radius:0;height:100%!important;max-height:none}}`);
  document.adoptedStyleSheets = [...sheets, sheet];

  window.handsel = { v: 1, scan };
  on("click", press);
  on("auxclick", press);
  on("DOMContentLoaded", scan);
  scan();
})();
