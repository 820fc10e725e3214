"""What `scripts/run` says on machines that lack something."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = ("sh", "id", "uname", "basename", "rm")
"""What every machine has."""


class Machine:
    """Has only the programs that are put there; nobody is root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in HERE:
            found = shutil.which(name)
            assert found is not None
            (folder / name).symlink_to(found)
        self.add("id", "echo 1000")
        self.add("uname", "echo Linux")

    def add(self, name: str, does: str = "exit 0") -> None:
        program = self.folder / name
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)

    def says(self, step: str) -> str:
        done = subprocess.run(
            [
                "sh",
                "-c",
                f'ROOT=.; VENV={self.folder}/venv; . scripts/common.sh; {step}; echo "$PYTHON"',
            ],
            cwd=ROOT,
            env={"PATH": str(self.folder), "LANG": os.environ.get("LANG", "C")},
            capture_output=True,
            text=True,
            check=False,
        )
        return (done.stdout if done.returncode == 0 else done.stderr).strip()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "bin")


OLD = "echo Python 3.10; exit 1"
NEEDED = "voxtui: Python 3.11 or newer is needed. "


def test_a_system_whose_python_is_old_is_told_the_package_that_is_new_enough(
    machine: Machine,
) -> None:
    """Ubuntu 22.04: `apt install python3` would change nothing."""
    machine.add("python3", OLD)
    machine.add("apt-get")
    machine.add("apt-cache", '[ "$2" = python3.11-venv ]')
    told = machine.says("need_python")
    assert told == f"{NEEDED}Type: sudo apt install python3.11 python3.11-venv"


def test_a_system_without_a_newer_python_is_told_where_it_is(machine: Machine) -> None:
    machine.add("python3", OLD)
    machine.add("apt-get")
    machine.add("apt-cache", "exit 100")
    assert "https://www.python.org/downloads/" in machine.says("need_python")
    machine.add("python3.12")
    assert machine.says("need_python").endswith("/python3.12")


@pytest.mark.parametrize(
    ("manager", "python", "compiler"),
    [
        ("apt-get", "", "Type: sudo apt install gcc libc6-dev"),
        ("dnf", "Type: sudo dnf install python3.12", "Type: sudo dnf install gcc"),
        ("zypper", "Type: sudo zypper install python3.12", "Type: sudo zypper install gcc"),
        ("pacman", "Type: sudo pacman -S python", "Type: sudo pacman -S gcc"),
        ("other", "Install it with the packages", "Install it with the packages"),
    ],
)
def test_each_system_is_told_its_own_command(
    machine: Machine, manager: str, python: str, compiler: str
) -> None:
    machine.add(manager)
    assert python in machine.says("need_python")
    assert compiler in machine.says("need_compiler")
