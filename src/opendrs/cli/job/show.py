"""`opendrs job show`: all that is known of a job, in one look."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opendrs.cli import options
from opendrs.cli.job import ends, words
from opendrs.cli.job.options import AsJson, Job
from opendrs.cli.job.resolving import resolve
from opendrs.cli.job.steps import objects_line
from opendrs.cli.job.waiting import last_failure
from opendrs.cli.session import session
from opendrs.model.endpoint import SIDES
from opendrs.model.lifecycle import State

if TYPE_CHECKING:
    from opendrs.cli.service import Facts, Service

SLOWEST: Final = 10
TABLES_READ_MAX: Final = 5_000  # the service lists tables by name, so that the slowest are sought here
NONE_YET: Final = "-1"
CONFLICTS: Final = {
    "stop": "stops at conflicts", "ignore": "leaves the target's rows at conflicts",
    "overwrite": "writes over the target's rows at conflicts",
}  # fmt: skip
_BEFORE: Final = frozenset({State.CREATING, State.CREATE_FAILED, State.CONFIGURATION, State.SCHEDULED})


def show(job: Job, as_json: AsJson = False, debug: options.Debug = False) -> None:
    """Show a job: where it stands, what it replicates, how far it is, and what may be done now."""
    with session(debug=debug) as service:
        from opendrs.cli.printing import print_columns, print_facts, print_json

        look = gather(service, resolve(service, job).id)
        if as_json:
            print_json({"job": document(look)})
            return
        print_facts(facts(look))
        if look.slowest:
            sys.stdout.write("\n")
            print_columns(("SLOWEST TABLES", "DONE"), [(one, f"{done}%") for one, done in slowest_rows(look)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at a job, in the words of the API.

    slowest  progress of tables that are not whole yet, the least first; of `tables` in all
    failure  the last error of a job that has failed; else empty
    """

    detail: Mapping[str, Any]
    objects: Mapping[str, Any]
    progress: Mapping[str, Any] | None
    overview: Sequence[Mapping[str, Any]]
    actions: Mapping[str, Any]
    slowest: tuple[Mapping[str, Any], ...] = ()
    failure: str = ""

    @property
    def state(self) -> str:
        return str(self.detail["status"])

    @property
    def delay_s(self) -> float | None:
        """Of a job that rests it would be how it was when it came to rest."""
        return delay_s(self.progress) if self.state == State.INCREMENTAL else None


def gather(service: Service, job_id: str) -> Look:
    """All of it; what has not begun has no progress."""
    detail = service.detail(job_id, "detail")
    state = str(detail["status"])
    begun = state not in {one.value for one in _BEFORE}
    shown: Facts = service.detail(job_id, "progress") if begun else {}
    loading = begun and state not in (State.INCREMENTAL, State.RELEASED)
    failed = state in {one.value for one in words.FAILED}
    overview = (shown.get("migration_object_progress_info") or {}).get("migration_object_overview") or []
    return Look(
        detail=detail,
        objects=service.chosen(job_id),
        progress=shown.get("progress_info"),
        overview=overview if any(int(row["src_count"]) for row in overview) else [],
        actions=service.actions(job_id),
        slowest=_slowest(service, job_id) if loading else (),
        failure=last_failure(service, job_id) if failed else "",
    )


def _slowest(service: Service, job_id: str) -> tuple[Mapping[str, Any], ...]:
    rows, _ = service.tables(job_id, most=TABLES_READ_MAX)
    unfinished = [row for row in rows if int(row["progress"]) < 100]
    return tuple(sorted(unfinished, key=lambda row: int(row["progress"]))[:SLOWEST])


def slowest_rows(look: Look) -> list[tuple[str, int]]:
    return [(f"{row['src_db']}.{row['src_tb']}", int(row["progress"])) for row in look.slowest]


def facts(look: Look) -> list[tuple[str, str]]:
    """What is printed, name by name; what is empty is left out."""
    detail, base = look.detail, look.detail["base_info"]
    may = words.commands(look.actions)
    current = str(look.actions.get("current_action") or "")
    under_way = f"; {words.ACTIONS.get(current) or current.lower()} is under way" if current else ""
    return [
        ("Name", str(base["name"])),
        ("Id", str(detail["id"])),
        ("State", f"{words.state(look.state)} ({look.state}){under_way}"),
        ("Failure", look.failure),
        ("Description", str(base.get("description") or "")),
        ("Created", f"{words.when(str(detail['create_time']))} UTC"),
        ("Task", words.task(str(base["task_type"]))),
        *((side.capitalize(), _ends(detail.get(f"{side}_endpoint"))) for side in SIDES),
        ("Objects", objects_line(look.objects)),
        ("Policy", policy_line(detail.get("policy_config") or {})),
        ("Progress", progress_line(look.progress) if look.overview else ""),
        ("Tables", tables_line(look.overview)),
        ("Delay", delay_line(look)),
        ("Speed", speed_line(detail.get("speed_limit") or ())),
        ("Attention", attention_line(look.progress)),
        ("May now", words.named(may) if may else "nothing: wait for what is under way"),
    ]


def _ends(infos: Sequence[Mapping[str, Any]] | None) -> str:
    return words.named(ends.shown(info) for info in infos or ())


def policy_line(policy: Mapping[str, Any]) -> str:
    parts = [f"apply {policy['apply_mode']}"] if policy.get("apply_mode") else []
    if (word := policy.get("conflict_policy")) in CONFLICTS:
        parts.append(CONFLICTS[word])
    if policy.get("dml_types", "i,u,d") != "i,u,d":
        parts.append(f"of changes of rows only {policy['dml_types']}")
    if "index_trans" in policy:
        parts.append("all indexes" if policy["index_trans"] else "no indexes but keys")
    if "kafka_data_format" in policy:
        parts += publishing_parts(policy)
    begin = policy.get("file_and_position") or policy.get("gtid_set")
    if begin:
        parts.append(f"begins at {begin}")
    if "ddl_trans" in policy:
        where = f"published to {policy['ddl_topic']}" if policy.get("ddl_topic") else "carried over"
        parts.append(f"schema changes {where}" if policy["ddl_trans"] else "no schema changes")
    return words.named(parts)


def publishing_parts(policy: Mapping[str, Any]) -> list[str]:
    """`json messages`, `a topic a table`, `partitions by key`, `exactly-once`."""
    pattern = policy.get("topic_name_format")
    topics = {
        "0": f"topic {policy.get('topic')}",
        "1": "a topic a table",
        "2": "a topic a database",
        "3": "a topic a database",
    }.get(str(policy["topic_policy"]), "")
    partitions = {
        "0": "partitions by table",
        "1": "all to partition 0",
        "2": "partitions by key",
        "3": "partitions by database",
    }.get(str(policy["partition_policy"]), "")
    return [
        f"{policy['kafka_data_format']} messages",
        f"{topics} ({pattern})" if pattern else topics,
        partitions,
        str(policy["delivery"]),
    ]


def progress_line(progress: Mapping[str, Any] | None) -> str:
    """`structure 100%, data 43%, indexes 0%`."""
    titles = {"struct": "structure", "data": "data", "index": "indexes"}
    parts: Mapping[str, Any] = (progress or {}).get("progress_map") or {}
    return words.named(f"{title} {parts[name]['completed']}" for name, title in titles.items() if name in parts)


def tables_line(overview: Sequence[Mapping[str, Any]]) -> str:
    row = next((one for one in overview if one["type"] == "TABLE"), None)
    return "" if row is None else f"{row['dst_count']} of {row['src_count']} loaded"


def delay_line(look: Look) -> str:
    if look.state != State.INCREMENTAL:
        return ""
    return "not known yet" if look.delay_s is None else f"{look.delay_s:,.1f} s"


def speed_line(windows: Sequence[Mapping[str, Any]]) -> str:
    """`10 MB/s from 01:00 to 05:59 UTC`."""
    return words.named(
        f"{one['speed']} MB/s from {one['begin']} to {one['end']}{' UTC' if one.get('is_utc', True) else ''}"
        for one in windows
    )


def attention_line(progress: Mapping[str, Any] | None) -> str:
    """What somebody should look at; empty: nothing."""
    from opendrs.cli.view import attention

    known = progress or {}
    return attention(int(known.get("dirty_rows", 0)), int(known.get("ddl_alarms", 0)))


def delay_s(progress: Mapping[str, Any] | None) -> float | None:
    """How far behind the source; None: it does not follow yet."""
    text = str((progress or {}).get("incr_trans_delay_millis", NONE_YET))
    return None if text == NONE_YET else int(text) / 1000


def document(look: Look) -> dict[str, Any]:
    """For programs: the answers of the service, with our words beside them."""
    return {
        **look.detail,
        "name": look.detail["base_info"]["name"],
        "state": words.state(look.state),
        "objects": look.objects,
        "progress": look.progress,
        "object_progress": list(look.overview),
        "slowest_tables": list(look.slowest),
        "delay_s": look.delay_s,
        "failure": look.failure or None,
        "actions": dict(look.actions),
        "commands": words.commands(look.actions),
    }
