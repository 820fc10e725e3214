"""Fetching a model over lines that fail in every way."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import threading
import time
from pathlib import Path

import pytest
from huggingface_hub.utils import close_session

from tests.support.fake_hub import COMMIT, FakeHub, Line
from tests.unit.models.conftest import FILES, MODEL, REPO, WEIGHTS
from voxtui.models import download as module
from voxtui.models.download import (
    Cancelled,
    Download,
    DownloadError,
    Phase,
    Progress,
    forget_part,
    part_size,
)

SIZE = len(FILES[WEIGHTS])
TOTAL = sum(len(data) for data in FILES.values())


def fetch(report: list[Progress] | None = None) -> Path:
    told = report if report is not None else []
    return Download(MODEL, told.append).run()


def refused(*, match: str) -> str:
    with pytest.raises(DownloadError, match=match) as caught:
        fetch()
    sentence = str(caught.value)
    assert sentence.endswith((".", ")", "?"))
    assert "\n" not in sentence
    return sentence


def whole(folder: Path) -> bool:
    return all((folder / name).read_bytes() == data for name, data in FILES.items())


def test_a_model_appears_whole(hub: FakeHub, home: Path) -> None:
    told: list[Progress] = []
    folder = fetch(told)
    assert folder == home / MODEL.name
    assert whole(folder)
    assert not (home / ".partial" / MODEL.name).exists()
    assert told[0].phase is Phase.ASKING
    assert told[-1].phase is Phase.DONE
    assert (told[-1].done, told[-1].total) == (TOTAL, TOTAL)
    record = json.loads((folder / "source.json").read_text())
    by_name = {file["name"]: file for file in record["files"]}
    assert by_name[WEIGHTS]["sha256"] == hashlib.sha256(FILES[WEIGHTS]).hexdigest()
    assert by_name["params.json"]["commit"] == COMMIT


def test_nothing_shows_before_it_is_whole(hub: FakeHub, home: Path) -> None:
    hub.line.stall = threading.Event()
    download = Download(MODEL)
    running = threading.Thread(target=download.run)
    running.start()
    while not hub.sent:
        time.sleep(0.005)
    assert not (home / MODEL.name).exists()
    hub.line.stall.set()
    running.join()
    assert whole(home / MODEL.name)


def test_a_cut_line_goes_on_where_it_ended(hub: FakeHub) -> None:
    hub.line.cuts = [999_999, 999_999, 50_000, 70_000]  # the two small files come first
    told: list[Progress] = []
    assert whole(fetch(told))
    assert [r for r in hub.ranges() if r] == ["bytes=50000-", "bytes=120000-"]
    assert hub.sent == TOTAL
    waits = [progress for progress in told if progress.phase is Phase.WAITING]
    assert waits
    assert "cut" in waits[0].note


def test_a_stopped_one_goes_on_the_next_time(hub: FakeHub, home: Path) -> None:
    hub.line = Line(cuts=[999_999, 999_999, 60_000], refusals=[])
    first = Download(MODEL)
    first._report = lambda p: first.cancel() if p.phase is Phase.WAITING else None
    with pytest.raises(Cancelled):
        first.run()
    assert part_size(MODEL) == TOTAL - SIZE + 60_000
    told: list[Progress] = []
    assert whole(fetch(told))
    assert hub.ranges()[-1] == "bytes=60000-"
    assert Phase.CHECKING in {progress.phase for progress in told}
    assert hub.sent == TOTAL


def test_stopping_does_not_wait_for_a_server_that_is_silent(hub: FakeHub) -> None:
    hub.line.stall = threading.Event()
    download = Download(MODEL)
    caught: list[BaseException] = []

    def run() -> None:
        try:
            download.run()
        except DownloadError as error:
            caught.append(error)

    running = threading.Thread(target=run)
    running.start()
    while download._stream is None:
        time.sleep(0.005)
    download.cancel()
    running.join(10)
    assert not running.is_alive()
    assert isinstance(caught[0], Cancelled)


def test_a_server_without_ranges_begins_anew(hub: FakeHub) -> None:
    hub.line = Line(cuts=[999_999, 999_999, 50_000], ranges=False)
    told: list[Progress] = []
    assert whole(fetch(told))
    assert told[-1].done == TOTAL
    assert max(progress.done for progress in told) == TOTAL


def test_a_server_that_always_cuts_at_the_same_place_is_given_up(hub: FakeHub) -> None:
    hub.line = Line(cuts=[999_999, 999_999] + [50_000] * 20, ranges=False)
    refused(match="cut")
    assert part_size(MODEL) == TOTAL - SIZE + 50_000


def test_wrong_bytes_are_thrown_away(hub: FakeHub, home: Path) -> None:
    hub.line.hashes = {WEIGHTS: "0" * 64}
    refused(match="damaged")
    assert not (home / MODEL.name).exists()
    assert not (home / ".partial" / MODEL.name / WEIGHTS).exists()
    hub.line = Line()
    assert whole(fetch())


def test_a_wrong_small_file_is_noticed_too(hub: FakeHub, home: Path) -> None:
    hub.line.hashes = {"params.json": "0" * 40}
    refused(match=r"params\.json arrived damaged")


def test_a_damaged_part_is_noticed(hub: FakeHub, home: Path) -> None:
    partial = home / ".partial" / MODEL.name
    partial.mkdir(parents=True)
    (partial / WEIGHTS).write_bytes(b"x" * 1000)
    refused(match="damaged")
    assert whole(fetch())


def test_a_part_of_another_version_is_not_used(hub: FakeHub, home: Path) -> None:
    hub.line.cuts = [999_999, 999_999, 60_000]
    first = Download(MODEL)
    first._report = lambda p: first.cancel() if p.phase is Phase.WAITING else None
    with pytest.raises(Cancelled):
        first.run()
    newer = bytes(reversed(FILES[WEIGHTS]))
    hub.files[f"{REPO}/{WEIGHTS}"] = newer
    assert (fetch() / WEIGHTS).read_bytes() == newer


def test_a_server_without_hashes(hub: FakeHub) -> None:
    hub.line.no_hashes = True
    assert whole(fetch())


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_with_faults_of_its_own_is_asked_again(hub: FakeHub, status: int) -> None:
    hub.line = Line(refusals=[status, status], asked_refusals=[status])
    assert whole(fetch())


def test_a_server_may_say_when_to_come_again(hub: FakeHub) -> None:
    hub.line = Line(refusals=[503], retry_after="1")
    told: list[Progress] = []
    fetch(told)
    assert any("in 1 s" in progress.note for progress in told)


def test_in_the_end_a_broken_server_is_given_up(hub: FakeHub) -> None:
    hub.line.refusals = [503] * 50
    refused(match="503")


@pytest.mark.parametrize("part", ["page_for_all", "page_for_bytes"])
def test_a_login_page_is_named(hub: FakeHub, home: Path, part: str) -> None:
    setattr(hub.line, part, True)
    sentence = refused(match="web page")
    assert "localhost" in sentence or "127.0.0.1" in sentence
    assert not list((home / ".partial").glob(f"*/{WEIGHTS}"))


def test_a_page_that_says_it_is_bytes_is_named(hub: FakeHub) -> None:
    page = b"<html>sign in</html>" * 40
    hub.files[f"{REPO}/{WEIGHTS}"] = page
    refused(match="web page")


@pytest.mark.parametrize(
    ("status", "code", "match"),
    [
        (401, "", "sign in"),
        (403, "", "sign in"),
        (403, "GatedRepo", "terms"),
        (404, "RepoNotFound", "HF_ENDPOINT"),
        (404, "EntryNotFound", "newer voxtui"),
        (418, "", "418"),
    ],
)
def test_refusals_are_told(hub: FakeHub, status: int, code: str, match: str) -> None:
    hub.line = Line(asked_refusals=[status] * 9, error_code=code)
    refused(match=match)


def test_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    refused(match="online")


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "ftp://nowhere")
    refused(match="no web address")


def test_offline_mode_is_named(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    refused(match="HF_HUB_OFFLINE")


def test_the_token_goes_to_the_hub_and_no_further(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch()
    for _, path, headers in hub.requests:
        assert ("authorization" in headers) == (not path.startswith("/cdn/"))


def test_a_proxy_is_used(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", hub.url)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    close_session()  # the client reads the environment when it is made
    try:
        assert whole(fetch())
    finally:
        close_session()
    assert any(path.startswith("http://hub.invalid/") for _, path, _ in hub.requests)


def test_all_files_are_of_one_version(hub: FakeHub) -> None:
    fetch()
    asked = [path for method, path, _ in hub.requests if method == "GET" and "/resolve/" in path]
    assert asked
    assert all(f"/resolve/{COMMIT}/" in path for path in asked)


def test_room_is_looked_for_before(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "disk_free", lambda path: 1000)
    refused(match="make room")
    assert not hub.sent


def test_a_full_disk_keeps_the_part(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.Part.write

    def write(self: module.Part, file: object, block: bytes) -> int:
        if self.have > 40_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, file, block)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(module.Part, "write", write)
        refused(match="full")
    have = part_size(MODEL)
    assert have > 40_000
    assert whole(fetch())
    assert hub.sent < 2 * TOTAL


def test_two_at_once_are_one_too_many(hub: FakeHub, home: Path) -> None:
    (home / ".partial").mkdir(parents=True)
    with (home / ".partial" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(match="already")
    assert whole(fetch())


def test_what_is_there_is_not_touched(hub: FakeHub, home: Path) -> None:
    (home / MODEL.name).mkdir(parents=True)
    (home / MODEL.name / "mine.txt").write_text("mine")
    refused(match="there already")
    assert (home / MODEL.name / "mine.txt").read_text() == "mine"


def cache(tmp_path: Path, data: bytes) -> None:
    repo = tmp_path / "cache" / f"models--{REPO.replace('/', '--')}"
    snapshot = repo / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(COMMIT)
    (snapshot / WEIGHTS).write_bytes(data)


def test_what_hugging_face_has_cached_is_taken(hub: FakeHub, tmp_path: Path) -> None:
    cache(tmp_path, FILES[WEIGHTS])
    assert whole(fetch())
    assert hub.sent == TOTAL - SIZE


def test_a_damaged_cache_is_not_used(hub: FakeHub, tmp_path: Path) -> None:
    cache(tmp_path, b"x" * SIZE)
    told: list[Progress] = []
    assert whole(fetch(told))
    assert told[-1].done == TOTAL
    assert (next((tmp_path / "cache").rglob(WEIGHTS))).read_bytes() == b"x" * SIZE


def test_a_slow_line_tells_rate_and_time_left(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPORT_EVERY_S", 0.0)
    hub.line = Line(pause_s=0.01, block=10_000)
    told: list[Progress] = []
    fetch(told)
    slow = [p for p in told if p.phase is Phase.LOADING and p.rate]
    assert slow
    middle = slow[len(slow) // 2]
    assert 0 < middle.rate < 1_100_000
    assert middle.left_s == pytest.approx((middle.total - middle.done) / middle.rate)
    assert [p.done for p in slow] == sorted(p.done for p in slow)


def test_a_part_can_be_given_up(hub: FakeHub, home: Path) -> None:
    hub.line.hashes = {WEIGHTS: "0" * 64}
    refused(match="damaged")
    assert part_size(MODEL) > 0
    assert forget_part(MODEL)
    assert not forget_part(MODEL)
    assert part_size(MODEL) == 0
