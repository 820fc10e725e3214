"""A stream of tokens as text that only grows."""

from __future__ import annotations

from voxtui.events import TokenText, WordsRetracted


class Growing:
    """Text that was told is never taken back.

    An engine that is started again writes the same words once more: they are left out.
    """

    def __init__(self) -> None:
        self.text = ""
        self._last_s = -1.0
        self._at_last = 0  # tokens that were told with that time
        self._repeated = (-1.0, 0)  # up to this time, and so many tokens of it

    def token(self, token: TokenText) -> str:
        """What is new with this token; "" when it was told already."""
        until_s, count = self._repeated
        if token.time_s < until_s:
            return ""
        if token.time_s == until_s and count:
            self._repeated = (until_s, count - 1)
            return ""
        self._repeated = (-1.0, 0)
        self._at_last = self._at_last + 1 if token.time_s == self._last_s else 1
        self._last_s = token.time_s
        text = token.text if self.text else token.text.lstrip()
        self.text += text
        return text

    def retracted(self, event: WordsRetracted) -> None:
        """Words from there on come again."""
        if event.from_s < self._last_s:
            self._repeated = (self._last_s, self._at_last)
