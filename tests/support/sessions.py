"""Sessions on disk with the words that a test wants."""

from __future__ import annotations

from pathlib import Path

from voxtui.events import SAMPLE_RATE, TokenText, UtteranceEnded
from voxtui.session import Session, SessionMeta, load_session
from voxtui.session.folder import EVENTS
from voxtui.session.log import encode_line

STARTED = 1_795_340_000.0
PACE_S = 0.4
PARAGRAPH_S = 20.0


def make(
    root: Path,
    *paragraphs: str,
    started: float = STARTED,
    note: str = "",
    sound: bytes | None = None,
    close: bool = True,
) -> Session:
    """A session that says these paragraphs, one each 20 s, with silence for its sound."""
    session = Session.create(root, SessionMeta(model="tiny", started=started), lambda: started)
    if sound is None:
        sound = bytes(int(32000 * PARAGRAPH_S) * max(1, len(paragraphs)))
    session.append_audio(sound)
    for number, paragraph in enumerate(paragraphs):
        for place, word in enumerate(paragraph.split()):
            at_s = number * PARAGRAPH_S + 0.5 + PACE_S * place
            session.apply(TokenText(f" {word}", round(at_s, 3), True, 0.9))
    if note:
        session.apply(UtteranceEnded(session.audio_s))
        session.note(note)
    if close:
        session.end_utterance()
        session.apply(UtteranceEnded(session.audio_s))
        session.close()
    return session


def partly_written(root: Path, started: float, words_s: float = 2.0) -> Path:
    """A closed session that says hello: two seconds of sound, of which so many are written."""
    made = Session.create(root, SessionMeta(started=started), clock=lambda: started)
    made.append_audio(b"\1\0" * 2 * SAMPLE_RATE)
    made.apply(TokenText(" hello", words_s, True, 0.9))
    made.apply(UtteranceEnded(words_s))
    made.close()
    return made.path


def change_by_hand(path: Path, text: str) -> None:
    """Somebody has given the first paragraph of a closed session another text."""
    segment = load_session(path).segments[0]
    fields = {"type": "edit", "segment": 0, "start": segment.start_s, "text": text}
    with (path / EVENTS).open("ab") as log:
        log.write(encode_line(fields))
