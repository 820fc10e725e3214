"""Sound from a pipe: raw samples, WAV, or any media format that can be read without seeking."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

from voxtui.audio.convert import Converter
from voxtui.audio.decode import Decoder
from voxtui.audio.pacing import PacedSource, Pacer, StoppedError
from voxtui.audio.sniff import Kind, sniff
from voxtui.audio.source import AudioError, Outlet
from voxtui.audio.wav import UnsupportedWavError, WavFormat, WavStart, parse_wav, samples_of
from voxtui.events import CaptureState, Severity

READ_SIZE = 65_536


class PipeReader:
    """Reads a descriptor until its end or `stop`; what was looked at ahead comes again."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._ahead = b""
        self._wake_read, self._wake_write = os.pipe()
        self._lock = threading.Lock()
        self._closed = False
        self.stopped = False
        self.ended = False

    def stop(self) -> None:
        """End every `read`, from any thread."""
        with self._lock:
            self.stopped = True
            if not self._closed:
                os.write(self._wake_write, b".")

    def close(self) -> None:
        """Let go of what belongs to the reader; the descriptor is the caller's."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._wake_read)
                os.close(self._wake_write)

    def read(self, size: int = READ_SIZE) -> bytes:
        """At least one byte, at most `size`; empty at the end."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._read_more(size)

    def look(self, enough: Callable[[bytes], bool]) -> bytes:
        """The beginning, read until `enough` says so or the stream ends; it comes again."""
        os.fstat(self._fd)  # select would wait for ever for a descriptor that is not open
        while not enough(self._ahead):
            data = self._read_more(READ_SIZE)
            if not data:
                break
            self._ahead += data
        return self._ahead

    def _read_more(self, size: int) -> bytes:
        while not self.stopped and not self.ended:
            ready, _, _ = select.select([self._fd, self._wake_read], [], [])
            if self.stopped or self._fd not in ready:
                continue
            try:
                data = os.read(self._fd, size)
            except BlockingIOError:
                continue
            if data:
                return data
            self.ended = True
        return b""


class PcmSource(PacedSource):
    """Standard input or any descriptor: s16le 16 kHz mono unless it begins as something else."""

    def __init__(
        self,
        fd: int = 0,
        realtime: bool = False,
        *,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(realtime, sleep, clock)
        self.name = "standard input"
        self._reader = PipeReader(fd)

    def stop(self) -> None:
        """End; may be called twice."""
        super().stop()
        if self._thread is None:
            self._reader.close()

    def _interrupt(self) -> None:
        self._reader.stop()

    def _work(self, outlet: Outlet) -> None:
        outlet.state(CaptureState.PREPARING)
        pacer = self._pacer(outlet)
        try:
            self._read_all(outlet, pacer)
            pacer.flush()
        except StoppedError:
            return
        except AudioError as error:
            outlet.state(CaptureState.FAILED, str(error))
        except OSError as error:
            reason = error.strerror or str(error)
            outlet.state(CaptureState.FAILED, f"Standard input cannot be read: {reason}.")
        else:
            if pacer.sent == 0:
                outlet.notice(Severity.WARNING, "Standard input contained no sound.")
            outlet.state(CaptureState.FINISHED)
        finally:
            self._reader.close()

    def _read_all(self, outlet: Outlet, pacer: Pacer) -> None:
        reader = self._reader
        beginning = reader.look(lambda data: sniff(data) is not Kind.UNKNOWN_YET)
        kind = sniff(beginning, ended=True)
        if kind is Kind.WAV:
            start = self._wav_start()
            if start is None:
                kind = Kind.MEDIA
            else:
                self._read_wav(start, pacer)
        if kind is Kind.RAW:
            while data := reader.read():
                pacer.push(data)  # blocks are even, so an odd byte waits for its other half
        elif kind is Kind.MEDIA:
            self._read_media(outlet, pacer)

    def _wav_start(self) -> WavStart | None:
        """The WAV's header; None for one that has to be decoded by other means."""
        start: list[WavStart | None] = [None]

        def complete(data: bytes) -> bool:
            start[0] = parse_wav(data)
            return start[0] is not None

        try:
            self._reader.look(complete)
        except UnsupportedWavError:
            return None
        return start[0]

    def _read_wav(self, start: WavStart, pacer: Pacer) -> None:
        wav: WavFormat = start.format
        converter = Converter(wav.rate)
        _skip(self._reader, start.offset)
        left = wav.data_bytes
        rest = b""
        while left is None or left > 0:
            data = self._reader.read(READ_SIZE if left is None else min(READ_SIZE, left))
            if not data:
                break
            if left is not None:
                left -= len(data)
            data = rest + data
            whole = len(data) // wav.frame_bytes * wav.frame_bytes
            rest = data[whole:]
            if whole:
                pacer.push(converter.convert(samples_of(data[:whole], wav)))
        pacer.push(converter.finish())

    def _read_media(self, outlet: Outlet, pacer: Pacer) -> None:
        decoder = Decoder(self._reader, "Standard input")
        try:
            for pcm in decoder.blocks():
                pacer.push(pcm)
        finally:
            decoder.close()
        if decoder.damage and not self._stopping.is_set():
            outlet.notice(Severity.WARNING, decoder.damage)


def _skip(reader: PipeReader, count: int) -> None:
    while count > 0 and (data := reader.read(count)):
        count -= len(data)
