"""The steps that make a job ready to start. Each asks the service, waits, and says what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from opendrs.cli.exits import Refused
from opendrs.cli.job import selecting
from opendrs.cli.job.selecting import Choice, Listing
from opendrs.cli.job.waiting import last_failure, until
from opendrs.cli.printing import clean
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import SIDES
from opendrs.model.finding import Finding
from opendrs.model.lifecycle import State
from opendrs.model.precheck import GROUPS
from opendrs.model.start import GTIDS_MAX, StartPosition

if TYPE_CHECKING:
    from opendrs.cli.service import Facts, Service

# A little longer than the service gives each, and its turn in the queue.
BUILT_S: Final = 120.0
NETWORK_S: Final = 300.0
OBJECTS_S: Final = 1200.0
PRECHECK_S: Final = 7500.0
POSITION_S: Final = 3700.0
NAMES_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Prechecked:
    passed: bool
    findings: tuple[Finding, ...]


def built(service: Service, job_id: str) -> None:
    """Waits until the job can be configured. Raises STEP_FAILED."""

    def look() -> bool | None:
        state = str(service.detail(job_id, "overview")["status"])
        if state == State.CREATE_FAILED.value:
            reason = last_failure(service, job_id) or "the service says no more"
            raise DrsError(Fault.STEP_FAILED, what="Building the job", reason=reason)
        return None if state == State.CREATING.value else True

    until("Building the job", look, BUILT_S)


def network(service: Service, job_id: str) -> list[Facts]:
    """Tests the connections to both ends: QueryNetworkResult of each."""
    query_id = service.act(job_id, "network")

    def look() -> list[Facts] | None:
        return service.detail(job_id, "network", query_id=query_id)["network_results"] or None

    return until("The connection test", look, NETWORK_S)


def network_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line an end. The API does not say which is which; a job has its source first."""
    sides = SIDES if len(rows) == len(SIDES) else [""] * len(rows)
    found = [str(row.get("result") or "it answers") if row["success"] else "no connection" for row in rows]
    return [
        f"{side} {row.get('ip', '')}".strip() + f": {clean(answer)}"
        for side, row, answer in zip(sides, rows, found, strict=True)
    ]


def demand_reached(row: Mapping[str, Any]) -> None:
    """Raises Refused, with what the service says of the end."""
    if not row["success"]:
        raise Refused(str(row.get("error_code", "")), str(row.get("error_msg", "")))


def select(service: Service, job_id: str, choice: Choice) -> tuple[Sequence[str], str]:
    """Saves what is chosen; notes on how it was understood, and a summary. Raises SETTING_INVALID, Refused."""

    def listing() -> Listing:
        query_id = service.collect(job_id)

        def look() -> Facts | None:
            return _over(service.collected(job_id, query_id))

        return selecting.listing_of(until("Listing the source", look, OBJECTS_S))

    chosen = selecting.choose(choice, listing)
    query_id = str(service.update(job_id, "db_object", db_object=chosen.tree)["query_id"])
    until("Saving the objects", lambda: _over(service.saving(job_id, query_id)), OBJECTS_S)
    return chosen.notes, objects_line(chosen.tree)


def _over(answer: Facts) -> Facts | None:
    if answer["status"] == "failed":
        raise Refused(str(answer.get("error_code", "")), str(answer.get("error_msg", "")))
    return None if answer["status"] == "pending" else answer


def objects_line(tree: Mapping[str, Any]) -> str:
    """The selection in one line: `shop.orders, shop.lines, log.* -> journal`."""
    info: Mapping[str, Any] = tree.get("object_info") or {}
    parts: list[str] = ["everything"] if tree.get("object_scope") == "all" else []
    for database, facts in info.items():
        renamed, whole = _renamed(database, facts), bool(facts.get("all")) or not facts.get("tables")
        tables = {name: one for name, one in (facts.get("tables") or {}).items() if one.get("sync_type") is None}
        names = [
            f"{database}.{table}{_elsewhere(table, one) or ('' if whole else renamed)}{_ruled(one)}"
            for table, one in tables.items()
        ]
        if whole and (renamed or "everything" not in parts):
            parts.append(f"{database}.*{renamed}")
        parts += [name for name, one in zip(names, tables.values(), strict=True) if not whole or _special(name, one)]
    parts += [f"without {pattern}" for pattern in tree.get("excluded") or ()]
    shown = ", ".join(parts[:NAMES_MAX])
    return f"{shown} and {len(parts) - NAMES_MAX} more" if len(parts) > NAMES_MAX else shown


def _ruled(table: Mapping[str, Any]) -> str:
    """What is special about a table but its name."""
    columns = (table.get("columns") or {}).values()
    words = {
        "filtered": bool(table.get("filtered")),
        "columns": any(not column.get("additional") for column in columns),
        "added columns": any(column.get("additional") for column in columns),
        f"only {table.get('dml') or 'no changes'}": table.get("dml") is not None,
    }
    told = ", ".join(word for word, holds in words.items() if holds)
    return f" ({told})" if told else ""


def _special(name: str, table: Mapping[str, Any]) -> bool:
    return bool(_ruled(table)) or bool(_elsewhere(name.partition(".")[2], table))


def _elsewhere(table: str, facts: Mapping[str, Any]) -> str:
    """Where a table arrives, if that is not said of its database."""
    schema = facts.get("db_alias_name") or facts.get("schema_alias_name")
    return f" -> {schema}.{facts.get('name') or table}" if schema else _renamed(table, facts)


def _renamed(name: str, facts: Mapping[str, Any]) -> str:
    return f" -> {facts['name']}" if facts.get("name") not in (None, name) else ""


def begin_at(service: Service, job_id: str, start: StartPosition) -> str:
    """Has a job begin at a place in the log, or at that of a time; what came of it. Raises Refused."""
    place, gtids = start.file_and_position, start.gtid_set
    if start.time:
        query_id = service.collect_position(job_id, start.time)
        found = until("Finding the position", lambda: _over(service.position(job_id, query_id)), POSITION_S)
        place, gtids = str(found["position"]), str(found.get("gtid_set") or "")
        if len(gtids) > GTIDS_MAX:
            gtids = ""  # the place alone says the same
    said = {"file_and_position": place, "gtid_set": gtids}
    look = service.begin_at(job_id, **{name: text for name, text in said.items() if text})
    there = until("Looking at the position", lambda: _over(service.position(job_id, look)), POSITION_S)
    behind = f", in front of a transaction of {there['time']}" if there.get("time") else ""
    return f"begins at {there['position']}{behind}"


def precheck(service: Service, job_id: str) -> Prechecked:
    """Runs the prechecks."""
    query_id = service.act(job_id, "precheck", precheck_mode="forStartJob")

    def look() -> Facts | None:
        result: Facts = service.detail(job_id, "precheck", query_id=query_id)["precheck_result"]
        return result if result["process"] == "100%" else None

    result = until("The prechecks", look, PRECHECK_S)
    order = list(GROUPS)
    found = sorted((_finding(row) for row in result["precheck_results"]), key=lambda one: order.index(one.group))
    return Prechecked(bool(result["result"]), tuple(found))


def demand_passed(outcome: Prechecked, name: str) -> None:
    """Raises Refused, with how one goes on with the job of that name."""
    if not outcome.passed:
        names = ", ".join(finding.item for finding in outcome.findings if finding.result == "FAILED")
        error = DrsError(Fault.PRECHECK_NEEDED, reason=f"FAILED are {names}")
        hint = f"Mend what has FAILED; then `opendrs job precheck {name}` and `opendrs job start {name}`."
        raise Refused(error.code, error.message, hint)


def as_json(finding: Finding) -> dict[str, str]:
    return asdict(finding)


def _finding(row: Mapping[str, Any]) -> Finding:
    """`data` holds message and remedy apart; an answer without it has both in its reason."""
    try:
        data = json.loads(row.get("data") or "{}")
    except ValueError:
        data = {}
    group = str(row.get("group"))
    return Finding(
        item=str(row["item"]),
        group=group if group in GROUPS else "src_info_check",
        result=row["result"],
        message=clean(str(data.get("message") or row.get("failed_reason") or "")),
        remedy=clean(str(data.get("remedy") or "")),
    )
