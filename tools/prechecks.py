"""Writes docs/reference/prechecks.md from the tables of prechecks: `python -m tools.prechecks`.

A test fails when the page is stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from opendrs.engines.kafka import prechecks as kafka
from opendrs.engines.mysql import prechecks as mysql
from opendrs.engines.postgres import prechecks as postgres
from opendrs.model.precheck import ALL, GROUPS, LOAD, LOG, LOG_ONLY, Precheck

PAGE: Final = Path(__file__).parents[1] / "docs/reference/prechecks.md"

SECTIONS: Final[tuple[tuple[str, Sequence[Precheck[Any]]], ...]] = (
    ("The source: MySQL and MariaDB", (*mysql.SERVER, *mysql.OBJECTS)),
    ("What is to arrive in PostgreSQL, by the source's catalog alone", postgres.ARRIVAL),
    ("The target: PostgreSQL", (*postgres.SERVER, *postgres.IN_DATABASE, *postgres.OBJECTS)),
    ("The target: Kafka", (*kafka.SERVER, *kafka.OBJECTS)),
)
TASKS: Final = {ALL: "all", LOAD: "with a load", LOG: "with a log", LOG_ONLY: "a log only"}

HEAD: Final = """\
# Prechecks

<!-- Made by `python -m tools.prechecks` from the tables in src/opendrs/engines/*/prechecks.py. Do not edit. -->

`opendrs check SOURCE_URL [TARGET_URL]` makes these checks, and `opendrs run` makes them before a job's first
start. All findings are told at once; a check that breaks, or that the account has no privilege for, is a
finding itself. Nothing is changed, at the source or at the target.

| result | what it means |
|---|---|
| PASSED | nothing to do |
| ALARM | should be known; does not block |
| FAILED | must be mended first, or accepted (`--accept ITEM`) where the table says so |

Exit code of `opendrs check`: 0 if nothing FAILED, 1 if something did, 2 if the command line is wrong. `--json`
prints the findings for programs: `item`, `group`, `result`, `message`, `remedy`. In a remedy, statements to run
stand on lines of their own and end with `;`.

Names of items and groups are those of the published service where it has one for the thing; the others are in
their style. Under *tasks* stands which jobs a check concerns: a job with a load (`full`, `full+incremental`), one
with a log (`full+incremental`, `incremental`), or all.

What the account of the source needs, and below it what some checks want in order to see more:

```sql
GRANT SELECT, SHOW VIEW, EVENT, TRIGGER, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'user'@'host';
GRANT PROCESS ON *.* TO 'user'@'host';                    -- long transactions
GRANT XA_RECOVER_ADMIN ON *.* TO 'user'@'host';           -- MySQL 8 and newer: prepared transactions
GRANT REPLICATION MASTER ADMIN ON *.* TO 'user'@'host';   -- MariaDB 10.5 and newer: other replicas
```

At the target it needs `CREATE` in the database, and `USAGE` and `CREATE` in schemas that are there already. Neither
a superuser nor `session_replication_role` is needed, nor `SUPER` or `RELOAD` at the source.
"""


def document() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_section(title, rows) for title, rows in SECTIONS)])


def _section(title: str, rows: Iterable[Precheck[Any]]) -> str:
    lines = [f"## {title}", ""]
    listed = list(rows)
    for group, heading in GROUPS.items():
        within = [row for row in listed if row.group == group]
        if within:
            lines += [f"### {heading} (`{group}`)", "", "| item | tasks | looks at | because |", "|---|---|---|---|"]
            lines += [_line(row) for row in within]
            lines.append("")
    return "\n".join(lines)


def _line(row: Precheck[Any]) -> str:
    item = f"`{row.item}`" + (" (can be accepted)" if row.acceptable else "")
    cells = (item, TASKS[row.tasks], row.looks_at, row.why)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(document())
