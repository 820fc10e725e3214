"""`voxtui serve` as a command: what it makes of its options, and what it says to wrong ones."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.serve.conftest import TOKEN
from voxtui.cli.main import run_command
from voxtui.serve.limits import ServeConfig
from voxtui.serve.run import Address


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ServeConfig]:
    """What would have been run; the settings name a hook."""
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    monkeypatch.setenv("VOXTUI_SERVE_TOKEN", TOKEN)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "voxtui.toml").write_text('[output]\nhook = "cat"\n')
    found: list[ServeConfig] = []

    def run(config: ServeConfig, _: Address, port: socket.socket) -> None:
        port.close()
        found.append(config)

    monkeypatch.setattr("voxtui.serve.run.run", run)
    return found


def serve(*options: str) -> int:
    return run_command(["serve", "--port", "0", "--model", "tiny", *options])


@pytest.mark.parametrize(
    ("options", "hook"),
    [
        ((), "cat"),
        (("--no-hook",), ""),
        (("--name", "talk.example"), ""),  # others reach it through something in front
        (("--host", "0.0.0.0"), ""),
        (("--host", "0.0.0.0", "--hook"), "cat"),
    ],
)
def test_the_hook_gets_nobody_elses_words_unasked(
    served: list[ServeConfig], options: tuple[str, ...], hook: str
) -> None:
    assert serve(*options) == 0
    assert served[0].hook.command == hook


def test_limits(served: list[ServeConfig]) -> None:
    assert serve("--clients", "7", "--idle-minutes", "0.5", "--hours", "2", "--upload-mib=9") == 0
    limits = served[0].limits
    assert (limits.clients, limits.idle_s, limits.longest_s, limits.upload_mib) == (7, 30, 7200, 9)
    assert limits.idle == "30 seconds"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--key", "{file}"), "--certificate names what it belongs to"),
        (("--certificate", "{file}"), "no-pem cannot be used as certificate"),
        (("--engine", "realtime"), "No server is named."),
        (("--idle-minutes", "0"), "idle-minutes"),
    ],
)
def test_wrong_options_are_told_before_anything_is_opened(
    served: list[ServeConfig],
    options: tuple[str, ...],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "no-pem"
    file.write_text("nothing")
    assert serve(*(option.format(file=file) for option in options)) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "open http" not in told
    assert served == []


def test_others_are_told_where_it_is(
    served: list[ServeConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve("--host", "0.0.0.0") == 0
    assert f"other machines find it at http://{socket.gethostname()}:" in capsys.readouterr().err
