// The words on the page: settled paragraphs stay still, the tail grows under them.

const log = document.getElementById("transcript");
const tail = document.getElementById("tail");
const page = document.getElementById("page");

function clock(wall) {
  return wall ? new Date(wall * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }) : "";
}

/** Seconds as 04:12 or 1:04:12. */
export function length(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((n) => String(n).padStart(2, "0"));
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${parts.join(":")}` : parts.join(":");
}

export class Transcript {
  constructor() {
    this.clear();
  }

  /** An empty page; what is counted from now on belongs to another session. */
  clear() {
    this.all = [];
    this.begin();
    log.replaceChildren();
    this.last = "";
  }

  /** Another session goes on under the words that are there. */
  begin() {
    this.setTail(null);
    this.base = this.all.length;
    this.copied = this.all.length;
  }

  /** What is on the page, to be put back by `restore`. */
  save() {
    return { segments: this.all.map(({ segment }) => segment), base: this.base, copied: this.copied };
  }

  restore({ segments, base, copied }) {
    this.clear();
    this.change({ settled: segments, tail: null });
    this.base = base;
    this.copied = copied;
  }

  get empty() {
    return this.all.length === 0 && tail.hidden;
  }

  /** What the server tells about the words. */
  change({ settled, tail: growing, edited = [], waiting = [] }) {
    const follows = page.scrollHeight - page.scrollTop - page.clientHeight < 80;
    for (const segment of settled) this.add(segment);
    for (const [index, segment] of edited) this.edit(index, segment);
    this.setTail(growing);
    if (follows) page.scrollTop = page.scrollHeight;
    return { waiting };
  }

  add(segment) {
    const line = document.createElement("div");
    const time = document.createElement("time");
    const text = document.createElement("p");
    line.className = `line ${segment.kind}`;
    const told = clock(segment.wall);
    time.textContent = told === this.last ? "" : told;
    if (told) this.last = told;
    text.textContent = segment.text;
    line.append(time, text);
    line.hidden = !segment.text;
    log.append(line);
    this.all.push({ segment, line });
  }

  edit(index, segment) {
    const place = this.all[this.base + index];
    if (!place) return;
    place.segment = segment;
    place.line.hidden = !segment.text;
    place.line.lastChild.textContent = segment.text;
  }

  setTail(segment) {
    tail.hidden = !segment?.text;
    tail.textContent = segment?.text ?? "";
  }

  /** The text, all of it or what is new since it was last copied. */
  text(since = 0) {
    const lines = this.all.slice(since).map(({ segment }) => segment.text).filter(Boolean);
    if (!tail.hidden) lines.push(tail.textContent);
    return lines.join("\n");
  }
}

/** To the clipboard; false when the browser does not let us. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
