"""`voxtui listen`: words on standard output while they are said."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from voxtui import paths, vocabulary
from voxtui.audio.hearing import HearingConfig
from voxtui.audio.source import Source
from voxtui.cli.common import (
    Failure,
    WrongInput,
    check_input,
    delay_option,
    engine_config,
    engine_option,
    interval_options,
    load_settings,
    model_option,
    nobody_reads,
    say,
    sessions_dir_option,
    sessions_root,
    threads_option,
    write,
)
from voxtui.cli.running import Running, StopRequest, sentence
from voxtui.cli.stream import TextStream
from voxtui.events import (
    AudioGap,
    CaptureChanged,
    CaptureState,
    EngineChanged,
    EngineState,
    EngineStats,
    Event,
    ListeningChanged,
    Notice,
    SessionOpened,
    Severity,
    TranscriptChanged,
)
from voxtui.pipeline import PipelineConfig
from voxtui.session.aside import Keeping
from voxtui.session.exports import segment_json
from voxtui.settings import AudioSettings
from voxtui.vocabulary import Vocabulary

STATS_EVERY_S = 1.0
BEHIND_S = 10.0
BELL_GAP_S = 0.25
LAST_WORDS_S = 3600.0
"""How long a stop waits for an engine that is behind; Ctrl+C again does not wait."""


class TextOutput:
    """Plain words."""

    def __init__(self, write: Callable[[str], None], rules: Vocabulary) -> None:
        self._stream = TextStream(write, rules)

    def take(self, event: Event) -> None:
        """Write what is new."""
        if isinstance(event, TranscriptChanged):
            self._stream.change(event)

    def finish(self) -> None:
        """No more words."""
        self._stream.finish()


class JsonOutput:
    """JSON Lines: session, engine, source, partial, segment, stats, gap, notice, end."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._partial: dict[str, Any] = {}
        self._stats_s = -STATS_EVERY_S

    def take(self, event: Event) -> None:
        """Write what a program may want to know."""
        match event:
            case TranscriptChanged(settled, tail):
                for segment in settled:
                    self._line("segment", segment_json(segment))
                if tail is not None:
                    partial = {"start": tail.start_s, "end": tail.end_s, "text": tail.text}
                    if partial != self._partial:
                        self._line("partial", partial)
                    self._partial = partial
            case CaptureChanged(state, name, detail):
                self._line("source", {"state": state.value, "name": name, "detail": detail})
            case SessionOpened(name, path):
                self._line("session", {"name": name, "path": path})
            case EngineChanged():
                self._engine(event)
            case EngineStats(audio_in_s, audio_done_s):
                if audio_in_s >= self._stats_s + STATS_EVERY_S:
                    self._stats_s = audio_in_s
                    lag = round(event.lag_s, 3)
                    done = round(audio_done_s, 3)
                    self._line("stats", {"audio": round(audio_in_s, 3), "done": done, "lag": lag})
            case AudioGap(reason, seconds):
                self._line("gap", {"reason": reason, "seconds": seconds})
            case Notice(severity, message):
                self._line("notice", {"severity": severity.value, "message": message})

    def finish(self) -> None:
        """No more words."""
        self._line("end", {})

    def _engine(self, event: EngineChanged) -> None:
        fields: dict[str, Any] = {"state": event.state.value, "detail": event.detail}
        if event.state is EngineState.READY:
            fields |= {
                "engine": event.engine,
                "model": event.model,
                "precision": event.precision,
                "delay_ms": event.delay_ms,
                "interval": event.interval_s,
            }
        self._line("engine", fields)

    def _line(self, kind: str, fields: dict[str, Any]) -> None:
        self._write(json.dumps({"type": kind, **fields}, ensure_ascii=False) + "\n")


# ---- what is heard -----------------------------------------------------------------------


def source_factory(
    input_: str | None, device: str | None, audio: AudioSettings
) -> Callable[[], Source]:
    """A file, standard input or a microphone."""

    def make() -> Source:
        if input_ == "-":
            from voxtui.audio.stdin import PcmSource

            return PcmSource(0, realtime=False)
        if input_ is not None:
            from voxtui.audio.files import FileSource

            return FileSource(Path(input_), realtime=False)
        from voxtui.audio.microphone import MicrophoneSource

        return MicrophoneSource(audio.device if device is None else device, audio.gain_db)

    return make


class Pace:
    """Says how far behind the words are, when that has changed much: not at every step."""

    def __init__(self) -> None:
        self._told_s = 0.0

    def said(self, lag_s: float) -> str | None:
        """A sentence, or nothing."""
        if lag_s >= BEHIND_S and lag_s >= 2 * self._told_s:
            self._told_s = lag_s
            return f"behind by {lag_s:.0f} s; nothing is lost"
        if self._told_s and lag_s < BEHIND_S / 2:
            self._told_s = 0.0
            return "keeping up again"
        return None


class Listener:
    """Runs until the sound ends or the person stops it."""

    def __init__(
        self,
        running: Running,
        stop: StopRequest,
        output: TextOutput | JsonOutput,
        quiet: bool,
        bell: bool = False,
    ) -> None:
        self._running = running
        self._stop = stop
        self._output = output
        self._quiet = quiet
        self._bell = bell
        self._lag_s = 0.0
        self._live = False
        self._paused = False
        self._pace = Pace()

    def hear_everything(self, live: bool) -> None:
        """A file or standard input: until its last word; Ctrl+C as with a microphone if `live`."""
        self._running.pipeline.start()
        self._take_all(self._running.until_idle())
        if self._stop.asked:
            if not live:
                raise KeyboardInterrupt
            self._tell_lag()

    def hear_microphone(self) -> None:
        """Until Ctrl+C; the last words are waited for."""
        self._live = True
        self._running.pipeline.listen(True, hands_free=True)  # from the first sample on
        self._running.pipeline.start()
        self._take_all(self._running.for_ever())
        self._tell_lag()
        self._running.pipeline.listen(False)
        self._ring(2)
        self._take_all(self._running.until_idle(last_words=True))

    def close(self) -> None:
        """Close everything; words that still come are written."""
        self._take_all(self._running.closing(LAST_WORDS_S))

    @property
    def broken(self) -> str:
        """Why it could not hear on, in a sentence."""
        return self._running.broken

    def abandon(self) -> None:
        """Close everything, whatever words would still come."""
        for _ in self._running.closing(0.0):
            pass

    def _take_all(self, events: Iterator[Event]) -> None:
        for event in events:
            self._output.take(event)
            self._react(event)

    def _react(self, event: Event) -> None:
        match event:
            case EngineChanged(EngineState.FAILED, detail):
                raise Failure(detail or "The engine failed.")
            case CaptureChanged(CaptureState.FAILED, name, detail):
                raise WrongInput(detail or f"{name or 'The sound'} cannot be heard.")
            case CaptureChanged(CaptureState.SILENT | CaptureState.LOST, name, detail):
                self._say(detail or f"{name} gives no sound.")
            case CaptureChanged(CaptureState.PREPARING, name) if self._live:
                self._say(f"preparing {name}")
            case CaptureChanged(CaptureState.RUNNING, name) if self._live:
                self._say(f"listening to {name}; Ctrl+C stops")
                self._ring(1)
            case ListeningChanged(True, paused) if paused != self._paused:
                self._paused = paused
                self._say("paused until a voice is heard" if paused else "listening again")
            case EngineStats():
                self._lag_s = event.lag_s
                if self._live:
                    self._say(self._pace.said(event.lag_s))
            case Notice(Severity.ERROR):
                pass  # told at the end
            case _:
                self._say(sentence(event))

    def _tell_lag(self) -> None:
        if self._lag_s > 5:
            self._say(
                f"the last words come, {self._lag_s:.0f} s behind; Ctrl+C again stops at once"
            )

    def _ring(self, times: int) -> None:
        """The terminal's bell, for those who do not look."""
        for number in range(times if self._bell and sys.stderr.isatty() else 0):
            time.sleep(BELL_GAP_S if number else 0.0)
            click.echo("\a", nl=False, err=True)

    def _say(self, message: str | None) -> None:
        if message and not self._quiet:
            say(message)


# ---- the command -------------------------------------------------------------------------


@click.command("listen")
@click.option("--input", "input_", metavar="FILE|-", help="Hear a file or standard input.")
@click.option("--device", metavar="NAME", help="Microphone, as `voxtui devices` names it.")
@engine_option
@model_option
@delay_option
@interval_options
@threads_option
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON Lines, for programs.")
@click.option("--save/--no-save", default=True, show_default=True, help="Keep the session.")
@sessions_dir_option
@click.option("-q", "--quiet", is_flag=True, help="Only words and errors.")
def command(
    input_: str | None,
    device: str | None,
    output: Path | None,
    as_json: bool,
    save: bool,
    sessions_dir: Path | None,
    quiet: bool,
    **engine_options: Any,
) -> int:
    """Write down what a microphone hears, as it is said, a line a paragraph.

    Ctrl+C stops it: the last words come out first and the exit code is 0; a second Ctrl+C does
    not wait for them (130). A reader that closes the pipe ends it too.
    """
    if input_ is not None:
        check_input(input_)
    settings = load_settings()
    engine = engine_config(settings, quiet=quiet, **engine_options)
    with contextlib.ExitStack() as stack:
        if save:
            folder = sessions_root(sessions_dir, settings)
        else:
            temporary = tempfile.TemporaryDirectory(prefix="voxtui-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
        config = PipelineConfig(
            source=source_factory(input_, device, settings.audio),
            engine=engine,
            sessions_dir=folder,
            hearing=HearingConfig.of(settings),
            keeping=Keeping.of(settings) if save else Keeping(),
            keep_everything=input_ is not None,
            vocabulary=paths.vocabulary_file(),
        )
        rules, _ = vocabulary.load(paths.vocabulary_file())  # wrong lines: the pipeline tells
        out = _opened(output, stack) if output else write
        made = JsonOutput(out) if as_json else TextOutput(out, rules)
        stop = stack.enter_context(StopRequest())
        running = Running(config, lambda: stop.asked or (output is None and nobody_reads()))
        return listen(Listener(running, stop, made, quiet, settings.talk.bell), made, input_)


def listen(listener: Listener, output: TextOutput | JsonOutput, input_: str | None) -> int:
    """Until the sound ends or it is stopped; the exit code."""
    try:
        if input_ is None:
            listener.hear_microphone()
        else:
            listener.hear_everything(live=input_ == "-")
        listener.close()
    except BaseException:
        listener.abandon()
        raise
    output.finish()
    if listener.broken:
        raise Failure(listener.broken)
    return 0


def _opened(path: Path, stack: contextlib.ExitStack) -> Callable[[str], None]:
    try:
        file = stack.enter_context(path.open("wb", buffering=0))  # what fails is not tried again
    except OSError as error:
        raise WrongInput(f"Cannot write {path}: {error.strerror}.") from error

    def write_file(text: str) -> None:
        data = text.encode()
        try:
            while data:
                data = data[file.write(data) :]
        except OSError as error:
            raise Failure(f"{path} cannot be written: {error.strerror}.") from error

    return write_file
