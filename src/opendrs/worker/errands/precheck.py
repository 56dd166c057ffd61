"""The prechecks.

params   {"mode": "forStartJob" or "forRetryJob"}
result   {"passed": bool, "findings": [{"item", "group", "result", "message", "remedy", "acceptable"}]}
"""

from __future__ import annotations

from dataclasses import asdict

from opendrs.worker import checking
from opendrs.worker.errands import Errand, Result


def run(errand: Errand) -> Result:
    found = checking.by_weight(checking.check_job(errand.job))
    return {
        "passed": all(finding.result != "FAILED" for finding in found),
        "findings": [asdict(finding) for finding in found],
    }
