"""Tables that leave the selection while a job follows."""

from __future__ import annotations

from pathlib import Path

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
