"""People at work in the shop: transactions on several connections while the job runs."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pymysql

Cursor = Any


def existing(cursor: Cursor, rng: random.Random, table: str) -> int:
    """The id of a row that is there, or was."""
    cursor.execute(f"SELECT MAX(id) FROM {table}")
    return rng.randint(1, cursor.fetchone()[0])


def order(cursor: Cursor, rng: random.Random) -> None:
    """A customer orders a few things and pays."""
    cursor.execute(
        "INSERT INTO orders (customer_id, ordered_at, note) VALUES (%s, NOW(6), %s)",
        (existing(cursor, rng, "customers"), rng.choice([None, "quickly please ⚡", "O'Brien\\n"])),
    )
    number = cursor.lastrowid
    for line in range(1, rng.randint(2, 5)):
        product = existing(cursor, rng, "products")
        cursor.execute(
            "INSERT INTO order_items SELECT %s, %s, id, %s, price FROM products WHERE id = %s",
            (number, line, rng.randint(1, 9), product),
        )
        cursor.execute("UPDATE stock SET pieces = pieces - 1, moved = moved + 1 WHERE product_id = %s", (product,))
    cursor.execute(
        "UPDATE orders SET state = 'paid', total = (SELECT SUM(quantity * unit_price) FROM order_items"
        " WHERE order_id = %s) WHERE id = %s",
        (number, number),
    )
    cursor.execute(
        "INSERT INTO payments (order_id, method, amount, paid_at) VALUES (%s, 'card', 1.5, NOW())", (number,)
    )


def cancel(cursor: Cursor, rng: random.Random) -> None:
    """An order is deleted; its items and payments go with it by foreign key."""
    cursor.execute("DELETE FROM orders WHERE id = %s", (existing(cursor, rng, "orders"),))


def cancel_by_name(cursor: Cursor, rng: random.Random) -> None:
    """The same where foreign keys take nothing along."""
    number = existing(cursor, rng, "orders")
    cursor.execute("DELETE FROM order_items WHERE order_id = %s", (number,))
    cursor.execute("DELETE FROM payments WHERE order_id = %s", (number,))
    cursor.execute("DELETE FROM orders WHERE id = %s", (number,))


def correct(cursor: Cursor, rng: random.Random) -> None:
    """A customer changes the profile, moves, or writes a review."""
    customer = existing(cursor, rng, "customers")
    cursor.execute(
        "UPDATE customers SET level = level + 1, interests = 'books,music' WHERE id = %s AND level < 100", (customer,)
    )
    cursor.execute("UPDATE IGNORE addresses SET kind = 'work' WHERE customer_id = %s AND kind = 'home'", (customer,))
    cursor.execute(
        "INSERT INTO reviews (product_id, customer_id, stars, words, written_on) VALUES (%s, %s, %s, %s, CURDATE())",
        (existing(cursor, rng, "products"), customer, rng.randint(1, 5), "so là là " * rng.randint(0, 9)),
    )


def visit(cursor: Cursor, rng: random.Random) -> None:
    """A page is looked at, and some old visits are forgotten: a table without a key."""
    cursor.execute("INSERT INTO visits VALUES (NOW(3), '/new', %s, NULL)", (rng.randint(1, 900),))
    if rng.random() < 0.05:
        cursor.execute("DELETE FROM visits ORDER BY at LIMIT 3")


def give_up(cursor: Cursor, rng: random.Random) -> None:
    """Something is begun and rolled back."""
    cursor.execute("UPDATE products SET price = price + 1 WHERE id = %s", (existing(cursor, rng, "products"),))
    cursor.connection.rollback()


WORK: tuple[tuple[int, Callable[[Cursor, random.Random], None]], ...] = (
    (6, order), (1, cancel), (4, correct), (6, visit), (1, give_up),
)  # fmt: skip


class Writers:
    """Threads that work in the shop until they are stopped.

    cascades   as in `shop.statements`
    """

    def __init__(
        self, connect: Callable[[], Any], *, count: int, pause_s: float, seed: int = 7, cascades: bool = True
    ) -> None:
        self._connect = connect
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._cascades = cascades
        self.transactions = 0
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(random.Random(seed + n),), daemon=True) for n in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _work(self, rng: random.Random) -> None:
        connection = self._connect()
        connection.autocommit(False)
        tasks = [task for weight, task in WORK for _ in range(weight)]
        if not self._cascades:
            tasks = [cancel_by_name if task is cancel else task for task in tasks]
        while not self._stop.wait(self._pause_s * rng.random() * 2):
            with connection.cursor() as cursor:
                try:
                    rng.choice(tasks)(cursor, rng)
                    connection.commit()
                except pymysql.err.OperationalError:
                    connection.rollback()  # a deadlock between two writers: the shop's own affair
                    continue
            with self._lock:
                self.transactions += 1
        connection.close()
