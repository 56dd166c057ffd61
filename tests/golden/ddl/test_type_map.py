"""docs/reference/types.md is what the tables in the code say."""

from __future__ import annotations

import pytest

from tests.golden.ddl.conftest import agrees
from tools.type_map import TARGET, text


@pytest.mark.golden
def test_the_page_is_not_stale() -> None:
    agrees(TARGET, text())
