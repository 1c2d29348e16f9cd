// Files into the shop, in pieces: a line that breaks, a pause, a page that is opened again
// go on where they stopped. The other side is tus 1.0.0 (web/admin/uploading.py).
// Without this script a form sends whole files, up to a size it names.

const LARGEST = 8 << 20;
const SMALLEST = 64 << 10;
const GOOD_MS = 8_000; // how long a piece should take
const AT_ONCE = 2;
const SILENT_MS = 60_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const HASH_STEP = 1 << 20; // some ten milliseconds, so that the page stays quick
const PASSING = [0, 400, 408, 423, 429, 500, 502, 503, 504]; // it may be better soon
const VERSION = { "Tus-Resumable": "1.0.0" };

class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

// One request. `fetch` does not tell how much of a body is out, so it is the older one.
function ask(method, url, headers, body, watch = {}) {
  return new Promise((answer, fail) => {
    const request = new XMLHttpRequest();
    let silent;
    const listen = (patience) => {
      clearTimeout(silent);
      silent = setTimeout(() => request.abort(), patience);
    };
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      listen(SILENT_MS);
      watch.progress?.(event.loaded);
    };
    request.upload.onload = () => listen(3 * SILENT_MS); // the shop looks at the whole
    request.onloadend = () => {
      clearTimeout(silent);
      if (request.status >= 200 && request.status < 300) return answer(request);
      fail(new Refused(request.status, request.responseText.split("\n")[0].slice(0, 300)));
    };
    watch.signal?.addEventListener("abort", () => request.abort());
    listen(SILENT_MS);
    request.send(body);
  });
}

// --- One file on its way -----------------------------------------------------------

class Sending {
  constructor(file, desk, row) {
    Object.assign(this, { file, desk, row, offset: 0, piece: LARGEST >> 3, most: LARGEST, state: "waits" });
    this.memory = `handsel upload ${file.name} ${file.size} ${file.lastModified}`;
    this.url = recall(this.memory);
    this.hash = new desk.Sha256();
    row.draw(this);
  }

  get headers() {
    return { ...VERSION, "X-Form-Token": this.desk.token };
  }

  // Go on until it is here or cannot be; what breaks comes again, after growing waits.
  async run() {
    const { signal } = (this.stop = new AbortController());
    this.set("sends");
    let wait = FIRST_WAIT_MS;
    let before = this.offset;
    while (!signal.aborted) {
      try {
        await this.findPlace(signal);
        await this.sendPieces(signal);
        return this.set("done");
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Refused)) return this.set("fails", sentence(error));
        if (error.status === 413 && this.piece > SMALLEST) {
          this.piece = this.most = Math.max(SMALLEST, this.piece >> 1); // a proxy takes no more
        } else if (error.status === 404 && this.url) {
          this.forget(); // it waited for too long: from the beginning
        } else if (error.status === 409) {
          await pause(FIRST_WAIT_MS, signal); // another line was quicker; nothing is wrong
        } else if (PASSING.includes(error.status)) {
          if (this.offset > before) wait = FIRST_WAIT_MS;
          // A proxy that hands on whole pieces hands on nothing of one that broke off.
          else this.piece = Math.max(SMALLEST, this.piece >> 1);
          before = this.offset;
          this.set("breaks", wait);
          await pause(wait, signal);
          wait = Math.min(LONGEST_WAIT_MS, wait * 2);
          if (!signal.aborted) this.set("sends");
        } else {
          if (error.status === 422) this.forget(); // another file than the one before
          return this.set("fails", error.message || `The shop answers ${error.status}.`);
        }
      }
    }
  }

  async findPlace(signal) {
    if (!this.url) {
      const name = btoa(String.fromCharCode(...new TextEncoder().encode(this.file.name)));
      const headers = { ...this.headers, "Upload-Length": this.file.size, "Upload-Metadata": `filename ${name}` };
      const made = await ask("POST", this.desk.url, headers, null, { signal });
      this.url = new URL(made.getResponseHeader("Location"), location).pathname;
      remember(this.memory, this.url);
    }
    const found = await ask("HEAD", this.url, VERSION, null, { signal });
    this.offset = Number(found.getResponseHeader("Upload-Offset"));
    this.sealed = Boolean(found.getResponseHeader("Repr-Digest"));
    this.move(this.offset);
  }

  async sendPieces(signal) {
    while (!this.sealed) {
      const from = this.offset;
      const end = Math.min(this.file.size, from + this.piece);
      await this.hashTo(end, signal);
      const headers = { ...this.headers, "Upload-Offset": from, "Content-Type": "application/offset+octet-stream" };
      if (end === this.file.size) headers["Repr-Digest"] = `sha-256=:${this.hash.base64()}:`;
      const began = performance.now();
      const progress = (sent) => this.move(Math.min(end, from + sent));
      const taken = await ask("PATCH", this.url, headers, this.file.slice(from, end), { signal, progress });
      this.offset = Number(taken.getResponseHeader("Upload-Offset"));
      this.sealed = this.offset >= this.file.size;
      this.move(this.offset);
      const good = ((end - from) / (performance.now() - began)) * GOOD_MS;
      this.piece = Math.round(Math.max(SMALLEST, Math.min(this.most, good, this.piece * 2)));
    }
  }

  async hashTo(end, signal) {
    while (this.hash.length < end) {
      const step = this.file.slice(this.hash.length, Math.min(end, this.hash.length + HASH_STEP));
      this.hash.add(new Uint8Array(await step.arrayBuffer()));
      if (signal.aborted) throw new Refused(0, "");
    }
  }

  move(offset) {
    this.shown = offset;
    this.row.draw(this);
  }

  set(state, more) {
    this.state = state;
    this.more = more;
    this.shown = this.offset;
    this.row.draw(this);
    this.desk.changed(this);
  }

  forget() {
    recall(this.memory, true);
    this.url = null;
    this.offset = 0;
  }

  halt() {
    this.stop?.abort();
    this.set("rests");
  }

  async remove() {
    this.stop?.abort();
    const url = this.url;
    this.forget();
    this.set("gone");
    if (url) await ask("DELETE", url, this.headers).catch(() => {});
  }
}

function pause(milliseconds, signal) {
  return new Promise((go) => {
    const timer = setTimeout(go, milliseconds);
    addEventListener("online", go, { once: true }); // no need to wait any longer
    signal.addEventListener("abort", () => (clearTimeout(timer), go()));
  });
}

function sentence(error) {
  // A file that was changed or taken away meanwhile cannot be read any more.
  return error?.name === "NotReadableError" || error?.name === "NotFoundError"
    ? "The file cannot be read any more. Choose it once more."
    : String(error?.message || error);
}

// What a page that is opened again must know. Some browsers keep nothing: then it begins anew.
function recall(key, drop = false) {
  try {
    const found = localStorage.getItem(key);
    if (drop) localStorage.removeItem(key);
    return found;
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing is lost but the memory.
  }
}

// --- How it is shown -----------------------------------------------------------------

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

function size(bytes) {
  let unit = 0;
  while (bytes >= 999.95 && unit < 4) [bytes, unit] = [bytes / 1000, unit + 1];
  return `${unit ? Number(bytes.toFixed(1)) : bytes} ${UNITS[unit]}`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

class Row {
  constructor(list, name) {
    this.node = document.createElement("li");
    this.node.innerHTML =
      '<p class="name"><bdi></bdi></p><progress max="1" value="0"></progress>' +
      '<p class="how"></p><div class="acts"></div>';
    this.node.querySelector("bdi").textContent = name;
    this.bar = this.node.querySelector("progress");
    this.bar.setAttribute("aria-label", name);
    this.how = this.node.querySelector(".how");
    this.acts = this.node.querySelector(".acts");
    list.append(this.node);
  }

  draw(sending) {
    const { file, state, more } = sending;
    const offset = sending.shown ?? 0;
    this.bar.value = file.size ? offset / file.size : 0;
    this.node.dataset.state = state;
    const soFar = `${size(offset)} of ${size(file.size)}`;
    this.how.textContent = {
      waits: `${size(file.size)}, waits for its turn`,
      sends: offset >= file.size ? "All of it is there; the shop looks at it" : soFar + this.pace(sending, offset),
      breaks: `The line broke at ${soFar}. Once more in ${duration((more ?? 0) / 1000)}.`,
      rests: `Rests at ${soFar}`,
      fails: more,
      done: `${size(file.size)}, here`,
    }[state];
    if (this.drawn !== state) this.buttons(sending);
    this.drawn = state;
  }

  // Over the last ten seconds or so, so that it neither jumps nor lies.
  pace(sending, offset) {
    const now = performance.now();
    if (this.drawn !== "sends") this.marks = [];
    this.marks.push([now, offset]);
    while (this.marks.length > 2 && now - this.marks[0][0] > 10_000) this.marks.shift();
    const [since, was] = this.marks[0];
    const speed = ((offset - was) / (now - since)) * 1000;
    if (now - since < 1000 || !(speed > 0)) return "";
    return `, ${size(Math.round(speed))} a second, ${duration((sending.file.size - offset) / speed)} left`;
  }

  buttons(sending) {
    if (sending.state === "gone") return this.node.remove();
    const had = this.acts.contains(document.activeElement);
    const goes = ["sends", "breaks", "waits"].includes(sending.state);
    const made = [];
    if (goes) made.push(["Pause", () => sending.halt()]);
    if (["rests", "fails"].includes(sending.state)) made.push(["Go on", () => sending.desk.queue(sending)]);
    if (sending.state !== "done") made.push(["Leave it", () => sending.remove()]);
    this.acts.replaceChildren(
      ...made.map(([words, act]) => {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: "second", textContent: words, onclick: act });
        button.setAttribute("aria-label", `${words}: ${sending.file.name}`);
        return button;
      }),
    );
    if (had) this.acts.querySelector("button")?.focus();
  }
}

// --- The form ------------------------------------------------------------------------

class Desk {
  constructor(form, Sha256) {
    this.form = form;
    this.Sha256 = Sha256;
    this.url = form.dataset.uploads;
    this.list = form.querySelector("[data-sending]");
    this.says = form.querySelector("[role=status]");
    this.tray = document.querySelector("[data-tray]");
    this.covers = document.querySelector("select[data-covers]");
    this.all = [];
    this.input = form.querySelector("input[type=file]");
    this.token = this.input.form.querySelector("[name=form_token]").value;
    form.dataset.ready = "yes";
    form.addEventListener("submit", (event) => event.preventDefault());
    this.input.addEventListener("change", () => this.take(this.input.files));
    this.listenForDrops(form.querySelector(".drop"));
    addEventListener("beforeunload", (event) => this.busy && event.preventDefault());
    this.take(this.input.files); // chosen before this script was here
  }

  get busy() {
    return this.all.some((each) => ["sends", "breaks", "waits"].includes(each.state));
  }

  listenForDrops(place) {
    const over = (yes) => (event) => {
      event.preventDefault();
      place.classList.toggle("over", yes);
      if (event.type === "drop") this.take(event.dataTransfer.files);
    };
    place.addEventListener("dragover", over(true));
    place.addEventListener("dragleave", over(false));
    place.addEventListener("drop", over(false));
  }

  take(files) {
    for (const file of files) {
      const known = this.all.find((each) => same(each.file, file) && each.state !== "gone");
      if (known && ["rests", "fails"].includes(known.state)) {
        known.file = file; // one that was read in vain is readable now
        this.queue(known);
      } else if (known) this.say(`${file.name} is in the list already.`);
      else if (!file.size) this.say(`${file.name} is empty, or a folder: pack it as one zip.`);
      else this.all.push(new Sending(file, this, new Row(this.list, file.name)));
    }
    this.input.value = "";
    this.next();
  }

  queue(sending) {
    sending.set("waits");
    this.next();
  }

  next() {
    const going = this.all.filter((each) => ["sends", "breaks"].includes(each.state));
    const waiting = this.all.filter((each) => each.state === "waits");
    for (const each of waiting.slice(0, Math.max(0, AT_ONCE - going.length))) each.run();
  }

  changed(sending) {
    const words = { sends: "is on its way", breaks: "waits for the line", rests: "rests", done: "is here" };
    if (sending.state === "fails") this.say(`${sending.file.name}: ${sending.more}`);
    else if (words[sending.state]) this.say(`${sending.file.name} ${words[sending.state]}.`);
    if (sending.state === "done") this.use(sending);
    if (["done", "fails", "rests", "gone"].includes(sending.state)) this.next();
  }

  // What is here can be used at once, in the form of the same page: a picture as the cover
  // where one is asked for and none is chosen, all others as files that buyers get.
  use(sending) {
    const id = sending.url.split("/").pop();
    const picture = /\.(png|jpe?g|webp)$/i.test(sending.file.name);
    const cover = picture && this.covers && !this.covers.value;
    if (picture && this.covers && !this.covers.querySelector(`[value="${id}"]`)) {
      this.covers.append(new Option(sending.file.name, id));
    }
    if (cover) this.covers.value = id;
    if (this.tray) this.putOnTray(sending, id, !cover);
    document.querySelector(".nothing")?.remove();
  }

  putOnTray(sending, id, ticked) {
    const there = this.tray.querySelector(`input[value="${id}"]`);
    if (there) return void (there.checked = ticked);
    const line = this.tray.querySelector("template").content.cloneNode(true);
    const box = line.querySelector("input");
    Object.assign(box, { value: id, id: `upload-${id}`, checked: ticked });
    const label = line.querySelector("label");
    label.htmlFor = box.id;
    label.querySelector("bdi").textContent = sending.file.name;
    label.querySelector(".size").textContent = size(sending.file.size);
    this.tray.querySelector("ul").append(line);
    this.tray.hidden = false;
  }

  say(words) {
    this.says.textContent = words;
  }
}

function same(one, other) {
  return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
}

// Its address carries its version, as this one's does; an `import` above could not.
for (const form of document.querySelectorAll("[data-uploads]")) {
  const { Sha256 } = await import(form.dataset.sha256);
  new Desk(form, Sha256);
}
