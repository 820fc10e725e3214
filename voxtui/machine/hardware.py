"""Memory, processor, cores, disk, and whether there is a graphics processor."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ASK_TIMEOUT_S = 2.0

_X86 = (
    ("AVX2", {"avx2", "fma"}),
    ("AVX-512", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    ("VNNI", {"avx512_vnni"}),
    ("AVX-VNNI", {"avx_vnni"}),
    ("BF16", {"avx512_bf16"}),
    ("AMX", {"amx_tile", "amx_int8"}),
)
_ARM = (
    ("NEON", {"asimd"}),
    ("dot product", {"asimddp"}),
    ("I8MM", {"i8mm"}),
    ("BF16", {"bf16"}),
    ("SVE", {"sve"}),
)
_APPLE = (
    ("NEON", "hw.optional.AdvSIMD"),
    ("dot product", "hw.optional.arm.FEAT_DotProd"),
    ("I8MM", "hw.optional.arm.FEAT_I8MM"),
    ("BF16", "hw.optional.arm.FEAT_BF16"),
)
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the machine has. Sizes are bytes; 0 and "" mean that it cannot be told."""

    system: str
    """ "Debian GNU/Linux 12 (bookworm)", "macOS 15.1"."""
    processor: str
    architecture: str
    """ "x86_64", "arm64", "aarch64"."""
    instructions: tuple[str, ...]
    """Of those that make the engine fast, what this processor has: "AVX2", "VNNI", "NEON" …"""
    cores: int
    """That this process may use: affinity and container limits count."""
    memory: int
    """Physical memory, or the container's limit."""
    memory_available: int
    """What could be taken now without pushing others out."""
    gpu: str
    """A graphics processor by name. Whether the engine can use it is another question."""


@functools.cache
def hardware() -> Hardware:
    """This machine. Takes some milliseconds the first time; where a driver is asked, longer."""
    memory, available = _memory()
    return Hardware(
        system=_system(),
        processor=_processor(),
        architecture=platform.machine(),
        instructions=_instructions(),
        cores=_cores(),
        memory=memory,
        memory_available=available,
        gpu=_gpu(),
    )


def memory_available() -> int:
    """Bytes that could be taken now without pushing others out; 0 when it cannot be told."""
    return _memory()[1]


def disk_free(path: Path) -> int:
    """Bytes this user may still write where `path` is or would be; 0 when it cannot be told."""
    for folder in (path, *path.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue
    return 0


# ---- system and processor --------------------------------------------------------------------


def _system() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}".strip()
    with contextlib.suppress(OSError):
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{platform.system()} {platform.release()}".strip()


def _processor() -> str:
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string")
    names = ("model name", "Hardware", "Model")
    for name in names:
        value = _cpuinfo(name)
        if value:
            return _plain_name(value)
    return _arm_maker()


def _plain_name(name: str) -> str:
    """ "Intel(R) Xeon(R) Processor @ 2.1GHz" without what nobody says."""
    for noise in ("(R)", "(TM)", "(r)", "(tm)", "CPU", "Processor"):
        name = name.replace(noise, " ")
    return " ".join(name.partition("@")[0].split())


def _arm_maker() -> str:
    makers = {
        "0x41": "ARM",
        "0x61": "Apple",
        "0x51": "Qualcomm",
        "0xc0": "Ampere",
        "0x4e": "NVIDIA",
    }
    maker = makers.get(_cpuinfo("CPU implementer").lower(), "")
    return f"{maker} processor" if maker else platform.machine()


def _cpuinfo(key: str) -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        name, colon, value = line.partition(":")
        if colon and name.strip() == key:
            return value.strip()
    return ""


def _instructions() -> tuple[str, ...]:
    if sys.platform == "darwin":
        if platform.machine() == "arm64":
            return tuple(name for name, key in _APPLE if _sysctl(key) == "1")
        flags = set(
            f"{_sysctl('machdep.cpu.features')} {_sysctl('machdep.cpu.leaf7_features')}".lower()
            .replace("avx512_", "avx512")
            .split()
        )
        return _named(_X86, flags)
    flags = set(f"{_cpuinfo('flags')} {_cpuinfo('Features')}".split())
    return _named(_X86, flags) + _named(_ARM, flags)


def _named(known: Iterable[tuple[str, set[str]]], flags: set[str]) -> tuple[str, ...]:
    return tuple(name for name, needed in known if needed <= flags)


def _cores() -> int:
    try:
        usable = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        usable = os.cpu_count() or 1
    quota = _cpu_quota()
    return max(1, min(usable, quota)) if quota else usable


def _cpu_quota() -> int:
    """Whole cores of a container's limit, 0 without one."""
    words = _text(Path("/sys/fs/cgroup/cpu.max")).split()
    if len(words) != 2 or not words[0].isdigit():
        quota = _text(Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"))
        words = [quota, _text(Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))]
    if not all(word.isdigit() and int(word) for word in words):
        return 0
    return -(-int(words[0]) // int(words[1]))


# ---- memory ----------------------------------------------------------------------------------


def _memory() -> tuple[int, int]:
    """All of it, and what is available."""
    if sys.platform == "darwin":
        total = int(_sysctl("hw.memsize") or 0)
        return total, total // 2  # the system gives back what it caches; half is a fair guess
    found = {}
    for line in _text(Path("/proc/meminfo")).splitlines():  # never from before: it changes
        name, _, value = line.partition(":")
        if value.strip().endswith("kB"):
            found[name] = int(value.split()[0]) * 1024
    total, available = found.get("MemTotal", 0), found.get("MemAvailable", 0)
    for limit, left in _memory_limits():
        total, available = min(total, limit), min(available, left)
    return total, available


def _memory_limits() -> Iterator[tuple[int, int]]:
    """Limits on this process's group and those above it, and what is left of each.

    Files that are kept in memory count as used there, but those that nobody has mapped make room
    when it is needed.
    """
    for folder, (limit, used, prefix) in _memory_groups():
        value = _text(folder / limit)
        if not value.isdigit() or int(value) >= _NO_LIMIT:
            continue
        found = {}
        for line in _text(folder / "memory.stat").splitlines():
            name, _, size = line.partition(" ")
            if size.isdigit():
                found[name] = int(size)
        kept = found.get(prefix + "inactive_file", 0) + found.get(prefix + "active_file", 0)
        mapped = found.get(prefix + ("mapped_file" if prefix else "file_mapped"), 0)
        current = _text(folder / used)
        taken = (int(current) if current.isdigit() else 0) - max(0, kept - mapped)
        yield int(value), max(0, int(value) - max(0, taken))


_GROUPS = Path("/sys/fs/cgroup")
_NEW = ("memory.max", "memory.current", "")
_OLD = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
"""The files of a limit and of what is used, and how the names in memory.stat begin."""


def _memory_groups() -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """Folders of this process's groups, of both versions; a container's own is at the top."""
    yield _GROUPS, _NEW
    yield _GROUPS / "memory", _OLD
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        top, kind = (_GROUPS / "memory", _OLD) if controllers else (_GROUPS, _NEW)
        if controllers and "memory" not in controllers.split(","):
            continue
        folder = top / group.lstrip("/")
        while folder != top:
            yield folder, kind
            folder = folder.parent


# ---- graphics processors ---------------------------------------------------------------------


def _gpu() -> str:
    if sys.platform == "darwin":
        return f"{_processor()} GPU" if platform.machine() == "arm64" else ""
    for folder in sorted(Path("/proc/driver/nvidia/gpus").glob("*")):
        for line in _lines(folder / "information"):
            if line.startswith("Model:"):
                return "NVIDIA " + line.partition(":")[2].strip().removeprefix("NVIDIA ")
    if Path("/dev/nvidia0").exists() and shutil.which("nvidia-smi"):
        name = _ask("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
        if name:
            return name.splitlines()[0]
    return _drm_maker()


def _drm_maker() -> str:
    makers = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
    found = {
        makers.get(_text(card / "device" / "vendor").lower(), "")
        for card in Path("/sys/class/drm").glob("card[0-9]")
    }
    for maker in ("NVIDIA", "AMD", "Intel"):
        if maker in found:
            return f"{maker} graphics"
    return ""


# ---- asking ----------------------------------------------------------------------------------


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


@functools.cache
def _lines(path: Path) -> tuple[str, ...]:
    return tuple(_text(path).splitlines())


def _sysctl(name: str) -> str:
    """A value that macOS's kernel knows, as text; "" when it does not."""
    try:
        libc = ctypes.CDLL(None)
        size = ctypes.c_size_t(0)
        key = name.encode()
        if libc.sysctlbyname(key, None, ctypes.byref(size), None, ctypes.c_size_t(0)):
            return ""
        buffer = ctypes.create_string_buffer(size.value)
        if libc.sysctlbyname(key, buffer, ctypes.byref(size), None, ctypes.c_size_t(0)):
            return ""
    except (AttributeError, OSError):
        return ""
    raw = buffer.raw[: size.value]
    if size.value in (4, 8):
        return str(int.from_bytes(raw, sys.byteorder))
    return raw.rstrip(b"\0").decode(errors="replace").strip()


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
