"""Progress on the wire: percentages that are never ahead of what is durable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opendrs.api.errors import told
from opendrs.api.wire.times import iso, ms
from opendrs.control.asking import link
from opendrs.model.checkpoint import Phase
from opendrs.model.links import TASK_WORDS
from opendrs.store.jobs import Head
from opendrs.store.progress import SavedProgress, TableCounts, TableState

ALMOST: Final = 99  # what is not wholly there is not at 100
FOLLOWED: Final = frozenset({Phase.CATCHING_UP, Phase.FOLLOWING})
CONSTRAINED: Final = frozenset({Phase.FOLLOWING, Phase.DONE})
NOT_YET: Final = "-1"


def percent(done: float, *, whole: bool) -> int:
    """Of a share from 0 to 1."""
    return 100 if whole else min(max(int(done * 100), 0), ALMOST)


def table_percent(table: TableCounts) -> int:
    """Of its rows, with the key: a table is loaded when both are durable."""
    return percent(table.done, whole=table.state == "loaded")


def index_percent(table: TableCounts, phase: Phase | None) -> int:
    """Of its indexes, the key included. Behind the load every one that can be made is there; before, each counts when
    it is."""
    if phase in CONSTRAINED:
        return 100
    whole = table.state == "loaded" and table.indexes_made >= table.indexes
    return percent(table.indexes_made / max(table.indexes, 1), whole=whole)


def phase_of(saved: SavedProgress | None) -> Phase | None:
    word = saved.counters.get("phase") if saved else ""
    return Phase(word) if word else None


def has_schema(head: Head) -> bool:
    """Whether the target has indexes and views: a topic has none."""
    return link(head).target != "kafka"


def progress_info(head: Head, saved: SavedProgress | None, *, dirty_rows: int, ddl_alarms: int) -> dict[str, Any]:
    """JobProgressInfo, and how much needs attention."""
    metrics: Mapping[str, Any] = saved.counters["metrics"] if saved else {}
    delay, delay_ms = _delays(saved)
    return {
        **_facts(head, saved),
        "incr_trans_delay": delay,
        "incr_trans_delay_millis": delay_ms,
        "apply_rows_rate": round(metrics.get("apply_rows_rate", 0)),
        "apply_bytes_rate": round(metrics.get("apply_bytes_rate", 0)),
        "dirty_rows": dirty_rows,
        "ddl_alarms": ddl_alarms,
    }


def batch_progress(head: Head, saved: SavedProgress | None) -> dict[str, Any]:
    """QueryProgressResp, without the id. Its rates are those of the increment, and -1 before it."""
    metrics: Mapping[str, Any] = saved.counters["metrics"] if saved else {}
    delay, delay_ms = _delays(saved)
    follows = phase_of(saved) in FOLLOWED
    failure = head.failure
    return {
        **_facts(head, saved),
        "incre_trans_delay": delay,
        "incre_trans_delay_millis": delay_ms,
        "apply_rows_rate": round(metrics.get("apply_rows_rate", 0)) if follows else -1,
        "apply_bytes_rate": round(metrics.get("apply_bytes_rate", 0)) if follows else -1,
        **({} if failure is None else {"error_code": failure.code, "error_msg": told(failure)}),
    }


def _delays(saved: SavedProgress | None) -> tuple[str, str]:
    """Seconds and milliseconds; -1 before the increment, and while nobody knows."""
    metrics: Mapping[str, Any] = saved.counters["metrics"] if saved else {}
    delay_s = metrics.get("apply_latency") if phase_of(saved) in FOLLOWED else None
    return (NOT_YET, NOT_YET) if delay_s is None else (str(int(delay_s)), str(int(delay_s * 1000)))


def _facts(head: Head, saved: SavedProgress | None) -> dict[str, Any]:
    """What both versions spell alike."""
    phase = phase_of(saved)
    load: Mapping[str, Any] = saved.counters["load"] if saved else {}
    loaded = phase in FOLLOWED or phase is Phase.DONE
    done = percent(float(load.get("done", 0.0)), whole=loaded)
    struct = 100 if phase is not None else 0
    made = load.get("indexes_made", 0) / max(load.get("indexes", 0), 1)
    index = percent(made, whole=phase in CONSTRAINED)
    left_s = "0" if loaded else load.get("left_s")
    of_data = {} if left_s is None else {"remaining_time": str(left_s)}
    return {
        "progress": str(100 if phase in CONSTRAINED else min(done, ALMOST)),
        "task_mode": TASK_WORDS[head.task],
        "transfer_status": head.state.value,
        "process_time": ms(saved.updated_at if saved else head.updated_at),
        **of_data,
        "progress_map": {
            "struct": {"completed": f"{struct}%"},
            "data": {"completed": f"{done}%", **of_data},
            **({"index": {"completed": f"{index}%"}} if has_schema(head) else {}),
        },
    }


def objects_info(
    head: Head,
    saved: SavedProgress | None,
    *,
    databases: int,
    tables: Mapping[TableState, int],
    indexed: int,
    views: tuple[int, int, int],
) -> dict[str, Any]:
    """QueryMigrationObjectProgressInfo: what there is, and how much of it has arrived.

    indexed  tables that have all of their indexes
    views    how many there are, how many are made, and how many cannot be
    """
    total, there = sum(tables.values()), tables.get("loaded", 0)
    phase = phase_of(saved)
    begun, constrained = phase is not None, phase in CONSTRAINED
    of_views, made, refused = views
    rows = {
        "DATABASE": (databases, databases if begun else 0),
        "TABLE_STRUCTURE": (total, total if begun else 0),
        "TABLE": (total, there),
    }
    if has_schema(head):
        rows["TABLE_INDEX"] = (total, total if constrained else indexed)
        if of_views:
            rows["VIEW"] = (of_views, made)
    return {
        "create_time": iso(head.created_at),
        "migration_object_overview": [
            {
                "type": kind,
                "src_count": str(source),
                "dst_count": str(target),
                "status": _status(source, target, begun=begun, failed=kind == "VIEW" and refused > 0),
            }
            for kind, (source, target) in rows.items()
        ],
    }


def _status(source: int, target: int, *, begun: bool, failed: bool) -> str:
    if not begun:
        return "NOT_START"
    if failed:
        return "FAILED"
    return "COMPLETED" if target >= source else "TRANSFERING"
