"""`opendrs` with less patience, so that a test need not wait long for a successor."""

from __future__ import annotations

import sys

from opendrs.cli import main, run
from opendrs.worker.timing import Timing

if __name__ == "__main__":
    run.timing = Timing(ttl_s=5.0, beat_s=0.5, first_wait_s=0.1, wait_max_s=2.0)
    main.main(sys.argv[1:])
