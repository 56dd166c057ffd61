"""The tables of error codes, states and deviations: complete, and true to each other and to the catalogue."""

from __future__ import annotations

import pytest

from opendrs import spec
from opendrs.errors import Fault
from opendrs.spec.contract import parsed


def test_rows_are_unique() -> None:
    for keys in (
        [error.code for error in spec.errors()],
        [status.word for status in spec.statuses()],
        [legal.call for legal in spec.legality()],
        [(extra.version, extra.model, extra.field) for extra in spec.extras()],
        [(row.version, row.model) for row in spec.absences()],
    ):
        assert len(keys) == len(set(keys))


def test_every_row_says_where_it_is_from() -> None:
    rows = (*spec.errors(), *spec.statuses(), *spec.legality())
    assert {row.source for row in rows} <= {"documented", "observed", "ours"}
    assert all(row.meaning.endswith(".") for row in (*spec.errors(), *spec.statuses(), *spec.extras()))
    assert all(row.why.endswith(".") for row in spec.absences())


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_a_fault_with_a_published_code_has_its_status(fault: Fault) -> None:
    published = {error.code: {error.status, *error.also} for error in spec.errors()}
    code = fault.spec.code
    assert code in published or code.startswith("DRS.1005"), f"{code} is neither published nor ours"
    assert fault.spec.status in published.get(code, {fault.spec.status})


def test_states_cover_the_known_values() -> None:
    words = {status.word for status in spec.statuses()}
    known = next(p for p in spec.operation("v5", "list_jobs").parameters if p.name == "status").field.values
    assert set(known) <= words
    listed = next(field for field in spec.model("v5", "JobListResp").fields if field.name == "status").values
    assert set(listed) <= words


def test_legality_names_states_and_operations_that_there_are() -> None:
    words = {status.word for status in spec.statuses()}
    actions = next(field for field in spec.model("v5", "ActionReq").fields if field.name == "action_name").values
    aspects = next(field for field in spec.model("v5", "UpdateJobReq").fields if field.name == "type").values
    for row in spec.legality():
        assert row.states and set(row.states) <= words, row.call
        assert set(row.to) <= words, row.call
        for caller in row.by:
            version, _, rest = caller.partition(" ")
            name, _, detail = rest.partition(":")
            assert spec.operation(version, name), caller
            if name == "update_job" and detail:
                assert detail in aspects, caller
            if name == "execute_job_action":
                assert detail.partition(":")[0] in actions, caller


def test_nothing_begins_where_a_job_has_ended() -> None:
    ended = {"RELEASE_RESOURCE_COMPLETE", "CREATE_FAILED"}
    assert {row.call for row in spec.legality() if ended & set(row.states)} == {"delete"}
    assert not [row for row in spec.legality() if "DELETED" in row.states]


def test_what_we_add_is_really_not_in_the_sdk() -> None:
    for extra in spec.extras():
        fields = {field.name for field in spec.model(extra.version, extra.model).fields}
        assert extra.field not in fields, f"{extra.model}.{extra.field} is in the SDK now: remove the row"
        assert parsed(extra.type)


def test_what_may_be_absent_is_really_required() -> None:
    for row in spec.absences():
        required = {field.name for field in spec.model(row.version, row.model).fields if field.required}
        assert set(row.fields) <= required, row.model
