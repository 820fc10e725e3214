// What is going on, for all parts of the page. Whoever changes it says so with `set`.

export const state = {
  wanted: "", // "", "hold" or "live": what the person asks for
  held: false, // a key, button or finger is down
  hearing: false, // sound goes to the server
  silent: false, // the microphone gives nothing but zeros
  cut: false, // there is no line to the server
  behind: 0, // seconds of sound whose words are to come
  session: "", // the one being written
  reading: null, // something of before that stands on the page instead: { title, session }
  uploading: false,
  facts: null, // the engine, as the server tells
  status: null, // the server, as it tells itself
};

const watchers = [];

export function set(changes = {}) {
  Object.assign(state, changes);
  for (const look of watchers) look();
}

export function watch(look) {
  watchers.push(look);
}
