"""What a worker holds of its machine's memory without need.

A load, a check or a large transaction leaves the C library with memory that nobody uses and that it keeps, in an
arena for each thread. Of many jobs that follow side by side this is a tenth of all they take, and more behind a load.
"""

from __future__ import annotations

import ctypes
import time
from typing import Final

TRIM_S: Final = 60.0  # it takes milliseconds, and what is taken again must be cleared again


class Thrift:
    """Gives unused memory back from time to time, where the C library can."""

    def __init__(self, every_s: float = TRIM_S) -> None:
        self._every_s = every_s
        self._at = time.monotonic() + every_s
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl and others do not

    def look(self) -> None:
        """To be called often."""
        now = time.monotonic()
        if self._trim is not None and now >= self._at:
            self._trim(0)
            self._at = now + self._every_s
