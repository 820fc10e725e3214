"""The settings file: defaults, wrong values named with their line, comments kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxtui import settings, settingsfile
from voxtui.settings import Settings


def test_a_missing_file_gives_the_defaults(tmp_path: Path) -> None:
    assert settingsfile.load(tmp_path / "none.toml") == (Settings(), [])


def test_saved_settings_come_back(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "voxtui.toml"
    chosen = (
        Settings()
        .replace("engine", delay_ms=960, interval_s=1)
        .replace("audio", device=("Mic", "system default"))
    )
    settingsfile.save(path, chosen)
    assert settingsfile.load(path) == (chosen, [])
    text = path.read_text()
    assert "# " + settings.help_line(chosen.engine, "threads") in text


def test_comments_and_unknown_keys_survive(tmp_path: Path) -> None:
    path = tmp_path / "voxtui.toml"
    path.write_text("# mine\n[engine]\ndelay_ms = 240 # quick\nfuture = 1\n")
    loaded, problems = settingsfile.load(path)
    assert problems == [f"{path}: line 4: future: there is no such setting; it is left as it is."]
    assert loaded.engine.delay_ms == 240
    settingsfile.save(path, loaded.replace("engine", delay_ms=480))
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
        ("[audio]\ndevice = 3\n", "line 2: device: 3 should be text, or a list of texts"),
        ('[audio]\ndevice = ["a", 3]\n', "line 2: device: ('a', 3) should be text, or a list"),
        ('[output]\nformats = ["srt", "doc"]\n', "line 2: formats: 'doc' is not one of txt, srt"),
        ("[keys]\ntalk = 3\n", "line 2: talk: 3 should be the name of a key"),
        ("[audio\n", "line 1"),
        ("audio.gain_db = 99\n", "line 1: gain_db: 99.0 should lie"),
        ("# x\naudio = { pre_roll_s = 0.4, gain_db = 99 }\n", "line 2: gain_db: 99.0 should lie"),
        ('[ "audio" ]\n"gain_db" = 99\n', "line 2: gain_db: 99.0 should lie"),
        (
            "[audio]\ngian_db = 9\n",
            "line 2: gian_db: there is no such setting; did you mean gain_db",
        ),
        ("\n[adio]\ngain_db = 9\n", "line 2: adio: there is no such setting; did you mean audio"),
    ],
)
def test_a_wrong_value_is_named_and_the_default_used(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = tmp_path / "voxtui.toml"
    path.write_text(text)
    loaded, problems = settingsfile.load(path)
    assert loaded == Settings()
    assert len(problems) == 1
    assert expected in problems[0]


@pytest.mark.parametrize("text", ["[broken\n", "engine = 3 # mine\n", "\xff"])
def test_a_broken_file_is_kept_when_saving(tmp_path: Path, text: str) -> None:
    path = tmp_path / "voxtui.toml"
    for name in ("voxtui.toml.broken", "voxtui.toml.broken-2"):
        path.write_text(text, encoding="latin-1")
        settingsfile.save(path, Settings())
        assert settingsfile.load(path) == (Settings(), [])
        assert (tmp_path / name).read_text(encoding="latin-1") == text


def test_a_wrong_value_stays_until_that_setting_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "voxtui.toml"
    path.write_text(
        '[engine]\ndelay_ms = 500 # try\nthreads = "all"\n[keys]\ntalk = 9\ncopy = "y"\n'
        '[output]\nformats = ["srt", "doc"]\n'
    )
    loaded, problems = settingsfile.load(path)
    changed = loaded.replace("engine", threads=2)
    settingsfile.save(path, changed, ("engine", "threads"))
    text = path.read_text()
    for kept in ("delay_ms = 500 # try", "talk = 9", 'formats = ["srt", "doc"]', "threads = 2"):
        assert kept in text
    again, told = settingsfile.load(path)
    assert again == changed
    assert len(told) == len(problems) - 1
    settingsfile.save(path, changed, ("engine", "delay_ms"))
    settingsfile.save(path, changed, ("output", "formats"))
    settingsfile.save(path, changed, ("keys", "talk"))
    assert settingsfile.load(path) == (changed, [])


def test_a_file_kept_elsewhere_stays_there(tmp_path: Path) -> None:
    path, dotfiles = tmp_path / "voxtui.toml", tmp_path / "dotfiles"
    dotfiles.write_text("# mine\n")
    dotfiles.chmod(0o640)
    path.symlink_to(dotfiles)
    settingsfile.save(path, Settings())
    assert path.is_symlink()
    assert dotfiles.read_text().startswith("# mine\n")
    assert dotfiles.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_replace_refuses_values_out_of_range() -> None:
    with pytest.raises(ValueError, match=r"engine\.delay_ms: 90 is not one of"):
        Settings().replace("engine", delay_ms=90)


def test_one_microphone_or_several_and_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "voxtui.toml"
    path.write_text('[audio]\ndevice = "Mic" # mine\n')
    loaded, problems = settingsfile.load(path)
    assert (loaded.audio.device, problems) == (("Mic",), [])
    settingsfile.save(path, loaded)
    assert 'device = "Mic" # mine' in path.read_text()
    assert Settings().replace("audio", device="Mic").audio.device == ("Mic",)


def test_keys_are_kept_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "voxtui.toml"
    chosen = Settings().with_key("talk", "f9").with_key("copy", "y,Y")
    settingsfile.save(path, chosen)
    assert settingsfile.load(path) == (chosen, [])
    assert "# " + settings.KEYS_HELP in path.read_text()
    settingsfile.save(path, chosen.with_key("talk", None))
    assert settingsfile.load(path)[0].keys == {"copy": "y,Y"}
