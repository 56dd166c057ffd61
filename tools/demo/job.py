"""The job of the demo: asked for through the official SDK, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import huaweicloudsdkdrs.v5 as v5

from tests.harness import Server
from tests.harness.server import PASSWORD, USER
from tests.harness.service import Sdk
from tools.demo import shop
from tools.demo.screen import Lines, say

NAME = "shop-moves"
POLL_S = 0.1
FOLLOWS = "INCRE_TRANSFER_STARTED"
NOT_YET = "-1"


def endpoint(role: str, kind: str, server: Server, database: str | None = None) -> v5.JobEndpointInfo:
    base = v5.BaseEndpoint(
        endpoint_name=kind, ip="127.0.0.1", db_port=str(server.port), db_user=USER, db_password=PASSWORD,
        db_name=database,
    )  # fmt: skip
    return v5.JobEndpointInfo(db_type=kind, endpoint_type="offline", endpoint_role=role, endpoint=base)


class Job:
    """One job, from its creation on."""

    def __init__(self, sdk: Sdk, source: Server, target: Server, database: str) -> None:
        self._sdk = sdk
        self._ends = [endpoint("so", "mysql", source), endpoint("ta", "postgresql", target, database)]
        self._lines = Lines()
        self.id = ""

    def create(self) -> None:
        facts = v5.JobBaseInfo(
            name=NAME, engine_type="mysql-to-pgl", job_type="sync", job_direction="non-dbs", net_type="vpc",
            task_type="FULL_INCR_TRANS",
        )  # fmt: skip
        node = v5.JobNodeInfo(spec=v5.JobNodeSpecInfo(node_type="micro"))
        source, target = self._ends
        wanted = v5.CreateJobReq(base_info=facts, source_endpoint=[source], target_endpoint=[target], node_info=node)
        made = self._sdk.call("create_job", body=v5.SingleCreateJobReq(wanted))
        self.id = made.id
        say(f"create_job: {NAME}, {self.id}, {made.status}")
        self._sdk.until(self.id, "CONFIGURATION")

    def test_network(self) -> None:
        query = self._sdk.act(self.id, "network", endpoints=self._ends)
        rows = self._wait(lambda: self._sdk.detail(self.id, "network", query_id=query).network_results)
        if not all(row.success for row in rows):
            raise SystemExit(f"the connection test failed: {rows}")
        say("execute_job_action network: both ends can be reached")

    def select(self) -> None:
        chosen = v5.DbObject(
            object_scope="database", object_info={shop.DATABASE: v5.DatabaseObject(name=shop.DATABASE, all=True)}
        )
        saved = self._sdk.update(self.id, "db_object", db_object=chosen)
        status = self._wait(lambda: self._saving(saved.id))
        if status != "success":
            raise SystemExit(f"the selection was not saved: {status}")
        say(f"update_job db_object: all of the database {shop.DATABASE}")

    def _saving(self, query: str) -> str | None:
        status = str(self._sdk.call("show_update_object_saving_status", job_id=self.id, query_id=query).status)
        return status if status in ("success", "failed") else None

    def precheck(self) -> None:
        query = self._sdk.act(self.id, "precheck", precheck_mode="forStartJob")
        found = self._wait(lambda: self._checked(query))
        for row in found.precheck_results:
            if row.result != "PASSED":
                why = (row.failed_reason or "").partition("\n")[0]
                self._lines.show(f"{row.result} {row.item}: {why}", matters=True)
        say(f"execute_job_action precheck: {found.total_passed_rate} of {len(found.precheck_results)} passed")
        if found.total_passed_rate != "100%":
            raise SystemExit("the prechecks did not pass")

    def _checked(self, query: str) -> Any:
        found = self._sdk.detail(self.id, "precheck", query_id=query).precheck_result
        return found if found.process == "100%" else None

    def act(self, name: str) -> None:
        self._sdk.act(self.id, name)
        say(f"execute_job_action {name}")

    def load_until(self, percent: int, seconds: float = 180) -> None:
        """Shows how far the job is until so much of the load is there."""
        self._watch_until(lambda view: int(view.progress_info.progress) >= percent, seconds)

    def follow(self, seconds: float = 180) -> None:
        """Shows how far the job is until a worker follows, and says how late it is."""

        def there(view: Any) -> bool:
            info = view.progress_info
            return view.status == FOLLOWS and info.progress == "100" and info.incr_trans_delay != NOT_YET

        self._watch_until(there, seconds)

    def _watch_until(self, there: Callable[[Any], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            view = self._sdk.detail(self.id, "progress")
            arrived = there(view)
            self._lines.show(_line(view), matters=arrived)
            if arrived:
                return
            if str(view.status).endswith("FAILED"):
                raise SystemExit(f"{view.status}: {self._sdk.logs(self.id)[:5]}")
            time.sleep(POLL_S)
        raise SystemExit(f"the job did not get there within {seconds:.0f} s: {self._sdk.logs(self.id)[:5]}")

    def tables(self) -> list[str]:
        """Each table and how much of it has arrived, by show_progress_data."""
        found = self._sdk.call("show_progress_data", job_id=self.id, type="table", limit=50).flow_compare_data
        return [f"{row.src_tb} {row.progress}%" for row in found]

    def said(self, words: str, seconds: float = 60) -> None:
        """Until the job's log in the API says so."""
        self._wait(lambda: any(words in line for line in self._sdk.logs(self.id)), seconds)

    def _wait(self, what: Callable[[], Any], seconds: float = 120) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := what():
                return found
            time.sleep(POLL_S)
        raise SystemExit(f"the service did not answer within {seconds:.0f} s")


def _line(view: Any) -> str:
    """What show_job_detail says of a job's progress, in one line."""
    info = view.progress_info
    objects = view.migration_object_progress_info.migration_object_overview
    tables = next((f"{row.dst_count} of {row.src_count} tables" for row in objects if row.type == "TABLE"), "")
    late = "" if info.incr_trans_delay == NOT_YET else f", {info.incr_trans_delay_millis} ms behind"
    return f"{view.status} {info.progress}%, {tables}{late}"
