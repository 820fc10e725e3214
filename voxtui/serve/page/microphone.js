// The microphone: samples from an AudioWorklet, or where there is none what a MediaRecorder writes.

const PRE_ROLL_S = 0.4;
const POST_ROLL_S = 0.3;
const SILENT_S = 2.5;
const WANTED = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
const KINDS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

/** Why the microphone cannot be had, and what to do. */
export function reason(error) {
  if (!window.isSecureContext) {
    return ["Browsers give a microphone only to https and localhost.",
            "Open the page through an ssh tunnel (ssh -L 8321:localhost:8321 …), or start voxtui serve with --certificate and --key."];
  }
  switch (error?.name) {
    case "NotAllowedError":
      return ["The browser may not hear you.", "Allow the microphone beside the address above, then try again."];
    case "NotFoundError":
      return ["There is no microphone.", "Plug one in, then try again."];
    case "NotReadableError":
      return ["The microphone is used by another program.", "Close that program, then try again."];
  }
  return ["This browser gives no microphone.", "Use a current Firefox, Chrome, Edge or Safari."];
}

/** What the browser says about the permission: granted, prompt, denied, or unknown. */
export async function permission() {
  if (!navigator.mediaDevices?.getUserMedia) return "none";
  try {
    return (await navigator.permissions.query({ name: "microphone" })).state;
  } catch {
    return "unknown";
  }
}

export class Microphone {
  /** `onLevel(rms, peak)` for each block; `onSilent(yes)` when nothing but zeros comes; `onLost()`. */
  constructor({ onLevel, onSilent, onLost }) {
    this.onLevel = onLevel;
    this.onSilent = onSilent;
    this.onLost = onLost;
    this.stream = null;
    this.send = null;
    this.before = [];
    this.zeros = 0;
  }

  get name() {
    return this.stream?.getAudioTracks()[0]?.label ?? "";
  }

  /** Ask for it and begin to hear. Throws what getUserMedia throws. */
  async open() {
    if (this.stream) return;
    if (!navigator.mediaDevices?.getUserMedia) throw new Error("none");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED });
    const context = new AudioContext();
    this.context = context;
    await context.resume();
    context.onstatechange = () => { if (context.state === "suspended") context.resume(); }; // after a call
    const source = context.createMediaStreamSource(stream);
    if (context.audioWorklet && !new URLSearchParams(location.search).has("recorder")) {
      await context.audioWorklet.addModule("/page/worklet.js");
      const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
      node.port.onmessage = ({ data }) => this.block(data);
      source.connect(node);
      this.format = { format: "pcm", rate: context.sampleRate };
    } else {
      this.watch(context, source);
      this.format = { format: "media" };
    }
    this.stream = stream;
    stream.getAudioTracks()[0].addEventListener("ended", () => { this.close(); this.onLost(); });
  }

  /** From now on what is heard goes to `send`, with a little of what was said before. */
  start(send) {
    this.send = send;
    if (this.format.format === "pcm") {
      for (const pcm of this.before.splice(0)) send(pcm);
      return;
    }
    this.record();
  }

  /** What was heard so far went to somebody who is gone: what comes next must be whole by itself. */
  again() {
    if (!this.recorder) return;
    const old = this.recorder;
    this.record();
    old.stop();
  }

  record() {
    const type = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const recorder = new MediaRecorder(this.stream, type ? { mimeType: type } : {});
    this.recorder = recorder;
    this.sending = Promise.resolve();
    recorder.ondataavailable = ({ data }) => {
      this.sending = this.sending.then(async () => {
        const bytes = await data.arrayBuffer();
        if (recorder === this.recorder) this.send(bytes);
      });
    };
    recorder.start(200);
  }

  /** No more, but for a moment after. */
  async stop() {
    await new Promise((done) => setTimeout(done, POST_ROLL_S * 1000));
    if (this.recorder) {
      const ended = new Promise((done) => this.recorder.addEventListener("stop", done));
      this.recorder.stop();
      await ended;
      await this.sending;
      this.recorder = null;
    }
    this.send = null;
  }

  /** Let go of it. */
  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    clearInterval(this.watching);
    this.stream = null;
    this.before = [];
  }

  block({ pcm, rms, peak }) {
    const seconds = pcm.byteLength / 2 / this.format.rate;
    if (this.send) {
      this.send(pcm);
    } else {
      this.before.push(pcm);
      if (this.before.length > PRE_ROLL_S / seconds) this.before.shift();
    }
    this.hear(rms, peak, seconds);
  }

  watch(context, source) {
    const meter = context.createAnalyser();
    meter.fftSize = 2048;
    source.connect(meter);
    const samples = new Float32Array(meter.fftSize);
    this.watching = setInterval(() => {
      meter.getFloatTimeDomainData(samples);
      let energy = 0, peak = 0;
      for (const sample of samples) { energy += sample * sample; peak = Math.max(peak, Math.abs(sample)); }
      this.hear(Math.sqrt(energy / samples.length), peak, 0.05);
    }, 50);
  }

  hear(rms, peak, seconds) {
    const before = this.zeros;
    this.zeros = peak === 0 ? this.zeros + seconds : 0;
    if (before < SILENT_S && this.zeros >= SILENT_S) this.onSilent(true);
    if (before >= SILENT_S && this.zeros === 0) this.onSilent(false);
    this.onLevel(rms, peak);
  }
}
