"""The settings file: defaults, wrong values named with their line, comments kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxtui import settings
from voxtui.settings import Settings


def test_a_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "none.toml") == (Settings(), [])


def test_saved_settings_come_back(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "voxtui.toml"
    chosen = Settings().replace("engine", delay_ms=960, interval_s=1).replace("audio", device="Mic")
    settings.save(path, chosen)
    assert settings.load(path) == (chosen, [])
    text = path.read_text()
    assert "# " + settings.help_line(chosen.engine, "threads") in text


def test_comments_and_unknown_keys_survive(tmp_path: Path) -> None:
    path = tmp_path / "voxtui.toml"
    path.write_text("# mine\n[engine]\ndelay_ms = 240 # quick\nfuture = 1\n")
    loaded, problems = settings.load(path)
    assert not problems
    assert loaded.engine.delay_ms == 240
    settings.save(path, loaded.replace("engine", delay_ms=480))
    text = path.read_text()
    assert "# mine" in text
    assert "delay_ms = 480 # quick" in text
    assert "future = 1" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[engine]\n\ndelay_ms = 100\n", "line 3: delay_ms: 100 is not one of"),
        ('[engine]\nthreads = "two"\n', "line 2: threads: 'two' should be a whole number"),
        ("[audio]\ngain_db = 99\n", "line 2: gain_db: 99.0 should lie between -30 and 30"),
        ("audio = 3\n", "audio should be a table"),
        ("[audio\n", "line 1"),
    ],
)
def test_a_wrong_value_is_named_and_the_default_used(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = tmp_path / "voxtui.toml"
    path.write_text(text)
    loaded, problems = settings.load(path)
    assert loaded == Settings()
    assert len(problems) == 1
    assert expected in problems[0]


def test_a_broken_file_is_kept_when_saving(tmp_path: Path) -> None:
    path = tmp_path / "voxtui.toml"
    path.write_text("[broken\n")
    settings.save(path, Settings())
    assert settings.load(path) == (Settings(), [])
    assert (tmp_path / "voxtui.toml.broken").read_text() == "[broken\n"


def test_replace_refuses_values_out_of_range() -> None:
    with pytest.raises(ValueError, match=r"engine\.delay_ms: 90 is not one of"):
        Settings().replace("engine", delay_ms=90)
