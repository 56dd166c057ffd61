"""The house rules that a machine can check. Lists of exceptions may only shrink."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from opendrs.errors import Fault
from opendrs.pipeline import faultpoints

ROOT = Path(__file__).parents[2]
PYTHON_LINES_MAX = 800
RUST_LINES_MAX = 800
FUNCTION_LINES_MAX = 90
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}
# Files that are generated, with what generates them.
GENERATED = {"rust/binlog/src/charset_tables.rs"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


FILES = tracked()


def ours(*endings: str) -> Iterator[Path]:
    return (path for path in FILES if path.suffix in endings and str(path.relative_to(ROOT)) not in GENERATED)


def test_files_can_be_held_in_the_head() -> None:
    limits = {".py": PYTHON_LINES_MAX, ".rs": RUST_LINES_MAX}
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ours(*limits)
        if (lines := len(path.read_text().splitlines())) > limits[path.suffix]
    }
    assert not long


def test_functions_fit_a_screen() -> None:
    long = []
    for path in ours(".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{path.relative_to(ROOT)}:{node.name} {lines}")
    assert not long


def test_names_say_what_is_inside() -> None:
    assert not [str(path.relative_to(ROOT)) for path in FILES if path.stem.lower() in BANNED_NAMES]


def test_modules_say_what_they_are_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in ours(".py")
        if (ROOT / "src") in path.parents and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def test_every_fault_point_is_passed_and_once_on_each_way() -> None:
    """Several functions may pass one where a worker goes one of several ways: it has one kind of load, and one flow."""
    names = {name: value for name, value in vars(faultpoints).items() if name.isupper() and isinstance(value, str)}
    assert sorted(names.values()) == sorted(faultpoints.ALL)
    passed: Counter[tuple[str, str]] = Counter()
    for path in ours(".py"):
        if (ROOT / "src") in path.parents and path.name != "faultpoints.py":
            for function in ast.walk(ast.parse(path.read_text())):
                if isinstance(function, ast.FunctionDef):
                    words = re.findall(r"faultpoints\.([A-Z_]+)", ast.unparse(function))
                    passed.update((f"{path.name}:{function.name}", name) for name in words if name in names)
    assert {name for _, name in passed} == names.keys()
    assert [place for place, count in passed.items() if count > 1] == []


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_a_fault_says_what_happened_and_what_to_do(fault: Fault) -> None:
    spec = fault.spec
    assert re.fullmatch(r"DRS\.(\d{8}|M\d{5}|KE\d{4})|APIGW\.\d{4}", spec.code)
    assert spec.text and spec.hint.endswith(".")
    assert "password" not in re.findall(r"{(\w+)}", spec.text)


def test_nothing_names_a_registry_host_or_a_path_of_this_machine() -> None:
    # Written in pieces, so that this file does not find itself.
    banned = ["/work" + "/", "shared" + "/", "files.python" + "hosted", "static." + "crates.io"]
    found = []
    for path in FILES:
        if path.suffix in {".bin", ".png", ".gz"}:
            continue
        text = path.read_text(errors="replace")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in banned if word in text]
    assert not found


def test_locks_are_there_and_name_hashes() -> None:
    assert "--hash=sha256:" in (ROOT / "requirements.lock").read_text()
    assert (ROOT / "Cargo.lock").is_file()
    assert not (ROOT / "uv.lock").exists() or "uv.lock" in (ROOT / ".gitignore").read_text()
