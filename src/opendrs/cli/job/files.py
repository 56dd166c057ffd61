"""`opendrs job template` and `import`: what a job replicates, from a file."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from opendrs.cli import options
from opendrs.cli.exits import Code, Refused
from opendrs.cli.job.errands import saved
from opendrs.cli.job.options import Job
from opendrs.cli.job.resolving import Found, resolve
from opendrs.cli.job.waiting import until
from opendrs.cli.printing import clean
from opendrs.cli.session import session
from opendrs.errors import DrsError, Fault
from opendrs.model.precheck import how_many

if TYPE_CHECKING:
    from opendrs.cli.service import Facts, Service

Level = Literal["database", "table", "column", "compare_key"]
LevelOption = Annotated[Level, typer.Option("--level", help="What a row of the file is about.")]
# What the service calls the file of each level: in questions about its progress, and in those about its result.
PROGRESS: Final[dict[Level, str]] = {"column": "column", "compare_key": "compare_key"}
RESULTS: Final[dict[Level, dict[str, str]]] = {
    "database": {"type": "detail"},
    "table": {"type": "detail"},
    "column": {"type": "detail", "file_export_object_level": "column"},
    "compare_key": {"type": "compare_key_detail"},
}
IMPORT_S: Final = 2400.0  # reading and saving, and their turns in the queue


def template(
    job: Job,
    level: LevelOption = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Where to put it; default: here.")
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Get the file that says what a job replicates, to be filled in: a workbook, or JSON for jobs to Kafka."""
    with session(debug=debug) as service:
        found = resolve(service, job)
        folder = output or Path()
        archive = service.template(found.id, level)
        for path in _unpack(service, archive, folder):
            typer.echo(clean(str(path)))


def import_file(
    job: Job,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A filled template: .xlsx, .xls; of jobs to Kafka .json, .txt, .zip.")
    ],
    level: LevelOption = "table",
    mapping: Annotated[
        Literal["table_mapping", "topic_mapping"] | None,
        typer.Option(help="Every row must give another name: of a table, or of a topic."),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Choose what a job replicates by a file, in place of all that was chosen before.

    Nothing is taken unless all rows are good. Otherwise the file comes back, beside the one that was sent, with the
    reason beside each row that is wrong.
    """
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        service.upload(found.id, file.name, _content(file), level, mapping)
        over = _followed(service, found, level)
        if over["process_status"] == "failed":
            _bring_back(service, found, level, file)
            raise Refused(str(over.get("error_code", "")), str(over.get("error_msg", "")))
        rows = how_many(int(over.get("parsed_success_number", "0")), "row")
        if level == "compare_key":
            typer.echo(f"{found.name} is to be compared by the keys in {file.name}: {rows}.")
        else:
            typer.echo(saved(service, found, f"what is in {file.name}: {rows}"))
        raise typer.Exit(Code.DONE)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DrsError(Fault.SETTING_INVALID, name="FILE", reason=f"{file}: {error.strerror or error}") from error


def _followed(service: Service, found: Found, level: Level) -> Facts:
    """Waits until the file is read and saved; tells on a terminal how far it is."""
    lively = sys.stderr.isatty()

    def look() -> Facts | None:
        answer = service.imported(found.id, PROGRESS.get(level, ""))
        if answer.get("process_status") != "pending":
            return answer
        if lively:
            sys.stderr.write(f"\r{answer.get('parsed_success_number', '0')} rows read")
            sys.stderr.flush()
        return None

    try:
        return until("The import", look, IMPORT_S)
    finally:
        if lively:
            sys.stderr.write("\r\x1b[K")


def _bring_back(service: Service, found: Found, level: Level, file: Path) -> None:
    """Saves the file with what is wrong in it; there is none if it could not be read at all."""
    try:
        archive = service.import_result(found.id, **RESULTS[level])
    except Refused:
        return
    for path in _unpack(service, archive, file.parent, mark=".errors"):
        sys.stderr.write(f"What is wrong stands in {clean(str(path))}\n")


def _unpack(service: Service, archive: bytes, folder: Path, *, mark: str = "") -> list[Path]:
    """Saves the files of an archive, under their own names; `mark`: before the ending. Nothing is overwritten."""
    saved = []
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            for name in packed.namelist():
                plain = Path(Path(name).name)  # whatever it says, it goes where we put it
                path = _free(folder / f"{plain.stem}{mark}{plain.suffix}")
                path.write_bytes(packed.read(name))
                saved.append(path)
    except zipfile.BadZipFile:
        raise DrsError(Fault.SERVICE_ODD, url=service.url, reason="the archive cannot be read") from None
    except OSError as error:
        raise DrsError(Fault.SETTING_INVALID, name="--output", reason=str(error)) from error
    return saved


def _free(path: Path) -> Path:
    """The first of `a.xlsx`, `a (1).xlsx`, ... that is not there."""
    found, number = path, 0
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return found
