"""Java archives come whole or not at all; a Maven that is not one shows it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import java, maven
from tests.harness.server import ServerUnavailable

REPOSITORY = Path(__file__).resolve().parents[3]

# Writes two archives where it is told to, the second when the file `hold` is gone.
MAVEN = """\
#!/bin/sh
here=$(dirname "$0")
for word in "$@"; do case $word in -DoutputDirectory=*) out=${word#*=};; esac; done
mkdir -p "$out"
echo once >> "$here/runs"
touch "$out/b.jar"
while [ -e "$here/hold" ]; do sleep 0.02; done
touch "$out/a.jar"
"""
FETCH = "from tests.harness import maven; maven.jars('thing', 'some:thing:1')"


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder with the false Maven, which is first on the path, and a cache that is empty."""
    folder = tmp_path / "programs"
    folder.mkdir()
    write_program(folder / "mvn", MAVEN)
    write_program(folder / "java", "#!/bin/sh\necho 'openjdk version \"17.0.1\"'\n")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("OPENDRS_TEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(maven, "PAUSE_S", 0)
    yield folder


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def names(jars: tuple[Path, ...]) -> list[str]:
    return [jar.name for jar in jars]


def runs(programs: Path) -> int:
    return len((programs / "runs").read_text().splitlines())


def test_archives_are_fetched_once_and_in_order(programs: Path) -> None:
    assert names(maven.jars("thing", "some:thing:1")) == ["a.jar", "b.jar"]
    assert names(maven.jars("thing", "some:thing:1")) == ["a.jar", "b.jar"]
    assert runs(programs) == 1
    maven.jars("thing", "some:thing:2")
    assert runs(programs) == 2


def test_two_processes_at_once_fetch_once(programs: Path) -> None:
    (programs / "hold").touch()
    both = [subprocess.Popen([sys.executable, "-c", FETCH], cwd=REPOSITORY) for _ in range(2)]
    while not (programs / "runs").exists():
        time.sleep(0.02)
    time.sleep(0.5)  # for the other to come
    (programs / "hold").unlink()
    assert [process.wait() for process in both] == [0, 0]
    assert runs(programs) == 1
    assert names(maven.jars("thing", "some:thing:1")) == ["a.jar", "b.jar"]


def test_a_fetch_that_was_killed_is_made_anew(programs: Path, tmp_path: Path) -> None:
    (programs / "hold").touch()
    with subprocess.Popen([sys.executable, "-c", FETCH], cwd=REPOSITORY) as fetching:
        while not list(tmp_path.glob("cache/jars/.*/libs/b.jar")):
            assert fetching.poll() is None
        fetching.kill()
    (programs / "hold").unlink()
    jars = maven.jars("thing", "some:thing:1")
    assert names(jars) == ["a.jar", "b.jar"]
    assert [path.name for path in jars[0].parents[1].iterdir()] == ["libs"]
    assert runs(programs) == 2


def test_a_refusal_is_told(programs: Path) -> None:
    write_program(programs / "mvn", "#!/bin/sh\necho once >> $(dirname $0)/runs\necho 'no such thing'\nexit 1\n")
    with pytest.raises(ServerUnavailable, match=r"(?s)could not get some:thing:1.*no such thing"):
        maven.jars("thing", "some:thing:1")
    assert runs(programs) == maven.ATTEMPTS


def test_no_maven_is_told(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (programs / "mvn").unlink()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(ServerUnavailable, match="no mvn command"):
        maven.jars("thing", "some:thing:1")


@pytest.mark.parametrize(
    ("said", "release"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('java version "1.8.0_292"', 8),
        ("Unrecognized option: -version", 0),
    ],
)
def test_a_java_that_is_too_old_is_told(said: str, release: int, programs: Path) -> None:
    write_program(programs / "java", f"#!/bin/sh\necho '{said}' >&2\n")
    if release >= java.RELEASE_MIN:
        assert java.find() == java.Java(programs / "java", f"{said}\n")
    else:
        with pytest.raises(ServerUnavailable, match=r"no java of release 17 or newer.* is ") as caught:
            java.find()
        assert said in str(caught.value)


def test_the_java_of_java_home_comes_first(programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert java.find().program == programs / "java"  # there is none in the home
    (tmp_path / "home" / "bin").mkdir(parents=True)
    write_program(tmp_path / "home" / "bin" / "java", "#!/bin/sh\necho 'openjdk version \"21.0.1\"'\n")
    assert java.find().program == tmp_path / "home" / "bin" / "java"


def test_no_java_is_told(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs.parent))
    with pytest.raises(ServerUnavailable, match="no java of release 17 or newer: none"):
        java.find()
