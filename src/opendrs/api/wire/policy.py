"""PolicyConfig on the wire: how a job treats conflicts and schema changes, and our own `apply_mode`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Final, cast

from opendrs.api.body import Wire
from opendrs.api.query import one_of
from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault
from opendrs.model.job import SKIPPABLE, ApplyMode, Policy, SkippableDdl

DML: Final = "i,u,d"
FILTERS: Final = ("drop_database", "filter_all")
# Published words for schema changes that the rows behind them need; they cannot be left out.
NEEDED: Final = ("CREATE_TABLE", "ADD_COLUMN", "MODIFY_COLUMN", "CHANGE_COLUMN", "RENAME_INDEX")
# Words for those that can be left out; the last four are ours.
LEAVABLE: Final[dict[str, SkippableDdl]] = {
    "ADD_INDEX": "add_index",
    "CREATE_INDEX": "add_index",
    "DROP_INDEX": "drop_index",
    "DROP_COLUMN": "drop_column",
    "DROP_TABLE": "drop_table",
    "TRUNCATE_TABLE": "truncate_table",
    "DROP_DATABASE": "drop_database",
}


class PolicyConfig(Wire):
    """What is to be changed; what is absent stays."""

    conflict_policy: str | None = None
    filter_ddl_policy: str | None = None
    support_ddl_info: str | list[str] | None = None
    ddl_trans: bool | None = None
    index_trans: bool | None = None
    dml_types: str | None = None
    apply_mode: str | None = None
    is_create_table_with_index: bool | None = None
    data_sync_topology_type: str | None = None
    sync_type_policy: str | None = None
    increment_read_mode: str | None = None


def changed(policy: Policy, asked: PolicyConfig) -> Policy:
    """The policy with what is asked for. Raises PARAMETER_INVALID, UNSUPPORTED."""
    _refuse(asked)
    if asked.apply_mode is not None:
        mode = one_of("policy_config.apply_mode", asked.apply_mode, ("transactional", "merged"))
        policy = replace(policy, apply=cast(ApplyMode, mode))
    if asked.ddl_trans is not None:
        policy = replace(policy, ddl="carry" if asked.ddl_trans else "refuse")
    if asked.index_trans is not None:
        policy = replace(policy, indexes="all" if asked.index_trans else "unique")
    skipped = set(policy.skipped_ddl)
    if asked.support_ddl_info is not None:
        skipped = _left_out(_words(asked.support_ddl_info))
    if asked.filter_ddl_policy is not None:
        word = asked.filter_ddl_policy and one_of("policy_config.filter_ddl_policy", asked.filter_ddl_policy, FILTERS)
        skipped = {*skipped, "drop_database"} if word == "drop_database" else skipped - {"drop_database"}
        if word == "filter_all":
            policy = replace(policy, ddl="refuse")
    return replace(policy, skipped_ddl=tuple(kind for kind in SKIPPABLE if kind in skipped))


def shown_policy(policy: Policy) -> dict[str, Any]:
    """PolicyConfig of a job, as it is."""
    skipped = set(policy.skipped_ddl)
    return {
        "conflict_policy": "stop",
        "filter_ddl_policy": "drop_database" if "drop_database" in skipped else "",
        "support_ddl_info": ",".join([*NEEDED, *(word for word, kind in LEAVABLE.items() if kind not in skipped)]),
        "ddl_trans": policy.ddl == "carry",
        "index_trans": policy.indexes == "all",
        "dml_types": DML,
        "apply_mode": policy.apply,
        "data_sync_topology_type": "one2one",
        "sync_type_policy": "supportAllType",
    }


def _refuse(asked: PolicyConfig) -> None:
    """What this flow does not have, or not yet."""
    only = {
        "conflict_policy": ("stop", ("stop", "ignore", "overwrite")),
        "data_sync_topology_type": ("one2one", ("one2one", "one2many", "many2one")),
        "sync_type_policy": (
            "supportAllType", ("supportAllType", "tableData", "tableStructure", "constraintData"),
        ),
    }  # fmt: skip
    for name, (ours, words) in only.items():
        value = getattr(asked, name)
        if value and one_of(f"policy_config.{name}", value, words) != ours:
            raise DrsError(Fault.UNSUPPORTED, what=f"{name} {shown(value)}")
    if asked.dml_types is not None and sorted(_words(asked.dml_types.lower())) != ["d", "i", "u"]:
        if not set(_words(asked.dml_types.lower())) <= {"i", "u", "d"}:
            reason = f"{shown(asked.dml_types)!r} is not some of i, u and d"
            raise DrsError(Fault.PARAMETER_INVALID, name="policy_config.dml_types", reason=reason)
        raise DrsError(Fault.UNSUPPORTED, what=f"Leaving out some of i, u and d (dml_types {shown(asked.dml_types)!r})")
    if asked.is_create_table_with_index:
        raise DrsError(Fault.UNSUPPORTED, what="Making indexes together with their tables")
    if asked.increment_read_mode:
        raise DrsError(Fault.PARAMETER_INVALID, name="policy_config.increment_read_mode", reason="it is for Oracle")


def _words(text: str | list[str]) -> list[str]:
    """The words of a list: a list of JSON, one inside a text, or words with something between them."""
    if isinstance(text, str) and text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = []
        text = [str(word) for word in found] if isinstance(found, list) else []
    return [word for word in text if word] if isinstance(text, list) else re.findall(r"\w+", text)


def _left_out(words: list[str]) -> set[SkippableDdl]:
    """What is to be left out if just these are allowed. Raises PARAMETER_INVALID."""
    name = "policy_config.support_ddl_info"
    allowed = {one_of(name, word, (*NEEDED, *LEAVABLE)) for word in words}
    missing = [word for word in NEEDED if word not in allowed]
    if missing:
        reason = f"{', '.join(missing)} cannot be left out: the rows behind them would not fit; or set ddl_trans false"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)
    kept = {kind for word, kind in LEAVABLE.items() if word in allowed}
    return set(LEAVABLE.values()) - kept
