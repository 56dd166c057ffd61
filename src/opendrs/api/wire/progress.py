"""Progress on the wire: percentages that are never ahead of what is durable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
    estimate = max(table.rows_estimate, table.rows + 1)
    return percent(table.rows / estimate, whole=table.state == "loaded")


def phase_of(saved: SavedProgress | None) -> Phase | None:
    word = saved.counters.get("phase") if saved else ""
    return Phase(word) if word else None


def has_indexes(head: Head) -> bool:
    """Whether the job makes any: a topic has none."""
    return link(head).target != "kafka"


def progress_info(head: Head, saved: SavedProgress | None) -> dict[str, Any]:
    """JobProgressInfo."""
    phase = phase_of(saved)
    load: Mapping[str, Any] = saved.counters["load"] if saved else {}
    loaded = phase in FOLLOWED or phase is Phase.DONE
    done = percent(float(load.get("done", 0.0)), whole=loaded)
    struct = 100 if phase is not None else 0
    index = 100 if phase in CONSTRAINED else 0
    metrics: Mapping[str, Any] = saved.counters["metrics"] if saved else {}
    delay_s = metrics.get("apply_latency") if phase in FOLLOWED else None
    return {
        "progress": str(100 if index == 100 else min(done, ALMOST)),
        "incr_trans_delay": NOT_YET if delay_s is None else str(int(delay_s)),
        "incr_trans_delay_millis": NOT_YET if delay_s is None else str(int(delay_s * 1000)),
        "task_mode": TASK_WORDS[head.task],
        "transfer_status": head.state.value,
        "process_time": ms(saved.updated_at if saved else head.updated_at),
        "progress_map": {
            "struct": {"completed": f"{struct}%"},
            "data": {"completed": f"{done}%"},
            **({"index": {"completed": f"{index}%"}} if has_indexes(head) else {}),
        },
        "apply_rows_rate": round(metrics.get("apply_rows_rate", 0)),
        "apply_bytes_rate": round(metrics.get("apply_bytes_rate", 0)),
    }


def objects_info(
    head: Head, saved: SavedProgress | None, databases: int, tables: Mapping[TableState, int]
) -> dict[str, Any]:
    """QueryMigrationObjectProgressInfo: what there is, and how much of it has arrived."""
    total, there = sum(tables.values()), tables.get("loaded", 0)
    phase = phase_of(saved)
    begun, constrained = phase is not None, phase in CONSTRAINED
    rows = {
        "DATABASE": (databases, databases if begun else 0),
        "TABLE_STRUCTURE": (total, total if begun else 0),
        "TABLE": (total, there),
        **({"TABLE_INDEX": (total, total if constrained else 0)} if has_indexes(head) else {}),
    }
    return {
        "create_time": iso(head.created_at),
        "migration_object_overview": [
            {
                "type": kind,
                "src_count": str(source),
                "dst_count": str(target),
                "status": _status(source, target, begun=begun),
            }
            for kind, (source, target) in rows.items()
        ],
    }


def _status(source: int, target: int, *, begun: bool) -> str:
    if not begun:
        return "NOT_START"
    return "COMPLETED" if target >= source else "TRANSFERING"
