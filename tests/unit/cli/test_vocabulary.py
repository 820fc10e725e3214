"""`voxtui vocabulary`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.unit.cli.conftest import Result

Run = Callable[..., Result]


def test_rules_are_added_shown_tried_and_removed(run: Run, home: Path, tmp_path: Path) -> None:
    assert run("vocabulary", "add", "cooper netties", "Kubernetes").code == 0
    assert run("vocabulary", "add", "um", "").code == 0
    assert json.loads(run("vocabulary", "list", "--json").out) == [
        {"heard": "cooper netties", "written": "Kubernetes"},
        {"heard": "um", "written": ""},
    ]
    assert "(left out)" in run("vocabulary").out
    text = tmp_path / "text"
    text.write_text("Um, so cooper netties.\n  Two\n\n")
    assert run("vocabulary", "try", text).out == " so Kubernetes.\n  Two\n\n"
    assert run("vocabulary", "remove", "UM").code == 0
    assert run("vocabulary", "remove", "um").code == 2
    assert run("vocabulary", "path").out.strip() == str(home / "config" / "vocabulary.txt")


def test_what_is_wrong_is_named(run: Run, home: Path) -> None:
    wrong = run("vocabulary", "add", "a, b", "c")
    assert wrong.code == 2
    assert "no rule" in wrong.err
    path = home / "config" / "vocabulary.txt"
    path.parent.mkdir(parents=True)
    path.write_text("good = better\nbad\n")
    checked = run("vocabulary", "check")
    assert checked.code == 2
    assert "line 2" in checked.err
    listed = run("vocabulary", "list")
    assert "better" in listed.out
    assert "line 2" in listed.err
