"""The real application in a pseudo-terminal: talk key, piped sound, other people's noise."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.ui.terminal import KITTY_ANSWER, Terminal, started
from voxtui.events import Edit

DOWN, REPEAT, UP = b"\x1b[32;1:1u", b"\x1b[32;1:2u", b"\x1b[32;1:3u"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "calls.txt"


def chosen(record: Path, settings: str) -> None:
    """What the application finds in its settings' file."""
    file = record.parent / "home" / "config" / "voxtui.toml"
    file.parent.mkdir(parents=True)
    file.write_text(settings)


def kitty(terminal: Terminal) -> None:
    """Answer the question for key releases, as kitty does."""
    terminal.wait_to_see(b"\x1b[=2;2u\x1b[?u")
    terminal.type(KITTY_ANSWER)
    terminal.wait_to_see(b"hold")


def test_holding_space_listens_until_it_is_let_go(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(DOWN)
        terminal.wait_for_calls("True")
        for _ in range(4):
            terminal.type(REPEAT)
            terminal.look(0.1)
        terminal.wait_for_calls("True")
        terminal.type(UP)
        terminal.wait_for_calls("True", "False")
        assert terminal.leave() == 0
        assert b"\x1b[<u" in terminal.screen, "the keyboard is given back as it was"


def test_a_tap_in_one_read_latches_and_the_next_one_stops(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(DOWN + UP)
        terminal.wait_for_calls("True")
        terminal.look(0.3)
        terminal.wait_for_calls("True")
        terminal.type(DOWN + UP)
        terminal.wait_for_calls("True", "False")


def test_a_sequence_cut_in_pieces_is_one_key(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        for at in range(len(DOWN)):
            terminal.type(DOWN[at : at + 1])
            time.sleep(0.004)
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        terminal.type(UP[:5])
        time.sleep(0.02)
        terminal.type(UP[5:])
        terminal.wait_for_calls("True", "False")


def test_press_without_event_type_and_with_locks_and_text(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(b"\x1b[32;129;32u")
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        terminal.type(b"\x1b[32;129:3u")
        terminal.wait_for_calls("True", "False")


def test_keyboards_that_repeat_in_pairs_do_not_stop_a_hold(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(DOWN)
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        for _ in range(5):
            terminal.type(UP + DOWN)
            terminal.look(0.1)
        terminal.wait_for_calls("True")
        terminal.type(UP)
        terminal.wait_for_calls("True", "False")


def test_losing_the_focus_lets_go(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(DOWN)
        terminal.wait_for_calls("True")
        terminal.type(b"\x1b[O")
        terminal.wait_for_calls("True", "False")


def test_a_terminal_that_answers_nothing_toggles(record: Path) -> None:
    with started(record) as terminal:
        terminal.type(b" ")
        terminal.wait_for_calls("True")
        terminal.look(1.0)
        terminal.type(b" ")
        terminal.wait_for_calls("True", "False")
        assert b"hold to talk" not in terminal.screen


def test_a_key_held_where_releases_are_not_told_stays_on(record: Path) -> None:
    with started(record) as terminal:
        terminal.type(b" ")
        terminal.wait_for_calls("True")
        last, slowest = time.monotonic(), 0.0
        terminal.look(0.3)
        for number in range(20):
            terminal.type(b" ")
            slowest = max(slowest, time.monotonic() - last - (0.5 if number == 0 else 0))
            last = time.monotonic()
            time.sleep(0.033)
        if slowest > 0.1:
            pytest.skip("this machine is too busy to play a keyboard")
        terminal.wait_to_see(b"does not tell when a key")
        terminal.look(0.4)
        terminal.wait_for_calls("True")


def test_the_talk_button_is_held_with_the_mouse(record: Path) -> None:
    with started(record) as terminal:
        terminal.wait_to_see(b"ready")
        terminal.look(0.3)
        terminal.type(b"\x1b[<0;6;23M")
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        terminal.type(b"\x1b[<0;40;10m")  # let go elsewhere
        terminal.wait_for_calls("True", "False")


MALFORMED = (
    b"\x1b[32;1:9u",
    b"\x1b[;:3u",
    b"\x1b[99999999999999999999u",
    b"\x1b[1114112u",
    b"\x1b[55296u",
    b"\x1b[32;99999999999:1u",
    b"\x1b[32;1:3;1114112u",
    b"\x1b[::::;;;u",
    b"\x1b[57441;1:3u",
    b"\x1b[97;1:1;55296u",
    b"\x1b[1;1:3A",
    b"\x1b[3;1:3~",
    b"\x1b[13;1:3u",
    b"\x1b[113;1:3u",
    b"\x1b[?9999999999999u",
    b"\x1b[?25u",
    b"\x1b[48;99999;99999;1;1t",
    b"\x1b[=5q",
    b"\x1b[12;3;4q",
    b"\xff\xfe\xc3\x28",
    b"\x1b]52;c;\x07",
    b"\x1b[<0;-5;-5M",
)


def test_no_sequence_ends_it(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        for sequence in MALFORMED:
            terminal.type(sequence)
            terminal.look(0.12)
            assert terminal.process.poll() is None, sequence
        assert "close" not in terminal.lines()
        before = len(terminal.listens())
        terminal.type(DOWN)
        terminal.look(0.6)
        terminal.type(UP)
        terminal.look(0.3)
        assert terminal.listens()[before:][-2:] == ["True", "False"]
        assert terminal.leave() == 0


def test_typing_a_note_types_spaces(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(b"m")
        terminal.look(0.3)
        terminal.type(b"a" + DOWN + UP + b"b\r")
        terminal.wait_for("note a b")
        assert terminal.listens() == []


def test_sound_on_standard_input_and_keys_from_the_terminal(record: Path) -> None:
    producer = subprocess.Popen(["head", "-c", "300000", "/dev/zero"], stdout=subprocess.PIPE)
    assert producer.stdout is not None
    with started(record, "piped", stdin=producer.stdout.fileno()) as terminal:
        assert "sound 300000" in terminal.lines()
        terminal.type(b"l")
        terminal.wait_for_calls("True")
        assert terminal.leave() == 0
        assert "left" in terminal.lines()
    producer.wait()


def test_output_may_go_elsewhere(record: Path, tmp_path: Path) -> None:
    out = os.open(tmp_path / "out.txt", os.O_WRONLY | os.O_CREAT)
    with started(record, stdout=out) as terminal:
        terminal.wait_to_see(b"voxtui")
        assert terminal.leave() == 0
    os.close(out)
    assert (tmp_path / "out.txt").read_text() == "kept in a folder\n"


def test_noise_on_descriptor_2_never_reaches_the_screen(record: Path) -> None:
    with started(record) as terminal:
        terminal.wait_to_see(b"voxtui")
        assert terminal.leave() == 0
        assert b"NOISE" not in terminal.screen
    assert "NOISE" in record.with_suffix(".log").read_text()


def test_being_told_to_end_keeps_everything(record: Path) -> None:
    with started(record) as terminal:
        terminal.process.send_signal(signal.SIGTERM)
        terminal.wait_for("close")
        terminal.look(1.0)
        assert terminal.process.wait(5) == 0


def test_ctrl_c_stops_first_and_leaves_second(record: Path) -> None:
    with started(record) as terminal:
        terminal.type(b"l")
        terminal.wait_for_calls("True")
        terminal.type(b"\x03")
        terminal.wait_for_calls("True", "False")
        assert "close" not in terminal.lines()
        terminal.look(0.2)
        terminal.type(b"\x03")
        terminal.wait_for("close")
        terminal.look(1.0)
        assert terminal.process.wait(5) == 0


def test_a_terminal_that_knows_keys_but_not_releases_toggles(record: Path) -> None:
    with started(record) as terminal:
        terminal.type(b"\x1b[?25u")
        terminal.type(b"\x1b[32;;32u")
        terminal.wait_for_calls("True")
        terminal.look(1.0)
        terminal.type(b"\x1b[32;;32u")
        terminal.wait_for_calls("True", "False")


def test_another_talk_key_is_held(record: Path) -> None:
    """F9, let go while Shift is down; Space is nothing any more."""
    chosen(record, '[keys]\ntalk = "f9"\n')
    with started(record) as terminal:
        kitty(terminal)
        terminal.wait_to_see(b"F9")
        terminal.type(DOWN + UP)
        terminal.type(b"\x1b[20;1:1~")
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        terminal.type(b"\x1b[20;2:3~")
        terminal.wait_for_calls("True", "False")


def test_a_modifier_alone_is_held(record: Path) -> None:
    chosen(record, '[keys]\ntalk = "right_control"\n')
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(b"\x1b[57448;5:1u")
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        terminal.type(b"\x1b[57448;5:3u")
        terminal.wait_for_calls("True", "False")


def test_space_let_go_while_shift_is_down(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(DOWN)
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        terminal.type(b"\x1b[32;2:3u")
        terminal.wait_for_calls("True", "False")


def test_another_key_while_holding_latches(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(DOWN)
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        terminal.type(b"\r")
        terminal.look(0.2)
        terminal.type(UP)
        terminal.look(0.5)
        terminal.wait_for_calls("True")
        terminal.wait_to_see(b"latched")
        terminal.type(DOWN + UP)
        terminal.wait_for_calls("True", "False")


def test_the_mouse_slides_up_to_latch(record: Path) -> None:
    with started(record) as terminal:
        terminal.wait_to_see(b"ready")
        terminal.look(0.3)
        terminal.type(b"\x1b[<0;6;23M")
        terminal.wait_for_calls("True")
        terminal.look(0.5)
        terminal.type(b"\x1b[<32;6;20M\x1b[<0;6;20m")
        terminal.look(0.5)
        terminal.wait_for_calls("True")
        terminal.wait_to_see(b"latched")


def test_the_doctor_sees_keys_go_down_and_up(record: Path) -> None:
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(b"h")
        terminal.wait_to_see(b"hold any key")
        terminal.type(b"\x1b[120;1:1;120u" + b"\x1b[120;1:2;120u" + b"\x1b[120;1:3u")
        terminal.wait_to_see(b"repeat")
        terminal.wait_to_see(b"up")
        terminal.type(DOWN + UP)
        terminal.look(0.5)
        assert terminal.listens() == []
        assert terminal.process.poll() is None


def test_a_paragraph_is_edited_with_keys_as_terminals_send_them(record: Path) -> None:
    left, shift_left, delete = b"\x1b[D", b"\x1b[1;2D", b"\x1b[3~"
    with started(record, "spoken") as terminal:
        kitty(terminal)
        terminal.type(left + left + shift_left)
        terminal.wait_to_see(b"Esc")
        terminal.type(b"\x1b")
        terminal.look(0.5)
        terminal.type(left + left + b"e")
        terminal.wait_to_see(b"Ctrl+Z")
        terminal.type(delete * 4 + b"light, too," + DOWN + UP + b"\r")
        edit = Edit(0, "turn the lite on", "turn the light, too, on")
        terminal.wait_for(f"edit {edit}")
        assert terminal.listens() == [], "a space is a space there"


def test_what_is_typed_ahead_goes_into_the_field_that_opens(record: Path) -> None:
    """All in one read, as on a busy machine; behind the field the keys are the page's again."""
    with started(record, "spoken") as terminal:
        kitty(terminal)
        terminal.type(b"mall" + DOWN + UP + b"calm\r" + b"m\x1b[200~pasted\x1b[201~, q\rl")
        terminal.wait_for("note all calm")
        terminal.wait_for("note pasted, q")
        terminal.wait_for_calls("True")
        terminal.type(b"/all the light")  # an L would stop listening, an A copy
        terminal.look(0.5)
        terminal.wait_for_calls("True")
        terminal.type(b"\x1b")
        terminal.look(0.5)
        terminal.type(b"l")
        terminal.wait_for_calls("True", "False")


def test_a_paragraph_is_edited_in_one_read(record: Path) -> None:
    left, delete = b"\x1b[D", b"\x1b[3~"
    with started(record, "spoken") as terminal:
        kitty(terminal)
        terminal.type(left * 2 + b"e" + delete * 4 + b"lamps, all," + DOWN + UP + b"\r" + b"u")
        edit = Edit(0, "turn the lite on", "turn the lamps, all, on")
        terminal.wait_for(f"edit {edit}")
        terminal.wait_for(f"edit {Edit(0, edit.text, edit.was)}")
        assert terminal.listens() == []


def test_a_key_that_is_never_let_go_stops_by_itself(record: Path) -> None:
    """Its release may get lost: in a terminal that was left, on a line that broke."""
    chosen(record, "[talk]\nlongest_hold_s = 5\n")
    with started(record) as terminal:
        kitty(terminal)
        terminal.type(DOWN)
        terminal.wait_for_calls("True")
        for _ in range(12):
            terminal.look(0.5)
            terminal.type(REPEAT)
        terminal.wait_for_calls("True", "False")
        terminal.type(UP)
        terminal.look(0.3)
        terminal.wait_for_calls("True", "False")
