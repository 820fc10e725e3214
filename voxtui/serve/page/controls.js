// Keys, buttons, fingers and files dropped on the page: each does one of the actions.

import { state } from "/page/state.js";

const byId = (id) => document.getElementById(id);
const BUTTONS = { live: "l", copy: "c", mark: "m", file: "f", new: "n" };

/** `actions` by their letters, and `send(file)`. */
export function controls(talk, actions, send) {
  const button = byId("talk");
  let spaceIsDown = false;

  button.onpointerdown = (event) => {
    if (event.button) return;
    button.setPointerCapture(event.pointerId);
    talk.press();
  };
  button.onpointerup = button.onpointercancel = () => talk.lift();
  button.oncontextmenu = (event) => event.preventDefault();
  button.onclick = (event) => { if (event.detail === 0 && !spaceIsDown) talk.press(); }; // a screen reader's click

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isForTyping(event.target)) return;
    const action = actions[event.key.toLowerCase()];
    if (event.code === "Space") {
      const other = event.target.closest("button, a, summary");
      if (other && other !== button) return; // Space presses what has the focus
      event.preventDefault();
      if (!event.repeat) { spaceIsDown = true; talk.press(); }
    } else if (event.key === "Escape") {
      byId("save").open = false;
    } else if (!event.repeat && action) {
      event.preventDefault();
      action();
    }
  });
  document.addEventListener("keyup", (event) => {
    if (event.code !== "Space" || !spaceIsDown) return;
    event.preventDefault();
    spaceIsDown = false;
    talk.lift();
  });
  window.addEventListener("blur", () => { spaceIsDown = false; if (state.held) talk.stop(); });

  for (const [id, key] of Object.entries(BUTTONS)) byId(id).onclick = actions[key];
  byId("file-input").onchange = ({ target }) => { send(target.files[0]); target.value = ""; };
  dropping(send);
}

function isForTyping(target) {
  return target.closest("input, textarea, dialog, select") !== null;
}

function dropping(send) {
  const over = (yes) => document.body.classList.toggle("dropping", yes);
  document.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  document.addEventListener("dragleave", () => over(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    send(event.dataTransfer.files[0]);
  });
}
