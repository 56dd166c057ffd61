"""docs/reference/templates.md is what the tables say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opendrs.model.links import LINKS
from opendrs.templates import reference
from opendrs.templates.layout import LEVELS, NOT_TAKEN, columns

PAGE = Path(__file__).parents[3] / reference.FILE


@pytest.mark.golden
def test_the_page_is_fresh() -> None:
    if os.environ.get("OPENDRS_GOLDEN") == "rewrite":
        PAGE.write_text(reference.page())
    assert PAGE.read_text() == reference.page(), "run `python -m opendrs.templates.reference`"


def test_every_level_and_flow_is_on_the_page() -> None:
    page = reference.page()
    for level in LEVELS:
        assert f"## `file_import_db_level={level}`" in page
        for one in columns(level, "table_mapping") if level not in NOT_TAKEN else ():
            assert f"| {one.title} | " in page
    assert all(f"| `{link.engine_type}` | ." in page for link in LINKS)
    assert NOT_TAKEN["partition"] in page
