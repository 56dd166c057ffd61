"""Files of objects from the shell, on a real service and a real source."""

from __future__ import annotations

from pathlib import Path

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.api import workbooks
from tests.integration.api.workbooks import KEYS, TABLES, write
from tests.integration.cli.shell import Shell
from tests.integration.cli.test_life import source_url, target_url


def test_from_the_template_to_the_choice(
    shell: Shell, mariadb: FamilyServer, postgres: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    name, target = database(mariadb), database(postgres)
    for table in ("orders", "lines"):
        mariadb.execute(f"CREATE TABLE `{name}`.`{table}` (id INT PRIMARY KEY, v VARCHAR(20))")
    shell.run("job", "create", "filed", source_url(mariadb), target_url(postgres, target), "--databases", name)
    got = [Path(line) for line in shell.done("job", "template", "filed", "-o", str(tmp_path)).out.splitlines()]
    assert [path.name for path in got] == ["import-table.xlsx", "import-table.xls"]
    assert [workbooks.rows(path.name, path.read_bytes()) for path in got] == [[list(TABLES)]] * 2
    file = write(tmp_path / "mine.xls", TABLES, [name, "", "orders", "", "store"], [name, "", "nowhere"])
    said = shell.failed("job", "import", "filed", str(file))
    assert "1 of 2 rows is wrong" in said and "[DRS.10030015]" in said and "mine.errors.xls" in said
    found = workbooks.rows("a.xls", (tmp_path / "mine.errors.xls").read_bytes())
    assert found[2][6] == f"the source has no table {name}.nowhere"
    write(file, TABLES, [name, "", "orders", "", "store"])
    assert "1 row. Next: opendrs job precheck filed" in shell.done("job", "import", "filed", str(file)).out
    assert f"{name}.orders -> store" in shell.done("job", "show", "filed").out
    keys = write(tmp_path / "keys.xlsx", KEYS, [name, "", "orders", "id"])
    assert shell.done("job", "import", "filed", str(keys), "--level", "compare_key").out == (
        "filed is to be compared by the keys in keys.xlsx: 1 row.\n"
    )
