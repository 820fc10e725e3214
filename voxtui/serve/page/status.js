// The strip above the buttons, the head of the page, and which of its parts are there.

import { state, watch } from "/page/state.js";
import { length } from "/page/transcript.js";

const byId = (id) => document.getElementById(id);
const LOWEST_DB = -60;
const LATE_S = 4;
const narrow = window.matchMedia("(max-width: 40rem)");

export class Status {
  constructor(microphone, transcript) {
    this.microphone = microphone;
    this.transcript = transcript;
    this.began = 0;
    watch(() => this.show());
    setInterval(() => this.tick(), 250);
  }

  level(rms, peak) {
    const decibels = (value) => Math.max(LOWEST_DB, 20 * Math.log10(value || 1e-9));
    const part = (value) => 1 - decibels(value) / LOWEST_DB;
    byId("meter-bar").style.transform = `scaleX(${part(rms)})`;
    byId("meter-peak").style.transform = `translateX(${(part(peak) - 1) * 100}%)`;
    byId("meter").setAttribute("aria-valuenow", Math.round(decibels(rms)));
    byId("level").textContent = this.microphone.stream ? `${Math.round(decibels(rms))} dB`.replace("-", "−") : "";
  }

  show() {
    if (!this.microphone.stream) this.level(0, 0);
    this.buttons();
    this.parts();
    this.health();
    this.head();
  }

  buttons() {
    const on = Boolean(state.wanted);
    const word = !on ? "hold to talk" : !state.hearing ? "a moment …" : state.held ? "let go to stop" : "stop";
    document.body.classList.toggle("listening", state.hearing);
    byId("talk").setAttribute("aria-pressed", on);
    byId("live").setAttribute("aria-pressed", state.wanted === "live");
    byId("talk-word").textContent = word;
  }

  parts() {
    const { reading, uploading, hearing } = state;
    byId("welcome").hidden = !this.transcript.empty || Boolean(reading) || uploading || hearing;
    byId("reading").hidden = !reading || (uploading && !reading.session);
    byId("upload").hidden = !uploading;
    byId("reading-what").textContent = reading?.title ?? "";
  }

  health() {
    const [kind, strong, text] = health(this.microphone);
    const place = byId("health");
    place.className = kind || "muted";
    if (place.textContent === strong + text) return; // a screen reader would say it again
    const bold = document.createElement("b");
    bold.textContent = strong;
    place.replaceChildren(bold, text);
  }

  head() {
    if (!state.hearing) this.began = 0;
    else this.began ||= performance.now();
    byId("clock").hidden = !state.hearing;
    const { status, facts } = state;
    const model = status && (status.small ? "small model" : status.model);
    const wide = narrow.matches ? [] : [this.microphone.name, facts?.delay_ms && `${facts.delay_ms} ms`];
    byId("about").textContent = [wide[0], model, wide[1]].filter(Boolean).join(" · ");
    document.title = state.hearing ? "● voxtui" : "voxtui";
  }

  tick() {
    if (this.began) byId("time").textContent = length((performance.now() - this.began) / 1000);
  }
}

/** How it goes: a kind, a word in bold, and more. */
function health(microphone) {
  const { facts, behind } = state;
  if (state.cut) return ["warn", "", "no line to the server"];
  if (state.wanted && !state.hearing) return ["", "", "preparing the microphone …"];
  if (state.silent && microphone.stream) return ["warn", "", "the microphone gives nothing: is it muted?"];
  if (facts && facts.state !== "ready") {
    if (facts.state === "failed") return ["warn", "", "the engine has stopped"];
    return ["warn", "", facts.state === "restarting" ? "starting again, nothing is lost" : "loading the model …"];
  }
  if (behind > LATE_S) return ["warn", "", `${behind.toFixed(0)} s behind, nothing is lost`];
  if (state.hearing) return ["", "keeping up", ` · ${behind.toFixed(1)} s behind`];
  if (behind > 1) return ["", "", `last words: ${behind.toFixed(0)} s`];
  return ["", "", ""];
}
