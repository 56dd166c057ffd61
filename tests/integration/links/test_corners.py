"""Corners of schemas and values that random worlds (tests/torture/schemas) found, each by its name.

`before` is there when the job begins, `change` comes when it has caught up; both sides must be equal behind both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from opendrs.model.job import ApplyMode, Policy
from opendrs.worker.proving import prove_paused
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.story import Story
from tests.torture.schemas.witness import differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """`products`: those that have it at all, by the beginning of the server's name."""

    before: str
    change: str
    products: tuple[str, ...] = ("mariadb", "mysql")


CORNERS: Final = {
    "numbers with zeros in front": Corner(
        before="""
CREATE TABLE t (id INT(8) ZEROFILL PRIMARY KEY, n BIGINT ZEROFILL, d DECIMAL(12,3) ZEROFILL, f DOUBLE(12,3) ZEROFILL);
INSERT INTO t VALUES (1, 7, 1.5, 2.5), (2, 18446744073709551615, 0, 0), (3, NULL, NULL, NULL);
""",
        change="UPDATE t SET n = 8 WHERE id = 1;\nINSERT INTO t VALUES (4, 0, 999999999.999, 1);\n",
    ),
    "indexes with comments": Corner(
        before="""
CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c INT, KEY a (a) COMMENT 'one', KEY b (b) COMMENT 'it''s', KEY c (c) COMMENT 'three');
INSERT INTO t VALUES (1, 1, 1, 1);
""",
        change="INSERT INTO t VALUES (2, 2, 2, 2);\n",
    ),
    "JSON with a default that is none": Corner(
        products=("mariadb",),
        before="""
CREATE TABLE t (id INT PRIMARY KEY, j JSON DEFAULT 'no json', k JSON DEFAULT '{"a": [1, null]}', l JSON DEFAULT 'NaN');
INSERT INTO t VALUES (1, '1', '2', '3');
""",
        change="INSERT INTO t (id, j, l) VALUES (2, NULL, NULL);\n",
    ),
    "indexes over MariaDB's JSON": Corner(
        products=("mariadb",),
        before="""
CREATE TABLE t (id INT PRIMARY KEY, j JSON, k JSON, n INT, KEY j (j(3), n), UNIQUE KEY k (k));
INSERT INTO t VALUES (1, '[1]', '{"a": 1}', 1), (2, NULL, NULL, 2);
""",
        change="""
UPDATE t SET k = '{"b": 1}' WHERE id = 1;
INSERT INTO t VALUES (3, '[]', '{"a": 1}', 3);
ALTER TABLE t ADD KEY more (k(5));
DELETE FROM t WHERE id = 1;
""",
    ),
    "orphans with awkward keys": Corner(
        before="""
CREATE TABLE days (d DATETIME(6) PRIMARY KEY);
CREATE TABLE events (f FLOAT NOT NULL, x DOUBLE NOT NULL, t TIME(3) NOT NULL, b BIT(9) NOT NULL, w VARCHAR(20) COLLATE utf8mb4_bin NOT NULL,
 y VARBINARY(8) NOT NULL, n DECIMAL(12,4) NOT NULL, s TIMESTAMP(6) NOT NULL, e ENUM('o''ne','two') NOT NULL, d DATETIME(6),
 PRIMARY KEY (f, x, t, b, w, y, n, s, e), CONSTRAINT at FOREIGN KEY (d) REFERENCES days (d) ON DELETE CASCADE);
SET foreign_key_checks = 0;
INSERT INTO events VALUES
 (0.1, 0.1, '-838:59:59.000', 5, 'a\\\\''b', x'005C27FF', -1.5, '2024-02-29 01:02:03.000001', 'o''ne', '0000-12-31 23:59:59.999999'),
 (16777217, 1e300, '00:00:00', 256, '', '', 0, '1970-01-01 00:00:01', 'two', '9999-12-31 00:00:00'),
 (-1.5e-40, -5e-324, '12:00:00', 0, '茶', x'00', 12345678.1234, '2001-01-01 00:00:00', 'two', '2001-01-01 00:00:00');
""",
        change="INSERT INTO days VALUES ('2001-01-01 00:00:00');\nDELETE FROM days;\n",
    ),
    "names that end the body of a function": Corner(
        before="""
CREATE TABLE `$opendrs$` (`$opendrs$` INT PRIMARY KEY, `$$` INT);
CREATE TABLE `a"b` (id INT PRIMARY KEY, `$opendrs$` INT, CONSTRAINT `$opendrs_$` FOREIGN KEY (`$opendrs$`) REFERENCES `$opendrs$` (`$opendrs$`) ON DELETE CASCADE);
INSERT INTO `$opendrs$` VALUES (1, 1), (2, 2);
INSERT INTO `a"b` VALUES (1, 1), (2, 2), (3, NULL);
""",
        change="DELETE FROM `$opendrs$` WHERE `$opendrs$` = 1;\n",
    ),
    "members beyond U+FFFF": Corner(
        before="""
CREATE TABLE t (id INT PRIMARY KEY, e ENUM('no', '😀', '?', 'é') CHARACTER SET utf8mb4 DEFAULT '😀', s SET('x', '😀', '?') CHARACTER SET utf8mb4);
INSERT INTO t VALUES (1, '😀', 'x,😀'), (2, '?', '?'), (3, 'é', '');
""",
        change="""
INSERT INTO t VALUES (4, '😀', 'x,😀'), (5, '?', 'x,?'), (6, 'no', NULL);
UPDATE t SET e = 2, s = 7 WHERE id = 2;
""",
    ),
    "a parent that is replaced": Corner(
        before="""
CREATE TABLE p (k INT PRIMARY KEY, u INT UNIQUE, v INT);
CREATE TABLE c (k INT PRIMARY KEY, f INT, FOREIGN KEY (f) REFERENCES p (k) ON DELETE CASCADE);
CREATE TABLE tree (k INT PRIMARY KEY, v INT, up INT, FOREIGN KEY (up) REFERENCES tree (k) ON DELETE SET NULL);
INSERT INTO p VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5);
INSERT INTO c VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);
INSERT INTO tree VALUES (1, 1, NULL), (2, 2, 1), (3, 3, 1), (4, 4, 2);
""",
        change="""
REPLACE INTO p VALUES (1, 1, 7);
REPLACE INTO p VALUES (9, 5, 7);
REPLACE INTO p VALUES (2, 3, 8);
REPLACE INTO p VALUES (4, 4, 9), (2, 2, 10);
REPLACE INTO tree VALUES (1, 9, NULL), (2, 9, 1);
BEGIN;
DELETE FROM p WHERE k = 4;
INSERT INTO p VALUES (4, 40, 40);
COMMIT;
""",
    ),
    "a child that goes with its parent and comes again": Corner(
        before="""
CREATE TABLE tree (k INT PRIMARY KEY, v INT, up INT, also INT, FOREIGN KEY (up) REFERENCES tree (k) ON DELETE CASCADE, FOREIGN KEY (also) REFERENCES tree (k) ON DELETE SET NULL);
INSERT INTO tree VALUES (1, 1, NULL, NULL), (2, 2, 1, NULL), (3, 3, NULL, 1), (4, 4, NULL, NULL);
""",
        change="""
BEGIN;
DELETE FROM tree WHERE k = 3;
DELETE FROM tree WHERE k = 2;
DELETE FROM tree WHERE k = 1;
INSERT INTO tree VALUES (2, 2, 4, NULL);
COMMIT;
""",
    ),
    "JSON with doubles of 16 digits before the point": Corner(
        products=("mysql",),
        before="""
CREATE TABLE t (id INT PRIMARY KEY, j JSON);
INSERT INTO t VALUES (1, '[3125376296127423.5, 1e15, 1e-15, 1e-16]');
""",
        change="INSERT INTO t VALUES (2, '[3125376296127423.5, -1125899906842624.25, 1234567890123456.0]');\n",
    ),
    "more columns than a function has arguments": Corner(
        before=f"""
CREATE TABLE wide (id INT PRIMARY KEY, {", ".join(f"c{n} INT" for n in range(400))});
INSERT INTO wide (id, c0, c200, c399) VALUES (1, 1, 2, 3), (2, NULL, 4, 5);
""",
        change="UPDATE wide SET c98 = 7, c99 = 8, c100 = 9;\nINSERT INTO wide (id, c399) VALUES (3, 1);\n",
    ),
    "generated columns": Corner(
        before="""
CREATE TABLE t (id INT PRIMARY KEY, a INT, s INT AS (a * 2) STORED, v VARCHAR(30) AS (CONCAT('v', a)) VIRTUAL, KEY (s), UNIQUE KEY (v));
CREATE TABLE loose (a INT, v VARCHAR(30) AS (UPPER(HEX(a))) STORED);
INSERT INTO t (id, a) VALUES (1, 1), (2, NULL), (3, 3);
INSERT INTO loose (a) VALUES (1), (1), (NULL);
""",
        change="""
INSERT INTO t (id, a) VALUES (4, 4);
UPDATE t SET a = a + 10;
DELETE FROM t WHERE id = 1;
INSERT INTO loose (a) VALUES (7);
UPDATE loose SET a = 8 WHERE a = 1 LIMIT 1;
DELETE FROM loose WHERE a = 1;
""",
    ),
    "UNIQUE over long text": Corner(
        products=("mariadb",),
        before="""
CREATE TABLE t (id INT PRIMARY KEY, a LONGTEXT, b VARCHAR(3000), UNIQUE KEY (a), UNIQUE KEY (b, id));
INSERT INTO t VALUES (1, REPEAT('x', 5000), 'b'), (2, NULL, REPEAT('y', 100));
""",
        change="INSERT INTO t VALUES (3, 'z', 'z');\nUPDATE t SET a = 'q' WHERE id = 1;\nDELETE FROM t WHERE id = 2;\n",
    ),
}


@pytest.mark.parametrize("mode", ["transactional", "merged"])
@pytest.mark.parametrize("name", CORNERS)
def test_corner(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path, name: str, mode: ApplyMode
) -> None:
    corner = CORNERS[name]
    if not source.name.startswith(corner.products):
        pytest.skip(f"{source.name} has no such thing")
    story = Story(
        source=source, target=target, name=database(source), there=database(target), folder=tmp_path,
        policy=Policy(apply=mode),
    )  # fmt: skip
    story.at_source(corner.before)
    story.play()
    assert unequal(story) == []
    story.at_source(corner.change)
    story.play()
    assert unequal(story) == []


def unequal(story: Story) -> list[str]:
    proofs = [f"proof: {proof.name} {proof.verdict}" for proof in prove_paused(story.job) if proof.verdict != "equal"]
    return proofs + differences(story.source, story.target, story.name, story.there, story.policy)
