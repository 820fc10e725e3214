"""What was edited, to be taken back and done again. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from voxtui.events import Edit


def inverse(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """What takes these edits back."""
    return tuple(Edit(edit.segment, edit.text, edit.was) for edit in edits)


class History:
    """Steps, each of one or several edits that belong together."""

    def __init__(self) -> None:
        self._done: list[tuple[Edit, ...]] = []
        self._undone: list[tuple[Edit, ...]] = []

    def did(self, edits: Iterable[Edit]) -> None:
        """A new step; what was taken back cannot be done again."""
        self._done.append(tuple(edits))
        self._undone.clear()

    def undo(self) -> tuple[Edit, ...]:
        """The edits that take the last step back; none when there is none."""
        if not self._done:
            return ()
        step = self._done.pop()
        self._undone.append(step)
        return inverse(step)

    def redo(self) -> tuple[Edit, ...]:
        """The step that was taken back last."""
        if not self._undone:
            return ()
        step = self._undone.pop()
        self._done.append(step)
        return step

    def clear(self) -> None:
        """Another session."""
        self._done.clear()
        self._undone.clear()
