"""`make demo`: a shop moves out of MariaDB or MySQL while people work in it."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from tests.harness import ServerUnavailable
from tools.demo import to_kafka, to_postgres
from tools.demo.guard import Guard
from tools.demo.source import SOURCES

# What shows it, and how large the shop is by default: 1 is 1,300,250 rows.
TARGETS = {"postgres": (to_postgres.run, 1.0), "kafka": (to_kafka.run, 0.2)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--source", choices=SOURCES, default=SOURCES[0])
    parser.add_argument("--target", choices=TARGETS, default="postgres")
    parser.add_argument("--scale", type=float, help="1: 1,300,250 rows")
    parser.add_argument("--exit", action="store_true", help="end by itself")
    options = parser.parse_args()
    run, scale = TARGETS[options.target]
    folder = Path(tempfile.mkdtemp(prefix="opendrs-demo-"))
    guard = Guard(folder)
    try:
        run(options.source, folder, scale=scale if options.scale is None else options.scale, end=options.exit)
    except ServerUnavailable as missing:
        raise SystemExit(str(missing)) from missing
    finally:
        guard.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
