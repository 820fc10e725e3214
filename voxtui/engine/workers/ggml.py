"""transcribe.cpp, by its Python package: the model on ggml.

The library was made for whole files and gives text alone, so this worker feeds it one step of the
model (80 ms) at a time and counts the steps: a piece of text belongs to the step that brought it.
The library asks once before each computation whether to go on; that is how steps are counted. A
token for the end of the text ends its stream for good, seen by a step that was not taken: another
stream goes on then from the last word's end. Its own end of a stream is not used, for it would
bring all last words at once: the silence after the sound is given to it step by step.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxtui import paths
from voxtui.engine.locate import EngineMissing
from voxtui.engine.quantising import NotQuantised, quantise
from voxtui.engine.workers.wire import (
    ADVISED_DELAY_MS,
    STEP_S,
    TAIL_STEPS,
    TOKEN,
    CannotWork,
    Input,
    Output,
    memory_mb,
    serve,
)
from voxtui.events import SAMPLE_RATE

if TYPE_CHECKING:
    import transcribe_cpp

SILENT_STEPS = 40
"""After so many the first one must have been counted."""
KEPT_STEPS = 50
"""Sound kept to go on from when a stream has ended, beyond the delay."""
LONG_STEPS = 45_000
"""After an hour a stream is replaced in a pause of PAUSE_STEPS, long before its positions end."""
LONGEST_STEPS = 120_000
PAUSE_STEPS = 25
MAKING = "Making a GGUF file of the model, once"
PART = ".part.gguf"


class Polls:
    """A session of the library, and how often it asked whether to go on.

    The library's question is answered by its own session class; this puts a counter in between.
    """

    def __init__(self, model: transcribe_cpp.Model, threads: int) -> None:
        import transcribe_cpp

        self.count = 0
        ask = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)(self._asked)
        self._ask = ask  # as long as the session may call it

        class Counted(transcribe_cpp.Session):
            def _arm_abort(self, set_callback: Any) -> None:
                super()._arm_abort(lambda handle, _, data: set_callback(handle, ask, data))

        self.session = Counted(model, n_threads=threads)

    def _asked(self, _: object) -> bool:
        self.count += 1
        return False


class Stream:
    """One stream of the library over a part of the utterance that begins at step `first`."""

    def __init__(self, polls: Polls, delay_steps: int, first: int) -> None:
        import transcribe_cpp

        self._polls = polls
        family = transcribe_cpp.VoxtralRealtimeStreamOptions(
            num_delay_tokens=delay_steps, min_decode_interval_ms=0
        )
        self._stream = polls.session.stream(family=family)
        self.first = first
        self.steps = 0
        """Tokens so far, the first one at step `first`."""
        self.ended = False
        """It will never write anything again."""
        self.wrote = False
        """The last step wrote text, if only a part of a character."""
        self._raw = ""
        self._text = ""
        self._fed = 0
        self._overhead = 0
        """What a feed asks besides its tokens: for the front end and the encoder."""

    def feed(self, samples: Any) -> str:
        """One step of sound in, the text that it brought out."""
        before = self._polls.count
        self._stream.feed(samples)
        taken = self._polls.count - before
        self._fed += 1
        if self._fed > SILENT_STEPS and not self._polls.count:
            told = "This version of transcribe-cpp does not tell its steps: install 0.4.1."
            raise CannotWork(told, "unsupported")
        self._overhead = self._overhead or taken  # no token comes of the first step of sound
        tokens = max(0, taken - self._overhead)
        self.ended = self.steps > 0 and not tokens
        self.steps += tokens
        raw = self._stream.text().full
        self.wrote, self._raw = raw != self._raw, raw
        text = raw.rstrip("\ufffd")  # a character may come in parts
        new = text[len(self._text) :]
        if new and not self._text and not new.startswith(" "):
            new = " " + new  # as every first word of the model begins
        self._text = text
        return new

    def close(self) -> None:
        """Free what it holds."""
        self._stream.reset()


class Ggml:
    """The worker."""

    def __init__(
        self, model: transcribe_cpp.Model, chosen: argparse.Namespace, out: Output
    ) -> None:
        self._polls = Polls(model, chosen.threads)
        self._out = out
        self._delay_ms = chosen.delay or ADVISED_DELAY_MS
        self._interval = chosen.interval
        self._utterance = 0
        self._stream: Stream | None = None
        self._begin()

    @property
    def delay_ms(self) -> int:
        """From the next utterance on."""
        return self._delay_ms

    def _begin(self) -> None:
        self._received = 0  # samples
        self._sound = bytearray()  # from step `_kept` on
        self._kept = 0
        self._fed = 0  # steps
        self._word = 0  # the step in which the last word ended
        self._spoke = -1  # the step of the last piece of text
        self._begins = True  # what comes next begins a word
        self._delay = self._delay_ms // 80
        self._work_s = 0.0
        self._steps = 0
        self._done = 0  # steps whose words are out
        self._told_at = 0.0

    # ---- frames

    def hear(self, pcm: bytes) -> None:
        """Sound, worked on in whole steps."""
        self._received += len(pcm) // 2
        self._sound += pcm
        self._work()

    def flush(self) -> None:
        """The sound that is left, then the silence in which the last words come."""
        if self._received:
            silence = -len(self._sound) % (2 * TOKEN) + 2 * TOKEN * (self._delay + TAIL_STEPS)
            self._sound += bytes(silence)
            self._work()
        self._end("flush")

    def reset(self) -> None:
        """Forget the utterance."""
        self._end("reset")

    def configure(self, values: dict[str, Any]) -> None:
        """The delay, from the next utterance on. Every step is worked on as it comes."""
        delay = values.get("delay_ms", self._delay_ms)
        if delay not in (*range(80, 1201, 80), 2400):
            told = f"A delay of {delay} ms cannot be: 80 to 1200 in steps of 80, or 2400."
            self._out.warning("bad_config", told)
            return
        self._delay_ms = delay
        self._interval = values.get("interval", self._interval)
        self._out.say("configured", delay_ms=delay, interval=self._interval)

    # ---- steps

    def _work(self) -> None:
        import numpy as np

        while (self._fed - self._kept + 1) * 2 * TOKEN <= len(self._sound):
            started = time.perf_counter()
            if self._stream is None:
                self._stream = Stream(self._polls, self._delay, self._fed)
            stream = self._stream
            at = (self._fed - self._kept) * 2 * TOKEN
            samples = np.frombuffer(bytes(self._sound[at : at + 2 * TOKEN]), np.int16)
            scaled = samples.astype(np.float32) / np.float32(32768)
            before = stream.steps
            new = stream.feed(scaled)
            self._fed += 1
            self._steps += stream.steps - before
            self._work_s += time.perf_counter() - started
            if stream.wrote:
                self._tell(new, stream.first + stream.steps - 1)
            self._replace(stream)
            self._forget()
            self._tell_stats()

    def _tell(self, text: str, step: int) -> None:
        """A piece of a word belongs to the word before if the step before it wrote, too."""
        if step != self._spoke + 1:
            self._begins = True
            self._word = step  # its mark was one step earlier: there, a word ended
        self._spoke = step
        if not text:
            return
        time_s = round(min(self._word * STEP_S, self._received / SAMPLE_RATE), 3)
        fields = {"utterance": self._utterance, "index": step, "id": -1, "text": text}
        self._out.say("token", **fields, word_start=self._begins, time=time_s)
        self._begins = False

    def _replace(self, stream: Stream) -> None:
        """Another stream where this one has ended, or is long and nobody speaks."""
        done = stream.first + stream.steps
        quiet = done - self._spoke > PAUSE_STEPS
        long = stream.steps > (LONG_STEPS if quiet else LONGEST_STEPS)
        if not (stream.ended or long):
            return
        stream.close()
        self._stream = None
        # From the last word's end on, or from where the stream ended if that is long ago.
        self._fed = max(self._word, done - KEPT_STEPS // 2, self._kept)

    def _forget(self) -> None:
        """Sound that no other stream will want."""
        surplus = self._fed - self._kept - self._delay - KEPT_STEPS
        if surplus > KEPT_STEPS:
            del self._sound[: surplus * 2 * TOKEN]
            self._kept += surplus

    def _tell_stats(self) -> None:
        now = time.monotonic()
        if now - self._told_at < 0.1:
            return
        self._told_at = now
        heard_s = self._received / SAMPLE_RATE
        stream = self._stream
        self._done = max(self._done, stream.first + stream.steps if stream else 0)
        done_s = min(self._done * STEP_S, heard_s)
        fields = {"utterance": self._utterance, "audio_in": heard_s, "audio_done": done_s}
        self._out.say(
            "stats", **fields, lag=heard_s - done_s, memory_mb=memory_mb(), **self._sums()
        )

    def _sums(self) -> dict[str, float]:
        """The library does not tell encoder and decoder apart."""
        return {"encoder_ms": 0.0, "decoder_ms": self._work_s * 1000, "steps": self._steps}

    def _end(self, reason: str) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        heard_s = self._received / SAMPLE_RATE
        fields = {"utterance": self._utterance, "reason": reason, "audio_in": heard_s}
        self._out.say("utterance_end", **fields, **self._sums())
        self._utterance += 1
        self._begin()


# ---- starting ------------------------------------------------------------------------------


def model_file(model: Path, out: Output) -> Path:
    """The GGUF file: the model itself, or one made of an official folder, once."""
    if not model.is_dir():
        return model
    weights = model / "consolidated.safetensors"
    try:
        stamp = weights.stat()
    except OSError as error:
        raise CannotWork(f"{model} is no model: {error.strerror}.", "format") from error
    small = stamp.st_size < 100_000_000
    kind = "bf16" if small else "q4_k_m"
    name = f"{model.name}-{stamp.st_size}-{stamp.st_mtime_ns}-{kind}.gguf"
    made = paths.cache_dir() / "ggml" / name
    if not made.is_file():
        _make(model, made, kind, out)
    return made


def _make(model: Path, made: Path, kind: str, out: Output) -> None:
    """With our own engine, which tells how far it is."""
    made.parent.mkdir(parents=True, exist_ok=True)
    _tidy(made.parent)
    part = made.parent / f"{os.getpid()}{PART}"

    def told(share: float | None, line: str) -> None:
        if share is not None:
            out.say("progress", task=MAKING, done=share)

    told(0.0, "")
    try:
        quantise(model, part, kind, told)
        part.replace(made)
    except (NotQuantised, EngineMissing, OSError) as error:
        code = "format" if isinstance(error, NotQuantised) else "io"
        why = f"No GGUF file could be made of {model.name}: {error}".rstrip(".")
        raise CannotWork(f"{why}.", code) from error
    finally:
        part.unlink(missing_ok=True)


def _tidy(folder: Path) -> None:
    """Half a file of somebody who was killed, gigabytes of it, is of no use."""
    for part in folder.glob(f"*{PART}"):
        try:
            os.kill(int(part.name.removesuffix(PART)), 0)
        except ProcessLookupError:
            part.unlink(missing_ok=True)
        except (ValueError, OSError):
            continue


def run(chosen: argparse.Namespace, out: Output) -> None:
    """Load the model and serve frames."""
    started = time.perf_counter()
    try:
        import transcribe_cpp
    except ImportError as error:
        told = "The package transcribe-cpp is missing: pip install 'voxtui[ggml]'."
        raise CannotWork(told, "unsupported") from error
    path = model_file(Path(chosen.model), out)
    try:
        model = transcribe_cpp.Model(path)
    except transcribe_cpp.TranscribeError as error:
        raise CannotWork(f"transcribe.cpp cannot use {path.name}: {error}", "format") from error
    if not model.capabilities.supports_streaming:
        raise CannotWork(f"{path.name} is no model for live sound.", "unsupported")
    worker = Ggml(model, chosen, out)
    kind = path.stem.rpartition("-")[2].lower()
    out.ready(
        "ggml",
        chosen.model,
        delay_ms=worker.delay_ms,
        interval=chosen.interval,
        version=transcribe_cpp.__version__,
        backend=model.backend.lower(),
        kernels="ggml",
        precision=kind,
        threads=chosen.threads,
        load_ms=(time.perf_counter() - started) * 1000,
    )
    try:
        serve(Input(0), worker, out)
    except transcribe_cpp.TranscribeError as error:
        raise CannotWork(f"transcribe.cpp failed: {error}", "state", 1) from error
