"""What the samples of a microphone tell about its health. Pure: the clock is given."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from voxtui.audio.source import Outlet
from voxtui.events import AudioGap, CaptureState, Severity
from voxtui.machine.terminal import terminal


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds."""

    silent: float = 2.5
    """Exact zeros for so long mean that no sound can come."""
    lost: float = 2.0
    """No samples for so long mean that the device is gone. A busy machine stalls for a second."""
    first: float = 5.0
    """A device that was just opened may take so long (Bluetooth)."""
    same_device: float = 3.0
    """A lost device is waited for so long before the default one takes over."""
    open: float = 15.0
    """The sound system may take so long to open a device."""
    better: float = 10.0
    """Between looks for a better device than the one that is heard."""
    retry: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 3.0)
    """Between attempts to open; the last one repeats."""


class Monitor:
    """Turns the arrival of blocks into states and gaps."""

    def __init__(self, outlet: Outlet, patience: Patience) -> None:
        self._outlet = outlet
        self._patience = patience
        self._opened_at = 0.0
        self._last_block: float | None = None  # of any device
        self._fresh = True  # no block of this device yet
        self._lost = False
        self._zero_s = 0.0
        self._overflow_told = False

    def opened(self, now: float) -> None:
        """A device was opened; it has not delivered yet."""
        self._opened_at = now
        self._fresh = True
        self._zero_s = 0.0
        if not self._lost:
            self._outlet.state(CaptureState.PREPARING)

    def block(self, now: float, seconds: float, *, zero: bool) -> None:
        """Samples came, before they are handed on. `zero`: all are exactly zero."""
        if self._fresh:
            self._fresh = False
            if self._lost and self._last_block is not None:
                gap = max(0.0, now - seconds - self._last_block)
                self._outlet.post(AudioGap("device lost", round(gap, 3)))
            self._lost = False
            self._outlet.state(CaptureState.PREPARING if zero else CaptureState.RUNNING)
        self._last_block = now
        if not zero:
            self._zero_s = 0.0
            self._outlet.state(CaptureState.RUNNING)
            return
        self._zero_s += seconds
        if self._zero_s >= self._patience.silent:
            self._outlet.state(CaptureState.SILENT, silence_causes())

    def overflow(self, seconds: float) -> None:
        """The driver dropped samples before the block that comes now."""
        self._outlet.post(AudioGap("overflow", round(seconds, 3)))
        if not self._overflow_told:
            self._overflow_told = True
            self._outlet.notice(
                Severity.WARNING,
                "This machine was too busy to take all sound from the microphone; "
                "the transcript shows where some is missing.",
            )

    def overdue(self, now: float) -> bool:
        """No samples for too long: the device has to be opened again."""
        if self._fresh:
            return now - self._opened_at >= self._patience.first
        return self._last_block is not None and now - self._last_block >= self._patience.lost

    def lost(self, detail: str) -> None:
        """The device is gone."""
        self._lost = True
        self._outlet.state(CaptureState.LOST, detail)

    def failed(self, detail: str) -> None:
        """There is nothing to open; when sound had come before, it is lost, not failed."""
        if self._last_block is None:
            self._outlet.state(CaptureState.FAILED, detail)


def silence_causes() -> str:
    """Why a microphone may deliver nothing but zeros, and what to do."""
    here = terminal(os.environ)
    name = here.name or "this terminal"
    nothing = "The microphone delivers nothing at all"
    if here.over_ssh:
        return (
            f"{nothing}: it is the one of the machine you are connected to, not of the one before "
            "you; there it is muted, or a virtual device that nobody plays into."
        )
    if sys.platform == "darwin":
        return (
            f"{nothing}: allow {name} to use it in System Settings, Privacy & Security, "
            "Microphone; or it is muted, or the lid is closed."
        )
    return (
        f"{nothing}: it is muted by a switch or in the sound settings, it is a virtual device "
        f"that nobody plays into, or {name} may not record (as a Flatpak or Snap, in a container)."
    )
