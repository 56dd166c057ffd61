"""Tables that leave the selection while a job follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story


def test_a_table_that_is_renamed_out_of_the_selection_stays(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    """Its rows are nobody's to delete; and its name is free for another table."""
    name = database(source)
    story = Story(
        source=source, target=target, name=name, there=database(target), folder=tmp_path,
        patterns=(f"{name}.orders", f"{name}.items"),
    )  # fmt: skip
    story.at_source(
        "CREATE TABLE orders (id INT PRIMARY KEY, v INT, KEY (v));\n"
        "CREATE TABLE items (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES orders (id));\n"
        "INSERT INTO orders VALUES (1, 1), (2, 2);\nINSERT INTO items VALUES (1, 1), (2, 1)"
    )
    story.play()
    story.at_source(
        "INSERT INTO orders VALUES (3, 3);\n"
        "RENAME TABLE orders TO orders_2024;\n"
        "INSERT INTO orders_2024 VALUES (4, 4);\n"
        "DELETE FROM orders_2024 WHERE id = 2;\n"
        "CREATE TABLE orders (id INT PRIMARY KEY, v INT, w INT);\n"
        "INSERT INTO orders VALUES (7, 7, 7);\n"
        "INSERT INTO items VALUES (3, 4)"
    )
    story.play()
    assert story.in_target(f'SELECT id FROM "{name}".orders_2024 ORDER BY id') == [(1,), (2,), (3,)]
    assert story.in_target(f'SELECT * FROM "{name}".orders') == [(7, 7, 7)]
    assert story.in_target(f'SELECT id, o FROM "{name}".items ORDER BY id') == [(1, 1), (2, 1), (3, 4)]
    assert f"{name}.orders_2024" in [what for what, _ in story.reports]


def test_a_parent_cannot_leave_its_children(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path
) -> None:
    """What its deletions do to them is not in every log."""
    name = database(source)
    story = Story(
        source=source, target=target, name=name, there=database(target), folder=tmp_path,
        patterns=(f"{name}.p", f"{name}.c"),
    )  # fmt: skip
    story.at_source(
        "CREATE TABLE p (id INT PRIMARY KEY);\n"
        "CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)"
    )
    story.play()
    story.at_source("RENAME TABLE p TO away")
    story.fails("RENAME TABLE p TO away", f"what its changes do to {name}.c is not logged")


ONLINE = {
    "gh-ost": """
CREATE TABLE _t_gho LIKE t;
ALTER TABLE _t_gho ADD COLUMN age INT NOT NULL DEFAULT 3;
CREATE TABLE _t_ghc (id BIGINT AUTO_INCREMENT PRIMARY KEY, hint VARCHAR(64));
INSERT INTO _t_ghc (hint) VALUES ('state');
INSERT IGNORE INTO _t_gho (id, v) SELECT id, v FROM t;
UPDATE t SET v = 5 WHERE id = 2;
REPLACE INTO _t_gho (id, v) SELECT id, v FROM t WHERE id = 2;
RENAME TABLE t TO _t_del, _t_gho TO t;
DROP TABLE _t_ghc;
UPDATE t SET age = 4 WHERE id = 1;
DROP TABLE _t_del;
""",
    "pt-osc": """
CREATE TABLE _t_new LIKE t;
ALTER TABLE _t_new DROP COLUMN v, ADD COLUMN w VARCHAR(9) DEFAULT 'w';
INSERT IGNORE INTO _t_new (id) SELECT id FROM t;
RENAME TABLE t TO _t_old, _t_new TO t;
INSERT INTO t VALUES (9, 'nine');
DROP TABLE IF EXISTS _t_old;
""",
}


@pytest.mark.parametrize("moment", ["load.begun", ""])
@pytest.mark.parametrize("tool", ONLINE)
def test_an_online_change_of_a_table_that_is_selected_alone(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path, tool: str, moment: str
) -> None:
    name = database(source)
    story = Story(
        source=source, target=target, name=name, there=database(target), folder=tmp_path, patterns=(f"{name}.t",)
    )
    story.at_source("CREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (1, 1), (2, 2)")
    if moment:
        story.ends_equal({moment: ONLINE[tool]})
    else:
        story.play()
        story.at_source(ONLINE[tool])
        story.ends_equal()
