"""What is said of machines that are described by the files of their kernels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from voxtui.machine import hardware as module
from voxtui.machine.hardware import disk_free, hardware, memory_available

SERVER = {
    "/proc/cpuinfo": (
        "processor : 0\nmodel name : Intel(R) Xeon(R) Gold 6430 CPU @ 2.10GHz\n"
        "flags : fpu avx2 fma avx512f avx512bw avx512dq avx512vl avx512_vnni avx512_bf16\n"
    ),
    "/proc/meminfo": "MemTotal: 24684092 kB\nMemFree: 100 kB\nMemAvailable: 20000000 kB\n",
}
BOARD = {
    "/proc/cpuinfo": ("processor : 0\nFeatures : fp asimd asimddp\nCPU implementer : 0x41\n"),
    "/proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n",
}


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    there: dict[str, str] = {}
    monkeypatch.setattr(module, "_text", lambda path: there.get(str(path), "").strip())
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for cache in (module._lines, module.hardware):
        cache.cache_clear()
    yield there
    monkeypatch.undo()
    for cache in (module._lines, module.hardware):
        cache.cache_clear()


def test_a_server(files: dict[str, str]) -> None:
    files.update(SERVER)
    found = hardware()
    assert found.processor == "Intel Xeon Gold 6430"
    assert found.instructions == ("AVX2", "AVX-512", "VNNI", "BF16")
    assert (found.memory, found.memory_available) == (24684092 * 1024, 20000000 * 1024)
    assert found.cores == 8


def test_a_small_board(files: dict[str, str]) -> None:
    files.update(BOARD)
    found = hardware()
    assert found.processor == "ARM processor"
    assert found.instructions == ("NEON", "dot product")


def test_half_of_a_set_of_instructions_is_none(files: dict[str, str]) -> None:
    files["/proc/cpuinfo"] = "flags : avx2 avx512f\n"
    assert hardware().instructions == ()


@pytest.mark.parametrize(
    "limit",
    [
        {"memory.max": "4000000000", "memory.current": "1000000000", "cpu.max": "150000 100000"},
        {
            "memory/memory.limit_in_bytes": "4000000000",
            "memory/memory.usage_in_bytes": "1000000000",
            "cpu/cpu.cfs_quota_us": "150000",
            "cpu/cpu.cfs_period_us": "100000",
        },
    ],
)
def test_a_containers_limits_count(files: dict[str, str], limit: dict[str, str]) -> None:
    files.update(SERVER)
    files.update({f"/sys/fs/cgroup/{name}": value for name, value in limit.items()})
    found = hardware()
    assert (found.memory, found.memory_available) == (4_000_000_000, 3_000_000_000)
    assert found.cores == 2


@pytest.mark.parametrize("group", ["/", "/user.slice/app", "/not/seen/here"])
def test_files_in_memory_make_room(files: dict[str, str], group: str) -> None:
    """But for those that are mapped: the weights in use. The least of several limits counts."""
    files.update(SERVER)
    files["/proc/self/cgroup"] = f"0::{group}\n"
    files["/sys/fs/cgroup/memory.max"] = "4000000000"
    files["/sys/fs/cgroup/memory.current"] = "3900000000"
    files["/sys/fs/cgroup/memory.stat"] = (
        "anon 500000000\ninactive_file 1000000000\nactive_file 2400000000\nfile_mapped 1400000000\n"
    )
    assert memory_available() == 2_100_000_000
    files["/sys/fs/cgroup/user.slice/memory.max"] = "2000000000"
    files["/sys/fs/cgroup/user.slice/memory.current"] = "1900000000"
    inside = group == "/user.slice/app"
    assert memory_available() == (100_000_000 if inside else 2_100_000_000)
    assert hardware().memory == (2_000_000_000 if inside else 4_000_000_000)


def test_files_in_memory_make_room_in_older_groups(files: dict[str, str]) -> None:
    files.update(SERVER)
    files["/proc/self/cgroup"] = "5:cpu,cpuacct:/a\n4:memory:/docker/x\n"
    folder = "/sys/fs/cgroup/memory/docker/x/memory"
    files[f"{folder}.limit_in_bytes"] = "4000000000"
    files[f"{folder}.usage_in_bytes"] = "3900000000"
    files[f"{folder}.stat"] = "cache 9\ntotal_inactive_file 2000000000\ntotal_mapped_file 500000000"
    assert memory_available() == 1_600_000_000


def test_what_is_free_is_asked_each_time(files: dict[str, str]) -> None:
    files.update(SERVER)
    assert memory_available() == 20000000 * 1024
    files["/proc/meminfo"] = "MemTotal: 24684092 kB\nMemAvailable: 1000 kB\n"
    assert memory_available() == 1000 * 1024


def test_no_limit_is_no_limit(files: dict[str, str]) -> None:
    files.update(SERVER)
    files.update({"/sys/fs/cgroup/memory.max": "max", "/sys/fs/cgroup/cpu.max": "max 100000"})
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712"
    files["/sys/fs/cgroup/cpu/cpu.cfs_quota_us"] = "-1"
    assert (hardware().memory, hardware().cores) == (24684092 * 1024, 8)


def test_a_machine_that_tells_nothing(files: dict[str, str]) -> None:
    found = hardware()
    assert (found.memory, found.instructions) == (0, ())
    assert found.cores >= 1
    assert found.processor


def test_free_disk_where_the_folder_is_not_made_yet(tmp_path: Path) -> None:
    assert disk_free(tmp_path / "not" / "yet") == pytest.approx(disk_free(tmp_path), rel=0.05)
