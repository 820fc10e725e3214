"""`voxtui doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voxtui.cli.main import run_command
from voxtui.doctor import Check, Finding, State


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Finding]:
    """A machine where all is well, but for what a test changes."""
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    found = [Finding("engine", State.OK, "It runs."), Finding("keys", State.NOTE, "So.", "Do it.")]

    def checks(patient: object) -> list[Check]:
        return [Check(one.what, lambda one=one: one) for one in found]

    monkeypatch.setattr("voxtui.cli.doctor.checks", checks)
    return found


def test_what_is_well_and_what_could_be_better(
    healthy: list[Finding], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out == (
        "ok     engine      It runs.\n"
        "note   keys        So.\n"
        "                   → Do it.\n"
        "\nAll that is needed works.\n"
    )


def test_something_broken_shows_in_the_exit_code(
    healthy: list[Finding], capsys: pytest.CaptureFixture[str]
) -> None:
    healthy.append(Finding("disk", State.BROKEN, "Full.", "Make room."))
    assert run_command(["doctor"]) == 1
    assert capsys.readouterr().out.endswith("Not working: disk.\n")
    assert run_command(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert [one["state"] for one in report["findings"]] == ["ok", "note", "broken"]
    assert report["findings"][2]["fix"] == "Make room."


def test_the_real_checks_make_a_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    run_command(["doctor", "--json", "--no-microphone", "--model", "tiny"])
    findings = {one["what"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["speed"]["facts"]["speed"] > 0
    assert "microphone" not in findings
