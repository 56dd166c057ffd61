"""What becomes of conflicts, and which changes of rows are carried over, on the wire."""

from __future__ import annotations

import pytest

from opendrs.api.wire.policy import PolicyConfig, changed, shown_policy
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import EngineName
from opendrs.model.job import Policy


def asked(policy: Policy, target: EngineName = "postgresql", **fields: object) -> Policy:
    return changed(policy, PolicyConfig.model_validate(fields), target, "policy_config.")


@pytest.mark.parametrize("word", ["stop", "ignore", "overwrite"])
def test_conflicts(word: str) -> None:
    policy = asked(Policy(conflict="ignore"), conflict_policy=word.upper())
    assert policy == Policy(conflict=word)
    assert shown_policy(policy, "postgresql")["conflict_policy"] == word
    for nothing in ({}, {"conflict_policy": ""}, {"conflict_policy": None}):
        assert asked(policy, **nothing) == policy


@pytest.mark.parametrize("target", ["postgresql", "kafka"])
@pytest.mark.parametrize(
    ("text", "dml"),
    [("i,u,d", "iud"), ("d,i", "id"), ("U", "u"), ('["d","u"]', "ud"), ("i;i", "i"), ("i d", "id")],
)
def test_changes_of_rows(target: EngineName, text: str, dml: str) -> None:
    policy = asked(Policy(), target, dml_types=text)
    assert policy.dml == dml
    assert shown_policy(policy, target)["dml_types"] == ",".join(dml)
    assert asked(policy, target, dml_types="") == asked(policy, target) == policy


@pytest.mark.parametrize("target", ["postgresql", "kafka"])
@pytest.mark.parametrize("text", ["x", "i,x", "iud", ",", "[]", "insert"])
def test_what_is_no_kind_of_change(target: EngineName, text: str) -> None:
    with pytest.raises(DrsError) as raised:
        asked(Policy(), target, dml_types=text)
    assert raised.value.fault is Fault.PARAMETER_INVALID
    assert "policy_config.dml_types" in raised.value.message


def test_what_is_no_answer_to_a_conflict() -> None:
    with pytest.raises(DrsError) as raised:
        asked(Policy(), conflict_policy="nonsense")
    assert raised.value.fault is Fault.PARAMETER_INVALID
