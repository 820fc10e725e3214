"""The person's own command on what was said."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from voxtui import hook
from voxtui.events import Edit, Segment, SegmentKind, Word
from voxtui.hook import HookError


def test_text_goes_in_and_comes_out() -> None:
    assert hook.run("tr a-z A-Z", "some words é", 5, {}) == "SOME WORDS é"


def test_it_knows_the_session() -> None:
    assert (
        hook.run('cat > /dev/null; echo "$VOXTUI_SESSION"', "x", 5, {"VOXTUI_SESSION": "s"}) == "s"
    )


def test_a_command_that_does_not_read_is_no_failure() -> None:
    assert hook.run("true", "x" * 1_000_000, 5, {}) == ""


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("echo no room >&2; exit 3", r"exit code 3.*as heard: no room"),
        ("no-such-command-at-all", r"exit code 127"),
        ("yes | head -c 1100000", r"million"),
    ],
)
def test_a_failure_is_told(command: str, why: str) -> None:
    with pytest.raises(HookError, match=why):
        hook.run(command, "words", 5, {})


def test_it_is_ended_with_all_it_started(tmp_path: Path) -> None:
    late = tmp_path / "late"
    with pytest.raises(HookError, match=r"longer than 0\.2 s"):
        hook.run(f"(sleep 1; touch {late}) & sleep 30", "words", 0.2, {})
    time.sleep(1.2)
    assert not late.exists()


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ("A\nB", ["A", "B"]),
        ("A\n\nB\n", ["A", "B"]),
        ("A  b", ["A b", ""]),
        ("A\nB\nC", ["A B C", ""]),
        ("\x1b[1mA\nB\x07", ["[1mA", "B"]),
        ("", ["a", "b"]),
    ],
)
def test_where_the_answer_goes(answer: str, texts: list[str]) -> None:
    given = [Edit(3, "a", "a"), Edit(5, "b", "b")]
    after = {3: "a", 5: "b"} | {e.segment: e.text for e in hook.answered(given, answer)}
    assert list(after.values()) == texts


def test_what_one_command_does_is_done_before_the_next_begins(tmp_path: Path) -> None:
    typed = tmp_path / "typed"
    letters = f"for n in 1 2 3; do printf x >> {typed}; sleep 0.1; done"
    slow = f"cat > /dev/null; {letters}; echo >> {typed}"
    over = threading.Semaphore(0)
    after = hook.Afterwards(hook.HookConfig(slow), lambda work: work())
    segments: list[Segment] = []
    for n in range(3):
        segments.append(Segment(SegmentKind.SPEECH, n, n + 1, n, (Word(" word", n + 1),)))
        after.utterance_ended(segments, {}, lambda edits, problem: over.release())
    for _ in range(3):
        assert over.acquire(timeout=20)
    assert typed.read_text() == "xxx\n" * 3
