// Push-to-talk and live mode: what is heard follows what the person wants.
//
//     press, lift, live --> wanted --> microphone --sound--> line

import * as checks from "/page/checks.js";
import { notice } from "/page/notices.js";
import { set, state } from "/page/state.js";

const TAP_MS = 300;
const RELEASE_AFTER_MS = 120_000;

export class Talk {
  /** `onBegin()` is called before the first sound. */
  constructor(microphone, line, { onBegin }) {
    this.microphone = microphone;
    this.line = line;
    this.onBegin = onBegin;
    this.pressedAt = 0;
    this.busy = Promise.resolve();
    this.release = 0;
  }

  /** A key, button or finger goes down; what listens already stops. */
  press() {
    if (state.wanted) { this.stop(); return; }
    this.pressedAt = performance.now();
    set({ held: true });
    this.want("hold");
  }

  /** It comes up: the end, unless it was a tap. */
  lift() {
    const held = state.held && performance.now() - this.pressedAt >= TAP_MS;
    set({ held: false });
    if (held && state.wanted === "hold") this.want("");
  }

  live() {
    this.want(state.wanted === "live" ? "" : "live");
  }

  stop() {
    set({ held: false });
    this.want("");
  }

  /** `run` when all that was wanted until now is done. */
  then(run) {
    this.busy = this.busy.then(run);
  }

  /** Have the browser ask for the microphone before somebody talks. */
  async prepare() {
    try {
      await this.microphone.open();
      await checks.microphone(() => this.prepare());
      this.keepForAWhile();
    } catch (error) {
      checks.microphoneFailed(error);
    }
    set();
  }

  want(what) {
    set({ wanted: what });
    this.then(() => this.follow());
  }

  /** Bring what is heard in line with what is wanted; one step after the other. */
  async follow() {
    if (state.wanted && !state.hearing) await this.begin();
    else if (!state.wanted && state.hearing) await this.end();
  }

  async begin() {
    this.onBegin();
    clearTimeout(this.release);
    try {
      await this.microphone.open();
    } catch (error) {
      notice(checks.microphoneFailed(error));
      set({ wanted: "", held: false });
      return;
    }
    checks.microphone(() => this.prepare());
    if (!state.wanted) { this.keepForAWhile(); return; } // let go while the browser asked
    this.line.listen(this.microphone.format);
    this.microphone.start((sound) => this.line.put(sound));
    set({ hearing: true });
    this.awake = await navigator.wakeLock?.request("screen").catch(() => null);
  }

  async end() {
    await this.microphone.stop();
    this.line.listenNoMore();
    set({ hearing: false });
    this.awake?.release();
    this.keepForAWhile();
  }

  /** An open microphone starts at once, but its light should not be on for ever. */
  keepForAWhile() {
    clearTimeout(this.release);
    this.release = setTimeout(() => { if (!state.hearing) this.microphone.close(); set(); }, RELEASE_AFTER_MS);
  }
}
