"""A job of the service on real servers, with a proxy before each, and hands on the processes behind it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huaweicloudsdkdrs.v5 as v5
import psutil

from opendrs.model.action import Action
from opendrs.model.lifecycle import Intent
from opendrs.store import actions, jobs, leases
from opendrs.store.database import Store, open_store
from opendrs.store.leases import Holder
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.harness.proxy import Proxy
from tests.harness.service import OPENDRS, Sdk, Service, eventually
from tests.integration.api.jobs import chosen, creation, endpoint
from tests.integration.api.meanwhile import meanwhile

ROWS = 4000
FOLLOWS = "INCRE_TRANSFER_STARTED"


@dataclass
class Play:
    service: Service
    source: FamilyServer
    target: Postgres
    database: str
    target_database: str
    to_source: Proxy
    to_target: Proxy
    job: str = ""

    @property
    def sdk(self) -> Sdk:
        return self.service.sdk()

    # the job

    def ends(self) -> list[v5.JobEndpointInfo]:
        return [
            endpoint("so", self.source, db_port=str(self.to_source.port)),
            endpoint("ta", self.target, database=self.target_database, db_port=str(self.to_target.port)),
        ]

    def create(self, name: str = "crash-test", **base: Any) -> None:
        source, target = self.ends()
        self.job = self.sdk.call("create_job", body=creation(name, source, target, **base)).id

    def select(self) -> None:
        saved = self.sdk.update(self.job, "db_object", db_object=chosen(self.database))
        show = "show_update_object_saving_status"
        eventually(lambda: self.sdk.call(show, job_id=self.job, query_id=saved.id).status == "success")

    def checked(self, query: str) -> None:
        """Waits for prechecks, which must pass."""

        def there() -> Any:
            found = self.sdk.detail(self.job, "precheck", query_id=query).precheck_result
            return found if found.process == "100%" else None

        found = eventually(there)
        assert found.total_passed_rate == "100%", [row for row in found.precheck_results if row.result == "FAILED"]

    def check(self, mode: str = "forStartJob") -> None:
        self.checked(self.sdk.act(self.job, "precheck", precheck_mode=mode))

    def ready(self, **base: Any) -> None:
        self.create(**base)
        self.sdk.until(self.job, "CONFIGURATION")
        self.select()
        self.check()

    def follow(self) -> None:
        self.ready()
        self.sdk.act(self.job, "start")
        self.sdk.until(self.job, FOLLOWS)

    def status(self) -> str:
        return self.sdk.status(self.job)

    def intent(self) -> Intent | None:
        with self._store() as store, store.read() as connection:
            return jobs.intent_of(connection, self.job)

    def stored_state(self) -> str:
        with self._store() as store, store.read() as connection:
            found = jobs.find(connection, self.job)
        assert found is not None
        return found.state.value

    def epoch(self) -> int:
        with self._store() as store, store.read() as connection:
            lease = leases.current(connection, self.job)
        return lease.epoch if lease else 0

    @contextmanager
    def _store(self) -> Iterator[Store]:
        store = open_store(self.service.state)
        try:
            yield store
        finally:
            store.close()

    # processes

    def worker(self, *, other_than: int = 0) -> psutil.Process:
        """Whoever works at the job now."""
        return eventually(
            lambda: found if (found := self.service.workers().get(self.job)) and found.pid != other_than else None
        )

    def held(self) -> tuple[Action, Holder]:
        """An errand that is being done, and the process that does it."""

        def there() -> tuple[Action, Holder] | None:
            with self._store() as store, store.read() as connection:
                found = actions.held(connection)
            return found[0] if found else None

        return eventually(there)

    def crash(self) -> None:
        """kill -9 of the service, and its next start."""
        self.service.kill()
        self.service.start()

    # rows

    def execute(self, sql: str) -> Any:
        return self.source.execute(sql.format(t=f"`{self.database}`.t"))

    def rows(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        here = self.source.execute(f"SELECT id, v FROM `{self.database}`.t ORDER BY id")
        there = self.target.execute(f'SELECT id, v FROM "{self.database}".t ORDER BY id', database=self.target_database)
        return [tuple(row) for row in here], [tuple(row) for row in there]

    def equal(self) -> None:
        def same() -> bool:
            here, there = self.rows()
            return here == there

        eventually(same, why=lambda: f"{[len(side) for side in self.rows()]} {self.sdk.logs(self.job)[:20]}")

    def nothing_left(self) -> None:
        """Nothing of ours is in the target."""
        (found,) = self.target.execute("SELECT to_regnamespace('_opendrs') IS NULL", database=self.target_database)
        assert found[0], self.target.execute("SELECT * FROM _opendrs.job", database=self.target_database)

    @contextmanager
    def writing(self) -> Iterator[Callable[[], int]]:
        """Somebody writes all the time; told how many changes there were."""
        count = 0

        def write() -> None:
            nonlocal count
            count += 1
            number = 100_000 + count
            self.execute(f"INSERT INTO {{t}} VALUES ({number}, 'new')")
            self.execute(f"UPDATE {{t}} SET v = 'u{count}' WHERE id = {1 + count * 7 % ROWS}")
            if count % 5 == 0:
                self.execute(f"DELETE FROM {{t}} WHERE id = {number - 3}")

        with meanwhile(write):
            yield lambda: count

    def attendant(self) -> psutil.Process:
        """The process that looks after the workers."""

        def there() -> psutil.Process | None:
            children = psutil.Process(self.service.pid).children()
            return next((one for one in children if "opendrs.worker.main" in one.cmdline()), None)

        return eventually(there)

    def processes_of_job(self) -> list[int]:
        """Every process that was started for the job, with a lease or without."""
        found = []
        for one in psutil.process_iter(["cmdline"]):
            words = one.info["cmdline"] or []
            if "opendrs.worker.child" in words and self.job in words and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
        return found

    def logs(self, words: str) -> int:
        """How often the job's log has said so."""
        return sum(words in line for line in self.sdk.logs(self.job))

    def seen_only(self, status: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.status() == status
            time.sleep(0.1)

    def proven(self) -> None:
        """By the command, on the service's machine."""
        words = [OPENDRS, "proof", "--data", self.service.folder / "data", "--job", self.job, "--timeout", "100"]
        found = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert found.returncode == 0, f"{found.stdout}{found.stderr}"
        assert "1 of 1 tables are proven equal" in found.stdout

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)


@contextmanager
def play(
    folder: Path, source: FamilyServer, target: Postgres, names: tuple[str, str], *, state: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Play]:  # fmt: skip
    """Everything up, and a table of a few MB at the source."""
    database, target_database = names
    source.execute(f"CREATE TABLE `{database}`.t (id INT PRIMARY KEY, v VARCHAR(500))")
    numbers = f"SELECT seq, REPEAT('x', 400 + seq MOD 50) FROM seq_1_to_{ROWS}"
    source.execute(f"INSERT INTO t {numbers}", database=database)
    with ExitStack() as stack:
        to_source, to_target = stack.enter_context(Proxy(source.port)), stack.enter_context(Proxy(target.port))
        service = stack.enter_context(Service(folder, state=state, environment=environment))
        yield Play(service, source, target, database, target_database, to_source, to_target)
