// What stands on the page in place of what is said now: a session of before, or a file's words.

import { notice } from "/page/notices.js";
import { set, state } from "/page/state.js";
import { length } from "/page/transcript.js";
import { Upload } from "/page/upload.js";

const byId = (id) => document.getElementById(id);
const MIB = 2 ** 20;

export class Reading {
  /** `onBegin()` before something else is read, `onBack()` after. */
  constructor(transcript, { onBegin, onBack }) {
    this.transcript = transcript;
    this.onBegin = onBegin;
    this.onBack = onBack;
    this.live = null; // what was on the page
    this.held = []; // words that came while something else was read
    this.upload = null;
    byId("back").onclick = () => this.back();
    byId("upload-cancel").onclick = () => this.upload?.stop();
  }

  /** Words of what is said now: to the page, or kept until it is back. */
  words(event) {
    if (this.live) this.held.push(event);
    else this.transcript.change(event);
  }

  /** The session of what is said now is over; another one goes on under its words. */
  sessionEnds() {
    if (this.live) this.held.push(null);
    else this.transcript.begin();
  }

  /** A session of before. */
  open(session) {
    this.begin({ title: titleOf(session), session });
    this.transcript.change({ settled: session.segments, tail: null });
    byId("page").scrollTop = 0;
    set();
  }

  /** It has another title now. */
  renamed(title) {
    const session = { ...state.reading.session, title };
    set({ reading: { title: titleOf(session), session } });
  }

  back() {
    if (!this.live) return;
    this.transcript.restore(this.live);
    this.live = null;
    for (const event of this.held.splice(0)) {
      if (event) this.transcript.change(event);
      else this.transcript.begin();
    }
    set({ reading: null });
    this.onBack();
  }

  /** A file of sound or video; `onDone(session)` when it is written. */
  send(file, onDone) {
    if (!file || this.upload) return;
    const most = state.status?.upload_mib ?? Infinity;
    if (file.size > most * MIB) {
      notice(`${file.name} is larger than ${most} MiB, the most that this server takes.`);
      return;
    }
    this.begin({ title: file.name, session: null });
    byId("upload-what").textContent = file.name;
    this.progress("sending …", 0);
    const mine = state.reading;
    const shown = () => state.reading === mine; // else it goes on behind what is read or said
    let session = "";
    this.upload = new Upload(file, {
      onSent: (part) => this.progress(part < 1 ? `sent ${Math.round(part * 100)} %` : "reading …", part < 1 ? part : 0),
      onEvent: (event) => {
        if (event.type === "progress") this.progress(`${length(event.done)} of ${length(event.of)}`, event.of ? event.done / event.of : 0);
        else if (event.type === "words" && shown()) this.transcript.change(event);
        else if (event.type === "notice") notice(event.message, event.severity);
        else if (event.type === "done") session = event.session;
      },
      onEnd: (problem) => {
        this.upload = null;
        set({ uploading: false });
        if (problem) notice(problem);
        if (shown()) this.transcript.setTail(null);
        if (session && !shown()) notice(`${file.name} is written: it is among the sessions.`, "info");
        else if (session) onDone(session);
        else if (shown() && this.transcript.empty) this.back();
      },
    });
    set({ uploading: true });
  }

  begin(reading) {
    this.onBegin();
    this.live ??= this.transcript.save();
    this.transcript.clear();
    set({ reading });
  }

  progress(text, part) {
    byId("upload-how").textContent = text;
    byId("upload-progress").value = part;
  }
}

function titleOf({ title, started, seconds }) {
  const day = { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" };
  return `${title || new Date(started * 1000).toLocaleString([], day)} · ${length(seconds)}`;
}
