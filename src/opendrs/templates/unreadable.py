"""What is raised of a file that cannot be taken as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Unreadable(Exception):
    """Why, fit to follow a colon: in words for people."""


@contextmanager
def as_unreadable(what: str) -> Iterator[None]:
    """Around code that reads what a stranger has sent: whatever it raises, the file is not as it should be.

    what   "this is no ..."
    """
    try:
        yield
    except Unreadable:
        raise
    except MemoryError:
        raise Unreadable(f"{what}: it wants more memory than there is") from None
    except Exception as error:
        # Readers of formats raise whatever their code happens to meet in a broken file.
        raise Unreadable(f"{what} ({type(error).__name__})") from error
