// What the page says to the person and asks of them.

const box = document.getElementById("notices");
const dialog = document.getElementById("ask");
const MOST = 3;
const INFO_MS = 4000;

/** One sentence above the meter, until it is closed or another one comes about the same. */
export function notice(text, severity = "warning", about = text) {
  forget(about);
  const line = document.createElement("div");
  const words = document.createElement("span");
  const close = document.createElement("button");
  line.className = `notice ${severity}`;
  line.dataset.about = about;
  words.textContent = text;
  close.className = "quiet";
  close.type = "button";
  close.textContent = "OK";
  close.onclick = () => line.remove();
  line.append(words, close);
  box.append(line);
  while (box.children.length > MOST) box.firstChild.remove();
  if (severity === "info") setTimeout(() => line.remove(), INFO_MS);
}

/** What was said about that is over. */
export function forget(about) {
  for (const old of [...box.children]) if (old.dataset.about === about) old.remove();
}

/** A line of text from the person; null when they do not want. */
export function ask(title, why, value) {
  const input = document.getElementById("ask-value");
  document.getElementById("ask-title").textContent = title;
  document.getElementById("ask-why").textContent = why;
  input.value = value;
  dialog.returnValue = "";
  dialog.showModal();
  input.select();
  return new Promise((done) => {
    dialog.onclose = () => done(dialog.returnValue === "ok" ? input.value.trim() : null);
  });
}
