"""A command of the person's that may rewrite what was said: text in, text out."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping

LONGEST_OUTPUT = 1_000_000
"""Characters; a command that writes more has gone astray."""


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
        why = f": {last[0][:200]}" if last else "."
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
