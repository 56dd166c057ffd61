"""Memory that nobody uses goes back to the machine."""

from __future__ import annotations

import ctypes

import psutil
import pytest

from opendrs.worker.memory import Thrift


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not exercised: trimming: not glibc")
def test_what_is_not_used_is_given_back() -> None:
    library = ctypes.CDLL(None)
    library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    held = [library.malloc(100_000) for _ in range(1000)]  # below what gets a mapping of its own
    for place in held:
        ctypes.memset(place, 1, 100_000)
    for place in held[::2]:  # holes, which the library gives back to nobody by itself
        library.free(place)
    process = psutil.Process()
    before = process.memory_info().rss
    Thrift(every_s=0).look()
    assert process.memory_info().rss < before - 25_000_000
    for place in held[1::2]:
        library.free(place)


def test_it_is_not_done_all_the_time() -> None:
    thrift = Thrift(every_s=1000)
    thrift._trim = lambda keep: pytest.fail(f"too soon ({keep})")
    thrift.look()
