"""Three looks: dark, light, and the terminal's own colours. One accent, one warning colour."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="voxtui-dark",
    primary="#58c9ae",
    secondary="#58c9ae",
    accent="#58c9ae",
    warning="#e5a54b",
    error="#e5a54b",
    success="#58c9ae",
    foreground="#e3e2de",
    background="#16181b",
    surface="#16181b",
    panel="#1e2125",
    boost="#26292e",
    dark=True,
    variables={
        "muted": "#8b9096",
        "faint": "#4a4f56",
        "scrollbar": "#33383e",
        "scrollbar-hover": "#4a4f56",
        "scrollbar-active": "#58c9ae",
        "scrollbar-background": "#16181b",
        "scrollbar-background-hover": "#16181b",
        "scrollbar-background-active": "#16181b",
        "scrollbar-corner-color": "#16181b",
        "input-cursor-background": "#58c9ae",
        "input-selection-background": "#2f5f55",
        "screen-selection-background": "#2f5f55",
        "on-accent": "#0f1513",
        "pill": "#2b2f35",
    },
)

LIGHT = Theme(
    name="voxtui-light",
    primary="#0a7561",
    secondary="#0a7561",
    accent="#0a7561",
    warning="#a65300",
    error="#a65300",
    success="#0a7561",
    foreground="#24272b",
    background="#fbfaf7",
    surface="#fbfaf7",
    panel="#f1efe9",
    boost="#e7e4dc",
    dark=False,
    variables={
        "muted": "#6d6f70",
        "faint": "#c3c0b8",
        "scrollbar": "#d9d6ce",
        "scrollbar-hover": "#bdb9b0",
        "scrollbar-active": "#0a7561",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "scrollbar-corner-color": "#fbfaf7",
        "input-cursor-background": "#0a7561",
        "input-selection-background": "#bfe3da",
        "screen-selection-background": "#bfe3da",
        "on-accent": "#ffffff",
        "pill": "#e6e2d8",
    },
)

TERMINAL = Theme(
    name="voxtui-terminal",
    primary="ansi_green",
    secondary="ansi_green",
    accent="ansi_green",
    warning="ansi_yellow",
    error="ansi_yellow",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    ansi=True,
    dark=True,
    variables={
        "muted": "ansi_bright_black",
        "faint": "ansi_bright_black",
        "scrollbar": "ansi_bright_black",
        "scrollbar-hover": "ansi_bright_black",
        "scrollbar-active": "ansi_green",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border-blurred": "ansi_bright_black",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_white",
        "input-cursor-background": "ansi_green",
        "input-cursor-foreground": "ansi_black",
        "input-cursor-text-style": "none",
        "input-selection-background": "ansi_bright_blue",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_bright_blue",
        "screen-selection-foreground": "ansi_black",
        "on-accent": "ansi_black",
        "pill": "ansi_default",
    },
)

THEMES = (DARK, LIGHT, TERMINAL)
TITLES = {"voxtui-dark": "dark", "voxtui-light": "light", "voxtui-terminal": "terminal's colours"}

OWN_NAMES = ("muted", "faint", "pill", "on-accent")


def own_variables(theme: Theme) -> dict[str, str]:
    """Our colour names for a theme of somebody else's."""
    like = TERMINAL if theme.ansi else DARK if theme.dark else LIGHT
    return {name: like.variables[name] for name in OWN_NAMES}
