"""Tunable parameters: each is a field of the policy, and only what it says is taken."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from opendrs.model.job import Policy
from opendrs.model.parameters import GROUPS, PARAMETERS, Number, Parameter, Switch, parameters_of

BY_NAME = {one.name: one for one in PARAMETERS}


def test_each_stands_for_a_field_of_its_own() -> None:
    named = [one.kind.field for one in PARAMETERS]
    assert len(set(named)) == len(named) and set(named) <= {field.name for field in fields(Policy)}
    assert [one.name for one in PARAMETERS] == sorted(BY_NAME)


@pytest.mark.parametrize("one", PARAMETERS, ids=lambda one: one.name)
def test_what_it_is_by_default_is_what_a_policy_is(one: Parameter) -> None:
    assert one.set(Policy(), one.default) == Policy() and one.value(Policy()) == one.default
    assert one.groups and set(one.groups) <= set(GROUPS) and one.targets and one.description.endswith(".")


@pytest.mark.parametrize("one", [one for one in PARAMETERS if isinstance(one.kind, Number)], ids=lambda one: one.name)
def test_numbers_within_their_range(one: Parameter) -> None:
    assert isinstance(one.kind, Number)
    low, high = one.kind.least, one.kind.most
    assert one.kind.range == f"{low}-{high}"
    for value in (low, high):
        assert one.value(one.set(Policy(), str(value))) == str(value)
    for text in (str(low - 1), str(high + 1), "", " ", "1.5", "+5", "1_000", "ten", "٣٣", "9" * 30, "0x10", "true"):
        with pytest.raises(ValueError, match="no whole number"):
            one.set(Policy(), text)


@pytest.mark.parametrize("one", [one for one in PARAMETERS if isinstance(one.kind, Switch)], ids=lambda one: one.name)
def test_switches(one: Parameter) -> None:
    on = one.set(Policy(), "true")
    assert (one.default, one.value(on)) == ("false", "true") and on != Policy()
    assert one.set(on, "FALSE") == Policy() and one.set(Policy(), "True") == on
    for text in ("", "1", "yes", "truer", "null"):
        with pytest.raises(ValueError, match="neither true nor false"):
            one.set(Policy(), text)


def test_what_was_chosen_more_exactly_elsewhere_stays() -> None:
    dates = BY_NAME["replace_invalid_time"]
    exact = Policy(invalid_dates="minus_infinity")
    assert dates.value(exact) == "true" and dates.set(exact, "true") == exact
    assert dates.set(exact, "false").invalid_dates == "stop"
    assert dates.set(Policy(), "true").invalid_dates == "epoch"


def test_a_flow_has_those_that_act_in_it() -> None:
    to_tables, to_topics = ({one.name for one in parameters_of(target)} for target in ("postgresql", "kafka"))
    assert to_tables - to_topics == {"replace_0x00", "replace_invalid_time"} and to_topics < to_tables


def test_the_page_has_them_as_they_are() -> None:
    page = (Path(__file__).parents[3] / "docs/howto/progress.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\S+) \|", page, re.MULTILINE)
    shown = {(name, default, told.replace("\\|", "|")) for name, default, told in rows if name in BY_NAME}
    assert shown == {(one.name, one.default, one.kind.range) for one in PARAMETERS}
