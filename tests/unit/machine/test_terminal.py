"""Terminals and clipboards from their environments."""

from __future__ import annotations

import pytest

from voxtui.machine.terminal import Clipboard, clipboard, terminal

KITTY = {"TERM": "xterm-kitty", "COLORTERM": "truecolor", "KITTY_WINDOW_ID": "1"}
ITERM = {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.14"}


def test_a_terminal_that_tells_releases() -> None:
    found = terminal(KITTY)
    assert (found.name, found.colours, found.tells_releases) == ("kitty", 1 << 24, True)


def test_the_version_is_short() -> None:
    assert terminal(ITERM).name == "iTerm2 3.5"
    assert terminal(ITERM).colours == 256


def test_in_tmux_releases_are_not_known() -> None:
    found = terminal({**KITTY, "TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/x,1,0"})
    assert (found.multiplexer, found.tells_releases) == ("tmux", None)


def test_a_dumb_terminal() -> None:
    found = terminal({"TERM": "dumb"})
    assert found.dumb
    assert (found.colours, found.tells_releases) == (0, False)


def test_nothing_known() -> None:
    found = terminal({})
    assert (found.name, found.colours, found.tells_releases) == ("", 0, None)


def test_no_colour_wished() -> None:
    assert terminal({**KITTY, "NO_COLOR": "1"}).colours == 0


def has(*tools: str):  # type: ignore[no-untyped-def]
    return lambda tool: f"/usr/bin/{tool}" if tool in tools else None


@pytest.mark.parametrize(
    ("env", "tools", "way"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0"}, ("wl-copy", "wl-paste"), "wl-copy"),
        ({"DISPLAY": ":0"}, ("xsel",), "xsel"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, ("xclip",), "xclip"),
        ({"DISPLAY": ":0"}, (), "terminal"),
        ({}, ("xclip",), "terminal"),
        ({"DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"}, ("xclip",), "terminal"),
    ],
)
def test_the_way_to_the_clipboard(env: dict[str, str], tools: tuple[str, ...], way: str) -> None:
    found = clipboard(env, platform="linux", which=has(*tools))
    assert (found.way, found.sure) == (way, way != "terminal")


def test_what_would_help_is_told() -> None:
    nothing = has()
    assert "xclip" in clipboard({"DISPLAY": ":0"}, platform="linux", which=nothing).advice
    assert (
        "wl-clipboard"
        in clipboard({"WAYLAND_DISPLAY": "w"}, platform="linux", which=nothing).advice
    )
    assert "set-clipboard" in clipboard({"TMUX": "x"}, platform="linux", which=nothing).advice


def test_a_mac_here_and_far_away() -> None:
    assert clipboard({}, platform="darwin", which=has()) == Clipboard("pbcopy", sure=True)
    assert not clipboard({"SSH_CONNECTION": "x"}, platform="darwin", which=has()).sure
