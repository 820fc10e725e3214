// Runs beside the page's own thread: samples to signed 16 bit, in blocks of about 20 ms.

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(Math.round(sampleRate / 50));
    this.filled = 0;
    this.energy = 0;
    this.peak = 0;
  }

  process(inputs) {
    const channels = inputs[0];
    if (!channels.length) return true;
    const other = channels[1];
    for (let i = 0; i < channels[0].length; i++) {
      const sample = other ? (channels[0][i] + other[i]) / 2 : channels[0][i];
      const value = Math.max(-1, Math.min(1, sample));
      this.energy += value * value;
      this.peak = Math.max(this.peak, Math.abs(value));
      this.block[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
      if (this.filled === this.block.length) this.send();
    }
    return true;
  }

  send() {
    const rms = Math.sqrt(this.energy / this.filled);
    const pcm = this.block.slice();
    this.port.postMessage({ pcm: pcm.buffer, rms, peak: this.peak }, [pcm.buffer]);
    this.filled = this.energy = this.peak = 0;
  }
}

registerProcessor("capture", Capture);
