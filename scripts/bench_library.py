#!/usr/bin/env python3
"""Measure the library with very many sessions: list, first index, search, reopening, one change.

The sessions are made in a temporary folder, with words of a vocabulary in which few are frequent
and most are rare, without sound. Their files are in the system's cache when they are read.

Prints a table; `--json FILE` writes the figures.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from voxtui.session.folder import EVENTS, SUMMARY
from voxtui.session.index import SessionIndex
from voxtui.session.library import list_sessions
from voxtui.session.log import FORMAT, encode_line
from voxtui.session.matching import Query

STARTED = 1_700_000_000.0
APART_S = 3600.0
PACE_S = 0.4
PARAGRAPH = 25
SHOWN = 40
"""So many found sessions fit on a large screen, each with its first place."""
TIMES = 9
SYLLABLES = ("ka", "lo", "mé", "ru", "ti", "ßa", "no", "vi", "se", "du", "fe", "ja")
RARE = "nonpareil"


def vocabulary(chance: random.Random, size: int = 20_000) -> list[str]:
    """Different words, of two to four syllables."""
    words: dict[str, None] = {}
    while len(words) < size:
        words["".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 3, 4))))] = None
    return list(words)


def make(root: Path, number: int, words: list[str]) -> None:
    """A closed session, as the application leaves it."""
    started = STARTED + APART_S * number
    folder = root / f"{time.strftime('%Y-%m-%d_%H-%M-%S', time.localtime(started))}-{number}"
    folder.mkdir(parents=True)
    lines = [{"type": "session", "format": FORMAT, "started": started, "model": "tiny"}]
    lines.append({"type": "utterance", "at": 0.0, "wall": started})
    for at in range(0, len(words), PARAGRAPH):
        said = words[at : at + PARAGRAPH]
        times = [round(PACE_S * (at + n + 1), 2) for n in range(len(said))]
        lines += [
            {"type": "token", "text": f" {word}", "time": time_s, "start": True, "p": 0.9}
            for word, time_s in zip(said, times, strict=True)
        ]
        start_s = round(times[0] - PACE_S, 2)
        lines.append(
            {
                "type": "segment",
                "kind": "speech",
                "words": len(said),
                "start": start_s,
                "end": times[-1],
                "wall": started + start_s,
            }
        )
    audio_s = round(PACE_S * len(words), 2)
    lines.append({"type": "closed", "audio": audio_s, "done": audio_s})
    (folder / EVENTS).write_bytes(b"".join(map(encode_line, lines)))
    summary = {
        "format": FORMAT,
        "finished": True,
        "started": started,
        "audio_s": audio_s,
        "words": len(words),
        "first_words": " ".join(words[:12]),
        "title": "",
    }
    (folder / SUMMARY).write_text(json.dumps(summary))


def timed(work: Callable[[], object], times: int = 1) -> float:
    """Milliseconds; the median of several times."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took)


def look_for(index: SessionIndex, typed: str) -> int:
    """As the page does: the sessions, and the first place in those that are seen."""
    query = Query.parse(typed)
    names = index.search(query)
    for name in names[:SHOWN]:
        if not index.matches(name, query, most=1):
            raise RuntimeError(f"{name} was found for {typed} without a place")
    return len(names)


def measure(root: Path, file: Path, sessions: int, words: list[str]) -> dict[str, float]:
    """All figures, in milliseconds unless their names tell otherwise."""
    found = {"list from the files": timed(lambda: list_sessions(root))}
    index = SessionIndex(root, file)
    begun = time.perf_counter()
    listed: list[float] = []
    index.refresh(lambda done, total: listed.append(1000 * (time.perf_counter() - begun)))
    found["first index: the list is there"] = listed[0]
    found["first index: all words are there"] = 1000 * (time.perf_counter() - begun)
    if len(index.sessions()) != sessions:
        raise RuntimeError("sessions are missing in the index")
    found["list from the index"] = timed(index.sessions, TIMES)
    searches = {
        "a rare word": RARE,
        "a frequent word": f"{words[0]} ",
        "one letter": "k",
        "two words": f"{words[0]} {words[40]}",
        "a phrase": f'"{words[0]} {words[1]}"',
        "nothing": "zzzz",
    }
    for name, typed in searches.items():
        hits = look_for(index, typed)
        took = timed(lambda typed=typed: look_for(index, typed), TIMES)  # type: ignore[misc]
        found[f"search: {name} ({hits} sessions)"] = took
    index.close()

    def reopen() -> None:
        again = SessionIndex(root, file)
        again.sessions()
        again.close()

    found["reopen until the list is there"] = timed(reopen, TIMES)
    index = SessionIndex(root, file)
    found["look whether anything changed"] = timed(index.refresh, TIMES)
    make(root, sessions, [*words[:100], RARE])
    found["take in one new session"] = timed(index.refresh)
    index.close()
    found["index, MB"] = file.stat().st_size / 1e6
    scale = 1 if sys.platform == "darwin" else 1024
    found["most memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--words", type=int, default=200, help="of each session")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chance = random.Random(1)
    words = vocabulary(chance)
    weights = [1 / (rank + 1) for rank in range(len(words))]
    with tempfile.TemporaryDirectory(prefix="voxtui-bench-") as folder:
        root = Path(folder) / "sessions"
        for number in range(options.sessions):
            said = chance.choices(words, weights, k=options.words)
            make(root, number, [*said, RARE] if number % 100 == 50 else said)
        found = measure(root, Path(folder) / "index.sqlite", options.sessions, words)
    print(f"{options.sessions:,} sessions of {options.words} words")
    for name, value in found.items():
        print(f"{name:48}{value:>10,.1f}{'' if 'MB' in name else ' ms'}")
    if options.json:
        facts = {"sessions": options.sessions, "words": options.words}
        options.json.write_text(json.dumps({**facts, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
