"""Flink reads our values with the types that docs/reference/kafka.md gives."""

from __future__ import annotations

import json
from typing import Literal

import pytest

from tests.harness.flink import RELEASES, read
from tools.messages import VALUES, Number, Value, row

Format = Literal["canal-json", "debezium-json"]
TYPED = {f"v{number}": value for number, value in enumerate(VALUES) if value.canal}
# All values as one row: a start of Java takes a second.
ENVELOPES: dict[Format, str] = {
    "canal-json": '{{"data":[{}],"old":null,"type":"INSERT"}}',
    "debezium-json": '{{"before":null,"after":{},"op":"c"}}',
}


def written(form: Format, value: Value) -> str:
    found = row(form, value)[value.column]
    return found if isinstance(found, Number) else json.dumps(found)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("form", ENVELOPES)
def test_flink_reads_every_value(form: Format, release: str) -> None:
    columns = {name: value.canal if form == "canal-json" else value.debezium for name, value in TYPED.items()}
    fields = ",".join(f'"{name}":{written(form, value)}' for name, value in TYPED.items())
    ((kind, values),) = read(form, columns, [ENVELOPES[form].format(f"{{{fields}}}").encode()], release=release)
    assert kind == "+I"
    found = dict(zip(columns, values, strict=True))
    assert None not in found.values()
    for name, value in TYPED.items():
        if columns[name] == "STRING":
            assert found[name] == row(form, value)[value.column]
    by_type = {value.types: found[name] for name, value in TYPED.items()}
    assert by_type["`bigint unsigned`"] == "18446744073709551615"
    assert by_type["`timestamp(3)`"].startswith("2021-06-25 09:51:53.201")
    assert by_type["`float`"] == 1e-7
    assert by_type["`bit(10)`"] == (513 if form == "canal-json" else "0102")
    assert by_type["`binary`, `varbinary`, `tinyblob` to `longblob`"] == "80ff7f00"
