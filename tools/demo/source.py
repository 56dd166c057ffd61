"""The side that every demo reads: a server with the shop in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from tests.harness import Options, Server
from tools.demo import shop
from tools.demo.screen import say

SOURCES: Final = ("mariadb", "mysql")
OPTIONS: Final = Options(settings={"innodb_buffer_pool_size": "1G"})


def fill(source: Server, scale: float, *, cascades: bool = True) -> None:
    """Makes the shop (`shop.statements`)."""
    began = time.monotonic()
    connection = source.connect()
    with connection.cursor() as cursor:
        shop.create(cursor.execute, scale, cascades=cascades)
    connection.commit()
    connection.close()
    counts = count(source)
    say(
        f"a shop of {len(counts)} tables and {sum(counts.values()):,} rows was made in {time.monotonic() - began:.1f} s"
    )


def count(source: Server) -> Mapping[str, int]:
    """Rows by table."""
    return {table: source.execute(f"SELECT COUNT(*) FROM {shop.DATABASE}.{table}")[0][0] for table in shop.ROWS}
