"""The command `opendrs serve`: how it begins, what it shows, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness import certificates
from tests.harness.ports import free_port
from tests.harness.service import OPENDRS, sdk

SAYS = re.compile(r"OpenDRS serves (https?://\S+)")


@contextmanager
def serving(
    data: Path, *more: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """Its URL, all that it said on the standard output, and the process."""
    words = [str(OPENDRS), "serve", "--data", str(data), "--listen", f"127.0.0.1:{free_port()}", *more]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **(environment or {})}
    ) as popen:
        assert popen.stdout is not None
        first = popen.stdout.readline()
        found = SAYS.match(first)
        assert found is not None, first
        said = [first]
        os.set_blocking(popen.stdout.fileno(), False)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not _answers(found[1]):
            time.sleep(0.1)
        said += popen.stdout.readlines()
        try:
            yield found[1], "".join(said), popen
        finally:
            popen.send_signal(signal.SIGTERM)
            popen.wait(60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2, context=ssl._create_unverified_context()) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _shown(said: str) -> dict[str, str]:
    return dict(re.findall(r"^  (\S.*?)  +(\S+)$", said, re.MULTILINE))


def test_the_first_start_shows_the_identity_once_and_it_works(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (url, said, _):
        shown = _shown(said)
        assert set(shown) == {"project id", "user", "password", "access key", "secret key"}, said
        keys = {"access_key": shown["access key"], "secret_key": shown["secret key"]}
        client = sdk(url, project=shown["project id"], **keys)
        assert client.call("list_jobs", job_type="sync").total_count == 0
    with serving(tmp_path / "data") as (url, said, _):
        assert "secret" not in said
        assert sdk(url, project=shown["project id"], **keys).call("list_jobs", job_type="sync").total_count == 0
    mode = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    assert mode["secret.key"] == 0o600 and mode["opendrs.db"] == 0o600, mode


def test_https(tmp_path: Path) -> None:
    files = certificates.make(tmp_path / "certificates")
    options = ("--tls-cert", str(files.server_certificate), "--tls-key", str(files.server_key))
    with serving(tmp_path / "data", *options) as (url, _, _):
        assert url.startswith("https://")
        trusting = ssl.create_default_context(cafile=str(files.ca))
        trusting.check_hostname = False
        with urllib.request.urlopen(f"{url}/healthz", context=trusting) as answer:
            assert answer.read() == b"ok\n"


def refused(*words: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(OPENDRS), "serve", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_is_wrong_is_said_and_nothing_begins(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert "HOST:PORT" in refused("--data", data, "--listen", "nowhere")
    assert "--tls-key" in refused("--data", data, "--tls-cert", "there.pem")
    assert "cannot be used" in refused("--data", data, "--tls-cert", "no.pem", "--tls-key", "no.key")
    assert "OPENDRS_SECRET_KEY" in refused("--data", data, environment={"OPENDRS_ACCESS_KEY": "ONLYHALF"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "in use" in refused("--data", data, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")


def test_a_second_service_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (_, _, popen):
        said = refused("--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{free_port()}")
        assert "already" in said and str(popen.pid) in said


def test_a_lost_key_is_said_at_once(tmp_path: Path) -> None:
    with serving(tmp_path / "data"):
        pass
    (tmp_path / "data" / "secret.key").unlink()
    done = subprocess.run(
        [str(OPENDRS), "serve", "--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{free_port()}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "sealed" in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order(tmp_path: Path, signum: signal.Signals) -> None:
    with serving(tmp_path / "data") as (_, _, popen):
        popen.send_signal(signum)
        assert popen.wait(30) == 0


def test_the_process_of_the_api_has_loaded_no_driver() -> None:
    code = (
        "import sys, opendrs.cli.serving, opendrs.api.operation;"
        "list(opendrs.api.operation.discover());"
        "print([name for name in sys.modules if name.startswith(('opendrs._core', 'opendrs.engines', 'sqlglot'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
