"""What actions found, on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from opendrs.api.errors import told
from opendrs.api.wire.times import iso
from opendrs.model.action import Action
from opendrs.store.actions import OPEN
from opendrs.store.events import Event, SavedEvent
from opendrs.store.jobs import Head

_LEVELS = {"debug": "Info", "info": "Info", "warning": "Warn", "error": "Error", "critical": "Error"}


def network_rows(action: Action) -> list[dict[str, Any]]:
    """QueryNetworkResult of each end; none while the test is not over."""
    if action.status in OPEN:
        return []
    if action.result is None:
        failure = action.failure
        assert failure is not None, "an action that has failed says why"
        return [
            {
                "status": "failed",
                "success": False,
                "error_code": failure.code,
                "error_msg": told(failure),
            }
        ]
    return [
        {
            "ip": end["ip"],
            "status": "success" if end["success"] else "failed",
            "success": end["success"],
            **({"result": end["version"]} if end["success"] else {}),
            **({} if end["success"] else {"error_code": end["code"], "error_msg": end["message"]}),
        }
        for end in action.result["ends"]
    ]


def precheck_result(head: Head, action: Action) -> dict[str, Any]:
    """QueryPreCheckResult."""
    if action.status in OPEN:
        return _result(head, process="0%", passed=False, rate="0%", items=[])
    if action.result is None:
        failure = action.failure
        assert failure is not None, "an action that has failed says why"
        item = {
            "item": "precheck",
            "group": "network",
            "result": "FAILED",
            "failed_reason": told(failure),
            "is_support_skip": False,
            "is_skipped": False,
        }
        return _result(head, process="100%", passed=False, rate="0%", items=[item])
    findings = action.result["findings"]
    good = sum(finding["result"] != "FAILED" for finding in findings)
    # Only what is whole is 100.
    rate = 100 if good == len(findings) else min(99, 100 * good // len(findings))
    items = [
        {
            "item": finding["item"],
            "group": finding["group"],
            "result": finding["result"],
            "data": json.dumps({"message": finding["message"], "remedy": finding["remedy"]}, ensure_ascii=False),
            **({} if finding["result"] == "PASSED" else {"failed_reason": _reason(finding)}),
            "is_support_skip": False,
            "is_skipped": False,
        }
        for finding in findings
    ]
    return _result(head, process="100%", passed=action.result["passed"], rate=f"{rate}%", items=items)


def _result(head: Head, *, process: str, passed: bool, rate: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "process": process,
        "result": passed,
        "total_passed_rate": rate,
        "job_direction": head.job_direction,
        "precheck_results": items,
    }


def _reason(finding: dict[str, str]) -> str:
    return f"{finding['message']}\n{finding['remedy']}".strip()


def log_rows(found: Iterable[SavedEvent]) -> list[dict[str, Any]]:
    """TaskLogInfo of each event: its message, and what varies in it."""
    return [
        {
            "id": saved.id,
            "create_time": iso(saved.event.at),
            "level": _LEVELS.get(saved.event.level, "Info"),
            "message": _line(saved.event),
        }
        for saved in found
    ]


def _line(event: Event) -> str:
    facts = "; ".join(f"{name}: {value}" for name, value in event.fields.items())
    return f"{event.message} ({facts})" if facts else event.message
