"""Jobs on the wire: what lists and details show of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opendrs.api.wire.times import iso
from opendrs.control.allowed import Allowed
from opendrs.model.endpoint import Side
from opendrs.model.lifecycle import Intent, State, Verb
from opendrs.model.links import TASK_WORDS
from opendrs.store.jobs import Head

ENTERPRISE_PROJECT: Final = "0"

# Published words for what a job may be asked, and the verb that stands behind each.
ACTION_WORDS: Final[dict[str, Verb]] = {
    "CHOOSE_OBJECT": Verb.OBJECTS,
    "PRE_CHECK": Verb.PRECHECK,
    "MODIFY_DB_CONFIG": Verb.NETWORK,
    "START": Verb.START,
    "PAUSE": Verb.STOP,
    "RETRY": Verb.RESTART,
    "RESET": Verb.RESET,
    "FREE_RESOURCE": Verb.TERMINATE,
    "DELETE": Verb.DELETE,
}
_INTENT_WORDS: Final = {Intent.PAUSE: "PAUSE", Intent.RESTART: "RETRY", Intent.RELEASE: "FREE_RESOURCE"}


def actions_of(head: Head, allowed: Allowed) -> dict[str, Any]:
    """JobActions: what is possible now, what is not, and what is being done."""
    available = [word for word, verb in ACTION_WORDS.items() if verb in allowed.verbs]
    return {
        "available_actions": available,
        "unavailable_actions": [word for word in ACTION_WORDS if word not in available],
        "current_action": current_action(head, allowed),
    }


def current_action(head: Head, allowed: Allowed) -> str:
    """The word for what is under way; empty: nothing is."""
    if head.intent in _INTENT_WORDS:
        return _INTENT_WORDS[head.intent]
    if head.state is State.CREATING:
        return "CREATE"
    if allowed.current is not None:
        return next((word for word, verb in ACTION_WORDS.items() if verb is allowed.current), "")
    return "START" if head.state is State.STARTING else ""


def row(head: Head, allowed: Allowed) -> dict[str, Any]:
    """JobListResp."""
    base = _base_facts(head)
    return {
        "id": head.id,
        "name": head.name,
        "status": head.state.value,
        "description": head.description,
        "create_time": iso(head.created_at),
        "engine_type": head.engine_type,
        "net_type": head.net_type,
        "charging_mode": base.get("charging_mode", "on_demand"),
        "billing_tag": False,
        "job_direction": head.job_direction,
        "job_type": head.job_type,
        "task_type": TASK_WORDS[head.task],
        "enterprise_project_id": base.get("enterprise_project_id", ENTERPRISE_PROJECT),
        "job_mode": "single",
        "job_mode_role": "master",
        "is_multi_az": False,
        "node_role": "master",
        "node_new_framework": True,
        "job_action": actions_of(head, allowed),
        "source": _place(head, "source"),
        "target": _place(head, "target"),
    }


def base_info(head: Head) -> dict[str, Any]:
    """JobBaseInfo: what was asked for, with what has become of it."""
    return {
        **_base_facts(head),
        "name": head.name,
        "description": head.description,
        "job_type": head.job_type,
        "engine_type": head.engine_type,
        "job_direction": head.job_direction,
        "net_type": head.net_type,
        "task_type": TASK_WORDS[head.task],
        "charging_mode": _base_facts(head).get("charging_mode", "on_demand"),
        "expired_days": _base_facts(head).get("expired_days", "14"),
    }


def _place(head: Head, side: Side) -> str:
    """`mysql://host:port`, as it was given: which server, and nothing of the account."""
    facts: Mapping[str, Any] = (head.facts or {}).get(f"{side}_endpoint", {})
    inner = facts.get("endpoint", {})
    host, port = inner.get("ip", ""), inner.get("db_port", "")
    return f"{facts['db_type']}://{host}{f':{port}' if port else ''}" if host else ""


def _base_facts(head: Head) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = (head.facts or {}).get("base_info", {})
    return facts
