"""A command of the person's that may rewrite what was said: text in, text out.

It gets the words of an utterance, a line a paragraph, when the utterance is over, and may print
others in their place. As many lines as there were go each to its paragraph, any other number into
the first one. Nothing printed changes nothing; what fails changes nothing and is told.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from voxtui.events import Edit, Segment, SegmentKind
from voxtui.printable import printable
from voxtui.settings import Settings

LONGEST_OUTPUT = 1_000_000
"""Characters; a command that writes more has gone astray."""


@dataclass(frozen=True, slots=True)
class HookConfig:
    """A shell command, "" for none, and how long it may take."""

    command: str = ""
    timeout_s: float = 10.0

    @classmethod
    def of(cls, chosen: Settings) -> Self:
        """As the settings say."""
        return cls(chosen.output.hook, chosen.output.hook_timeout_s)


class HookError(Exception):
    """One sentence: why the text stays as it was."""


def run(command: str, text: str, timeout_s: float, environment: Mapping[str, str]) -> str:
    """Give the text to a shell command; gives what it printed, "" for nothing.

    `environment` is added to this program's own. HookError when the command cannot be started,
    fails, or takes too long (it and all it started are ended then).
    """
    try:
        process = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except OSError as error:
        raise HookError(f"The hook could not be started: {error.strerror or error}.") from error
    try:
        out, err = process.communicate(text.encode(), timeout_s)
    except subprocess.TimeoutExpired:
        _end(process)
        raise HookError(
            f"The hook took longer than {timeout_s:g} s and was ended; the words are as heard."
        ) from None
    if process.returncode:
        last = err.decode("utf-8", "replace").strip().splitlines()[-1:]
        why = f": {printable(last[0])[:200]}" if last else "."
        raise HookError(
            f"The hook failed (exit code {process.returncode}); the words are as heard{why}"
        )
    new = out.decode("utf-8", "replace")
    if len(new) > LONGEST_OUTPUT:
        raise HookError("The hook printed more than a million letters; the words are as heard.")
    return new.strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


class Afterwards:
    """Runs the hook when an utterance is over. Used on one thread; `post` brings work to it.

    `done` is called with the edits that the hook asks for (none when there is no hook, or it
    failed) and a sentence when it failed, in the order of the utterances.
    """

    def __init__(
        self,
        config: HookConfig,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self.config = config
        self._post = post
        self._given = 0  # settled segments that the hook has had
        self._last: threading.Thread | None = None
        self.running = 0

    def begin_session(self) -> None:
        """Another session: its segments are counted from the first."""
        self._given = 0

    def utterance_ended(
        self,
        segments: Sequence[Segment],
        environment: Mapping[str, str],
        done: Callable[[tuple[Edit, ...], str], None],
    ) -> None:
        """An utterance is over; `segments` are all that settled in the session."""
        new = [
            Edit(index, segment.text, segment.text)
            for index, segment in enumerate(segments[self._given :], self._given)
            if segment.kind is SegmentKind.SPEECH and segment.text
        ]
        self._given = len(segments)
        if not self.config.command or not new:
            done((), "")
            return
        self.running += 1
        config, before = self.config, self._last

        def finished(edits: tuple[Edit, ...], problem: str) -> None:
            self.running -= 1
            done(edits, problem)

        def work() -> None:
            if before is not None:
                before.join()  # in order: what a command types or sends must not be mixed
            try:
                text = run(
                    config.command, "\n".join(e.was for e in new), config.timeout_s, environment
                )
                edits, problem = answered(new, text), ""
            except HookError as error:
                edits, problem = (), str(error)
            self._post(lambda: finished(edits, problem))

        self._last = threading.Thread(target=work, name="hook", daemon=True)
        self._last.start()


def answered(given: Sequence[Edit], text: str) -> tuple[Edit, ...]:
    """The edits that bring the hook's answer into the paragraphs it was given."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ()
    if len(lines) != len(given):
        lines = [" ".join(lines), *[""] * (len(given) - 1)]
    made = (
        Edit(edit.segment, edit.was, " ".join(printable(line).split()))
        for edit, line in zip(given, lines, strict=True)
    )
    return tuple(edit for edit in made if edit.text != edit.was)
