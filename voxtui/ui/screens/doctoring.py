"""From the page to the doctor's screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from voxtui.events import Level
from voxtui.ui.screens.arrivals import Arrivals

if TYPE_CHECKING:
    from voxtui.doctor import Check, Finding


class Doctoring(Arrivals):
    """Opens the doctor with what the page knows already."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,H", "doctor", "doctor", id="doctor", tooltip="See whether everything works"),
    ]
    last_level: Level | None = None

    def hear(self, level: Level) -> None:
        """How loud it is now."""
        super().hear(level)
        self.last_level = level

    def action_doctor(self) -> None:
        """See whether everything works here."""
        from voxtui.doctor import Patient, checks
        from voxtui.doctor.terminal import Answers
        from voxtui.ui.screens.doctor import DoctorScreen

        told = self.talking.told_by_terminal
        patient = Patient(
            self.preferences.shown,
            None,
            self.preferences.shown.engine.model,
            answers=Answers(keyboard=self.talking.hold_possible if told else None),
            size=(self.size.width, self.size.height),
        )
        found = [self._known(check) for check in checks(patient)]
        self.app.push_screen(
            DoctorScreen(found, lambda: self.last_level, lambda: self.state.capture)
        )

    def _known(self, check: Check) -> Check:
        """The speed that was seen while somebody spoke is better than a measurement beside it."""
        from voxtui.doctor import Check
        from voxtui.doctor.finding import note, ok

        speed = self.state.speed.times_real_time
        if check.what != "speed" or speed is None:
            return check

        def seen() -> Finding:
            told = f"{speed:.1f}× real time while you spoke."
            if speed >= 1:
                return ok("speed", told)
            fix = "Choose a smaller precision or model, or a larger step, in the settings."
            return note("speed", f"Slower than you speak: {told}", fix)

        return Check("speed", seen)
