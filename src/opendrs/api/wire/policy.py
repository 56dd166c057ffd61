"""PolicyConfig and SyncPolicyReq on the wire: how a job treats conflicts and schema changes, how it publishes to Kafka,
and our own `apply_mode`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Final, cast, get_args

from opendrs.api.query import one_of
from opendrs.api.wire.problems import demand_none
from opendrs.api.wire.publishing import KafkaFields, published, refuse_kafka, shown_publishing
from opendrs.api.wire.start import shown_start, start_position
from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import EngineName
from opendrs.model.job import SKIPPABLE, ApplyMode, ConflictPolicy, Policy, SkippableDdl, Topology

DML: Final = "iud"
FILTERS: Final = ("drop_database", "filter_all")
# Published words for what is synchronized; the first is all.
SCOPES: Final = ("supportAllType", "tableData", "tableStructure", "constraintData")
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

# What a Kafka target does not have: the only value of it that says nothing, and why.
NOT_OF_KAFKA: Final[dict[str, tuple[str | bool, str]]] = {
    "conflict_policy": ("stop", "a topic has no rows that a change could be in conflict with"),
    "apply_mode": ("transactional", "every change becomes a message, in the order of the source"),
    "index_trans": (True, "a topic has no indexes"),
}
# What only sources of PostgreSQL have.
OF_POSTGRESQL: Final = ("export_snapshot", "slot_name", "is_fill_materialized_view")


class PolicyConfig(KafkaFields):
    """What is to be changed; what is absent stays. Both models in one: what they share means the same."""

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
    export_snapshot: bool | None = None
    slot_name: str | None = None
    is_fill_materialized_view: bool | None = None
    file_and_position: str | None = None
    gtid_set: str | None = None


def changed(policy: Policy, asked: PolicyConfig, target: EngineName, where: str) -> Policy:
    """The policy with what is asked for.

    where   stands before the names of fields: `policy_config.`
    Raises PARAMETER_EMPTY, PARAMETER_INVALID, UNSUPPORTED.
    """
    if target == "kafka":
        _refuse_of_tables(asked, where)
    else:
        refuse_kafka(asked, where)
    _refuse(asked, where)
    if target == "kafka":
        publishing = published(policy.publishing, asked, where, statements=bool(asked.ddl_trans))
        policy = replace(policy, publishing=publishing)
    if asked.file_and_position is not None or asked.gtid_set is not None:
        # They belong together: who gives one without the other does without that.
        policy = replace(policy, start=start_position(asked.file_and_position, asked.gtid_set, where))
    if asked.apply_mode:
        mode = one_of(f"{where}apply_mode", asked.apply_mode, ("transactional", "merged"))
        policy = replace(policy, apply=cast(ApplyMode, mode))
    if asked.conflict_policy and target != "kafka":
        word = one_of(f"{where}conflict_policy", asked.conflict_policy, get_args(ConflictPolicy))
        policy = replace(policy, conflict=cast(ConflictPolicy, word))
    if asked.dml_types:
        policy = replace(policy, dml=_dml(asked.dml_types, f"{where}dml_types"))
    if asked.ddl_trans is not None:
        policy = replace(policy, ddl="carry" if asked.ddl_trans else "refuse")
    if asked.data_sync_topology_type:
        word = one_of(f"{where}data_sync_topology_type", asked.data_sync_topology_type, get_args(Topology))
        policy = replace(policy, topology=cast(Topology, word))
    if asked.index_trans is not None:
        policy = replace(policy, indexes="all" if asked.index_trans else "unique")
    skipped = set(policy.skipped_ddl)
    if asked.support_ddl_info is not None:
        skipped = _left_out(_words(asked.support_ddl_info), f"{where}support_ddl_info")
    if asked.filter_ddl_policy is not None:
        word = asked.filter_ddl_policy and one_of(f"{where}filter_ddl_policy", asked.filter_ddl_policy, FILTERS)
        skipped = {*skipped, "drop_database"} if word == "drop_database" else skipped - {"drop_database"}
        if word == "filter_all":
            policy = replace(policy, ddl="refuse")
    return replace(policy, skipped_ddl=tuple(kind for kind in SKIPPABLE if kind in skipped))


def shown_policy(policy: Policy, target: EngineName) -> dict[str, Any]:
    """PolicyConfig of a job, as it is."""
    skipped = set(policy.skipped_ddl)
    found = {
        "filter_ddl_policy": "drop_database" if "drop_database" in skipped else "",
        "support_ddl_info": ",".join([*NEEDED, *(word for word, kind in LEAVABLE.items() if kind not in skipped)]),
        "ddl_trans": policy.ddl == "carry",
        "dml_types": ",".join(policy.dml),
        "data_sync_topology_type": policy.topology,
        "sync_type_policy": "supportAllType",
        **shown_start(policy.start),
    }
    if target == "kafka":
        publishing = policy.publishing
        carried = policy.ddl == "carry" and bool(publishing.ddl_topic)
        return {**found, "ddl_trans": carried, **shown_publishing(publishing)}
    return {
        **found,
        "conflict_policy": policy.conflict,
        "index_trans": policy.indexes == "all",
        "apply_mode": policy.apply,
    }


def _refuse_of_tables(asked: PolicyConfig, where: str) -> None:
    """What only targets with tables have. Raises PARAMETER_INVALID."""
    found = {}
    for name, (nothing, why) in NOT_OF_KAFKA.items():
        value = getattr(asked, name)
        word = value.lower() if isinstance(value, str) else value
        if word not in (None, "", nothing):
            found[f"{where}{name}"] = why
    demand_none(found)


def _refuse(asked: PolicyConfig, where: str) -> None:
    """What this flow does not have, or not yet."""
    demand_none({f"{where}{name}": "it is for PostgreSQL sources" for name in OF_POSTGRESQL if getattr(asked, name)})
    scope = asked.sync_type_policy
    if scope and one_of(f"{where}sync_type_policy", scope, SCOPES) != SCOPES[0]:
        raise DrsError(Fault.UNSUPPORTED, what=f"sync_type_policy {shown(scope)}")
    if asked.is_create_table_with_index:
        raise DrsError(Fault.UNSUPPORTED, what="Making indexes together with their tables")
    if asked.increment_read_mode:
        raise DrsError(Fault.PARAMETER_INVALID, name=f"{where}increment_read_mode", reason="it is for Oracle")


def _words(text: str | list[str]) -> list[str]:
    """The words of a list: a list of JSON, one inside a text, or words with something between them."""
    if isinstance(text, str) and text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = []
        text = [str(word) for word in found] if isinstance(found, list) else []
    return [word for word in text if word] if isinstance(text, list) else re.findall(r"\w+", text)


def _dml(text: str, name: str) -> str:
    """Letters of DML, in order. Raises PARAMETER_INVALID."""
    words = set(_words(text.lower()))
    if not words or not words <= set(DML):
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=f"{shown(text)!r} is not some of i, u and d")
    return "".join(letter for letter in DML if letter in words)


def _left_out(words: list[str], name: str) -> set[SkippableDdl]:
    """What is to be left out if just these are allowed. Raises PARAMETER_INVALID."""
    allowed = {one_of(name, word, (*NEEDED, *LEAVABLE)) for word in words}
    missing = [word for word in NEEDED if word not in allowed]
    if missing:
        reason = f"{', '.join(missing)} cannot be left out: the rows behind them would not fit; or set ddl_trans false"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)
    kept = {kind for word, kind in LEAVABLE.items() if word in allowed}
    return set(LEAVABLE.values()) - kept
