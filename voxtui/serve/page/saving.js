// Out of the page: the clipboard, files of a session, its title, its end.

import { notice } from "/page/notices.js";
import { state } from "/page/state.js";
import { copy } from "/page/transcript.js";

const menu = document.getElementById("save");
const items = document.getElementById("save-items");
const FORMATS = { txt: "Text", md: "Markdown", srt: "Subtitles, SRT", vtt: "Subtitles, VTT", json: "JSON, with times" };

/** What is new since the last copy, or all of it. */
export async function copyWords(transcript) {
  const live = !state.reading;
  const since = live && transcript.copied < transcript.all.length ? transcript.copied : 0;
  const text = transcript.text(since);
  if (!text) { notice("There is nothing to copy yet.", "info", "copy"); return; }
  if (!(await copy(text))) {
    notice("The browser does not let the page copy: select the words and copy them.", "warning", "copy");
    return;
  }
  if (live) transcript.copied = transcript.all.length;
  const words = text.split(/\s+/).length;
  notice(`Copied ${words} ${since ? "new " : ""}word${words === 1 ? "" : "s"}.`, "info", "copy");
}

/** The menu of the session that is on the page. */
export function saveMenu(sessions, reading) {
  menu.ontoggle = () => { if (menu.open) fill(sessions, reading); };
  document.addEventListener("click", (event) => { if (!event.target.closest("#save")) menu.open = false; });
}

function fill(sessions, reading) {
  const session = state.reading?.session;
  const name = state.reading ? session?.name : state.session;
  items.replaceChildren();
  if (!name) {
    const none = document.createElement("span");
    none.textContent = "Nothing to save yet.";
    items.append(none);
    return;
  }
  for (const [format, text] of Object.entries(FORMATS)) {
    const link = add(text, null);
    link.href = `/api/sessions/${encodeURIComponent(name)}/${format}`;
    link.download = "";
  }
  if (!session) return;
  add("Rename …", async () => reading.renamed(await sessions.rename(session)));
  add("Delete", async () => {
    const problem = await sessions.remove(name);
    notice(problem || "Deleted: the terminal application's library can bring it back.", problem ? "warning" : "info");
    if (!problem) reading.back();
  });
}

function add(text, run) {
  const item = document.createElement("a");
  item.textContent = text;
  item.href = "#";
  item.onclick = (event) => { if (run) event.preventDefault(); menu.open = false; run?.(); };
  items.append(item);
  return item;
}
