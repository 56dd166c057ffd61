"""The published Avro record: a reader that is not ours finds in it what was reviewed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import fastavro
import pytest

MESSAGES = Path(__file__).parents[2] / "rust/messages"
SCHEMA: dict[str, Any] = json.loads((MESSAGES / "src/record.avsc").read_text())
PAGES = sorted((MESSAGES / "tests/golden/avro").glob("*.expected"))


def reviewed(page: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Each message of a page: what it holds, bytes as {"bytes": hexadecimal}; and the message."""
    lines = page.read_text().split("\n")
    for told, line in pairwise(lines):
        if told.startswith("#= "):
            yield json.loads(told.removeprefix("#= ")), bytes.fromhex(line.rpartition(" ")[2])


def shown(value: object) -> object:
    match value:
        case bytes():
            return {"bytes": value.hex()}
        case dict():
            return {name: shown(part) for name, part in value.items()}
        case list():
            return [shown(part) for part in value]
        case _:
            return value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_another_reader_finds_what_was_reviewed(page: Path) -> None:
    canonical = fastavro.schema.to_parsing_canonical_form(SCHEMA)
    header = b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    messages = list(reviewed(page))
    assert messages
    for told, message in messages:
        assert message.startswith(header)
        datum = io.BytesIO(message.removeprefix(header))
        assert shown(fastavro.schemaless_reader(datum, SCHEMA, None)) == told
        assert not datum.read()


def test_every_page_is_read() -> None:
    assert {page.stem for page in PAGES} >= {"integers", "bytes", "statements", "policies"}
