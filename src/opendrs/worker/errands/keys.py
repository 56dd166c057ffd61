"""Keys for comparison from a file: what it says is looked at against the source, and kept if all of it is good.

params   as of worker.errands.importing
result   {"rows": that are good}

Kept in the table compare_keys: store.compare_keys reads it for those who compare.
"""

from __future__ import annotations

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.listing import read_columns, read_unique
from opendrs.store import compare_keys
from opendrs.templates import keying
from opendrs.templates.choosing import Problems
from opendrs.templates.columning import name_of
from opendrs.templates.keying import KeyFacts
from opendrs.worker.errands import Errand, Result
from opendrs.worker.errands.filing import Filed


def run(errand: Errand) -> Result:
    filed = Filed.of(errand)
    problems = Problems()
    rows = list(filed.rows(problems))
    if not rows:
        raise filed.refused("there is no row below the titles")
    problems |= {row.number: row.problem for row in rows if row.problem}
    good = [row for row in rows if not row.problem]
    names = list(dict.fromkeys(name_of(row) for row in good))
    with Session(errand.job.source) as session:
        columns, unique = read_columns(session.query, names), read_unique(session.query, names)
    there = {
        name: KeyFacts({column: facts.kind for column, facts in found.items()}, unique.get(name, []))
        for name, found in columns.items()
    }
    keys, wrong = keying.keys(good, there, errand.record.selection.wants)
    if problems | wrong:
        raise filed.keep_sheet(len(rows), problems | wrong)
    filed.keep()
    with errand.place.store.write() as connection:
        compare_keys.replace(connection, errand.job.id, keys)
    return {"rows": len(keys)}
