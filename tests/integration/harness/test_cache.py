"""What the cache holds is whole, whatever happened to its makers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.harness import apt, cache, packages
from tests.harness.commands import CommandFailed
from tests.harness.server import ServerUnavailable

REPOSITORY = Path(__file__).resolve().parents[3]

SLOW_MAKER = """
import sys, time
from pathlib import Path
from tests.harness import cache
def make(folder):
    (folder / "half").touch()
    print("half", flush=True)
    time.sleep(60)
cache.entry(Path(sys.argv[1]), make)
"""


def test_a_killed_maker_leaves_no_entry(tmp_path: Path) -> None:
    place = tmp_path / "entry"
    argv = [sys.executable, "-c", SLOW_MAKER, str(place)]
    with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE) as maker:
        assert maker.stdout
        maker.stdout.readline()
        maker.kill()
    assert not place.exists()
    assert list(tmp_path.glob(".entry.unfinished-*"))
    assert cache.entry(place, lambda folder: (folder / "all").touch()) == place
    assert [file.name for file in place.iterdir()] == ["all"]
    assert not list(tmp_path.glob(".entry.unfinished-*"))


def test_a_failed_maker_leaves_no_entry(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        raise ServerUnavailable("no")

    with pytest.raises(ServerUnavailable):
        cache.entry(tmp_path / "entry", make)
    assert not (tmp_path / "entry").exists()


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        time.sleep(0.2)

    threads = [threading.Thread(target=cache.entry, args=(tmp_path / "entry", make)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_the_cache_goes_where_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENDRS_TEST_CACHE", str(tmp_path))
    assert cache.cache_root() == tmp_path


def test_reachable_by_others(tmp_path: Path) -> None:
    folder = tmp_path / "closed" / "inside"
    folder.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not cache.reachable_by_others(folder)
    assert cache.reachable_by_others(Path("/tmp"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("debian.sources", "Types: deb\nURIs: mirror://here/debian\nSuites: bookworm\nComponents: main\n"),
        ("a.list", "deb [signed-by=/k.gpg] mirror://here/debian bookworm main contrib\n"),
        (
            "b.sources",
            "Enabled: no\nTypes: deb\nURIs: mirror://off/debian\nSuites: x\nComponents: main\n\n"
            "Types: deb\nURIs: mirror://here/debian-security\nSuites: x\nComponents: main\n\n"
            "Types: deb deb-src\nURIs: mirror://here/debian mirror://there/debian\n# why\nSuites: x\nComponents: main\n",
        ),
    ],
)
def test_the_mirror_is_read_from_the_machine(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "0other.list").write_text(
        "deb mirror://tools/apt stable main\n# deb mirror://no/debian a main\n"
    )
    (tmp_path / "sources.list.d" / name).write_text(text)
    monkeypatch.setattr(apt, "SOURCES", tmp_path)
    assert apt.mirror() == "mirror://here/debian"


@pytest.mark.parametrize("failures", [2, 99])
def test_a_mirror_that_fails_for_a_while_is_asked_again(
    failures: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Path] = []

    def download(wanted: apt.Wanted, scratch: Path) -> list[Path]:
        scratch.mkdir()
        asked.append(scratch)
        if len(asked) <= failures:
            raise CommandFailed("404 Not Found")
        return []

    monkeypatch.setattr(apt, "_download", download)
    monkeypatch.setattr(apt, "PAUSE_S", 0)
    wanted = apt.Wanted(suite="sid", packages=("some-server",))
    if failures < apt.ATTEMPTS:
        apt.unpack(wanted, tmp_path / "tree", tmp_path / "scratch")
        assert len(asked) == failures + 1
    else:
        with pytest.raises(ServerUnavailable, match=r"some-server.*404"):
            apt.unpack(wanted, tmp_path / "tree", tmp_path / "scratch")


def test_no_mirror_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apt, "SOURCES", tmp_path)
    with pytest.raises(ServerUnavailable, match="mirror"):
        apt.mirror()


def test_a_python_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ServerUnavailable, match="pgserver is not installed"):
        packages.postgres_16()
