"""Where a job begins, as it is asked for and shown: the same two fields in three calls."""

from __future__ import annotations

from typing import Any, cast

import pytest

from opendrs.api.wire.policy import PolicyConfig, changed, shown_policy
from opendrs.api.wire.start import start_position
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import EngineName
from opendrs.model.job import Policy
from opendrs.model.start import StartPosition

PLACE, GTIDS = "mysql-bin.000277:805", "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"


def asked(policy: Policy, target: str, **fields: Any) -> Policy:
    return changed(policy, PolicyConfig.model_validate(fields), cast(EngineName, target), "policy_config.")


@pytest.mark.parametrize("target", ["kafka", "postgresql"])
def test_a_policy_has_it(target: str) -> None:
    both = asked(Policy(), target, file_and_position=f" {PLACE}\n", gtid_set=GTIDS.replace(":", ":\n"))
    assert both.start == StartPosition(file_and_position=PLACE, gtid_set=GTIDS)
    assert asked(both, target, ddl_trans=False).start == both.start, "what is absent stays"
    assert asked(both, target, gtid_set=GTIDS).start == StartPosition(gtid_set=GTIDS), "they belong together"
    assert asked(both, target, file_and_position="", gtid_set="").start is None
    shown = shown_policy(both, cast(EngineName, target))
    assert (shown["file_and_position"], shown["gtid_set"]) == (PLACE, GTIDS)
    assert asked(Policy(), target, **shown).start == both.start
    alone = shown_policy(asked(Policy(), target, file_and_position=PLACE), cast(EngineName, target))
    assert "gtid_set" not in alone
    assert "file_and_position" not in shown_policy(Policy(), cast(EngineName, target))


@pytest.mark.parametrize(
    "place",
    [
        "mysql-bin.000277:805", "a.001:4", f"{'n' * 60}.000001:4", "b.12345678901234567890:4",
        "host.example-bin.000001:99999999999999999999",
    ],
)  # fmt: skip
def test_published_places(place: str) -> None:
    found = start_position(place, None, "")
    assert found is not None and found.file_and_position == place
    assert found.place == (place.rpartition(":")[0], int(place.rpartition(":")[2]))


@pytest.mark.parametrize(
    "place",
    [
        "mysql-bin", "mysql-bin.000277", "mysql-bin:805", ".000277:805", f"{'n' * 61}.000001:4", "a.01:4",
        "a.123456789012345678901:4", "a.001:", "a.001:123456789012345678901", "a.001:-4", "a.001:3", "a.001:4 x",
        "a b.001:4", "a.001:\u0664", "1700000000:1", f"{'n' * 60}.{'1' * 20}:{'1' * 20}",
        *(f"a{character}b.001:4" for character in "<>&:\"'/\\"),
    ],
)  # fmt: skip
def test_what_is_no_place(place: str) -> None:
    with pytest.raises(DrsError) as raised:
        start_position(place, None, "policy_config.")
    assert raised.value.fault is Fault.PARAMETER_INVALID
    assert "policy_config.file_and_position" in raised.value.message


def test_sets_of_gtids() -> None:
    most = ",".join([GTIDS] * (2048 // (len(GTIDS) + 1)))
    for gtids in (GTIDS, "0-1-100,2-3-4", most):
        found = start_position(None, gtids, "")
        assert found is not None and found.gtid_set == gtids
    for wrong in ("位点", *(f"{GTIDS}{character}" for character in "<>&\"'/\\"), "\0", f"{most},{GTIDS}"):
        with pytest.raises(DrsError) as raised:
            start_position(PLACE, wrong, "")
        assert raised.value.fault is Fault.PARAMETER_INVALID and "gtid_set" in raised.value.message


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(DrsError) as raised:
        start_position("mysql-bin:805", "位点", "")
    assert "file_and_position" in raised.value.message and "gtid_set" in raised.value.message


def test_nothing_is_said() -> None:
    assert start_position(None, None, "") is None
    assert start_position("", " ", "") is None
