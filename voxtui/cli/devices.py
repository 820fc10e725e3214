"""`voxtui devices`: the microphones by the names that --device takes."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from voxtui.audio.devices import list_devices
from voxtui.audio.source import AudioError
from voxtui.cli.common import Failure, write


@click.command("devices")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(as_json: bool) -> int:
    """List the microphones; * marks the one that is used when none is named."""
    try:
        devices = list_devices()
    except AudioError as error:
        raise Failure(str(error)) from error
    if as_json:
        write(json.dumps([asdict(device) for device in devices], ensure_ascii=False) + "\n")
        return 0
    if not devices:
        raise Failure("There is no microphone: plug one in, or hear a file with --input FILE.")
    width = max(len(device.id) for device in devices)
    for device in devices:
        mark = "*" if device.default else " "
        plural = "channel" if device.channels == 1 else "channels"
        write(f"{mark} {device.id:{width}}  {device.rate:g} Hz, {device.channels} {plural}\n")
    return 0
