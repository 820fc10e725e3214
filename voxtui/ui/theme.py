"""Three looks: dark, light, and the terminal's own colours. One accent, one warning colour."""

from __future__ import annotations

from dataclasses import dataclass

from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a look, by what they are for."""

    ink: str
    ground: str
    panel: str
    raised: str
    accent: str
    on_accent: str
    warning: str
    muted: str
    faint: str
    bar: str
    bar_hover: str
    selection: str
    pill: str
    match: str
    on_match: str


def _theme(name: str, palette: Palette, *, dark: bool, ansi: bool = False, **more: str) -> Theme:
    p = palette
    return Theme(
        name=name,
        primary=p.accent,
        secondary=p.accent,
        accent=p.accent,
        success=p.accent,
        warning=p.warning,
        error=p.warning,
        foreground=p.ink,
        background=p.ground,
        surface=p.ground,
        panel=p.panel,
        boost=p.raised,
        ansi=ansi,
        dark=dark,
        variables={
            "muted": p.muted,
            "faint": p.faint,
            "scrollbar": p.bar,
            "scrollbar-hover": p.bar_hover,
            "scrollbar-active": p.accent,
            "scrollbar-background": p.ground,
            "scrollbar-background-hover": p.ground,
            "scrollbar-background-active": p.ground,
            "scrollbar-corner-color": p.ground,
            "input-cursor-background": p.accent,
            "input-selection-background": p.selection,
            "screen-selection-background": p.selection,
            "screen-selection-foreground": p.ink,
            "on-accent": p.on_accent,
            "pill": p.pill,
            "match": p.match,
            "on-match": p.on_match,
            **{variable.replace("_", "-"): value for variable, value in more.items()},
        },
    )


DARK = _theme(
    "voxtui-dark",
    Palette(
        ink="#e3e2de",
        ground="#16181b",
        panel="#1e2125",
        raised="#26292e",
        accent="#58c9ae",
        on_accent="#0f1513",
        warning="#e5a54b",
        muted="#8b9096",
        faint="#4a4f56",
        bar="#33383e",
        bar_hover="#4a4f56",
        selection="#2f5f55",
        pill="#2b2f35",
        match="#4d4022",
        on_match="#f5ead0",
    ),
    dark=True,
)

LIGHT = _theme(
    "voxtui-light",
    Palette(
        ink="#24272b",
        ground="#fbfaf7",
        panel="#f1efe9",
        raised="#e7e4dc",
        accent="#0a7561",
        on_accent="#ffffff",
        warning="#a65300",
        muted="#6d6f70",
        faint="#c3c0b8",
        bar="#d9d6ce",
        bar_hover="#bdb9b0",
        selection="#bfe3da",
        pill="#e6e2d8",
        match="#f3e2b0",
        on_match="#24272b",
    ),
    dark=False,
)

TERMINAL = _theme(
    "voxtui-terminal",
    Palette(
        ink="ansi_default",
        ground="ansi_default",
        panel="ansi_default",
        raised="ansi_default",
        accent="ansi_green",
        on_accent="ansi_black",
        warning="ansi_yellow",
        muted="ansi_bright_black",
        faint="ansi_bright_black",
        bar="ansi_bright_black",
        bar_hover="ansi_bright_black",
        selection="ansi_bright_blue",
        pill="ansi_default",
        match="ansi_yellow",
        on_match="ansi_black",
    ),
    dark=True,
    ansi=True,
    ansi_background="ansi_black",
    ansi_foreground="ansi_white",
    border_blurred="ansi_bright_black",
    block_cursor_foreground="ansi_black",
    block_cursor_background="ansi_white",
    input_cursor_foreground="ansi_black",
    input_cursor_text_style="none",
    input_selection_foreground="ansi_black",
    screen_selection_foreground="ansi_black",
)

THEMES = (DARK, LIGHT, TERMINAL)
TITLES = {"voxtui-dark": "dark", "voxtui-light": "light", "voxtui-terminal": "terminal's colours"}

OWN_NAMES = ("muted", "faint", "pill", "on-accent", "match", "on-match")


def own_variables(theme: Theme) -> dict[str, str]:
    """Our colour names for a theme of somebody else's."""
    like = TERMINAL if theme.ansi else DARK if theme.dark else LIGHT
    return {name: like.variables[name] for name in OWN_NAMES}
