"""One result of a precheck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Result = Literal["PASSED", "ALARM", "FAILED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at and what came of it. PASSED, ALARM (should be known, does not block), FAILED.

    item     published name of the check: "srcBinlogFormatCheck"
    group    published group of the check: "db_params"
    message  what was found
    remedy   what to do, as a statement to run where there is one; empty when passed
    """

    item: str
    group: str
    result: Result
    message: str
    remedy: str = ""
