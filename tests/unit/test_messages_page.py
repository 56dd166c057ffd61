"""docs/reference/kafka.md shows what messages hold, as reviewed."""

from __future__ import annotations

import os

import pytest

from tools.messages import GOLDEN, PAGE, VALUES, document, row, snapshot

# Columns whose types are shown together with others.
SAME = {
    "integers": {"id", "small", "usmall", "medium", "umedium", "whole", "big"},
    "bits": {"id", "b64"},
    "fractions": {"id", "d0"},
    "times": {"id", "dt"},
    "moments": {"id", "ts6"},
    "texts": {"id", "c"},
    "documents": {"id", "tt", "t", "mt", "lt"},
    "bytes": {"id", "b4", "vb", "b", "mb", "lb"},
    "rare": {"id", "p"},
}
FILES = {path.stem for path in (GOLDEN / "json").glob("*.expected")}
# Of these the page shows no values: they are about keys, names and statements.
OTHERS = {"keyless", "keys", "names", "policies", "statements"}


@pytest.mark.golden
def test_the_tables_are_not_stale() -> None:
    page = PAGE.read_text()
    made = document(page)
    if os.environ.get("OPENDRS_GOLDEN") == "rewrite":
        PAGE.write_text(made)
        page = made
    assert page == made, "run python -m tools.messages"


def test_each_file_of_values_is_on_the_page() -> None:
    assert {value.page for value in VALUES} == FILES - OTHERS


@pytest.mark.parametrize("name", sorted(FILES - OTHERS))
def test_each_kind_of_column_is_on_the_page(name: str) -> None:
    """A type that no value of the page is of is one that the page says nothing about."""
    columns = row("json", next(value for value in VALUES if value.page == name)).keys()
    shown = {value.column for value in VALUES if value.page == name}
    missing = columns - shown - SAME.get(name, set())
    assert not missing


def test_the_rows_of_all_formats_are_the_same_ones() -> None:
    for name in FILES - OTHERS:
        assert len({len(snapshot(form, name)) for form in ("json", "json_c", "avro", "canal-json")}) == 1
