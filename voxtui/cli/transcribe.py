"""`voxtui transcribe FILE…`: what is said in files, as text, Markdown, subtitles or JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

import voxtui
from voxtui import paths, vocabulary
from voxtui.audio.source import Source
from voxtui.cli.common import (
    Failure,
    WrongInput,
    check_input,
    delay_option,
    engine_config,
    engine_option,
    load_settings,
    model_option,
    say,
    threads_option,
    write,
)
from voxtui.cli.progress import FileProgress
from voxtui.cli.running import Running, sentence
from voxtui.cli.stream import TextStream
from voxtui.events import (
    CaptureChanged,
    CaptureEvent,
    CaptureState,
    EngineChanged,
    EngineState,
    EngineStats,
    Event,
    Notice,
    Segment,
    Severity,
    TranscriptChanged,
)
from voxtui.pipeline import PipelineConfig
from voxtui.session import FORMATS, SessionMeta, export
from voxtui.session.exports import as_json

TEXT_FORMATS = ("txt", "md")


@dataclass
class Job:
    """One file and what became of it."""

    name: str  # as it was given
    target: Path | None = None
    duration_s: float | None = None
    segments: list[Segment] = field(default_factory=list)
    problem: str = ""

    @property
    def shown(self) -> str:
        """The name for people."""
        return "standard input" if self.name == "-" else self.name

    def source(self) -> Source:
        """Opens it. AudioError when it cannot be decoded."""
        from voxtui.audio.files import FileSource
        from voxtui.audio.stdin import PcmSource

        if self.name == "-":
            return _Watched(PcmSource(0, realtime=False), self)
        source = FileSource(Path(self.name), realtime=False)
        self.duration_s = source.duration_s
        return _Watched(source, self)


class _Watched:
    """A source whose complaints are its file's problem, told with the file's exit code."""

    def __init__(self, source: Source, job: Job) -> None:
        self.name = source.name
        self._source = source
        self._job = job

    def start(self, post: Callable[[CaptureEvent], None]) -> None:
        def watch(event: CaptureEvent) -> None:
            if isinstance(event, Notice) and event.severity is not Severity.INFO:
                self._job.problem = event.message
            else:
                post(event)

        self._source.start(watch)

    def stop(self) -> None:
        self._source.stop()


class Transcriber:
    """Files through one engine, one after the other."""

    def __init__(self, config: Callable[[Job], PipelineConfig], quiet: bool) -> None:
        self._config = config
        self._quiet = quiet
        self._running: Running | None = None
        self.engine = EngineChanged(EngineState.STOPPED)

    def run(self, job: Job, progress: FileProgress, stream: TextStream | None) -> None:
        """Transcribe one file into its job. Failure when it cannot be finished."""
        if self._running is None:
            self._running = Running(self._config(job))
            self._running.pipeline.start()
        else:
            for event in self._running.new_session(job.source):
                self._take(job, event, progress, stream)
        for event in self._running.until_idle():
            self._take(job, event, progress, stream)
        if stream is not None:
            stream.finish()
        if self._running.broken:
            raise Failure(self._running.broken)

    def close(self, timeout_s: float = 10.0) -> None:
        """End the engine."""
        if self._running is not None:
            for _ in self._running.closing(timeout_s):
                pass

    def meta(self, job: Job) -> SessionMeta:
        """What an export tells about its origin."""
        return SessionMeta(
            engine=self.engine.engine,
            model=Path(self.engine.model).name,
            precision=self.engine.precision,
            delay_ms=self.engine.delay_ms,
            source=job.shown,
            version=voxtui.__version__,
        )

    def _take(
        self, job: Job, event: Event, progress: FileProgress, stream: TextStream | None
    ) -> None:
        match event:
            case TranscriptChanged(settled):
                job.segments += [replace(segment, wall_time=0.0) for segment in settled]
                if stream is not None:
                    stream.change(event)
            case EngineStats():
                progress.update(event.audio_done_s, job.duration_s)
            case EngineChanged(EngineState.FAILED, detail):
                raise Failure(detail or "The engine failed.")
            case EngineChanged(EngineState.READY):
                self.engine = event
            case CaptureChanged(CaptureState.FAILED, _, detail):
                job.problem = detail or f"{job.shown} cannot be read."
            case Notice(Severity.ERROR):
                pass  # told at the end
            case _:
                said = sentence(event)
                if said and not self._quiet:
                    say(said)


# ---- where the words go ------------------------------------------------------------------


def output_format(given: str | None, output: Path | None) -> str:
    """The option, else what the output's name tells, else text."""
    suffix = output.suffix.lstrip(".").lower() if output else ""
    return given or (suffix if suffix in FORMATS else "txt")


def plan(files: tuple[str, ...], fmt: str, output: Path | None) -> list[Job]:
    """A job a file with the path of its text. WrongInput when that cannot be."""
    jobs = [Job(name) for name in files]
    if sum(job.name == "-" for job in jobs) > 1:
        raise WrongInput("Standard input can be read only once.")
    if output is None:
        if len(jobs) > 1 and fmt in ("srt", "vtt"):
            raise WrongInput(f"Several files as {fmt} need a folder: -o FOLDER.")
        return jobs
    if len(jobs) == 1 and not output.is_dir() and not str(output).endswith("/"):
        if not output.absolute().parent.is_dir():
            raise WrongInput(f"There is no folder {output.parent} for the output.")
        jobs[0].target = output
    else:
        if output.exists() and not output.is_dir():
            raise WrongInput(f"{output} is a file: several files need a folder.")
        _plan_folder(jobs, fmt, output)
    for job in jobs:
        if job.target and any(_same(job.target, Path(other.name)) for other in jobs):
            raise WrongInput(f"{job.target} is one of the inputs: choose another output.")
    return jobs


def _plan_folder(jobs: list[Job], fmt: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongInput(f"Cannot make the folder {folder}: {error.strerror}.") from error
    names = ["stdin" if job.name == "-" else Path(job.name).name for job in jobs]
    stems = [Path(name).stem for name in names]
    taken: set[str] = set()
    for job, name, stem in zip(jobs, names, stems, strict=True):
        base = stem if stems.count(stem) == 1 else name
        number, free = 1, base
        while free in taken:
            number += 1
            free = f"{base}-{number}"
        taken.add(free)
        job.target = folder / f"{free}.{fmt}"


def _same(left: Path, right: Path) -> bool:
    try:
        return left.samefile(right)
    except OSError:
        return False


def finish(job: Job, text: str) -> None:
    """Write a file's text where it belongs, whole or not at all."""
    if job.target is None:
        write(text)
        return
    new = job.target.with_name(f".{job.target.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(job.target)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise Failure(f"Cannot write {job.target}: {error.strerror}.") from error


# ---- the command -------------------------------------------------------------------------


@click.command("transcribe")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@engine_option
@model_option
@click.option("--format", "fmt", type=click.Choice(FORMATS), help="Default: as -o, else txt.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file, or for several inputs a folder.",
)
@delay_option
@threads_option
@click.option("-q", "--quiet", is_flag=True, help="Only words and errors.")
def command(
    files: tuple[str, ...],
    engine: str | None,
    model: str | None,
    fmt: str | None,
    output: Path | None,
    delay_ms: int | None,
    threads: int | None,
    quiet: bool,
) -> int:
    """Write down what is said in audio and video FILEs of any kind; - is standard input.

    Text goes to standard output as it is decoded, other formats at the end of each file. A file
    that cannot be read is named and the others are done; the exit code is 2 then.
    """
    fmt = output_format(fmt, output)
    jobs = plan(files, fmt, output)
    there = [job for job in jobs if _is_there(job)]
    if not there:
        return 2
    chosen = engine_config(
        load_settings(),
        engine=engine,
        model=model,
        delay_ms=delay_ms,
        threads=threads,
        quiet=quiet,
    )
    with tempfile.TemporaryDirectory(prefix="voxtui-", ignore_cleanup_errors=True) as folder:

        def config(job: Job) -> PipelineConfig:
            return PipelineConfig(
                source=job.source,
                engine=chosen,
                sessions_dir=Path(folder),
                keep_everything=True,
                vocabulary=paths.vocabulary_file(),
            )

        transcribe(there, fmt, Transcriber(config, quiet), quiet)
    return 2 if any(job.problem for job in jobs) else 0


def _is_there(job: Job) -> bool:
    try:
        check_input(job.name)
    except WrongInput as error:
        job.problem = error.message
        say(job.problem)
    return not job.problem


def transcribe(jobs: list[Job], fmt: str, transcriber: Transcriber, quiet: bool) -> None:
    """All files, one after the other."""
    to_stdout = jobs[0].target is None
    streams = fmt == "txt" and to_stdout
    rules, _ = vocabulary.load(paths.vocabulary_file())  # wrong lines: the pipeline tells
    several = len(jobs) > 1
    progress = FileProgress(not quiet and not (streams and sys.stdout.isatty()))
    try:
        for number, job in enumerate(jobs):
            if several and to_stdout and fmt in TEXT_FORMATS:
                separator = "\n" if number else ""
                write(f"{separator}==> {job.shown} <==\n")
            progress.begin(Path(job.shown).name)
            try:
                transcriber.run(job, progress, TextStream(write, rules) if streams else None)
            finally:
                progress.end()
            if job.problem:
                say(job.problem)
            collected = several and to_stdout and fmt == "json"
            if (job.segments or not job.problem) and not streams and not collected:
                finish(job, export(job.segments, fmt, transcriber.meta(job)))
        if several and to_stdout and fmt == "json":
            _write_array(jobs, transcriber)
    except BaseException:
        transcriber.close(0.0)
        raise
    transcriber.close()


def _write_array(jobs: list[Job], transcriber: Transcriber) -> None:
    values = [
        as_json(job.segments, transcriber.meta(job))
        for job in jobs
        if job.segments or not job.problem
    ]
    write(json.dumps(values, ensure_ascii=False, indent=1) + "\n")
