"""From the command to the terminal application and back."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from voxtui import paths, settingsfile
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.backend import CannotStartError
from voxtui.ui.local import LocalBackend
from voxtui.ui.options import UiOptions
from voxtui.ui.preferences import Preferences
from voxtui.ui.terminal import tty
from voxtui.ui.wording import place
from voxtui.ui.words import span


def run(options: UiOptions) -> int:
    """Start the terminal application; returns the exit code."""
    kept, warnings = settingsfile.load(paths.config_file())
    log = paths.log_dir() / "screen.log"
    app: VoxtuiApp | None = None
    try:
        with tty.set_aside(log, sound_on_stdin=options.input == "-") as sound_fd:
            backend = LocalBackend(options, kept, sound_fd=sound_fd)
            warnings += [backend.warning] if backend.warning else []
            preferences = Preferences(kept, paths.config_file(), options)
            app = VoxtuiApp(
                backend,
                preferences,
                demo=options.demo,
                captions=options.captions,
                own_terminal=True,
                warnings=warnings,
            )
            app.run()
    except (tty.NoTerminalError, CannotStartError) as error:
        print(error, file=sys.stderr)
        return 2
    return farewell(app, log)


def tell_unwritten(session: Path) -> None:
    """How to write the rest, where words of a session are missing."""
    from voxtui.session.errors import SessionError
    from voxtui.session.library import load_session, session_info

    with contextlib.suppress(SessionError):
        if not session_info(session).finished:
            kept = load_session(session)
            if kept.pending_s >= 1.0:
                print(f"The words of its last {span(kept.pending_s)} are not written yet. Later:")
                print(f"voxtui sessions retranscribe {kept.name}")


def farewell(app: VoxtuiApp, log: Path) -> int:
    """One line on where the words are. Returns the exit code."""
    kept_in = app.live.state.kept_in
    if kept_in and Path(kept_in).exists():
        print(f"Kept in {place(kept_in)}")
        tell_unwritten(Path(kept_in))
    if app.return_code:
        print(f"voxtui stopped by a fault of its own; {place(log)} tells more.", file=sys.stderr)
        return 1
    return 0
