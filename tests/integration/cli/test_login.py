"""Logging in and out, and what is said when the service does not answer or does not want to."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from tests.harness.ports import free_port
from tests.harness.service import ACCESS_KEY, PASSWORD, PROJECT, SECRET_KEY, USER, Service
from tests.integration.cli.shell import Shell


def test_a_password_login_keeps_a_token(stranger: Shell, service: Service) -> None:
    said = stranger.done("login", service.url, "--user", USER, OPENDRS_PASSWORD=PASSWORD)
    assert said.out.startswith(f"Logged in to {service.url} as {USER}, until ") and not said.err
    kept = json.loads(stranger.login_file.read_text())
    assert kept.keys() == {"version", "url", "project_id", "user", "token", "expires_at"}
    assert kept["project_id"] == PROJECT and PASSWORD not in stranger.login_file.read_text()
    assert stat.S_IMODE(stranger.login_file.stat().st_mode) == 0o600
    stranger.done("job", "list")
    assert kept["token"] not in "".join(stranger.history)
    assert stranger.done("login", OPENDRS_PASSWORD=PASSWORD).out  # the same again
    assert stranger.done("logout").out == "Logged out.\n" and not stranger.login_file.exists()
    assert "DRS.10050072" in stranger.failed("job", "list")


def test_a_password_is_asked_for_without_being_shown(stranger: Shell, service: Service) -> None:
    terminal, end = os.openpty()
    with stranger.popen("login", service.url, "--user", USER, stdin=end, stderr=end) as child:
        os.close(end)
        seen = b""
        while b"password of" not in seen or not seen.endswith(b": "):
            seen += os.read(terminal, 1000)
        os.write(terminal, f"{PASSWORD}\n".encode())
        assert child.wait(60) == 0
        assert child.stdout is not None and child.stdout.read().startswith("Logged in to ")
    with suppress(OSError):  # that is how the other end says that it is closed
        while more := os.read(terminal, 1000):
            seen += more
    os.close(terminal)
    assert PASSWORD.encode() not in seen and PASSWORD not in stranger.login_file.read_text()


def test_a_key_pair_is_kept(stranger: Shell, service: Service) -> None:
    place = {"XDG_CONFIG_HOME": str(stranger.home / "elsewhere")}
    stranger.done("login", service.url, "--access-key", ACCESS_KEY, OPENDRS_SECRET_KEY=SECRET_KEY, **place)
    assert not stranger.login_file.exists()
    assert "jobs" in stranger.done("job", "list", "--json", **place).json()
    file = Path(place["XDG_CONFIG_HOME"]) / "opendrs" / "login.json"
    file.chmod(0o644)
    assert "others may read it" in stranger.failed("job", "list", code=2, **place)
    assert SECRET_KEY not in "".join(stranger.history)


def test_what_is_wrong_is_not_kept(stranger: Shell, service: Service) -> None:
    assert "[APIGW.0301]" in stranger.failed("login", service.url, "--user", USER, OPENDRS_PASSWORD="wrong-password")
    assert "[APIGW.0301]" in stranger.failed(
        "login", service.url, "--access-key", ACCESS_KEY, OPENDRS_SECRET_KEY="wrong-secret"
    )
    wrong_project = ("login", service.url, "--user", USER, "--project", "0" * 32)
    assert "[DRS.M00261]" in stranger.failed(*wrong_project, OPENDRS_PASSWORD=PASSWORD)
    assert "OPENDRS_PASSWORD: there is no terminal" in stranger.failed("login", service.url, code=2)
    assert "is not http(s)://host:port" in stranger.failed("login", f"{service.url}/v5", code=2)
    assert not stranger.login_file.exists()
    assert "wrong-" not in "".join(stranger.history)


def test_a_service_that_is_not_there(shell: Shell) -> None:
    kept = json.loads(shell.login_file.read_text())
    shell.login_file.write_text(json.dumps({**kept, "url": f"http://127.0.0.1:{free_port()}"}))
    told = shell.failed("job", "list")
    assert "cannot be reached" in told and "[DRS.10050070]" in told and "opendrs serve" in told


def test_a_login_that_has_expired_or_was_taken_back(shell: Shell) -> None:
    kept = json.loads(shell.login_file.read_text())
    shell.login_file.write_text(json.dumps({**kept, "expires_at": "2020-01-01T00:00:00+00:00"}))
    assert "Log in again: `opendrs login`." in shell.failed("job", "list")
    shell.login_file.write_text(json.dumps({**kept, "token": "x" * 40}))
    assert "Log in again: `opendrs login`." in shell.failed("job", "list")


def test_a_job_that_there_is_not(shell: Shell) -> None:
    assert "There is no job 'nothing' [DRS.10050074]" in shell.failed("job", "show", "nothing")
    unknown = "01234567-89ab-cdef-0123-456789ajb20p"
    for command in ("show", "start", "stop", "restart", "logs", "precheck"):
        assert "[DRS.10000010]" in shell.failed("job", command, unknown), command
    assert "none of creating" in shell.failed("job", "list", "--state", "nonsense", code=2)
