"""Every fault can be told in Chinese, with the same details."""

from __future__ import annotations

import re

import pytest

from opendrs.chinese import TEXTS
from opendrs.errors import Fault


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_every_fault_has_a_chinese_text_with_the_same_details(fault: Fault) -> None:
    text, hint = TEXTS[fault]
    assert sorted(re.findall(r"{(\w+)}", text)) == sorted(re.findall(r"{(\w+)}", fault.spec.text))
    assert hint.endswith("。") and (re.search(r"[\u4e00-\u9fff]", text) or text == "{name}:{reason}")
