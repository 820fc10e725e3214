"""`voxtui doctor`: looks at everything a session needs, and says what to do."""

from __future__ import annotations

import json
import platform
import sys

import click

import voxtui
from voxtui.cli.common import load_settings, model_option, write
from voxtui.doctor import Finding, Patient, State, checks
from voxtui.doctor import terminal as asked

SIGNS = {State.OK: "ok", State.NOTE: "note", State.BROKEN: "BROKEN", State.UNKNOWN: "?"}
COLOURS = {State.OK: "green", State.NOTE: "yellow", State.BROKEN: "red", State.UNKNOWN: "cyan"}
WIDTH = 11


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For programs and reports.")
@click.option("--device", metavar="NAME", help="Microphone, as `voxtui devices` names it.")
@click.option("--no-microphone", is_flag=True, help="Do not listen.")
@model_option
def command(as_json: bool, device: str | None, no_microphone: bool, model: str | None) -> int:
    """Look at terminal, clipboard, microphone, engine, model and files, and say what to do.

    Listens for two seconds, copies a word and puts back what was on the clipboard, and writes a
    short recording to measure the speed. The exit code is 1 when something needed is broken.
    """
    from voxtui.audio.microphone import MicrophoneSource

    settings = load_settings()
    audio = settings.audio
    devices = audio.device if device is None else (device,)
    patient = Patient(
        settings,
        None if no_microphone else lambda: MicrophoneSource(devices, audio.gain_db),
        model or settings.engine.model,
        answers=asked.ask(),
    )
    found = []
    for check in checks(patient):
        if not as_json and sys.stderr.isatty():
            click.echo(f"{'…':6} {check.what}\r", nl=False, err=True)
        finding = check.run()
        found.append(finding)
        if not as_json:
            _show(finding)
    broken = [finding for finding in found if finding.state is State.BROKEN]
    if as_json:
        report = {
            "voxtui": voxtui.__version__,
            "python": platform.python_version(),
            "ok": not broken,
            "findings": [finding.as_json() for finding in found],
        }
        write(json.dumps(report, ensure_ascii=False, indent=1, default=str) + "\n")
    elif broken:
        write(f"\nNot working: {', '.join(finding.what for finding in broken)}.\n")
    else:
        write("\nAll that is needed works.\n")
    return 1 if broken else 0


def _show(finding: Finding) -> None:
    sign = SIGNS[finding.state]
    if sys.stdout.isatty():
        sign = click.style(f"{sign:6}", fg=COLOURS[finding.state])
    write(f"{sign:6} {finding.what:{WIDTH}} {finding.told}\n")
    if finding.fix and finding.state is not State.OK:
        write(f"{'':6} {'':{WIDTH}} → {finding.fix}\n")
