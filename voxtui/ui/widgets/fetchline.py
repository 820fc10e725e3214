"""One line of the frame: how far a model is on its way."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from voxtui.models.progress import Phase, Progress
from voxtui.ui.widgets.fitting import fit, shorten


class FetchLine(Widget):
    """`↓ Voxtral 4B, 4 bit  ━━━━━────  42 % · 2 min left …`; hidden when nothing is fetched."""

    DEFAULT_CSS = """
    FetchLine {
        height: 1;
        padding: 0 3;
        color: $muted;
        display: none;
        &.-shown { display: block; }
    }
    """

    title = reactive("")
    progress: reactive[Progress | None] = reactive(None)

    def watch_progress(self) -> None:
        self.set_class(self.progress is not None, "-shown")

    def render(self) -> Content:
        """Folds from its right end; the bar makes room for what is waited for."""
        progress = self.progress
        if progress is None:
            return Content("")
        from voxtui.ui.modelwords import bar, progress_phrases

        width = self.content_size.width
        title = f"↓ {shorten(self.title, width // 2)}"
        waiting = progress.phase is Phase.WAITING
        long = 0 if waiting or width < 50 else 20 if width >= 70 else 10
        left = width - cell_len(title) - 2 - (long + 2 if long else 0)
        said = fit(progress_phrases(progress), left)
        done, missing = bar(progress.share, long)
        tone = "$warning" if waiting else "$foreground"
        return Content.assemble(
            (f"{title}  ", "$muted"),
            (done, "$accent"),
            (missing + ("  " if long else ""), "$faint"),
            (said, tone),
        )

    async def on_click(self) -> None:
        await self.run_action("screen.models")
