"""What goes on while a test does something else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAUSE_S = 0.01


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """It is done again and again, by a thread. If it fails, so does the test: pytest makes an error of that."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(PAUSE_S):
            act()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
