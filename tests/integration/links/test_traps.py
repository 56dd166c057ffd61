"""What a log may hold besides plain rows, each on real servers: met while catching up, and met while following.

A scenario's `before` is there when the job begins. `change` is done twice, on two databases of the same kind:
between the job's position and its load (so that the load shows it and the log says it again), and when the job
has caught up. In both cases both sides must be equal in the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from opendrs.model.job import ApplyMode, Policy
from tests.harness.fixtures import NewDatabase
from tests.harness.mysql_family import FamilyServer
from tests.harness.postgres import Postgres
from tests.integration.links.conftest import EVERY
from tests.integration.links.story import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`products`: those that have it at all, by the beginning of the server's name."""

    before: str
    change: str
    products: tuple[str, ...] = ("mariadb", "mysql")


PEOPLE: Final = """
CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, boss INT, note TEXT, UNIQUE KEY (name));
INSERT INTO people VALUES (1, 'Ada', NULL, 'a'), (2, 'Bob', 1, 'b'), (3, 'Cyd', 1, NULL), (4, 'Dan', 2, 'd'),
 (5, 'Eve', 2, 'e'), (6, 'Fay', 3, ''), (7, 'Gus', 3, 'g');
"""
# (Two foreign keys of one table to the same parent: MySQL 9.7 heeds only one of them when the parent goes.)
FAMILY: Final = """
CREATE TABLE parent (id INT PRIMARY KEY, code VARCHAR(10) NOT NULL UNIQUE, v INT);
CREATE TABLE codes (code VARCHAR(10) NOT NULL, v INT, UNIQUE KEY (code));
CREATE TABLE child (id INT PRIMARY KEY, parent INT, code VARCHAR(10), v INT,
 CONSTRAINT c_id FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE,
 CONSTRAINT c_code FOREIGN KEY (code) REFERENCES codes (code) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE grandchild (id INT PRIMARY KEY, child INT,
 CONSTRAINT g_c FOREIGN KEY (child) REFERENCES child (id) ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO parent VALUES (1, 'one', 0), (2, 'two', 0), (3, 'three', 0), (4, 'four', 0);
INSERT INTO codes VALUES ('one', 0), ('two', 0), ('three', 0), ('four', 0);
INSERT INTO child VALUES (10, 1, 'two', 0), (20, 2, 'two', 0), (30, 3, NULL, 0), (40, NULL, 'four', 0), (41, 4, 'one', 0);
INSERT INTO grandchild VALUES (100, 10), (101, 10), (200, 20), (300, 30), (400, 40);
"""
TREE: Final = """
CREATE TABLE tree (id INT PRIMARY KEY, up INT, CONSTRAINT tree_up FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE);
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 4), (6, NULL), (7, 6);
"""

SCENARIOS: Final = {
    "temporary tables": Scenario(
        before=PEOPLE,
        change="""
CREATE TEMPORARY TABLE t1 (id INT PRIMARY KEY, name VARCHAR(40));
INSERT INTO t1 SELECT id + 100, CONCAT(name, '2') FROM people;
INSERT INTO people SELECT id, name, NULL, 'temp' FROM t1;
CREATE TEMPORARY TABLE people2 LIKE people;
INSERT INTO people2 SELECT * FROM people;
DELETE FROM people2;
DROP TEMPORARY TABLE IF EXISTS t1, people2;
""",
    ),
    "temporary table that hides a table": Scenario(
        before=PEOPLE,
        change="""
CREATE TEMPORARY TABLE people (id INT PRIMARY KEY, other DATE);
INSERT INTO people VALUES (1, '2020-01-01');
TRUNCATE TABLE people;
ALTER TABLE people ADD COLUMN x INT;
DROP TABLE people;
INSERT INTO people VALUES (50, 'Zoe', 1, 'real');
""",
    ),
    "temporary table dropped by its session's end": Scenario(
        before=PEOPLE,
        change="""
CREATE TEMPORARY TABLE people (id INT PRIMARY KEY);
INSERT INTO people VALUES (77);
""",
    ),
    "create table as select": Scenario(
        before=PEOPLE,
        change="""
CREATE TABLE copied (PRIMARY KEY (id)) AS SELECT id, name, note FROM people;
UPDATE copied SET note = 'changed' WHERE id < 4;
CREATE TABLE copied2 AS SELECT * FROM people WHERE id > 3;
DELETE FROM copied2 WHERE id = 5;
CREATE TABLE copied3 LIKE people;
INSERT INTO copied3 SELECT * FROM people;
""",
    ),
    "savepoints": Scenario(
        before=PEOPLE,
        change="""
BEGIN;
INSERT INTO people VALUES (20, 'Kim', 1, NULL);
SAVEPOINT a;
UPDATE people SET name = 'Lou' WHERE id = 20;
SAVEPOINT b;
DELETE FROM people WHERE id < 4;
ROLLBACK TO a;
INSERT INTO people VALUES (21, 'Lou', 1, NULL);
RELEASE SAVEPOINT a;
COMMIT;
BEGIN;
DELETE FROM people;
ROLLBACK;
""",
    ),
    "rows without transactions among others": Scenario(
        products=("mariadb",),
        before=PEOPLE
        + """
CREATE TABLE my (id INT PRIMARY KEY, v VARCHAR(10)) ENGINE=MyISAM;
CREATE TABLE loose (v INT, w VARCHAR(10)) ENGINE=MyISAM;
INSERT INTO my VALUES (1, 'a'), (2, 'b');
INSERT INTO loose VALUES (1, 'a'), (1, 'a'), (2, NULL);
""",
        change="""
BEGIN;
INSERT INTO people VALUES (30, 'Max', 1, NULL);
INSERT INTO my VALUES (3, 'kept');
DELETE FROM loose WHERE v = 1 LIMIT 1;
UPDATE people SET note = 'undone';
ROLLBACK;
BEGIN;
UPDATE my SET v = 'z' WHERE id = 1;
UPDATE people SET note = 'done' WHERE id = 1;
COMMIT;
""",
    ),
    "rows without transactions": Scenario(
        before="""
CREATE TABLE my (id INT PRIMARY KEY, v VARCHAR(10)) ENGINE=MyISAM;
CREATE TABLE loose (v INT, w VARCHAR(10)) ENGINE=MyISAM;
INSERT INTO my VALUES (1, 'a'), (2, 'b');
INSERT INTO loose VALUES (1, 'a'), (1, 'a'), (2, NULL);
""",
        change="""
INSERT INTO my VALUES (3, 'c'), (4, 'd');
DELETE FROM loose WHERE v = 1 LIMIT 1;
UPDATE my SET v = 'z' WHERE id = 1;
INSERT INTO loose SELECT * FROM loose;
TRUNCATE TABLE my;
INSERT INTO my VALUES (9, 'i');
""",
    ),
    "XA": Scenario(
        before=PEOPLE,
        change="""
XA START 'one';
INSERT INTO people VALUES (40, 'Xan', 1, NULL);
UPDATE people SET note = 'xa' WHERE id = 1;
XA END 'one';
XA PREPARE 'one';
XA COMMIT 'one';
XA START 'two', 'branch', 7;
DELETE FROM people WHERE id = 7;
XA END 'two', 'branch', 7;
XA PREPARE 'two', 'branch', 7;
XA ROLLBACK 'two', 'branch', 7;
XA START 'three';
UPDATE people SET note = 'one phase' WHERE id = 2;
XA END 'three';
XA COMMIT 'three' ONE PHASE;
""",
    ),
    "keys that move": Scenario(
        before=PEOPLE,
        change="""
UPDATE people SET id = id + 1 ORDER BY id DESC;
UPDATE people SET id = id - 1 ORDER BY id;
UPDATE people SET id = -id;
UPDATE people SET id = -id;
BEGIN;
UPDATE people SET id = 0 WHERE id = 1;
UPDATE people SET id = 1 WHERE id = 2;
UPDATE people SET id = 2 WHERE id = 0;
COMMIT;
""",
    ),
    "unique values that change hands": Scenario(
        before=PEOPLE,
        change="""
BEGIN;
UPDATE people SET name = 'tmp' WHERE id = 1;
UPDATE people SET name = 'Ada' WHERE id = 2;
UPDATE people SET name = 'Bob' WHERE id = 1;
COMMIT;
DELETE FROM people WHERE id = 3;
INSERT INTO people VALUES (60, 'Cyd', 1, 'another one');
REPLACE INTO people VALUES (61, 'Cyd', 1, 'a third one');
INSERT INTO people VALUES (1, 'Dan', 1, 'x') ON DUPLICATE KEY UPDATE note = 'duplicate';
""",
    ),
    "letters that are the same key": Scenario(
        before="""
CREATE TABLE words (w VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);
INSERT INTO words VALUES ('alpha', 1), ('beta', 2), ('gamma ', 3);
""",
        change="""
UPDATE words SET w = 'ALPHA' WHERE w = 'alpha';
BEGIN;
DELETE FROM words WHERE w = 'beta';
INSERT INTO words VALUES ('BETA', 3);
UPDATE words SET n = 4 WHERE w = 'bEtA';
COMMIT;
REPLACE INTO words VALUES ('Gamma', 7);
UPDATE words SET n = n + 1;
""",
    ),
    "foreign keys that act": Scenario(
        before=FAMILY,
        change="""
DELETE FROM parent WHERE id = 1;
INSERT INTO parent VALUES (1, 'one', 5);
INSERT INTO child VALUES (11, 1, 'one', 1);
UPDATE codes SET code = 'zwei' WHERE code = 'two';
UPDATE parent SET v = v + 1;
DELETE FROM parent WHERE id = 4;
DELETE FROM codes WHERE code = 'four';
INSERT INTO parent VALUES (9, 'nine', 0);
UPDATE child SET parent = 9 WHERE id = 20;
DELETE FROM parent WHERE id = 9;
""",
    ),
    "foreign keys whose keys move": Scenario(
        before=FAMILY,
        change="""
UPDATE parent SET id = 33 WHERE id = 3;
UPDATE parent SET id = 3, code = 'tri' WHERE id = 33;
UPDATE child SET id = 12 WHERE id = 10;
DELETE FROM child WHERE id = 12;
UPDATE parent SET id = id + 100 ORDER BY id DESC;
""",
    ),
    "a tree that is felled": Scenario(
        before=TREE,
        change="""
DELETE FROM tree WHERE id = 2;
INSERT INTO tree VALUES (2, 1), (4, 2), (8, 4);
DELETE FROM tree WHERE id = 1;
INSERT INTO tree VALUES (1, 6);
UPDATE tree SET up = 1 WHERE id = 7;
""",
    ),
    "foreign keys unheeded": Scenario(
        before=FAMILY,
        change="""
SET foreign_key_checks = 0;
INSERT INTO child VALUES (77, 777, NULL, 0);
DELETE FROM parent WHERE id = 3;
INSERT INTO parent VALUES (3, 'three', 9);
DELETE FROM child WHERE id = 77;
SET foreign_key_checks = 1;
DELETE FROM parent WHERE id = 2;
SET foreign_key_checks = 0;
INSERT INTO child VALUES (78, 778, NULL, 0), (79, 4, 'new', 0);
INSERT INTO codes VALUES ('new', 1);
DELETE FROM parent WHERE id = 4;
UPDATE parent SET id = 55 WHERE id = 3;
SET foreign_key_checks = 1;
UPDATE child SET v = v + 1;
UPDATE parent SET v = v + 1;
DELETE FROM parent WHERE id = 1;
""",
    ),
    "orphans that were there before": Scenario(
        before=FAMILY
        + TREE
        + """
CREATE TABLE loose (parent INT, w VARCHAR(10), CONSTRAINT l FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
SET foreign_key_checks = 0;
INSERT INTO child VALUES (90, 900, 'lost', 0), (91, 901, NULL, 0), (92, 902, NULL, 0);
INSERT INTO grandchild VALUES (900, 9000), (901, 91), (902, 92);
INSERT INTO tree VALUES (20, 200), (21, 20);
INSERT INTO loose VALUES (1, 'a'), (900, 'lost'), (900, 'lost'), (902, 'adopted');
""",
        change="""
INSERT INTO parent VALUES (902, 'adopts', 0);
DELETE FROM child WHERE id = 91;
DELETE FROM parent WHERE id = 1;
DELETE FROM tree WHERE id = 20;
INSERT INTO parent VALUES (1, 'again', 0);
""",
    ),
    "sequences": Scenario(
        products=("mariadb",),
        before="""
CREATE SEQUENCE s1 START WITH 100 INCREMENT BY 10;
CREATE TABLE numbered (id BIGINT PRIMARY KEY DEFAULT NEXTVAL(s1), v INT);
INSERT INTO numbered (v) VALUES (1), (2);
""",
        change="""
INSERT INTO numbered (v) VALUES (3);
SELECT NEXTVAL(s1);
CREATE SEQUENCE s2;
SELECT NEXTVAL(s2);
ALTER SEQUENCE s2 RESTART 50;
SELECT SETVAL(s2, 60);
INSERT INTO numbered VALUES (1, 1);
RENAME TABLE s2 TO s3;
DROP SEQUENCE s3;
""",
    ),
    "tables with a history": Scenario(
        products=("mariadb",),
        before="""
CREATE TABLE kept (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
INSERT INTO kept VALUES (1, 1), (2, 2);
""",
        change="""
UPDATE kept SET v = 10 WHERE id = 1;
DELETE FROM kept WHERE id = 2;
INSERT INTO kept VALUES (3, 3);
UPDATE kept SET v = v + 1;
""",
    ),
    "alter in two phases": Scenario(
        products=("mariadb",),
        before=PEOPLE,
        change="""
SET SESSION binlog_alter_two_phase = 1;
ALTER TABLE people ADD COLUMN age INT DEFAULT 7;
UPDATE people SET age = id;
ALTER TABLE people DROP COLUMN age, ADD COLUMN born DATE;
""",
    ),
    "statements in other time zones and modes": Scenario(
        before="""
CREATE TABLE moments (id INT PRIMARY KEY, at TIMESTAMP NULL, dt DATETIME, `a"b` VARCHAR(20));
INSERT INTO moments VALUES (1, '2024-01-01 00:00:00', '2024-01-01 00:00:00', 'x');
""",
        change="""
SET time_zone = '+09:00';
INSERT INTO moments VALUES (2, '2024-07-01 12:00:00', '2024-07-01 12:00:00', 'y');
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
ALTER TABLE "moments" ADD COLUMN "c\\d" VARCHAR(20) DEFAULT 'a\\nb', ADD COLUMN at2 TIMESTAMP NULL DEFAULT '2020-05-05 05:05:05';
INSERT INTO moments (id) VALUES (3);
SET NAMES latin1;
UPDATE moments SET dt = NOW() WHERE id = 1;
""",
    ),
    "other GTIDs": Scenario(
        products=("mariadb",),
        before=PEOPLE,
        change="""
SET gtid_domain_id = 5;
INSERT INTO people VALUES (70, 'Ivy', 1, NULL);
SET gtid_domain_id = 0;
SET server_id = 4711;
INSERT INTO people VALUES (71, 'Jan', 1, NULL);
""",
    ),
    "partial JSON and compressed transactions": Scenario(
        products=("mysql",),
        before="""
CREATE TABLE docs (id INT PRIMARY KEY, j JSON, big LONGTEXT);
INSERT INTO docs VALUES (1, '{"a": 1, "b": [1, 2, 3], "c": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}', REPEAT('x', 100000)),
 (2, '{}', NULL), (3, NULL, '');
""",
        change="""
SET SESSION binlog_row_value_options = 'PARTIAL_JSON';
UPDATE docs SET j = JSON_SET(j, '$.a', 2, '$.b[1]', 'zwei');
UPDATE docs SET j = JSON_REMOVE(j, '$.c') WHERE id = 1;
SET SESSION binlog_transaction_compression = ON;
UPDATE docs SET j = JSON_SET(j, '$.n', 1.5), big = REPEAT('y', 200000) WHERE id < 3;
INSERT INTO docs VALUES (4, '[1]', REPEAT('z', 300000));
SET SESSION binlog_row_value_options = '';
UPDATE docs SET j = JSON_ARRAY_APPEND(j, '$', 2) WHERE id = 4;
""",
    ),
    "invisible primary key": Scenario(
        products=("mysql",),
        before="""
SET sql_generate_invisible_primary_key = 1;
CREATE TABLE hidden (v INT, w VARCHAR(10));
INSERT INTO hidden VALUES (1, 'a'), (1, 'a'), (2, 'b');
""",
        change="""
UPDATE hidden SET v = 5 WHERE w = 'b';
DELETE FROM hidden WHERE v = 1 LIMIT 1;
SET sql_generate_invisible_primary_key = 1;
CREATE TABLE hidden2 (v INT);
INSERT INTO hidden2 VALUES (1), (1);
""",
    ),
    "renames in a circle": Scenario(
        before="""
CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(10));
CREATE TABLE b (id INT PRIMARY KEY, w INT);
INSERT INTO a VALUES (1, 'a');
INSERT INTO b VALUES (1, 2), (2, 3);
""",
        change="""
RENAME TABLE a TO tmp, b TO a, tmp TO b;
INSERT INTO a VALUES (9, 9);
INSERT INTO b VALUES (9, 'nine');
""",
    ),
    "an online change by shadow table": Scenario(
        before=PEOPLE,
        change="""
CREATE TABLE _people_gho LIKE people;
ALTER TABLE _people_gho ADD COLUMN age INT NOT NULL DEFAULT 3;
CREATE TABLE _people_ghc (id BIGINT AUTO_INCREMENT PRIMARY KEY, hint VARCHAR(64) CHARACTER SET ascii NOT NULL UNIQUE, value VARCHAR(4096) CHARACTER SET ascii NOT NULL);
INSERT INTO _people_ghc (hint, value) VALUES ('state', 'begun');
INSERT IGNORE INTO _people_gho (id, name, boss, note) SELECT id, name, boss, note FROM people;
UPDATE people SET note = 'during' WHERE id = 2;
REPLACE INTO _people_gho (id, name, boss, note) SELECT id, name, boss, note FROM people WHERE id = 2;
CREATE TABLE _people_del (id INT PRIMARY KEY) COMMENT='ghost-cut-over-sentry';
DROP TABLE _people_del;
RENAME TABLE people TO _people_del, _people_gho TO people;
DROP TABLE _people_ghc;
UPDATE people SET age = 4 WHERE id = 1;
DROP TABLE _people_del;
""",
    ),
}


@pytest.mark.parametrize("source", EVERY, indirect=True)
@pytest.mark.parametrize("mode", ["transactional", "merged"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(
    source: FamilyServer, target: Postgres, database: NewDatabase, tmp_path: Path, name: str, mode: ApplyMode
) -> None:
    scenario = SCENARIOS[name]
    if not source.name.startswith(scenario.products):
        pytest.skip(f"{source.name} has no such thing")
    for number, moment in enumerate(("load.begun", "")):
        folder = tmp_path / str(number)
        folder.mkdir()
        story = Story(
            source=source, target=target, name=database(source), there=database(target), folder=folder,
            policy=Policy(apply=mode),
        )  # fmt: skip
        story.at_source(scenario.before)
        if moment:
            story.ends_equal({moment: scenario.change})
        else:
            story.play()
            story.at_source(scenario.change)
            story.ends_equal()
