"""Which operation a request is for: by method and path, segment by segment, words before parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import unquote

Target = TypeVar("Target")
SEGMENT_MAX: Final = 512
NO_NUL: Final = "\ufffd"  # PostgreSQL refuses to look for a text that has one


@dataclass(frozen=True, slots=True)
class _Pattern(Generic[Target]):
    """Words and parameters: `("v5", None, "jobs", None)` with the names of the latter."""

    words: tuple[str | None, ...]
    names: tuple[str, ...]
    target: Target

    def match(self, segments: list[str]) -> dict[str, str] | None:
        values = []
        for word, segment in zip(self.words, segments, strict=True):
            if word is None:
                values.append(segment)
            elif word != segment:
                return None
        return dict(zip(self.names, values, strict=True))


class Routes(Generic[Target]):
    """Paths with parameters in braces. Where two fit, the one whose earlier words fit is meant: `/jobs/template`
    before `/jobs/{job_id}`, and both before `/{resource_type}/tags`."""

    def __init__(self, rows: Iterable[tuple[str, str, Target]]) -> None:
        self._patterns: dict[tuple[str, int], list[_Pattern[Target]]] = {}
        for method, path, target in rows:
            pattern = _pattern(path, target)
            self._patterns.setdefault((method, len(pattern.words)), []).append(pattern)
        for patterns in self._patterns.values():
            patterns.sort(key=lambda pattern: [word is None for word in pattern.words])

    def find(self, method: str, raw_path: str) -> tuple[Target, Mapping[str, str]] | None:
        """What is meant, and the values of its parameters. The path is split before it is decoded, so that a
        slash inside a value stays inside."""
        parts = raw_path.removeprefix("/").removesuffix("/").split("/")
        segments = [unquote(part, errors="replace")[:SEGMENT_MAX].replace("\0", NO_NUL) for part in parts]
        for pattern in self._patterns.get((method, len(segments)), ()):
            values = pattern.match(segments)
            if values is not None and all(values.values()):
                return pattern.target, values
        return None


def _pattern(path: str, target: Target) -> _Pattern[Target]:
    words: list[str | None] = []
    names = []
    for part in path.removeprefix("/").split("/"):
        if part.startswith("{"):
            words.append(None)
            names.append(part[1:-1])
        else:
            words.append(part)
    return _Pattern(tuple(words), tuple(names), target)
