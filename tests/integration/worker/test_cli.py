"""The command `opendrs run`, as a process, on a terminal and without one; the work is scripted."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from opendrs.model.lifecycle import State as JobState
from opendrs.settings import State
from opendrs.store import jobs, leases
from opendrs.store.database import Store, open_store
from tests.integration.state_fixtures import SOURCE_PASSWORD, a_job
from tests.integration.worker import fakes
from tests.integration.worker.conftest import PATIENCE_S, ROOT

SOURCE = "mysql://anna@source.example/shop"
TARGET = "postgresql://ben@target.example/shop?tls=disable"
ARGUMENTS = [SOURCE, TARGET, "--tables", "shop.*", "--map", "shop=store"]
CLI = [sys.executable, "-m", "tests.integration.worker.cli_driver"]


@dataclass
class Shell:
    """Runs the command against a state store of its own."""

    tmp: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    screen: str = ""

    @property
    def path(self) -> Path:
        return self.tmp / "state.db"

    @property
    def folder(self) -> Path:
        state = State.read(str(self.path))
        state.prepare()
        return state.folder_of(a_job().id)

    def play(self, *acts: dict[str, Any]) -> None:
        fakes.write_script(self.folder, *acts)

    def command(self, *more: str, base: list[str] | None = None) -> list[str]:
        return [*CLI, "run", *(ARGUMENTS if base is None else base), "--state", str(self.path), *more]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", **more}

    def start(self, *more: str, **environment: str) -> subprocess.Popen[bytes]:
        """Without a terminal."""
        process = subprocess.Popen(
            self.command(*more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=self.environment(**environment),
        )
        self.processes.append(process)
        return process

    def run(self, *more: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*more, **environment)
        out, error = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out.decode(), error.decode()

    def on_terminal(self, *more: str, **environment: str) -> tuple[subprocess.Popen[bytes], int]:
        """On a terminal of its own; also the other end of that."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        process = subprocess.Popen(
            self.command(*more),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env=self.environment(**environment),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  one system call
        )
        os.close(theirs)
        self.processes.append(process)
        return process, ours

    def read(self, terminal: int, until: Callable[[str], Any]) -> str:
        """What the terminal shows, until it shows enough or is closed."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not until(self.screen):
            ready, _, _ = select.select([terminal], [], [], 0.1)
            try:
                text = os.read(terminal, 65536).decode() if ready else ""
            except OSError:  # the other side is gone
                break
            self.screen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        assert until(self.screen), self.screen
        return self.screen

    def state(self) -> JobState:
        store = open_store(f"sqlite:///{self.path}")
        try:
            with store.read() as connection:
                found = jobs.find(connection, a_job().id)
            assert found is not None
            return found.state
        finally:
            store.close()

    def until(self, what: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    for process in shell.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
    for _, pid in fakes.calls(shell.folder):
        try:
            if a_job().id in psutil.Process(pid).cmdline():
                psutil.Process(pid).kill()
        except psutil.Error:
            pass


def test_plain_lines_can_be_grepped(shell: Shell) -> None:
    shell.play(
        {"do": "kill", "phase": "loading", "rows": 400, "for_s": 0.8},
        {"do": "done", "phase": "following", "applied": 5, "rows": 0, "for_s": 0.8},
    )
    code, out, error = shell.run("--until", "caught-up")
    assert (code, error) == (0, "")
    lines = out.splitlines()
    loading = [line for line in lines if " phase=loading " in line]
    assert loading and re.search(
        r"state=FULL_TRANSFER_STARTED done=40\.0% tables=0/1 rows=400 bytes=40000", loading[-1]
    )
    following = [line for line in lines if " phase=following " in line]
    assert re.search(r"rows=15 transactions=5 lag_s=[0-9.]+ rows_per_s=\d+ bytes_per_s=\d+", following[-1]), following
    assert any("event=worker.lost level=warning" in line and "wait_s=" in line for line in lines)
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \w+=", line) for line in lines[:-1])
    assert lines[-1].startswith("Caught up.")
    assert "\x1b" not in out


def test_a_finished_load_says_so(shell: Shell) -> None:
    shell.play({"do": "done", "phase": "done", "rows": 10})
    code, out, _ = shell.run("--task", "full")
    assert code == 0 and out.endswith("Done.\n")
    assert shell.state() is JobState.FULL_DONE


def test_a_failure_says_what_to_do(shell: Shell) -> None:
    details = {"position": "binlog.000003:4", "reason": "purged by expire_logs_days"}
    shell.play({"do": "raise", "fault": "LOG_PURGED", "details": details})
    code, out, error = shell.run()
    assert code == 1
    assert "binlog.000003:4" in error and "[DRS.10050010]" in error and "Keep the log longer" in error
    assert "Traceback" not in out + error
    assert str(shell.folder / "log.jsonl") in out


def test_the_picture_moves(shell: Shell) -> None:
    shell.play(
        {"do": "raise", "fault": "SOURCE_UNREACHABLE", "details": {"endpoint": "x", "reason": "gone"}, "phase": "loading",
         "rows": 250, "for_s": 0.7},
        {"do": "done", "phase": "following", "applied": 3, "for_s": 0.7},
    )  # fmt: skip
    process, terminal = shell.on_terminal("--until", "caught-up")
    screen = shell.read(terminal, lambda text: "Caught up." in text)
    assert process.wait(PATIENCE_S) == 0
    os.close(terminal)
    assert re.search(r"loading\s+mysql://anna@source.example:3306/shop -> postgresql://", screen)
    assert "0 of 1 tables" in screen and "25%" in screen and "shop.orders" in screen and "250 rows" in screen
    assert "! The source x cannot be reached: gone" in screen or "nobody answers; trying again" in screen
    assert "following" in screen and "9 changes in 3 transactions" in screen and "lag" in screen


def test_ctrl_c_pauses_and_the_same_command_resumes(shell: Shell) -> None:
    shell.play(
        {"do": "wait", "phase": "following", "position": "p", "applied": 1}, {"do": "done", "phase": "following"}
    )
    process, terminal = shell.on_terminal()
    shell.read(terminal, lambda text: "1 transactions" in text)
    os.write(terminal, b"\x03")
    screen = shell.read(terminal, lambda text: "The same command resumes." in text)
    assert process.wait(PATIENCE_S) == 130
    os.close(terminal)
    assert "Press Ctrl-C again" in screen and "Traceback" not in screen
    assert shell.state() is JobState.PAUSED
    assert shell.run()[0] == 0
    assert [epoch for epoch, _ in fakes.calls(shell.folder)] == [1, 2]


def test_a_second_ctrl_c_leaves_at_once(shell: Shell) -> None:
    shell.play({"do": "hang", "phase": "following"})
    process, terminal = shell.on_terminal()
    shell.until(lambda: fakes.calls(shell.folder))
    os.write(terminal, b"\x03")
    shell.read(terminal, lambda text: "Press Ctrl-C again" in text)
    os.write(terminal, b"\x03")
    assert process.wait(PATIENCE_S) == 130
    os.close(terminal)
    ((_, pid),) = fakes.calls(shell.folder)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert shell.state() is JobState.PAUSED


@pytest.mark.parametrize("signum", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_signals_pause(shell: Shell, signum: signal.Signals) -> None:
    shell.play({"do": "wait", "phase": "following"})
    process = shell.start()
    shell.until(lambda: fakes.calls(shell.folder))
    process.send_signal(signum)
    out, error = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, error) == (130, b"")
    assert b"The same command resumes." in out
    assert shell.state() is JobState.PAUSED


def test_a_closed_terminal_pauses(shell: Shell) -> None:
    shell.play({"do": "wait", "phase": "following"})
    process, terminal = shell.on_terminal()
    shell.until(lambda: fakes.calls(shell.folder))
    shell.read(terminal, lambda text: "following" in text)
    os.close(terminal)
    assert process.wait(PATIENCE_S) == 130
    assert shell.state() is JobState.PAUSED


def test_a_reader_that_goes_away_does_not_end_the_job(shell: Shell) -> None:
    shell.play({"do": "done", "phase": "following", "applied": 1, "for_s": 1.0})
    process = shell.start()
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, error = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, error) == (0, b"")


def test_a_killed_command_is_found_again_by_the_same_command(shell: Shell) -> None:
    shell.play({"do": "wait", "phase": "following"}, {"do": "done", "phase": "following"})
    first = shell.start()
    shell.until(lambda: fakes.calls(shell.folder))
    first.kill()
    first.communicate()
    second = shell.start()
    store = open_store(f"sqlite:///{shell.path}")
    shell.until(lambda: "worker.adopted" in _events(store))
    store.close()
    assert len(fakes.calls(shell.folder)) == 1
    second.send_signal(signal.SIGINT)
    assert second.wait(PATIENCE_S) == 130


def test_a_running_job_is_not_changed_under_its_feet(shell: Shell) -> None:
    shell.play({"do": "wait", "phase": "following"})
    shell.start()
    shell.until(lambda: fakes.calls(shell.folder))
    code, _, error = shell.run("--apply", "merged")
    assert code == 1
    assert "apply is 'transactional', not 'merged'" in error and "DRS.10050042" in error


def test_a_stopped_job_may_get_another_policy_but_no_other_task(shell: Shell) -> None:
    shell.play({"do": "done", "phase": "following"})
    assert shell.run()[0] == 0
    assert shell.run("--invalid-dates", "null", "--until", "caught-up")[0] == 0
    store = open_store(f"sqlite:///{shell.path}")
    with store.read() as connection:
        job, lease = jobs.find(connection, a_job().id), leases.current(connection, a_job().id)
    store.close()
    assert job is not None and job.policy.invalid_dates == "null"
    assert lease is not None and lease.settings["until"] == "caught-up"
    code, _, error = shell.run("--task", "full")
    assert code == 1 and "task is 'full+incremental', not 'full'" in error


def test_passwords_come_from_the_environment_and_are_not_shown(shell: Shell) -> None:
    shell.play({"do": "wait", "phase": "following", "log": "logged in with <SOURCE_PASSWORD> and <TARGET_PASSWORD>"})
    url = TARGET.replace("ben@", "ben:T4rget-Pass%20word@")
    process = subprocess.Popen(
        shell.command(base=[SOURCE, url, *ARGUMENTS[2:]]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env=shell.environment(OPENDRS_SOURCE_PASSWORD=SOURCE_PASSWORD),
    )
    shell.processes.append(process)
    shell.until(lambda: fakes.calls(shell.folder))
    hidden = ("S0urce-Pass", "T4rget-Pass")
    for name in ("cmdline", "environ"):
        for pid in (process.pid, fakes.calls(shell.folder)[0][1]):
            shown = Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
            assert shown and not [word for word in hidden if word in shown], f"{name} of {pid}"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130 and b"logged in with *** and ***" in out
    files = [path for path in shell.tmp.rglob("*") if path.is_file()]
    assert not [path for path in files if any(word.encode() in path.read_bytes() for word in hidden)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["oracle://x/y", TARGET], "unknown scheme"),
        ([SOURCE], "TARGET_URL"),
        ([*ARGUMENTS, "--map", "shop"], "is not DB=SCHEMA"),
        ([*ARGUMENTS, "--map", "shop=other"], "mapped twice"),
        ([*ARGUMENTS, "--tables", "orders"], "is not `database.table`"),
        ([*ARGUMENTS, "--task", "half"], "half"),
        ([*ARGUMENTS, "--readers", "0"], "readers"),
        ([*ARGUMENTS, "--wrong"], "wrong"),
        ([*ARGUMENTS, "--state", "redis://x/y"], "redis"),
        ([*ARGUMENTS, "--state", "/proc/nowhere/state.db"], "--state"),
    ],
)
def test_wrong_usage(shell: Shell, arguments: list[str], words: str) -> None:
    done = subprocess.run(
        [*CLI, "run", "--state", str(shell.path), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2, done
    assert words in done.stderr and "Traceback" not in done.stderr


def test_a_fault_of_ours_shows_no_trace_unless_asked(shell: Shell) -> None:
    shell.play({"do": "done"})
    code, out, error = shell.run(BREAK_COMMAND="1")
    assert code == 1
    assert "ZeroDivisionError" in error and "Traceback" not in out + error and "S0urce" not in out + error
    (path,) = re.findall(r"\S+opendrs\.log\.jsonl", error)
    assert "Traceback" in Path(path).read_text() and "S0urce-Pass" not in Path(path).read_text()
    assert "Traceback" in shell.run("--debug", BREAK_COMMAND="1")[2]


def test_no_colour_where_none_is_wanted(shell: Shell) -> None:
    shell.play({"do": "done", "phase": "following", "applied": 1})
    process, terminal = shell.on_terminal(NO_COLOR="1")
    raw = b""
    try:
        while chunk := os.read(terminal, 65536):
            raw += chunk
    except OSError:
        pass
    os.close(terminal)
    assert process.wait(PATIENCE_S) == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]m", raw)


def test_version_and_help() -> None:
    for words, found in ((["--version"], "opendrs "), (["--help"], "run"), (["run", "--help"], "130 interrupted")):
        done = subprocess.run([*CLI, *words], capture_output=True, text=True, cwd=ROOT, check=False)
        assert done.returncode == 0 and found in done.stdout


def _events(store: Store) -> list[str]:
    from opendrs.store import events

    with store.read() as connection:
        return [saved.event.name for saved in events.after(connection, a_job().id)]
