// The line to the server. What is said while it is cut waits here and goes out afterwards.

const LONGEST_WAIT_BYTES = 64 << 20;

export class Line {
  /** `onEvent(event)` for what the server tells, `onState(open)` when the line opens or is cut,
   *  `onFull()` when no more can wait. */
  constructor({ onEvent, onState, onFull }) {
    this.onEvent = onEvent;
    this.onState = onState;
    this.onFull = onFull;
    this.waiting = [];
    this.waitingBytes = 0;
    this.talking = null;
    this.tries = 0;
  }

  get open() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.socket = socket;
      this.tries = 0;
      for (const message of this.waiting.splice(0)) socket.send(message);
      this.waitingBytes = 0;
      this.onState(true);
    };
    socket.onmessage = ({ data }) => this.onEvent(JSON.parse(data));
    socket.onclose = () => {
      if (this.socket === socket && this.talking) this.put(this.talking); // goes on in a new session
      this.socket = null;
      if (this.tries === 0) this.onState(false);
      setTimeout(() => this.connect(), Math.min(8000, 300 * 2 ** this.tries++));
    };
  }

  /** Sound in that format begins. */
  listen(format) {
    this.talking = JSON.stringify({ type: "listen", on: true, ...format });
    this.put(this.talking);
  }

  /** It ends. */
  listenNoMore() {
    this.talking = null;
    this.order("listen", { on: false });
  }

  order(type, fields = {}) {
    this.put(JSON.stringify({ type, ...fields }));
  }

  /** An order as text, or sound. */
  put(message) {
    if (this.open) {
      this.socket.send(message);
      return;
    }
    const bytes = message.byteLength ?? message.length;
    if (this.waitingBytes + bytes > LONGEST_WAIT_BYTES && message.byteLength) {
      this.onFull();
      return;
    }
    this.waitingBytes += bytes;
    this.waiting.push(message);
  }
}
