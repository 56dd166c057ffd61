"""Servers and folders of processes that died are cleared up, and nobody else's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness import Server, create
from tests.harness.fixtures import StartServer
from tests.harness.proc import Process, boot_id, process
from tests.harness.workplace import RECORDS, workplace

REPOSITORY = Path(__file__).resolve().parents[3]

# Starts a server, says where it is, and waits to be killed.
CHILD = """
import json, sys, time
from tests.harness import Options, create
server = create(sys.argv[1], Options(detach=sys.argv[2] == "detached"))
server.start()
print(json.dumps([server.pid, str(server.folder.parent), server.port]), flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of all folders for this test alone: other runs on this machine clear up too."""
    workplace()  # this process's own folder stays where it always is
    temporary = Path(tempfile.mkdtemp(prefix="own-", dir="/tmp"))
    temporary.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield temporary / f"opendrs-harness-{os.geteuid()}"
    workplace()
    shutil.rmtree(temporary)


def start_and_kill_owner(name: str, how: str) -> tuple[Process, Path]:
    """(the server, its owner's folder), after the owner was killed."""
    owner = subprocess.Popen([sys.executable, "-c", CHILD, name, how], cwd=REPOSITORY, stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout
        pid, folder, _ = json.loads(owner.stdout.readline())
        server = process(pid)
        assert server
        assert server.alive()
        workplace()  # clears up
        assert server.alive(), "its owner lives"
        owner.kill()
    return server, Path(folder)


def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("name", ["mariadb", "mysql", "postgres15"])
def test_a_server_dies_with_the_process_that_started_it(name: str) -> None:
    server, folder = start_and_kill_owner(name, "tied")
    assert until(lambda: not server.alive())
    assert folder.is_dir()
    workplace()
    assert not folder.exists()


@pytest.mark.parametrize("name", ["mariadb", "postgres15"])
def test_a_detached_server_lives_until_the_next_start(name: str) -> None:
    server, folder = start_and_kill_owner(name, "detached")
    time.sleep(0.5)
    assert server.alive()
    with create("mariadb"):
        assert not server.alive()
        assert not folder.exists()


def test_killed_postgres_servers_leave_no_shared_memory(start_server: StartServer) -> None:
    def segment(data: Path) -> str:
        """The id of the server's segment, as /proc/sysvipc/shm has it."""
        return (data / "postmaster.pid").read_text().splitlines()[6].split()[1]

    def exists(segment: str) -> bool:
        rows = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        return segment in [row.split()[1] for row in rows]

    server = start_server("postgres15")
    own = segment(server.data)
    assert exists(own)
    server.kill()
    assert exists(own)
    server.close()
    assert not exists(own)

    _, folder = start_and_kill_owner("postgres15", "detached")
    others = segment(next(folder.glob("postgres-15-*")) / "data")
    assert exists(others)
    workplace()
    assert not exists(others)


def test_a_number_that_was_given_away_again_is_not_killed(root: Path) -> None:
    """A record of a dead owner names the process id of a stranger, with another start time."""
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        dead = root / "1-dead"
        (dead / RECORDS).mkdir(parents=True)
        (dead / RECORDS / "mariadb-1").write_text(f"{stranger.pid} 12345 {boot_id()}\n")
        (dead / RECORDS / "mariadb-2").write_text("torn")
        workplace()
        assert not dead.exists()
        assert stranger.poll() is None
        now = process(stranger.pid)
        assert now
        (dead / RECORDS).mkdir(parents=True)
        (dead / RECORDS / "mariadb-1").write_text(f"{stranger.pid} {now.start_ticks} {boot_id()}\n")
        workplace()
        assert stranger.wait(5) == -signal.SIGKILL
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_outlives_the_thread_that_started_it() -> None:
    servers: list[Server] = []

    def start() -> None:
        servers.append(create("mariadb").__enter__())

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert servers[0].execute("SELECT 1") == [(1,)]
    servers[0].close()


def test_a_closed_server_leaves_nothing(start_server: StartServer) -> None:
    server = start_server("postgres15")
    folder, pid = server.data.parent, server.pid
    server.close()
    server.close()
    assert not folder.exists()
    assert process(pid) is None
    assert not (workplace().path / RECORDS / folder.name).exists()


def test_a_crashed_server_can_be_started_again(start_server: StartServer) -> None:
    server = start_server("mariadb")
    server.create_database("shop")
    os.kill(server.pid, signal.SIGKILL)  # not through the harness
    assert until(lambda: not server.running)
    server.start()
    assert ("shop",) in server.execute("SHOW DATABASES")


def test_the_command_line_ends_its_servers() -> None:
    argv = [sys.executable, "-m", "tests.harness", "mariadb", "postgres15"]
    with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout
        lines = []
        for line in command.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        text = "".join(lines)
        pids = [int(word.split()[1].rstrip(",")) for word in text.split(", ") if word.startswith("pid")]
        assert len(pids) == 2
        assert "mysql://opendrs:" in text
        assert "postgresql://opendrs:" in text
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=60)
    assert command.returncode == 0
    assert [process(pid) for pid in pids] == [None, None]
