"""Partitions and tablespaces: what changes rows without naming them stops the job."""

from __future__ import annotations

from typing import Final

from tests.integration.links.changes.scenario import MARIADB, Scenario

PARTED: Final = """
CREATE TABLE parts (id INT NOT NULL, y INT NOT NULL, v VARCHAR(10), PRIMARY KEY (id, y))
 PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN (2010), PARTITION p2 VALUES LESS THAN (2020));
INSERT INTO parts VALUES (1, 1999, 'a'), (2, 2005, 'b'), (3, 2015, 'c');
CREATE TABLE single (id INT NOT NULL, y INT NOT NULL, v VARCHAR(10), PRIMARY KEY (id, y));
INSERT INTO single VALUES (9, 2005, 'single');
CREATE TABLE late (id INT NOT NULL, y INT NOT NULL, v VARCHAR(10), PRIMARY KEY (id, y));
INSERT INTO late VALUES (9, 2500, 'late');
"""
PARTITIONS: Final = {
    "partitions that hold the same rows": Scenario(
        before=PARTED,
        change="""
ALTER TABLE parts ADD PARTITION (PARTITION p3 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (4, 2030, 'd');
ALTER TABLE parts REORGANIZE PARTITION p0, p1 INTO (PARTITION p01 VALUES LESS THAN (2010));
ALTER TABLE parts REBUILD PARTITION p2;
ALTER TABLE parts ANALYZE PARTITION ALL;
ALTER TABLE parts OPTIMIZE PARTITION p2;
ALTER TABLE parts CHECK PARTITION ALL;
INSERT INTO parts VALUES (5, 1990, 'e');
ALTER TABLE parts REMOVE PARTITIONING;
INSERT INTO parts VALUES (6, 2040, 'f');
ALTER TABLE parts PARTITION BY HASH (y) PARTITIONS 4;
ALTER TABLE parts ADD PARTITION PARTITIONS 2;
ALTER TABLE parts COALESCE PARTITION 3;
ALTER TABLE parts ADD n INT PARTITION BY KEY (y) PARTITIONS 2;
INSERT INTO parts VALUES (7, 2041, 'g', 7);
CREATE TABLE made (id INT, y DATE, PRIMARY KEY (id, y)) PARTITION BY RANGE (YEAR(y)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION a VALUES LESS THAN (2000) COMMENT 'x', PARTITION b VALUES LESS THAN MAXVALUE);
INSERT INTO made VALUES (1, '1999-01-01'), (1, '2001-01-01');
""",
    ),
    "truncate partition": Scenario(
        before=PARTED,
        stops=("TRUNCATE PARTITION p1",),
        change="ALTER TABLE parts TRUNCATE PARTITION p1;\nINSERT INTO parts VALUES (8, 1999, 'x');\n",
    ),
    "drop partition": Scenario(
        before=PARTED,
        stops=("DROP PARTITION p1",),
        change="ALTER TABLE parts DROP PARTITION p1;\nINSERT INTO parts VALUES (8, 1999, 'x');\n",
    ),
    "exchange partition": Scenario(
        before=PARTED,
        stops=("EXCHANGE PARTITION p1",),
        change="ALTER TABLE parts EXCHANGE PARTITION p1 WITH TABLE single;\nINSERT INTO parts VALUES (8, 1999, 'x');\n",
    ),
    "exchange partition of a table that is not selected": Scenario(
        before=PARTED,
        selects=("{db}.single",),
        stops=("EXCHANGE PARTITION p1",),
        change="ALTER TABLE parts EXCHANGE PARTITION p1 WITH TABLE single;\nINSERT INTO single VALUES (8, 2005, 'x');\n",
    ),
    "convert partition to a table": Scenario(
        products=MARIADB,
        before=PARTED,
        stops=("CONVERT PARTITION p1",),
        change="ALTER TABLE parts CONVERT PARTITION p1 TO TABLE split;\nINSERT INTO split VALUES (8, 2005, 'x');\n",
    ),
    "convert table to a partition": Scenario(
        products=MARIADB,
        before=PARTED,
        stops=("CONVERT TABLE late",),
        change="ALTER TABLE parts CONVERT TABLE late TO PARTITION pn VALUES LESS THAN (3000);\nINSERT INTO parts VALUES (8, 2025, 'x');\n".replace(
            "single TO", "single TO"
        ),
    ),
    "reorganize into less": Scenario(
        before=PARTED + "ALTER TABLE parts ADD PARTITION (PARTITION p3 VALUES LESS THAN (2030));\n",
        change="ALTER TABLE parts REORGANIZE PARTITION p2, p3 INTO (PARTITION p9 VALUES LESS THAN (2040));\nINSERT INTO parts VALUES (8, 2035, 'x');\n",
    ),
    "tablespaces": Scenario(
        before="CREATE TABLE lone (id INT PRIMARY KEY);\nINSERT INTO lone VALUES (1);\n",
        stops=("lone",),
        catches_up=False,
        change="ALTER TABLE lone DISCARD TABLESPACE;\n",
    ),
}
