"""The prechecks.

params   {"mode": "forStartJob" or "forRetryJob"}
result   {"passed": bool, "findings": [{"item", "group", "result", "message", "remedy", "acceptable"}]}
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from opendrs.worker import checking
from opendrs.worker.errands import Errand, Result

COUNTED_ROWS_MAX: Final = 1_000_000  # values in larger tables are counted by `opendrs check` only


def run(errand: Errand) -> Result:
    job = errand.job
    options = checking.Options(
        job=job.id,
        server_id=job.replica_id,
        counting=checking.Counting(rows_max=COUNTED_ROWS_MAX),
    )
    found = checking.by_weight(checking.check(job.source, job.target, job.selection, job.policy, job.task, options))
    return {
        "passed": all(finding.result != "FAILED" for finding in found),
        "findings": [asdict(finding) for finding in found],
    }
