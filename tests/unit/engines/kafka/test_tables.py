"""Tables as the encoder knows them: each by a number, with its topic and the columns that a record has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opendrs.engines.kafka.tables import Encoding, published
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Column, Generated
from opendrs.model.publishing import FORMATS, PARTITION_POLICIES, Format, Publishing
from opendrs.model.selection import Selection
from opendrs.model.types import Logical
from tests.unit.engines.kafka.fakes import CARTS, ORDERS, table


class Producer:
    """Numbers topics as they are asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.partitions = 3

    def topic(self, name: str) -> tuple[int, int]:
        self.asked.append(name)
        return self.asked.index(name), self.partitions


def encoding(publishing: Publishing | None = None, selection: Selection | None = None) -> tuple[Encoding, Producer]:
    producer: Any = Producer()
    return Encoding(producer, publishing or Publishing(), selection or Selection(), "j"), producer


def test_a_table_has_one_number_until_it_has_another_shape() -> None:
    made, producer = encoding()
    numbers = [made.number(one) for one in (table(), table(CARTS), table(), table(CARTS))]
    assert numbers == [0, 1, 0, 1]
    assert producer.asked == ["shop-orders", "shop-carts"]
    # The encoder keeps what was begun; the topic may have more partitions by now.
    assert [made.number(table(ORDERS, "a")), made.number(table(CARTS)), made.number(table())] == [0, 1, 0]
    assert producer.asked == ["shop-orders", "shop-carts", "shop-orders", "shop-orders"]


def test_a_table_goes_where_it_was_mapped() -> None:
    made, producer = encoding(selection=Selection(topics={ORDERS: "mine"}))
    made.number(table())
    assert producer.asked == ["mine"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("partition_policy", sorted({one for some in PARTITION_POLICIES.values() for one in some}))
def test_the_encoder_takes_every_format_and_policy(form: Format, partition_policy: int) -> None:
    made, _ = encoding(Publishing(format=form, partition_policy=partition_policy))
    assert made.number(table()) == 0
    key, value = made.core.statement(("DROP TABLE t", "DROP", "shop", "t"), (1, None, None, 0), snapshot=False, id=1)
    assert value and b"t" in value and (key is None or isinstance(key, bytes))


def test_columns_that_a_record_has() -> None:
    def column(name: str, **facts: Any) -> Column:
        return Column(name=name, type=Logical(kind="int", bits=32), native="int", **facts)

    given = replace(
        table(),
        columns=(
            column("id"), column("seen", invisible=True), column("hidden", hidden=True),
            column("stored", generated=Generated("id", stored=True)),
            column("logged", generated=Generated("id", stored=False)),
            column("unlogged", generated=Generated("id", stored=False, logged=False)),
        ),
    )  # fmt: skip
    assert [one.name for one in published(given)] == ["id", "seen", "stored", "logged"]
    made, _ = encoding()
    assert made.number(given) == 0


def test_a_table_that_cannot_be_encoded_is_named() -> None:
    """A mistake of ours, and no number for it."""
    made, producer = encoding()
    producer.partitions = 0
    for _ in range(2):
        with pytest.raises(DrsError) as raised:
            made.number(table())
        assert raised.value.fault is Fault.INTERNAL and "shop.orders" in raised.value.message
    producer.partitions = 3
    assert made.number(table()) == 2
