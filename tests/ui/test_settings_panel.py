"""The settings beside the page: each applies at once and is kept; keys are pressed to be set."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding
from textual.widgets import Input

from tests.ui.running import running, said, settled, until
from tests.ui.support import FakeBackend
from voxtui.settings import Settings
from voxtui.settingsfile import load
from voxtui.ui import keys
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.backend import Abilities, CannotStartError, Choice
from voxtui.ui.panels.choosing import Found, tabs
from voxtui.ui.panels.keypress import KeyPress
from voxtui.ui.panels.rows import KeyRow, Row
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.screens.live import LiveScreen
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.talk import TalkButton

FOUND = Found(
    [Choice("system default", "system default"), Choice("A: a", "a"), Choice("A: b", "b")],
    [Choice("auto", "best installed"), Choice("tiny", "small model")],
    [Choice("auto", "auto"), Choice("voxtral_c", "voxtral_c, built in")],
    Abilities(("auto", "q8_0"), ("auto", "cpu", "gpu")),
    cores=4,
)


def rows(settings: Settings, title: str) -> dict[str, Row]:
    tab = next(tab for tab in tabs(settings, FOUND) if tab.title == title)
    found: dict[str, Row] = {}
    for row in tab.rows:
        assert isinstance(row, Row)
        assert row.name == "device" or row.label not in found
        found[row.label if row.label not in found else f"{row.label} {len(found)}"] = row
    return found


def test_every_setting_has_a_line_and_one_line_of_help() -> None:
    shown = {(r.group, r.name) for t in tabs(Settings(), FOUND) for r in t.rows if type(r) is Row}
    hidden = {("appearance", "dismissed_first_run"), ("engine", "upstream")}
    there = set()
    for group in ("audio", "talk", "engine", "output", "appearance"):
        there |= {(group, name) for name in type(getattr(Settings(), group)).__dataclass_fields__}
    assert there - hidden - shown == set()
    for tab in tabs(Settings(), FOUND):
        for row in tab.rows:
            assert isinstance(row, Row)
            for at in range(len(row.choices)):
                row.at = at
                assert 10 < len(row.help_line) < 120, row.label


def test_microphones_in_order() -> None:
    settings = Settings().replace("audio", device=("A: a", "gone: c"))
    found = rows(settings, "Sound")
    first, second, third = (row for row in found.values() if row.name == "device")
    assert [c.value for c in first.choices] == ["system default", "A: a", "A: b"]
    assert [c.value for c in second.choices] == ["", "system default", "A: b", "gone: c"]
    assert second.choice.note == "not there now"
    assert third.choice.value == ""
    assert second.put(("A: a", "gone: c"), "A: b") == ("A: a", "A: b")
    assert second.put(("A: a", "gone: c", "d"), "") == ("A: a", "d")
    assert third.put(("A: a", "gone: c"), "system default") == ("A: a", "gone: c", "system default")
    assert first.put((), "A: a") == ("A: a",)


def test_formats_one_by_one() -> None:
    settings = Settings().replace("output", formats=("srt",))
    found = rows(settings, "Files")
    assert found["also srt"].choice.value is True
    assert found["also txt"].put(("srt",), True) == ("txt", "srt")
    assert found["also srt"].put(("txt", "srt"), False) == ("txt",)


async def test_settings_apply_at_once_and_are_kept(tmp_path: Path) -> None:
    backend = FakeBackend()
    file = tmp_path / "voxtui.toml"
    async with running(backend, settings_file=file) as pilot:
        await pilot.press("s")
        panel = pilot.app.screen.query_one(SettingsPanel)
        await until(lambda: len(panel._tabs[0].rows[0].choices) == 2)  # type: ignore[union-attr]
        await pilot.press("right")
        await until(lambda: backend.calls[-1] == ("use_microphone", ("ALSA: USB",), 0.0))
        await pilot.press("down", "right")
        two = ("ALSA: USB", "system default")
        await until(lambda: backend.calls[-1] == ("use_microphone", two, 0.0))
        await pilot.press("tab", *["down"] * 4, "right", "right")
        await settled(pilot)
        assert backend.calls[-1] == ("use_delay", 640)
        await pilot.press("down", "left")
        await settled(pilot)
        assert backend.calls[-1] == ("use_interval", 0.3)
        await pilot.press("tab", "down", "right")
        await settled(pilot)
        assert backend.used.talk.idle_stop_min == 120
        await pilot.press("tab", "tab", "right")
        assert pilot.app.theme == "voxtui-light"
        await pilot.press("space")
        assert backend.calls[-1] == ("listen", True), "one can talk meanwhile"
        await pilot.press("escape")
        assert not panel.is_open
        await pilot.press("l")
        assert backend.calls[-1] == ("listen", False)
    kept = load(file)[0]
    assert kept.audio.device == two
    assert (kept.engine.delay_ms, kept.engine.interval_s) == (640, 0.3)
    assert kept.appearance.theme == "voxtui-light"


async def test_a_folder_is_typed(tmp_path: Path) -> None:
    file = tmp_path / "voxtui.toml"
    backend = FakeBackend()
    async with running(backend, settings_file=file) as pilot:
        await pilot.press("s", "shift+tab", "down", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.focused, Input)
        await pilot.press("~", "slash", "space", "d", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.focused, SettingsPanel)
        assert backend.used.output.daily_folder == "~/ d"
        await pilot.press("enter", "x", "escape")
        assert pilot.app.screen.query_one(SettingsPanel).is_open
    assert load(file)[0].output.daily_folder == "~/ d"


async def test_only_the_model_that_was_rested_at_is_loaded() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("s", "tab", "down")
        panel = pilot.app.screen.query_one(SettingsPanel)
        await until(lambda: len(panel._tabs[1].rows[1].choices) == 3)  # type: ignore[union-attr]
        await pilot.press("right", "right")
        await until(lambda: ("use_model", "tiny") in backend.calls)
        assert ("use_model", "/models/v") not in backend.calls
        await pilot.press("down", "right")
        await until(lambda: ("use_engine", "auto", "bf16", "auto", 0) in backend.calls)


async def test_the_engine_is_chosen_with_what_it_can() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("s", "tab")
        panel = pilot.app.screen.query_one(SettingsPanel)
        await until(lambda: len(panel._tabs[1].rows[0].choices) == 3)  # type: ignore[union-attr]
        assert [row.label for row in panel._tabs[1].rows][:4] == [
            "engine",
            "model",
            "precision",
            "computes on",
        ]
        backend.abilities = lambda: Abilities(lacks=frozenset({"precision", "backend"}))  # type: ignore[method-assign]
        await pilot.press("right", "right")
        await until(lambda: ("use_engine", "realtime", "auto", "auto", 0) in backend.calls)
        assert ("use_engine", "voxtral_c", "auto", "auto", 0) not in backend.calls
        await until(lambda: len(panel._tabs[1].rows) == 7)
        assert [row.label for row in panel._tabs[1].rows][:4] == [
            "engine",
            "server",
            "model",
            "delay",
        ]


async def test_a_folder_that_cannot_be_written_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = tmp_path / "voxtui.toml"
    async with running(FakeBackend(), settings_file=file) as pilot:
        await pilot.press("s", "shift+tab", "enter")
        await pilot.pause()
        field = pilot.app.focused
        assert isinstance(field, Input)
        field.value = str(tmp_path / "file" / "sessions")
        await pilot.press("enter")
        await settled(pilot)
        assert "no folder that can be written" in said(pilot)
    assert load(file)[0].output.folder == ""


async def test_a_file_edited_by_hand_applies_while_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "voxtui.toml"
    file.write_text('[audio]\ngain_db = 3\n[keys]\nlive = "f8"\n')
    backend = FakeBackend()
    kept = load(file)[0]
    async with running(backend, settings_file=file, settings=kept) as pilot:
        live = pilot.app.live  # type: ignore[attr-defined]
        edited = "# mine\n[audio]\ngain_db = 6\npre_roll_s = 9\n[engine]\nthreads = 2\n"
        file.write_text(edited + 'precision = "q8_0"\n[appearance]\ntheme = "voxtui-light"\n')
        live.take_edits()
        await settled(pilot)
        assert ("use_microphone", (), 6.0) in backend.calls
        reloads = [call for call in backend.calls if call[0] == "use_engine"]
        assert reloads == [("use_engine", "auto", "q8_0", "auto", 2)], "once, not for each"
        assert pilot.app.theme == "voxtui-light"
        assert "line 4: pre_roll_s: 9.0 should lie between 0 and 2; 0.4 is used." in said(pilot)
        assert live.key_for("live") == "L"
        file.write_text(edited.replace("gain_db = 6", "gain_db = -6"))
        await pilot.press("s", "tab", "tab", "right")  # before anybody looked at the file
        await settled(pilot)
        assert "gain_db = -6" in file.read_text()
        assert "# mine" in file.read_text()
        live.take_edits()
        await settled(pilot)
        assert ("use_microphone", (), -6.0) in backend.calls
        before = live.preferences.shown
        file.write_text("[audio\n")
        live.take_edits()
        assert "line 1: " in said(pilot)
        assert "what was used before stays" in said(pilot)
        assert live.preferences.shown == before


async def test_a_model_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = FakeBackend()

    def refuse(spec: str) -> None:
        raise CannotStartError("There is no such model.")

    monkeypatch.setattr(backend, "use_model", refuse)
    async with running(backend) as pilot:
        await pilot.press("s", "tab", "down")
        panel = pilot.app.screen.query_one(SettingsPanel)
        await until(lambda: len(panel._tabs[1].rows[1].choices) == 3)  # type: ignore[union-attr]
        await pilot.press("right")
        await until(lambda: said(pilot) == "There is no such model.")


async def test_the_mouse_alone(tmp_path: Path) -> None:
    file = tmp_path / "voxtui.toml"
    async with running(FakeBackend(), settings_file=file, size=(120, 40)) as pilot:
        await pilot.press("s")
        await pilot.pause()
        tab_line = pilot.app.screen.query_one("#settings-tabs")
        titles = str(tab_line.render())
        await pilot.click("#settings-tabs", offset=(2 + titles.index("Page"), 0))
        await pilot.pause()
        line = list(pilot.app.screen.query("SettingRow"))[1]
        await pilot.click(line, offset=(2 + str(line.render()).index("›"), 0))
        await pilot.pause()
        await until(lambda: file.exists() and not load(file)[0].appearance.timestamps)


# ---- keys


async def open_keys(pilot: object) -> SettingsPanel:
    await pilot.press("s", "tab", "tab", "tab")  # type: ignore[attr-defined]
    await pilot.pause()  # type: ignore[attr-defined]
    return pilot.app.screen.query_one(SettingsPanel)  # type: ignore[attr-defined,no-any-return]


def key_row(panel: SettingsPanel, action: str) -> tuple[int, KeyRow]:
    found = [r for r in panel._tabs[3].rows if isinstance(r, KeyRow)]
    at = [r.action for r in found].index(action)
    return at, found[at]


async def test_a_key_is_pressed_to_be_set_and_works_at_once(tmp_path: Path) -> None:
    file = tmp_path / "voxtui.toml"
    backend = FakeBackend()
    async with running(backend, settings_file=file) as pilot:
        app = pilot.app
        assert isinstance(app, VoxtuiApp)
        panel = await open_keys(pilot)
        at, _ = key_row(panel, "talk")
        await pilot.press(*["down"] * at, "enter")
        assert isinstance(app.screen, KeyPress)
        await pilot.press("f9")
        await settled(pilot)
        await pilot.press("escape", "f9")
        await settled(pilot)
        assert backend.calls[-1] == ("listen", True)
        await pilot.press("space")
        assert backend.calls[-1] == ("listen", True), "no longer the talk key"
        assert app.talk_key == "f9"
        assert app.screen.query_one(TalkButton).key == "F9"
        assert "F9 when you are done" in str(app.screen.query_one(BlankPage)._invitation())
    assert load(file)[0].keys == {"talk": "f9"}


async def test_a_key_that_is_taken_has_to_be_pressed_twice(tmp_path: Path) -> None:
    file = tmp_path / "voxtui.toml"
    backend = FakeBackend()
    async with running(backend, settings_file=file) as pilot:
        panel = await open_keys(pilot)
        at, _ = key_row(panel, "mark")
        await pilot.press(*["down"] * at, "enter", "l")
        assert isinstance(pilot.app.screen, KeyPress)
        told = str(pilot.app.screen.query_one("#press-told").render())
        assert told.startswith("L is “live”.")
        await pilot.press("l")
        await settled(pilot)
        assert key_row(panel, "live")[1].shown == "no key"
        await pilot.press("backspace")
        await settled(pilot)
        assert key_row(panel, "mark")[1].shown == "M"
    assert load(file)[0].keys == {"live": "none"}


async def test_escape_and_reserved_keys() -> None:
    async with running(FakeBackend()) as pilot:
        panel = await open_keys(pilot)
        await pilot.press("enter", "tab")
        assert "always" in str(pilot.app.screen.query_one("#press-told").render())
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, KeyPress)
        assert key_row(panel, panel._tabs[3].rows[0].action)[1].taken == ""  # type: ignore[union-attr]


async def test_modifiers_alone_can_be_chosen_but_not_by_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(FakeBackend()) as pilot:
        panel = await open_keys(pilot)
        at, _ = key_row(panel, "talk")
        await pilot.press(*["down"] * at, "enter", "left_control", "ctrl+k")
        await settled(pilot)
        assert key_row(panel, "talk")[1].shown == "Ctrl+K"
        monkeypatch.setattr("voxtui.ui.panels.keypress.ALONE_S", 0.05)
        await pilot.press("enter", "right_control")
        await until(lambda: key_row(panel, "talk")[1].shown == "Right Control")


def test_what_is_wrong_with_keys_is_said() -> None:
    all_ = [
        keys.Deed("talk", "talk", "space", True),
        keys.Deed("live", "live", "l,L", True),
        keys.Deed("page.up", "A line up", "up", False),
    ]
    assert keys.problems(all_, {"talk": "f9", "live": "none"}) == []
    told = keys.problems(all_, {"tlak": "x", "talk": "up", "live": "escape"})
    assert told[0].startswith("keys.tlak: there is no such action")
    assert "also means 'A line up'" in told[1]
    assert "Esc always goes back" in told[2]
    rows_ = keys.key_rows(all_, {"talk": "l"})
    assert [row.taken for row in rows_] == ["live", "talk"]


def test_no_key_does_two_things() -> None:
    rooms = [room for room in reversed(LiveScreen.__mro__) if "BINDINGS" in room.__dict__]
    bindings = [b for room in rooms for b in room.__dict__["BINDINGS"] if isinstance(b, Binding)]
    mine = [b for b in bindings if b.id]
    of_key: dict[str, set[str]] = {}
    for binding in mine:
        for key in binding.key.split(","):
            of_key.setdefault(key.strip(), set()).add(str(binding.id))
    shared = {key: ids for key, ids in of_key.items() if len(ids) > 1}
    assert not shared
