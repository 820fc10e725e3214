// The page: its parts, and what goes from one to the other.
//
//     keys, buttons --> talk --> microphone --sound--> line --words--> transcript
//                                                       |
//                        a session of before, a file --> reading --> transcript

import * as checks from "/page/checks.js";
import { controls } from "/page/controls.js";
import { enter } from "/page/door.js";
import { Microphone } from "/page/microphone.js";
import { ask, forget, notice } from "/page/notices.js";
import { Reading } from "/page/reading.js";
import { copyWords, saveMenu } from "/page/saving.js";
import { Sessions } from "/page/sessions.js";
import { Line } from "/page/socket.js";
import { set, state } from "/page/state.js";
import { Status } from "/page/status.js";
import { Talk } from "/page/talk.js";
import { Transcript } from "/page/transcript.js";

const transcript = new Transcript();
const line = new Line({ onEvent: told, onState: lineChanged, onFull: full });
const microphone = new Microphone({
  onLevel: (rms, peak) => status.level(rms, peak),
  onSilent: (silent) => set({ silent }),
  onLost: lost,
});
const status = new Status(microphone, transcript);
const talk = new Talk(microphone, line, { onBegin: () => reading.back() });
const sessions = new Sessions({ onOpen: (session) => reading.open(session), ask });
const reading = new Reading(transcript, {
  onBegin: () => { if (state.wanted) talk.stop(); },
  onBack: () => { sessions.current = ""; sessions.refresh(); },
});

// ---- what the server tells -------------------------------------------------------------

const tellings = {
  hello: (event) => engine(event.engine, event),
  engine: (event) => {
    engine(event, state.status);
    if (event.state === "failed") notice(event.detail);
  },
  words: (event) => reading.words(event),
  session: ({ name }) => { set({ session: name }); sessions.refresh(); },
  behind: ({ seconds }) => set({ behind: seconds }),
  ended: () => { set({ behind: 0 }); sessions.refresh(); },
  closed: () => { set({ session: "" }); reading.sessionEnds(); sessions.refresh(); },
  refused: ({ message }) => { notice(message); talk.stop(); },
  notice: ({ message, severity }) => notice(message, severity),
};

function told(event) {
  tellings[event.type]?.(event);
  set();
}

function engine(facts, about) {
  set({ facts, status: about });
  checks.engine(facts, about.model, about.small);
}

function lineChanged(open) {
  if (open) {
    forget("line");
  } else {
    notice("The line to the server is cut. What you say is kept here and sent when it is back.", "warning", "line");
    reading.sessionEnds();
    microphone.again();
  }
  set(open ? { cut: false } : { cut: true, session: "" });
}

function full() {
  notice("The line has been cut for so long that no more can be kept: what you say now is lost.", "warning", "line");
}

function lost() {
  notice("The microphone has gone: plug it in again, or choose another one in the browser.");
  talk.stop();
}

// ---- what the person does --------------------------------------------------------------

async function mark() {
  if (!state.session && !state.hearing) {
    notice("A mark belongs to what is said: talk first.", "info", "mark");
    return;
  }
  const text = await ask("Mark", "A note at this moment of what is said.", "");
  if (text) line.order("note", { text });
}

function another() {
  if (state.reading) { reading.back(); return; }
  talk.stop();
  talk.then(() => { line.order("new"); transcript.clear(); set(); });
}

const actions = {
  l: () => talk.live(),
  c: () => copyWords(transcript),
  m: mark,
  f: () => document.getElementById("file-input").click(),
  n: another,
  s: () => { const menu = document.getElementById("save"); menu.open = !menu.open; },
};

// ---- the beginning ---------------------------------------------------------------------

async function begin() {
  if (window.matchMedia("(hover: none) and (pointer: coarse)").matches) {
    document.getElementById("welcome-title").textContent = "Hold the button and speak";
    document.getElementById("welcome-how").textContent = "A tap starts, the next one stops. Words appear while you talk.";
  }
  controls(talk, actions, (file) => reading.send(file, (name) => sessions.open(name)));
  saveMenu(sessions, reading);
  const found = await enter();
  if (!found) return;
  engine(found.engine, found);
  await checks.microphone(() => talk.prepare());
  line.connect();
  set();
}

begin();
