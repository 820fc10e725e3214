// Is everything there? What the page looks at when it is loaded, each with what to do.

import { permission, reason } from "/page/microphone.js";

const list = document.getElementById("checks");
const SIGNS = { ok: "✓", note: "!", broken: "✗", wait: "…" };

const lines = new Map();

/** One line: `state` is ok, note, broken or wait. */
export function told(what, state, text, fix = "", action = null) {
  let line = lines.get(what);
  if (!line) {
    line = document.createElement("li");
    lines.set(what, line);
    list.append(line);
  }
  line.className = state;
  const part = (kind, content) => {
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = content;
    return span;
  };
  line.replaceChildren(part("sign", SIGNS[state]), part("what muted", what), part("told", text));
  if (fix) line.append(part("fix", fix));
  if (action) {
    const button = document.createElement("button");
    button.className = "primary told";
    button.type = "button";
    button.textContent = action.text;
    button.onclick = action.run;
    line.append(button);
  }
}

/** Engine and model, as the server tells. */
export function engine(facts, model, small) {
  switch (facts.state) {
    case "ready":
      told("engine", "ok", "It runs and listens.");
      break;
    case "failed":
      told("engine", "broken", "It does not run.", facts.detail);
      break;
    case "restarting":
      told("engine", "note", "It is started again.", facts.detail);
      break;
    default:
      told("engine", "wait", facts.detail || "It loads the model …");
  }
  if (small) {
    told("model", "note", "The small one, which knows some forty English words.",
         "For everything else, on the server: voxtui model download, then start voxtui serve again.");
  } else {
    const how = facts.precision ? ` (${facts.precision})` : "";
    told("model", "ok", `${model}${how}.`);
  }
}

/** The microphone; `ask` opens it, so that the browser asks the person. */
export async function microphone(ask) {
  const state = await permission();
  if (state === "granted") {
    told("microphone", "ok", "The browser may hear you.");
  } else if (state === "none" || state === "denied") {
    const [what, fix] = reason(state === "denied" ? { name: "NotAllowedError" } : null);
    told("microphone", "broken", what, fix);
  } else {
    told("microphone", "note", "The browser will ask when you first talk.", "", { text: "Ask now", run: ask });
  }
}

/** What went wrong when it was opened. */
export function microphoneFailed(error) {
  const [what, fix] = reason(error);
  told("microphone", "broken", what, fix);
  return `${what} ${fix}`;
}
