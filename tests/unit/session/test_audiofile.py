"""The WAV file at its limits."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import pytest

from voxtui.session.audiofile import MOST_BYTES, AudioFile, audio_seconds, wav_header
from voxtui.session.errors import SessionError


def test_an_empty_file_is_valid(tmp_path: Path) -> None:
    file = AudioFile(tmp_path / "a.wav")
    with wave.open(str(file.path)) as opened:
        assert opened.getnframes() == 0
    file.close()
    file.close()


def test_the_largest_file_is_told_as_it_is() -> None:
    header = wav_header(MOST_BYTES - 1)
    assert len(header) == 44
    assert int.from_bytes(header[4:8], "little") == MOST_BYTES - 1 + 36
    assert int.from_bytes(header[40:44], "little") == MOST_BYTES - 1


def test_more_than_a_file_holds_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    file = AudioFile(tmp_path / "a.wav", most_bytes=10)
    file.append(bytes(8))
    with pytest.raises(SessionError, match="begin a new session"):
        file.append(bytes(4))
    assert file.append(b"\1\0") == 5
    file.close()
    with wave.open(str(file.path)) as opened:
        assert opened.getnframes() == 5


def test_sound_behind_the_header_is_not_counted(tmp_path: Path) -> None:
    file = AudioFile(tmp_path / "a.wav")
    file.append(bytes(32000))
    with file.path.open("ab") as torn:
        torn.write(bytes(99))
    assert audio_seconds(file.path) == 1.0
    file.close()


def test_a_file_cut_short_is_as_long_as_it_is(tmp_path: Path) -> None:
    file = AudioFile(tmp_path / "a.wav")
    file.append(bytes(32000))
    os.truncate(file.path, 44 + 16000)
    assert audio_seconds(file.path) == 0.5
    file.path.write_bytes(b"RIFF")
    assert audio_seconds(file.path) == 0.0
    assert audio_seconds(tmp_path / "none.wav") == 0.0
    file.close()
