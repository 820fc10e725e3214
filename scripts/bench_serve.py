#!/usr/bin/env python3
"""How many clients `voxtui serve` holds in real time, how late their words are, what each needs.

    .venv/bin/python scripts/bench_serve.py [--clients 1,4,16] [--seconds 12] [--model NAME]
    .venv/bin/python scripts/bench_serve.py --url ws://HOST:8000/v1/realtime --served MODEL

Starts a server, and that many clients at once, each of which sends a bundled recording at the
speed of speech to /v1/realtime and counts the deltas that come back: one stands for 80 ms of sound,
so each tells how late the words of that moment are. "Held" are clients whose last words came at
most a second after their sound. Memory is what the engine processes have for themselves (the
weights are mapped and shared), and the server's own. With --url another server of that protocol is
measured (its key in VOXTUI_REALTIME_KEY), and nothing is known of its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from voxtui import paths  # noqa: E402

CLIP = "demo.wav"
STEP_S = 0.08
STEP = 1280 * 2
HELD_S = 1.0


@dataclass
class Row:
    """One line of the table. Times are seconds, memory MiB."""

    clients: int
    held: int
    median: float
    p95: float
    worst: float
    last_words: float
    engine_each: float
    server: float
    cores_used: float


class Server:
    """`voxtui serve` in a process of its own."""

    def __init__(self, clients: int, options: argparse.Namespace, home: Path) -> None:
        command = [sys.executable, "-m", "voxtui", "serve", "--port", "0"]
        command += ["--clients", str(clients + 1), "--model", options.model]
        command += ["--threads", str(options.threads)]
        environment = {**os.environ, "VOXTUI_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "localhost:" in line:
                self.port = int(line.split("localhost:")[1].split("/")[0])
                break
        else:
            raise SystemExit("the server did not start")
        while self.status()["engine"]["state"] != "ready":
            time.sleep(0.05)

    def status(self) -> dict[str, Any]:
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/status") as answer:
                    found: dict[str, Any] = json.load(answer)
                    return found
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server does not answer")

    def memory(self) -> float:
        """MiB of the server's own process."""
        return resident(self.process.pid)

    def work_s(self) -> float:
        """Seconds of processor time, of the engines too."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return sum(processor_s(pid) for pid in [str(self.process.pid), *found.stdout.split()])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def resident(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(s.split()[1]) / 1024 for s in status.splitlines() if "VmRSS" in s), 0.0)


def processor_s(pid: str) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Heard:
    """One client: how late each delta was, and the `done`."""

    delays: list[float]
    last: float


@dataclass(frozen=True)
class Target:
    """Where the clients go, and the delay of the model there."""

    url: str
    model: str = "voxtral"
    delay_s: float = 0.48


async def client(target: Target, sound: bytes, start_at: float) -> Heard:
    """Speak the recording and listen."""
    key = os.environ.get("VOXTUI_REALTIME_KEY", "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with connect(target.url, max_size=None, additional_headers=headers) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "session.update", "model": target.model}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        await asyncio.sleep(max(0.0, start_at - time.monotonic()))
        began = time.monotonic()

        async def speak() -> None:
            for number, at in enumerate(range(0, len(sound), STEP)):
                due = began + (number + 1) * STEP_S  # a microphone gives it when it has passed
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                data = base64.b64encode(sound[at : at + STEP]).decode()
                await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": data}))
            await socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": True}))

        speaking = asyncio.create_task(speak())
        delays: list[float] = []
        while (event := json.loads(await socket.recv()))["type"] != "transcription.done":
            if event["type"] == "error":
                raise SystemExit(event["error"])
            heard_s = (len(delays) + 1) * STEP_S - target.delay_s
            delays.append(time.monotonic() - began - heard_s)
        await speaking
        return Heard(delays, time.monotonic() - began - len(sound) / 2 / 16000)


async def together(target: Target, count: int, sound: bytes) -> list[Heard]:
    """All clients at once, a little apart as people are."""
    begin = time.monotonic() + 1.0
    tasks = [client(target, sound, begin + 0.5 * n / count) for n in range(count)]
    return list(await asyncio.gather(*tasks))


def measured(count: int, options: argparse.Namespace, sound: bytes) -> Row:
    """One line: a new server and so many clients."""
    with tempfile.TemporaryDirectory() as home:
        server = Server(count, options, Path(home))
        delay_s = server.status()["engine"]["delay_ms"] / 1000
        target = Target(f"ws://127.0.0.1:{server.port}/v1/realtime", delay_s=delay_s)
        try:
            asyncio.run(together(target, count, sound[: 32000 * 2]))  # all engines are warm then
            before, began = server.work_s(), time.monotonic()
            heard = asyncio.run(together(target, count, sound))
            cores = (server.work_s() - before) / (time.monotonic() - began)
            own = [size / (1 << 20) for size in server.status()["engine_memory"]]
            return row_of(heard, sum(own) / len(own), server.memory(), cores)
        finally:
            server.stop()


def row_of(heard: list[Heard], engine_mib: float, server_mib: float, cores: float) -> Row:
    """What the clients heard, as one line."""
    delays = sorted(delay for one in heard for delay in one.delays)
    return Row(
        clients=len(heard),
        held=sum(one.last <= HELD_S for one in heard),
        median=delays[len(delays) // 2],
        p95=delays[int(len(delays) * 0.95)],
        worst=delays[-1],
        last_words=max(one.last for one in heard),
        engine_each=engine_mib,
        server=server_mib,
        cores_used=cores,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", default="1,4,16")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--url", help="another server, in place of one that is started")
    parser.add_argument("--served", default="voxtral", help="the model's name there")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with wave.open(str(paths.clips_dir() / CLIP)) as file:
        sound = file.readframes(file.getnframes())
    sound = (sound * 100)[: round(options.seconds * 16000) * 2]
    rows = []
    print("clients  held  delay: median  95 %  worst  last words  MiB: engine  server  cores")
    for count in map(int, options.clients.split(",")):
        if options.url:
            heard = asyncio.run(together(Target(options.url, options.served), count, sound))
            row = row_of(heard, 0.0, 0.0, 0.0)
        else:
            row = measured(count, options, sound)
        rows.append(row)
        print(
            f"{row.clients:7}  {row.held:4}  {row.median:13.2f}  {row.p95:4.2f}  {row.worst:5.2f}"
            f"  {row.last_words:10.2f}  {row.engine_each:11.1f}  {row.server:6.0f}"
            f"  {row.cores_used:5.2f}",
            flush=True,
        )
    if options.json:
        machine = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        options.json.write_text(
            json.dumps({**machine, "rows": [asdict(r) for r in rows]}, indent=1)
        )


if __name__ == "__main__":
    main()
