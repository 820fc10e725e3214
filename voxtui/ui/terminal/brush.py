"""Puts one line of a widget on the terminal at once, past Textual's messages and timers.

A frame through the page takes five messages and a look at every line of the screen; thirty of
them a second cost more than all else that a listening page does. What is written here is just
what the page would draw, so the page may draw it again at any time.
"""

from __future__ import annotations

from rich.control import Control
from textual.errors import NoWidget
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget

from voxtui.ui.terminal.hold import HoldDriver


class Brush:
    """For the first line of one widget. Made when the widget is on its screen.

    The application's driver has no public name; where there is none of ours, the page draws.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._screen = widget.screen
        self._line = Region()
        self._go = ""
        """Sends the cursor to the line; "" while that is not known or not possible."""
        self._known = False
        self._screen.screen_layout_refresh_signal.subscribe(widget, self._moved, immediate=True)

    def _moved(self, _: Screen[object]) -> None:
        self._known = False

    def paint(self) -> bool:
        """Draw the line as it is now. False when only the page can: no terminal of ours, another
        screen in front, the line not wholly in sight."""
        widget = self._widget
        app = widget.app
        driver = getattr(app, "_driver", None)
        if not isinstance(driver, HoldDriver) or app.screen is not self._screen:
            return False
        if not self._known:
            self._go, self._known = self._find(), True
        if not self._go:
            return False
        strip = widget.render_lines(self._line)[0]
        return driver.overwrite(self._go + strip.render(app.console))

    def _find(self) -> str:
        """The way to the line, when nothing lies over any of its cells."""
        widget, screen = self._widget, self._screen
        try:
            found = screen.find_widget(widget)
            line = Region(found.region.x, found.region.y, found.region.width, 1)
            if not line or not found.visible_region.contains_region(line):
                return ""
            for x in range(line.x, line.right):
                if screen.get_widget_at(x, line.y)[0] is not widget:
                    return ""
        except NoWidget:
            return ""
        self._line = Region(0, 0, line.width, 1)
        return Control.move_to(line.x, line.y).segment.text
