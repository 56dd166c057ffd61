"""The operations of the API that the shell uses, by the names of its words. What they mean is said in api/v5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from opendrs.errors import DrsError, Fault
from opendrs.model.links import JOB_TYPES

if TYPE_CHECKING:
    from opendrs.cli.client import Client

TEMPLATE: Final = "/db-object/template"
PAGE: Final = 1000  # the longest that the service gives
LATEST: Final = 100  # of the timeline

Facts = dict[str, Any]


class Service:
    """A thin layer: one call each, the answer as it came. Raises as `client.Client.ask`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._project = client.login.project_id

    @property
    def url(self) -> str:
        return self._client.login.url

    def create(self, body: Mapping[str, Any]) -> Facts:
        return self._ask("POST", "/jobs", body={"job": body})

    def jobs(self, *, name: str = "", state: str = "", most: int | None = None) -> tuple[list[Facts], int]:
        """Newest first, and how many there are; most: of so many, None: all.

        The list is asked for by the type of job, so that there are as many lists as types.
        """
        rows: list[Facts] = []
        total = 0
        for kind in JOB_TYPES:
            query = {"job_type": kind, "name": name or None, "status": state or None}
            found, count = self._rows("/jobs", "jobs", "total_count", query, most)
            rows += found
            total += count
        rows.sort(key=lambda row: str(row["create_time"]), reverse=True)
        return rows[:most], total

    def detail(self, job_id: str, view: str, **query: Any) -> Facts:
        found: Facts = self._ask("GET", self._path(job_id), {"type": view, **query})["job"]
        return found

    def actions(self, job_id: str) -> Facts:
        found: Facts = self._ask("GET", self._path(job_id, "/actions"))["job_action"]
        return found

    def act(self, job_id: str, name: str, **params: Any) -> str:
        """Asks for an action; its query id."""
        body = {"job": {"action_name": name, **({"action_params": params} if params else {})}}
        return str(self._ask("POST", self._path(job_id, "/action"), body=body)["query_id"])

    def update(self, job_id: str, kind: str, **params: Any) -> Facts:
        return self._ask("PUT", self._path(job_id), body={"job": {"type": kind, "params": params}})

    def saving(self, job_id: str, query_id: str) -> Facts:
        return self._ask("GET", self._path(job_id, "/db-objects/saving-status"), {"query_id": query_id})

    def collect(self, job_id: str) -> str:
        query = {"type": "source", "is_refresh": "true"}
        return str(self._ask("POST", self._path(job_id, "/db-objects/collect"), query)["id"])

    def collected(self, job_id: str, query_id: str) -> Facts:
        return self._ask("GET", self._path(job_id, "/db-objects/collection-status"), {"query_id": query_id})

    def collect_position(self, job_id: str, time: str) -> str:
        body = {"reset_position_time": time}
        return str(self._ask("POST", self._path(job_id, "/collect-db-position"), body=body)["id"])

    def begin_at(self, job_id: str, **start: str) -> str:
        return str(self._ask("PUT", self._path(job_id, "/start-position"), body=start)["query_id"])

    def position(self, job_id: str, query_id: str) -> Facts:
        return self._ask("GET", self._path(job_id, "/db-position"), {"query_id": query_id})

    def chosen(self, job_id: str) -> Facts:
        return self._ask("GET", self._path(job_id, "/db-objects"), {"type": "modified"})

    def tables(self, job_id: str, *, most: int | None) -> tuple[list[Facts], int]:
        """The progress of tables by name, and how many there are."""
        return self._rows(self._path(job_id, "/progress-data/table"), "flow_compare_data", "count", {}, most)

    def template(self, job_id: str, level: str) -> bytes:
        """The archive that objects are imported with."""
        return self._client.fetch(self._whole(self._path(job_id, TEMPLATE)), {"file_import_db_level": level})

    def upload(self, job_id: str, name: str, content: bytes, level: str, mapping: str | None) -> Facts:
        """Has a file of objects read."""
        query = {"file_import_db_level": level, "file_import_mapping_type": mapping}
        found: Facts = self._client.send(self._whole(self._path(job_id, TEMPLATE)), query, name, content)
        return found

    def imported(self, job_id: str, kind: str) -> Facts:
        """How far the last file of a kind is read, and what came of it."""
        return self._ask("GET", self._path(job_id, f"{TEMPLATE}/progress"), {"type": kind} if kind else {})

    def import_result(self, job_id: str, **query: str) -> bytes:
        """The archive with the last file, and what is wrong in it."""
        return self._client.fetch(self._whole(self._path(job_id, f"{TEMPLATE}/result")), query)

    def outcome(self, job_id: str, action: str) -> str | None:
        """`success` or `failed`: what came of the last action of a kind. None: it is not over."""
        query = {"limit": LATEST, "offset": 0}
        rows = self._ask("GET", self._path(job_id, "/timelines"), query)["timelines"]
        words = [str(row["status"]) for row in rows if row["name"] == action]
        return words[0] if words and words[0] != "running" else None

    def delete(self, job_id: str) -> None:
        self._ask("DELETE", self._path(job_id))

    def _rows(
        self, path: str, field: str, count: str, query: Mapping[str, Any], most: int | None
    ) -> tuple[list[Facts], int]:
        rows: list[Facts] = []
        for answer, got in self._pages(path, field, query, most):
            rows += got
            total = int(answer[count])
        return rows, total

    def _pages(
        self, path: str, field: str, query: Mapping[str, Any], most: int | None
    ) -> Iterator[tuple[Facts, Sequence[Facts]]]:
        offset = 0
        while True:
            limit = PAGE if most is None else min(PAGE, max(most - offset, 1))
            answer = self._ask("GET", path, {**query, "limit": limit, "offset": offset})
            got = answer[field]
            yield answer, got
            offset += len(got)
            if len(got) < limit or (most is not None and offset >= most):
                return

    def _path(self, job_id: str, more: str = "") -> str:
        return f"/jobs/{quote(job_id, safe='')}{more}"

    def _ask(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> Facts:
        found = self._client.ask(method, self._whole(path), query, body)
        if not isinstance(found, dict):
            raise DrsError(Fault.SERVICE_ODD, url=self.url, reason="the answer is no object")
        return found

    def _whole(self, path: str) -> str:
        """The path with version and project."""
        if not self._project:  # keys of the environment do not say it
            self._project = self._client.project()
        return f"/v5/{self._project}{path}"
