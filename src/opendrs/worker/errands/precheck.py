"""The prechecks.

params   {"mode": "forStartJob" or "forRetryJob"}
result   {"passed": bool, "findings": [{"item", "group", "result", "message", "remedy", "acceptable"}]}
"""

from __future__ import annotations

from dataclasses import asdict, replace

from opendrs.model.selection import Selection
from opendrs.store import actions, checkpoints
from opendrs.worker import checking
from opendrs.worker.errands import Errand, Result


def run(errand: Errand) -> Result:
    job = errand.job
    with errand.place.store.read() as connection:
        saved = actions.saved_edit(connection, job.id)
        begun = checkpoints.load(connection, job.id) is not None
    if saved is not None and saved.result is not None:
        job = replace(job, selection=Selection.from_json(saved.result["selection"]))
    if begun:  # where it began does not matter any more, and the source need not have it
        job = replace(job, policy=replace(job.policy, start=None))
    found = checking.by_weight(checking.check_job(job))
    return {
        "passed": all(finding.result != "FAILED" for finding in found),
        "findings": [asdict(finding) for finding in found],
    }
