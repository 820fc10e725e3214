// What this browser said before.

import { length } from "/page/transcript.js";

const panel = document.getElementById("sessions");
const list = document.getElementById("session-list");
const opener = document.getElementById("show-sessions");

function day(started) {
  const then = new Date(started * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return then.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

export class Sessions {
  /** `onOpen(session)` when one is chosen, with its paragraphs. */
  constructor({ onOpen, ask }) {
    this.onOpen = onOpen;
    this.ask = ask;
    this.current = "";
    opener.onclick = () => (panel.hidden ? this.show() : this.hide());
    document.getElementById("hide-sessions").onclick = () => this.hide();
    panel.onkeydown = (event) => { if (event.key === "Escape") this.hide(); };
  }

  async show() {
    panel.hidden = false;
    document.body.classList.add("with-sessions");
    opener.setAttribute("aria-expanded", "true");
    await this.refresh();
    (list.querySelector("button") ?? document.getElementById("hide-sessions")).focus();
  }

  hide() {
    panel.hidden = true;
    document.body.classList.remove("with-sessions");
    opener.setAttribute("aria-expanded", "false");
    opener.focus();
  }

  async refresh() {
    if (panel.hidden) return;
    const { sessions } = await (await fetch("/api/sessions")).json();
    list.replaceChildren();
    let last = "";
    for (const session of sessions) {
      const today = day(session.started);
      if (today !== last) {
        const head = document.createElement("li");
        head.className = "day";
        head.textContent = last = today;
        list.append(head);
      }
      list.append(this.line(session));
    }
    if (!sessions.length) {
      const none = document.createElement("li");
      none.className = "muted";
      none.textContent = "None yet: hold Space and speak.";
      list.append(none);
    }
  }

  line(session) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.className = "session";
    button.type = "button";
    if (session.name === this.current) button.setAttribute("aria-current", "true");
    const parts = [
      ["when", new Date(session.started * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })],
      ["", session.title || session.first_words || "(no words)"],
      ["long", session.live ? "now" : length(session.seconds)],
    ];
    for (const [kind, text] of parts) {
      const part = document.createElement("span");
      part.className = kind;
      part.textContent = text;
      button.append(part);
    }
    button.onclick = () => this.open(session.name);
    item.append(button);
    return item;
  }

  async open(name) {
    const answer = await fetch(`/api/sessions/${encodeURIComponent(name)}`);
    if (!answer.ok) return;
    this.current = name;
    if (window.matchMedia("(max-width: 40rem)").matches) this.hide();
    this.onOpen(await answer.json());
    await this.refresh();
  }

  async rename(session) {
    const title = await this.ask("What is it about?", "A title for the session.", session.title);
    if (title === null) return session.title;
    const path = `/api/sessions/${encodeURIComponent(session.name)}`;
    await fetch(path, { method: "PATCH", body: JSON.stringify({ title }) });
    await this.refresh();
    return title;
  }

  /** Into the trash of the server's library; tells what went wrong, if anything. */
  async remove(name) {
    const answer = await fetch(`/api/sessions/${encodeURIComponent(name)}`, { method: "DELETE" });
    await this.refresh();
    return answer.ok ? "" : (await answer.json()).error.message;
  }
}
