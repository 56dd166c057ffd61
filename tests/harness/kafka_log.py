"""A partition's log on disk, while its broker is stopped.

https://kafka.apache.org/documentation/#recordbatch
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

HEAD: Final = 12  # of a batch: its first offset, and how long it is behind that
ATTRIBUTES: Final = 21
CONTROL: Final = 0x20


def lose_end_mark(partition: Path) -> None:
    """Takes away the last batch of a partition's only segment, which must be the mark of a transaction's end. The broker
    finds out anew what there is when it starts."""
    (log,) = partition.glob("*.log")
    written, begin, last = log.read_bytes(), 0, 0
    while begin < len(written):
        last = begin
        begin += HEAD + int(struct.unpack_from(">i", written, begin + 8)[0])
    (attributes,) = struct.unpack_from(">h", written, last + ATTRIBUTES)
    assert attributes & CONTROL, f"{log} does not end with a mark"
    log.write_bytes(written[:last])
    for kind in ("snapshot", "index", "timeindex", "txnindex"):
        for file in partition.glob(f"*.{kind}"):
            file.unlink()
    (partition.parent / ".kafka_cleanshutdown").unlink(missing_ok=True)
