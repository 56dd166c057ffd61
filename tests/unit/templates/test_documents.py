"""Files of JSON: where the objects stand in them, and everything that is not taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opendrs.templates import documents
from opendrs.templates.documents import Wrong
from opendrs.templates.unreadable import Unreadable
from tests.unit.templates.making import packed

OBJECTS = {"object_scope": "table", "object_info": {"shop": {"name": "shop", "tables": {"orders": {"name": "orders"}}}}}
ROOTS: dict[str, Any] = {
    "bare": OBJECTS,
    "wrapped": {"job": {"type": "db_object", "params": {"db_object": OBJECTS}}},
    "params": {"params": {"db_object": OBJECTS}},
    "db_object": {"db_object": OBJECTS},
}


def refused(path: Path, content: str | bytes, kind: Any = "json") -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Unreadable) as caught:
        documents.read(path, "a.json", kind)
    return str(caught.value)


@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_wherever_the_objects_stand(tmp_path: Path, root: Any, mark: str) -> None:
    path = tmp_path / "x"
    path.write_text(mark + json.dumps(root))
    found = documents.read(path, "a.json", "json")
    assert (found.name, found.root, found.objects, documents.count(found.objects)) == ("a.json", root, OBJECTS, 1)


def test_what_is_wrong_stands_in_it_and_does_not_gather(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps(ROOTS["wrapped"]))
    found = documents.read(path, "a.json", "json")
    for reason in ("first", "second: ü"):
        path.write_bytes(found.annotated([Wrong("shop.orders", reason)]))
        found = documents.read(path, "a.json", "json")
        assert found.root["error"] == [{"object": "shop.orders", "reason": reason}]
        assert found.objects == OBJECTS


def test_how_many_objects() -> None:
    info = {"a": {"all": True}, "b": {"tables": {"t": {}, "u": {}}}, "c": None, "d": {"tables": {}}}
    assert documents.count({"object_info": info}) == 5
    for odd in ({}, {"object_info": None}, {"object_info": [1]}):
        assert documents.count(odd) == 0


def test_in_a_zip(tmp_path: Path) -> None:
    path = packed(tmp_path / "x", {"folder/": "", "folder/Objects.TXT": json.dumps(OBJECTS)})
    found = documents.read(path, "a.zip", "zip")
    assert (found.name, found.objects) == ("Objects.TXT", OBJECTS)
    more = {
        "two": {"a.json": "{}", "b.txt": "{}"}, "none": {}, "other": {"a.xml": ""}, "one of two": {"a.json": "{}", "b.exe": ""},
        "nested": {"a.zip": "PK"}, "twice": {"a/x.json": "{}", "b/x.json": "{}"},
    }  # fmt: skip
    for files in more.values():
        assert "one file .json or .txt" in refused(path, packed(tmp_path / "y", files).read_bytes(), "zip")
    outside = packed(tmp_path / "y", {"../a.json": "{}"})
    assert "leads out" in refused(path, outside.read_bytes(), "zip")
    bomb = packed(tmp_path / "y", {"a.json": " " * (19 << 20)})
    assert "times its size" in refused(path, bomb.read_bytes(), "zip")
    large = packed(tmp_path / "y", {"a.json": " " * (21 << 20)})
    assert "it unpacks to" in refused(path, large.read_bytes(), "zip")
    assert "no ZIP" in refused(path, b"PK\3\4 and nothing", "zip")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no JSON"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        ('{"a": 1}', "there is no object_scope"),
        ('{"job": {"params": {"db_object": []}}}', "there is no object_scope"),
        ('{"object_scope": NaN}', "no JSON"),
        ('{"object_scope": Infinity}', "no JSON"),
        ('{"object_scope": 1e999}', "a number in it is too large"),
        ('{"object_scope": 99999999999999999999}', "a number in it is too large"),
        ('{"object_scope": "\\u0000"}', "has a NUL"),
        ('{"object_scope": "\\ud800"}', "half a character"),
        ('{"\\udfff": 1, "object_scope": ""}', "half a character"),
        ('{"object_scope": "a", "object_scope": "b"}', "stands twice"),
        ('{"object_info": ' + "[" * 100_000 + "]" * 100_000 + "}", "too deep"),
        ('{"object_info": ' + "[" * 100 + "]" * 100 + "}", "too deep"),
        ('{"object_info": {' + "{" * 2000, "no JSON"),
        (b'{"object_scope": "\xff"}', "it is not in UTF-8 (byte 18)"),
        (json.dumps(OBJECTS).encode("utf-16"), "it is in UTF-16"),
        (json.dumps(OBJECTS).encode("utf-16-le"), "there is a NUL"),
        (json.dumps(OBJECTS).encode("utf-32-be"), "there is a NUL"),
        ('{"object_info": [' + "," * 4_000_001, "parts"),
    ],
)  # fmt: skip
def test_what_is_not_taken(tmp_path: Path, content: str | bytes, why: str) -> None:
    assert why in refused(tmp_path / "x", content)
