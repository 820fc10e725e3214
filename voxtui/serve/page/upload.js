// A file of sound or video: sent with progress, then its words as they come.

export class Upload {
  /** `onSent(part)` while it is sent, `onEvent(event)` for what the server tells, `onEnd(problem)`. */
  constructor(file, { onSent, onEvent, onEnd }) {
    const request = new XMLHttpRequest();
    this.request = request;
    this.seen = 0;
    this.ended = false;
    const end = (problem) => { if (!this.ended) { this.ended = true; onEnd(problem); } };
    const read = () => {
      if (request.status !== 200) return;
      const whole = request.responseText.lastIndexOf("\n\n");
      if (whole < this.seen) return;
      const text = request.responseText.slice(this.seen, whole);
      this.seen = whole + 2;
      for (const part of text.split("\n\n")) {
        const event = JSON.parse(part.slice("data: ".length));
        if (event.type === "error") end(event.error.message);
        else onEvent(event);
      }
    };
    request.upload.onprogress = ({ loaded, total }) => onSent(loaded / total);
    request.onprogress = read;
    request.onload = () => {
      read();
      let problem = "";
      if (request.status !== 200) {
        try { problem = JSON.parse(request.responseText).error.message; }
        catch { problem = `The server answered with ${request.status}.`; }
      }
      end(problem);
    };
    request.onerror = () => end("The connection broke off.");
    request.onabort = () => end("");
    const form = new FormData();
    form.append("audio", file);
    request.open("POST", "/api/upload");
    request.send(form);
  }

  stop() {
    this.request.abort();
  }
}
