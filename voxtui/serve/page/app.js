// The page: what is pressed, what is told, and what is shown. The parts are in modules of their own.

import * as checks from "/page/checks.js";
import { Microphone } from "/page/microphone.js";
import { Sessions } from "/page/sessions.js";
import { Line } from "/page/socket.js";
import { Transcript, copy, length } from "/page/transcript.js";
import { Upload } from "/page/upload.js";

const byId = (id) => document.getElementById(id);
const TAP_MS = 300;
const LOWEST_DB = -60;
const narrow = window.matchMedia("(max-width: 40rem)");
const RELEASE_AFTER_MS = 120_000;

const state = {
  wanted: "", // "", "hold" or "live": what the person asks for
  hearing: false, // sound goes to the server
  session: "", // the one being written
  reading: null, // one of before, on the page instead
  heard: 0,
  facts: null,
  status: null,
};

const transcript = new Transcript();
const line = new Line({ onEvent: told, onState: lineChanged });
const microphone = new Microphone({ onLevel: level, onSilent: silent, onLost: lost });
const sessions = new Sessions({ onOpen: read, ask });

// ---- talking ---------------------------------------------------------------------------

let pressedAt = 0;
let release = 0;
let busy = Promise.resolve();

function press() {
  if (state.wanted) { letGo(); return; }
  pressedAt = performance.now();
  want("hold");
}

function lift() {
  if (state.wanted === "hold" && pressedAt && performance.now() - pressedAt >= TAP_MS) letGo();
  pressedAt = 0;
}

function letGo() {
  pressedAt = 0;
  want("");
}

function want(what) {
  state.wanted = what;
  show();
  busy = busy.then(follow);
}

/** Bring what is heard in line with what is wanted; one step after the other. */
async function follow() {
  if (state.wanted && !state.hearing) {
    backToTalking();
    clearTimeout(release);
    try {
      await microphone.open();
      checks.microphone(openMicrophone);
    } catch (error) {
      notice(checks.microphoneFailed(error));
      state.wanted = "";
      show();
      return;
    }
    state.hearing = true;
    line.listen(microphone.format);
    microphone.start((data) => line.put(data));
  } else if (!state.wanted && state.hearing) {
    await microphone.stop();
    state.hearing = false;
    line.listenNoMore();
    release = setTimeout(() => { if (!state.hearing) microphone.close(); level(0, 0); }, RELEASE_AFTER_MS);
  }
  show();
}

async function openMicrophone() {
  try {
    await microphone.open();
    await checks.microphone(openMicrophone);
    release = setTimeout(() => { if (!state.hearing) microphone.close(); }, RELEASE_AFTER_MS);
  } catch (error) {
    checks.microphoneFailed(error);
  }
  show();
}

function lost() {
  notice("The microphone has gone: plug it in again, or choose another one in the browser.");
  letGo();
}

let isSilent = false;
function silent(yes) {
  isSilent = yes;
  show();
}

// ---- what the server tells -------------------------------------------------------------

function told(event) {
  switch (event.type) {
    case "hello":
      state.status = event;
      state.facts = event.engine;
      checks.engine(event.engine, event.model, event.small);
      break;
    case "engine":
      state.facts = event;
      checks.engine(event, state.status.model, state.status.small);
      if (event.state === "failed") notice(event.detail);
      break;
    case "words":
      if (!state.reading) transcript.change(event);
      else held.push(event);
      break;
    case "session":
      state.session = event.name;
      sessions.refresh();
      break;
    case "behind":
      state.behind = event.seconds;
      break;
    case "ended":
      state.behind = 0;
      sessions.refresh();
      break;
    case "closed":
      state.session = "";
      transcript.begin();
      sessions.refresh();
      break;
    case "refused":
      notice(event.message);
      letGo();
      break;
    case "notice":
      notice(event.message, event.severity);
      break;
  }
  show();
}

function lineChanged(open) {
  if (!open) {
    notice("The line to the server is cut. What you say is kept here and sent when it is back.", "warning", "line");
    transcript.setTail(null);
    transcript.begin();
    state.session = "";
  } else {
    byId("notices").querySelector('[data-about="line"]')?.remove();
  }
  state.cut = !open;
  show();
}

/** One sentence above the meter, until it is closed or another one comes about the same. */
function notice(text, severity = "warning", about = text) {
  for (const old of byId("notices").children) if (old.dataset.about === about) old.remove();
  const box = document.createElement("div");
  const words = document.createElement("span");
  const close = document.createElement("button");
  box.className = `notice ${severity}`;
  box.dataset.about = about;
  words.textContent = text;
  close.className = "quiet";
  close.type = "button";
  close.textContent = "OK";
  close.onclick = () => box.remove();
  box.append(words, close);
  byId("notices").append(box);
  while (byId("notices").children.length > 3) byId("notices").firstChild.remove();
  if (severity === "info") setTimeout(() => box.remove(), 4000);
}

// ---- reading, files --------------------------------------------------------------------

const held = []; // words that came while something else was read

function read(session) {
  if (state.wanted) letGo();
  state.reading ??= { live: transcript.all.map(({ segment }) => segment), base: transcript.base };
  state.reading.session = session;
  transcript.clear();
  transcript.change({ settled: session.segments, tail: null });
  byId("page").scrollTop = 0;
  show();
}

function backToTalking() {
  if (!state.reading) return;
  const { live, base } = state.reading;
  state.reading = null;
  sessions.current = "";
  transcript.clear();
  transcript.change({ settled: live, tail: null });
  transcript.base = base;
  for (const event of held.splice(0)) transcript.change(event);
  sessions.refresh();
  show();
}

let upload = null;
function send(file) {
  if (!file || upload) return;
  if (file.size > state.status.upload_mib * 2 ** 20) {
    notice(`${file.name} is larger than ${state.status.upload_mib} MiB, the most that this server takes.`);
    return;
  }
  letGo();
  backToTalking();
  transcript.clear();
  const bar = byId("upload-progress");
  const how = (text, part) => { byId("upload-how").textContent = text; bar.value = part; };
  byId("upload-what").textContent = file.name;
  how("sending …", 0);
  upload = new Upload(file, {
    onSent: (part) => how(part < 1 ? `sent ${Math.round(part * 100)} %` : "reading …", part < 1 ? part : 0),
    onEvent: (event) => {
      if (event.type === "progress") {
        how(`${length(event.done)} of ${length(event.of)}`, event.of ? event.done / event.of : 0);
      } else if (event.type === "words") {
        transcript.change(event);
      } else if (event.type === "notice") {
        notice(event.message, event.severity);
      } else if (event.type === "done") {
        state.finished = event.session;
      }
      show();
    },
    onEnd: (problem) => {
      upload = null;
      transcript.setTail(null);
      if (problem) notice(problem);
      if (state.finished) sessions.open(state.finished);
      state.finished = "";
      show();
    },
  });
  show();
}

// ---- the clipboard, notes, another session ---------------------------------------------

async function copyWords() {
  const since = transcript.copied < transcript.all.length && !state.reading ? transcript.copied : 0;
  const text = transcript.text(since);
  if (!text) { notice("There is nothing to copy yet.", "info", "copy"); return; }
  const done = await copy(text);
  if (done && !state.reading) transcript.copied = transcript.all.length;
  const words = text.split(/\s+/).length;
  const what = since ? "new words" : words === 1 ? "word" : "words";
  notice(done ? `Copied ${words} ${what}.` : "The browser does not let the page copy: select the words and copy them.", done ? "info" : "warning", "copy");
}

async function mark() {
  if (!state.session && !state.hearing) { notice("A mark belongs to what is said: talk first.", "info", "mark"); return; }
  const text = await ask("Mark", "A note at this moment of what is said.", "");
  if (text) line.order("note", { text });
}

function another() {
  if (state.reading?.session) { backToTalking(); return; }
  letGo();
  busy = busy.then(() => { line.order("new"); transcript.clear(); show(); });
}

/** A line of text from the person; null when they do not want. */
function ask(title, why, value) {
  const dialog = byId("ask");
  byId("ask-title").textContent = title;
  byId("ask-why").textContent = why;
  byId("ask-value").value = value;
  dialog.returnValue = "";
  dialog.showModal();
  byId("ask-value").select();
  return new Promise((done) => {
    dialog.onclose = () => done(dialog.returnValue === "ok" ? byId("ask-value").value.trim() : null);
  });
}

function fillSaveMenu() {
  const shown = state.reading?.session;
  const name = shown?.name ?? state.session;
  const items = byId("save-items");
  items.replaceChildren();
  const add = (text, run, href) => {
    const item = document.createElement("a");
    item.textContent = text;
    item.href = href ?? "#";
    if (href) item.download = "";
    item.onclick = (event) => { if (run) event.preventDefault(); byId("save").open = false; run?.(); };
    items.append(item);
  };
  if (!name) {
    const none = document.createElement("span");
    none.textContent = "Nothing to save yet.";
    items.append(none);
    return;
  }
  const formats = { txt: "Text", md: "Markdown", srt: "Subtitles, SRT", vtt: "Subtitles, VTT", json: "JSON, with times" };
  for (const [format, text] of Object.entries(formats)) {
    add(text, null, `/api/sessions/${encodeURIComponent(name)}/${format}`);
  }
  if (shown) {
    add("Rename …", async () => { shown.title = await sessions.rename(shown); show(); });
    add("Delete", async () => {
      const problem = await sessions.remove(shown.name);
      notice(problem || "Deleted: the terminal application's library can bring it back.", problem ? "warning" : "info");
      if (!problem) backToTalking();
    });
  }
}

// ---- showing ---------------------------------------------------------------------------

function level(rms, peak) {
  const decibels = (value) => Math.max(LOWEST_DB, 20 * Math.log10(value || 1e-9));
  const part = (value) => 1 - decibels(value) / LOWEST_DB;
  byId("meter-bar").style.transform = `scaleX(${part(rms)})`;
  byId("meter-peak").style.transform = `translateX(${(part(peak) - 1) * 100}%)`;
  byId("meter").setAttribute("aria-valuenow", Math.round(decibels(rms)));
  byId("level").textContent = microphone.stream ? `${Math.round(decibels(rms))} dB`.replace("-", "−") : "";
}

function health() {
  if (state.cut) return ["warn", "", "no line to the server"];
  if (state.wanted && !state.hearing) return ["", "", "preparing the microphone …"];
  if (isSilent && microphone.stream) return ["warn", "", "the microphone gives nothing: is it muted?"];
  if (state.facts && state.facts.state !== "ready") return ["warn", "", state.facts.state === "failed" ? "the engine has stopped" : "loading the model …"];
  if (state.behind > 4) return ["warn", "", `${state.behind.toFixed(0)} s behind, nothing is lost`];
  if (state.hearing) return ["", "keeping up", ` · ${(state.behind ?? 0).toFixed(1)} s behind`];
  if (state.behind > 1) return ["", "", `last words: ${state.behind.toFixed(0)} s`];
  return ["", "", ""];
}

let began = 0;
function show() {
  const on = Boolean(state.wanted);
  document.body.classList.toggle("listening", state.hearing);
  byId("talk").setAttribute("aria-pressed", on);
  byId("live").setAttribute("aria-pressed", state.wanted === "live");
  byId("talk-word").textContent = !on ? "hold to talk" : state.hearing ? (pressedAt ? "let go to stop" : "stop") : "a moment …";
  byId("welcome").hidden = !transcript.empty || Boolean(state.reading) || Boolean(upload) || state.hearing;
  byId("reading").hidden = !state.reading?.session;
  byId("upload").hidden = !upload;
  if (state.reading?.session) {
    const { title, started, seconds } = state.reading.session;
    byId("reading-what").textContent = `${title || new Date(started * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" })} · ${length(seconds)}`;
  }
  const [kind, strong, text] = health();
  const place = byId("health");
  place.className = kind || "muted";
  if (place.textContent !== strong + text) {
    const bold = document.createElement("b");
    bold.textContent = strong;
    place.replaceChildren(bold, text);
  }
  byId("clock").hidden = !state.hearing;
  if (state.hearing && !began) began = performance.now();
  if (!state.hearing) began = 0;
  const model = state.status ? (state.status.small ? "small model" : state.status.model) : "";
  const delay = state.facts?.delay_ms ? `${state.facts.delay_ms} ms` : "";
  const name = narrow.matches ? "" : microphone.name;
  byId("about").textContent = [name, model, narrow.matches ? "" : delay].filter(Boolean).join(" · ");
  document.title = state.hearing ? "● voxtui" : "voxtui";
}

setInterval(() => { if (began) byId("time").textContent = length((performance.now() - began) / 1000); }, 250);

// ---- keys and buttons ------------------------------------------------------------------

const talk = byId("talk");
talk.onpointerdown = (event) => {
  if (event.button) return;
  talk.setPointerCapture(event.pointerId);
  press();
};
talk.onpointerup = talk.onpointercancel = lift;
talk.oncontextmenu = (event) => event.preventDefault();
talk.onclick = (event) => { if (event.detail === 0 && !spaceIsDown) press(); }; // a screen reader's click

const actions = {
  l: () => want(state.wanted === "live" ? "" : "live"),
  c: copyWords,
  m: mark,
  f: () => byId("file-input").click(),
  n: another,
  s: () => { byId("save").open = !byId("save").open; },
};
const buttons = { live: "l", copy: "c", mark: "m", file: "f", new: "n" };
for (const [id, key] of Object.entries(buttons)) byId(id).onclick = actions[key];
byId("save").ontoggle = () => { if (byId("save").open) fillSaveMenu(); };
byId("back").onclick = backToTalking;
byId("upload-cancel").onclick = () => upload?.stop();
byId("file-input").onchange = ({ target }) => { send(target.files[0]); target.value = ""; };

let spaceIsDown = false;
function isForTyping(target) {
  return target.closest("input, textarea, dialog, select") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isForTyping(event.target)) return;
  if (event.code === "Space") {
    const other = event.target.closest("button, a, summary");
    if (other && other !== talk) return; // Space presses what has the focus
    event.preventDefault();
    if (!event.repeat) { spaceIsDown = true; press(); }
  } else if (event.key === "Escape") {
    byId("save").open = false;
  } else if (!event.repeat && actions[event.key.toLowerCase()]) {
    event.preventDefault();
    actions[event.key.toLowerCase()]();
  }
});
document.addEventListener("keyup", (event) => {
  if (event.code !== "Space" || !spaceIsDown) return;
  event.preventDefault();
  spaceIsDown = false;
  lift();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#save")) byId("save").open = false;
});
window.addEventListener("blur", () => { spaceIsDown = false; if (pressedAt) letGo(); });
document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  send(event.dataTransfer.files[0]);
});

// ---- the beginning ---------------------------------------------------------------------

async function login(token) {
  const answer = await fetch("/api/login", { method: "POST", body: JSON.stringify({ token }) });
  return answer.ok;
}

async function begin() {
  if (window.matchMedia("(hover: none)").matches) {
    byId("welcome-title").textContent = "Hold the button and speak";
    byId("welcome-how").textContent = "A tap starts, the next one stops. Words appear while you talk.";
  }
  checks.told("engine", "wait", "The server is asked …");
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    history.replaceState(null, "", location.pathname + location.search);
    await login(given);
  }
  let answer;
  try {
    answer = await fetch("/api/status");
  } catch {
    checks.told("engine", "broken", "The server does not answer.", "Is voxtui serve still running there?");
    setTimeout(begin, 3000);
    return;
  }
  while (answer.status === 401) {
    const token = await ask("The server's token", "It is in the file that voxtui serve named when it was started.", "");
    if (token === null) { checks.told("engine", "broken", "The server asks for its token.", "Load the page again to give it."); return; }
    if (!(await login(token))) { notice("That is not the server's token."); continue; }
    answer = await fetch("/api/status");
  }
  state.status = await answer.json();
  state.facts = state.status.engine;
  checks.engine(state.facts, state.status.model, state.status.small);
  await checks.microphone(openMicrophone);
  line.connect();
  show();
}

begin();
