"""Draws only what changed."""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip


class FrugalCompositor(Compositor):
    """Asks the widgets for those lines alone that changed.

    Textual's own asks all widgets whose parent reaches into what changed for all their lines:
    the whole page, thirty times a second, for the one line of a meter.
    """

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if crop is None:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():  # front to back
            shown = region.intersection(clip)
            wanted = shown.intersection(crop)
            if not wanted:
                continue
            rows = Region(shown.x, wanted.y, shown.width, wanted.height)
            yield rows, clip, widget.render_lines(rows.translate(-region.offset))
            if wanted == crop:
                return  # what is behind it is not seen
