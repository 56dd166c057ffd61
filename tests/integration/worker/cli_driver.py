"""The command `opendrs` with scripted work: `python -m tests.integration.worker.cli_driver run ...`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from opendrs.cli import attending, main, run
from tests.integration.worker import fakes
from tests.integration.worker.conftest import TIMING


def _break(*_: object, **__: object) -> NoReturn:
    raise ZeroDivisionError("of mysql://anna:S0urce-Pass%2Fword@source.example/shop")


if __name__ == "__main__":
    run.replicate = fakes.REPLICATE
    run.timing = TIMING
    if os.environ.get("BREAK_COMMAND"):
        attending.execute = _break  # type: ignore[assignment]
    main.main(sys.argv[1:])
