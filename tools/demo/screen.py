"""What the demo shows: its own words, and a line of progress whenever there is something new."""

from __future__ import annotations

import signal
import sys
import time

# The demo's own words stand out from those of the job.
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
EVERY_S = 1.0


def say(text: str) -> None:
    print(f"{BOLD}* {text}{PLAIN}", flush=True)


def stay_up() -> None:
    """Until Ctrl-C."""
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


class Lines:
    """Shows lines that come often: none twice, and no more than one a second unless it matters."""

    def __init__(self) -> None:
        self._last = ""
        self._shown_at = 0.0

    def show(self, text: str, *, matters: bool = False) -> bool:
        """Returns whether it was shown."""
        if text == self._last or (not matters and time.monotonic() < self._shown_at + EVERY_S):
            return False
        self._last, self._shown_at = text, time.monotonic()
        print(f"    {text}", flush=True)
        return True
