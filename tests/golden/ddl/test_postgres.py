"""Definitions of the source, and the SQL of the target that becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.engines.postgres import ddl
from opendrs.engines.postgres.alterations import Schema, render
from opendrs.engines.postgres.layout import layouts, renamings
from opendrs.engines.postgres.rendered import Rendered
from opendrs.model.evolution import applied
from tests.golden.ddl.conftest import agrees
from tests.golden.ddl.reading import read, scope, session
from tests.integration.ddl.cases import BASE, alterations

pytestmark = pytest.mark.golden

FOLDER = Path(__file__).parent
ZOO = sorted(path for path in (FOLDER / "zoo").glob("*.sql") if not path.name.endswith(".postgres.sql"))


def shown(rendered: Rendered) -> str:
    reports = "".join(f"-- {report.id}: {report.object}: {report.text}\n" for report in rendered.reports)
    return "".join(f"{statement};\n" for statement in rendered.statements) + reports


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_the_zoo(path: Path) -> None:
    text = path.read_text()
    first, _, rest = text.partition("\n")
    servers = first.removeprefix("-- servers: ").split() if first.startswith("-- servers:") else ["mysql"]
    statements = [s for s in (rest if first.startswith("-- servers:") else text).split(";\n") if s.strip()]
    tables = read(statements, servers[0])
    places = layouts(tables.values(), lambda name: name)
    rendered = ddl.every_table(tables.values(), places)
    rendered += Rendered.joined(ddl.identity(table, places[name]) for name, table in tables.items())
    agrees(path.with_suffix(".postgres.sql"), shown(rendered + renamings(tables.values(), places)))


@pytest.mark.parametrize("server", ["mysql", "mariadb"])
def test_alterations(server: str) -> None:
    parts = []
    for case in alterations(server):
        tables = read(BASE.split(";\n"), server)
        parts.append(f"-- {'-' * 100}\n")
        for statement in case.split("; "):
            parts.append(f"-- {statement}\n\n")
            found = parse(statement, session(server), scope(tables))
            for alteration in [] if isinstance(found, Ignored) else found:
                after = applied(tables, alteration)
                before, behind = (Schema(t, layouts(t.values(), lambda name: name)) for t in (tables, after))
                parts.append(shown(render(alteration, before, behind)) + "\n")
                tables = after
    agrees(FOLDER / f"alterations.{server}.postgres.sql", "".join(parts))
