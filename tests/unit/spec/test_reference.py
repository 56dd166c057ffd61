"""docs/reference/api.md is what the contract says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opendrs import spec
from opendrs.spec import reference

ROOT = Path(__file__).parents[3]
PAGE = ROOT / reference.FILE


@pytest.mark.golden
def test_the_page_is_fresh() -> None:
    if os.environ.get("OPENDRS_GOLDEN") == "rewrite":
        PAGE.write_text(reference.page())
    assert PAGE.read_text() == reference.page(), "run `python -m opendrs.spec.reference`"


def test_every_operation_is_on_the_page() -> None:
    page = reference.page()
    for operation in spec.operations():
        assert f"| {operation.version} `{operation.name}` | {operation.method} `{operation.path}`" in page
        assert operation.why in page
    done = sum(operation.state == "done" and operation.version == "v5" for operation in spec.operations())
    assert f"| v5 | {done} | " in page


def test_the_contract_is_found_at_the_root() -> None:
    assert (ROOT / "spec").resolve() == (ROOT / "src" / "opendrs" / "spec").resolve()
