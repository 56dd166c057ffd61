"""How a policy is persisted."""

from __future__ import annotations

import pytest

from opendrs.model.job import Policy

OLD = {
    "version": 1, "apply": "merged", "readers": 4, "consistent": False, "invalid_dates": "null", "nul_in_text": "stop",
    "skipped_ddl": ["drop_table"], "server_id": 77, "spool_bytes": 10737418240,
}  # fmt: skip


def test_a_policy_comes_through_whole() -> None:
    policy = Policy(apply="merged", ddl="refuse", indexes="unique", skipped_ddl=("drop_table",))
    assert Policy.from_json(policy.to_json()) == policy


def test_a_policy_of_an_old_store_is_readable() -> None:
    policy = Policy.from_json(OLD)
    assert policy == Policy(
        apply="merged", readers=4, invalid_dates="null", skipped_ddl=("drop_table",), server_id=77, ddl="carry",
        indexes="all",
    )  # fmt: skip


def test_a_policy_of_a_newer_release_is_refused() -> None:
    with pytest.raises(ValueError, match="version 3"):
        Policy.from_json({**OLD, "version": 3})
