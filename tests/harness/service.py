"""The service as a process, and the official SDK as its client."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import huaweicloudsdkdrs.v3 as v3
import huaweicloudsdkdrs.v5 as v5
import psutil
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.formdata import FormFile
from huaweicloudsdkcore.http.http_handler import HttpHandler
from requests import Response
from sqlalchemy import select

from opendrs.spec import operation
from opendrs.store.database import open_store
from opendrs.store.tables import leases
from opendrs.worker import process
from tests.harness.ports import free_port
from tests.harness.processes import Child, Command
from tests.harness.shapes import deviations

OPENDRS = Path(sys.executable).with_name("opendrs")
PROJECT = "0123456789abcdef0123456789abcdef"
ACCESS_KEY, SECRET_KEY = "TESTACCESSKEY0000001", "a-secret-key-for-tests-0123456789"
USER, PASSWORD = "tester", "a-password-for-tests"
PATIENCE_S = 120.0
MODULES = {"v3": v3, "v5": v5}

Found = TypeVar("Found")


class Service:
    """One service in a folder of its own; `kill` and `start` leave what it has stored."""

    def __init__(self, folder: Path, *, state: str | None = None, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self._state = state
        self._environment = dict(environment or {})
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._child is not None, "it does not run"
        return self._child.pid

    @property
    def state(self) -> str:
        return self._state or f"sqlite:///{self.folder / 'data' / 'opendrs.db'}"

    @property
    def log(self) -> Path:
        return self.folder / "service.log"

    def start(self) -> Self:
        """Returns when it is ready."""
        identity = {
            "OPENDRS_PROJECT_ID": PROJECT,
            "OPENDRS_ACCESS_KEY": ACCESS_KEY,
            "OPENDRS_SECRET_KEY": SECRET_KEY,
            "OPENDRS_USER": USER,
            "OPENDRS_PASSWORD": PASSWORD,
        }
        more = ["--state", self._state] if self._state else []
        command = Command(
            name="opendrs serve",
            argv=[OPENDRS, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.folder / "data", *more],
            folder=self.folder,
            log=self.log,
            environment={**os.environ, **identity, **self._environment},
        )
        self._child = Child(command, self.folder / "service.json")
        self._child.wait_until(self._ready, 60)
        return self

    def _ready(self) -> bool:
        import urllib.error
        import urllib.request

        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self) -> None:
        """In order: SIGTERM."""
        assert self._child is not None
        self._child.end(signal.SIGTERM, 60)
        self._child = None

    def kill(self) -> None:
        """SIGKILL for the service alone: its workers go on."""
        assert self._child is not None
        self._child.kill_alone()
        self._child = None

    def close(self) -> None:
        """Ends all of it, whatever the test has left."""
        if self._child is not None and self._child.running():
            self.stop()
        for worker in self.workers().values():
            worker.kill()

    def workers(self) -> dict[str, psutil.Process]:
        """The processes that work at jobs now, by job."""
        return working(self.state)

    def sdk(self, **credentials: str) -> Sdk:
        return sdk(self.url, **credentials)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *raised: object) -> None:
        self.close()


def sdk(url: str, *, project: str = PROJECT, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY) -> Sdk:
    """A client of the service there."""
    seen: list[Response] = []
    handler = HttpHandler().add_response_handler(lambda **facts: seen.append(facts["response"]))
    credentials = BasicCredentials(access_key, secret_key, project)
    clients = {
        version: module.DrsClient.new_builder()
        .with_http_handler(handler)
        .with_credentials(credentials)
        .with_endpoint(url)
        .build()
        for version, module in MODULES.items()
    }
    return Sdk(clients, seen)


def working(state: str) -> dict[str, psutil.Process]:
    """The processes that work at the jobs of a store now, by job."""
    store = open_store(state)
    try:
        with store.read() as connection:
            rows = connection.execute(select(leases).where(leases.c.outcome.is_(None))).mappings().all()
    finally:
        store.close()
    found = {}
    for row in rows:
        holder = process.Holder(owner=row["owner"], pid=row["pid"], started_at=row["started_at"], host=row["host"])
        if row["owner"] == "worker" and process.alive(holder):
            found[row["job_id"]] = psutil.Process(holder.pid)
    return found


class Sdk:
    """The official client, unmodified, with short words for what tests do all the time.

    seen   every answer as it came; each is held against the contract
    """

    def __init__(self, clients: Mapping[str, Any], seen: list[Response]) -> None:
        self.client = clients["v5"]
        self._clients = clients
        self.seen = seen

    def call(self, name: str, /, *, version: str = "v5", **parameters: Any) -> Any:
        """A method of the client: `call("show_job_detail", job_id=..., type="overview")`."""
        words = "".join(word.capitalize() for word in name.split("_"))
        self.seen.clear()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of methods that v5.1 has as well, and of dates it cannot read
                request = getattr(MODULES[version], f"{words}Request")(**parameters)
                return getattr(self._clients[version], name)(request)
        finally:
            for answer in self.seen:
                file = operation(version, name).stream and answer.status_code < 400
                body = answer.content if file else answer.json() if answer.content else None
                assert deviations(version, name, answer.status_code, body) == [], (name, answer.status_code, body)

    def refused(self, name: str, /, **parameters: Any) -> str:
        """The code with which a call is refused."""
        return self.refusal(lambda: self.call(name, **parameters))

    def refusal(self, act: Callable[[], Any]) -> str:
        """The same of whatever is done."""
        try:
            answer = act()
        except ClientRequestException as error:
            assert error.error_msg, error
            return str(error.error_code)
        raise AssertionError(f"it was not refused: {answer}")

    def status(self, job_id: str) -> str:
        return str(self.detail(job_id, "overview").status)

    def detail(self, job_id: str, view: str = "detail", **more: Any) -> Any:
        return self.call("show_job_detail", job_id=job_id, type=view, **more).job

    def act(self, job_id: str, name: str, **params: Any) -> str:
        """An action; its query id."""
        body = v5.JobActionReq(v5.ActionReq(action_name=name, action_params=v5.ActionParams(**params)))
        return str(self.call("execute_job_action", job_id=job_id, body=body).query_id)

    def upload(self, job_id: str, path: Path, **query: Any) -> Any:
        """A file of objects."""
        body = v5.UploadDbObjectTemplateRequestBody(file=FormFile(str(path)))
        return self.call("upload_db_object_template", job_id=job_id, body=body, **query)

    def download(self, name: str, /, **parameters: Any) -> bytes:
        """What an operation streams, taken as users of the SDK take it."""
        parts: list[bytes] = []
        answer = self.call(name, **parameters)
        answer.consume_download_stream(lambda response: parts.extend(response.iter_content(1000)))
        found = b"".join(parts)
        assert self.seen[0].headers["Content-Type"] == "application/octet-stream"
        assert int(self.seen[0].headers["Content-Length"]) == len(found)
        assert self.seen[0].headers["Content-Disposition"].startswith("attachment; filename")
        return found

    def update(self, job_id: str, kind: str, **params: Any) -> Any:
        body = v5.SingleUpdateJobReq(v5.UpdateJobReq(type=kind, params=v5.UpdateJob(**params)))
        return self.call("update_job", job_id=job_id, body=body)

    def until(self, job_id: str, *states: str, timeout_s: float = PATIENCE_S) -> str:
        """Waits until the job is in one of these states; fails early if it fails."""

        def there() -> str | None:
            found = self.status(job_id)
            if found not in states and found.endswith("FAILED"):
                raise AssertionError(f"{found}: {self.logs(job_id)}")
            return found if found in states else None

        return eventually(there, timeout_s, lambda: f"{self.status(job_id)}: {self.logs(job_id)}")

    def logs(self, job_id: str) -> list[str]:
        found = self.detail(job_id, "log", limit=50).logs or []
        return [f"{row.level} {row.message}" for row in found]


def eventually(what: Callable[[], Found | None], timeout_s: float = PATIENCE_S, why: Callable[[], str] = str) -> Found:
    """Waits for something to be true, and returns it."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not happen: {why()}")
