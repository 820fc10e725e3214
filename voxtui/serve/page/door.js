// Into the server: is it there, and does it want its token?

import * as checks from "/page/checks.js";
import { ask, notice } from "/page/notices.js";

const AGAIN_MS = 3000;

async function login(token) {
  const answer = await fetch("/api/login", { method: "POST", body: JSON.stringify({ token }) });
  return answer.ok;
}

/** How the server is, when it lets us in; asks again and again where it does not answer. */
export async function enter() {
  checks.told("engine", "wait", "The server is asked …");
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) history.replaceState(null, "", location.pathname + location.search);
  for (;;) {
    try {
      if (given) await login(given);
      return await status();
    } catch {
      checks.told("engine", "broken", "The server does not answer.", "Is voxtui serve still running there?");
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

/** Its status, null when the person does not give the token. */
async function status() {
  for (;;) {
    const answer = await fetch("/api/status");
    if (answer.status !== 401) return answer.json();
    const token = await ask("The server's token", "It is in the file that voxtui serve named when it was started.", "");
    if (token === null) {
      checks.told("engine", "broken", "The server asks for its token.", "Load the page again to give it.");
      return null;
    }
    if (!(await login(token))) notice("That is not the server's token.", "warning", "token");
  }
}
