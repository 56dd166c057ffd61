"""What the errands that read a file of a user share: where it is, how far they are, what they leave of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from opendrs.control.importing import RESULT, place_of, upload_in
from opendrs.errors import DrsError, Fault
from opendrs.model.precheck import how_many
from opendrs.store import actions
from opendrs.templates import bundles, sheets
from opendrs.templates.choosing import Problems
from opendrs.templates.documents import Document, Wrong
from opendrs.templates.files import Kind
from opendrs.templates.layout import Level, Mapping
from opendrs.templates.sheets import Row
from opendrs.templates.unreadable import Unreadable
from opendrs.worker.errands import Errand

NOTE_S: Final = 0.5  # how often to tell how many rows have been read
LOOK_ROWS: Final = 200  # between two looks at the clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The file of an import.

    name     as the user has it
    mapping  what was asked for; None: nothing was said of other names
    """

    errand: Errand
    place: Path
    name: str
    kind: Kind
    level: Level
    mapping: Mapping | None

    @classmethod
    def of(cls, errand: Errand) -> Filed:
        action, params = errand.action, errand.action.params
        return cls(
            errand=errand,
            place=place_of(errand.place.folder, action.job_id, action.kind, action.id),
            name=params["file"],
            kind=cast(Kind, params["kind"]),
            level=cast(Level, params["level"]),
            mapping=cast(Mapping | None, params["mapping"]),
        )

    @property
    def path(self) -> Path:
        """Raises FILE_REFUSED if it is not on this machine."""
        found = upload_in(self.place, self.kind)
        if not found.exists():
            raise self.refused("it is not there any more: upload it again")
        return found

    def refused(self, reason: object) -> DrsError:
        return DrsError(Fault.FILE_REFUSED, file=self.name, reason=reason)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raises FILE_REFUSED for what cannot be taken as a whole."""
        try:
            yield
        except Unreadable as error:
            raise self.refused(error) from error

    def rows(self, problems: Problems) -> Iterator[Row]:
        """The rows as they come. Notes how many are good; `problems`: what whoever takes them has found so far."""
        mapping = self.mapping or "table_mapping"
        count, noted_at = 0, time.monotonic()
        with self.reading():
            for row in sheets.read(bundles.rows_of(self.path, self.kind), self.level, mapping):
                yield row
                count += 1
                if count % LOOK_ROWS == 0 and time.monotonic() >= noted_at + NOTE_S:
                    noted_at = time.monotonic()
                    self.note(count - len(problems))

    def note(self, rows: int) -> None:
        """So many have been read."""
        with self.errand.place.store.write() as connection:
            actions.keep_result(connection, self.errand.action.id, {"rows": rows})

    # what is left

    def keep(self) -> None:
        """The file as it came: it is good."""
        if self.kind == "zip":  # with one file in it, as what is downloaded
            shutil.copyfile(self.path, self.place / RESULT)
        else:
            self._keep(self.path, self.name)

    def keep_sheet(self, rows: int, problems: Problems, told: str = "") -> DrsError:
        """The workbook with what is wrong with it, so many rows having been read; to be raised.

        told   what is wrong with all of it
        """
        draft = self.place / f"annotated.{self.kind}"
        mapping = self.mapping or "table_mapping"
        with self.reading():
            bundles.annotate(self.path, self.kind, self.level, mapping, problems, told, draft)
        self._keep(draft, self.name)
        draft.unlink()
        self.note(rows - len(problems))
        first = min(problems, default=0)
        return self._wrong(len(problems), rows, "row", f"row {first}: {problems[first]}" if problems else told)

    def keep_document(self, document: Document, objects: int, wrong: Sequence[Wrong]) -> DrsError:
        """The same of JSON."""
        draft = self.place / "annotated.json"
        draft.write_bytes(document.annotated(wrong))
        self._keep(draft, document.name)
        draft.unlink()
        named = {one.object for one in wrong if one.object}
        self.note(max(0, objects - len(named)))
        first = wrong[0]
        return self._wrong(len(named), objects, "object", ": ".join(text for text in first if text))

    def _wrong(self, wrong: int, of: int, thing: str, first: str) -> DrsError:
        found = f"{wrong} of {how_many(of, thing)} {'is' if wrong == 1 else 'are'} wrong" if wrong else "it is wrong"
        return DrsError(Fault.ROWS_WRONG, file=self.name, wrong=found, first=first)

    def _keep(self, file: Path, name: str) -> None:
        bundles.pack(self.place / RESULT, [file], [name])
