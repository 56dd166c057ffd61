"""How statements are written, and what else a log holds among them."""

from __future__ import annotations

from typing import Final

from tests.integration.links.changes.scenario import MARIADB, Scenario, T

WORDS: Final = {
    "how a table is kept": Scenario(
        before=T,
        change="""
ALTER TABLE t ENGINE=InnoDB;
ALTER TABLE t FORCE, ALGORITHM=COPY, LOCK=SHARED;
ALTER TABLE t ROW_FORMAT=DYNAMIC, KEY_BLOCK_SIZE=0, STATS_PERSISTENT=1 STATS_AUTO_RECALC=DEFAULT;
ALTER TABLE t ADD n INT, ALGORITHM=INPLACE, LOCK=NONE;
OPTIMIZE TABLE t;
ANALYZE TABLE t;
ANALYZE LOCAL TABLE t;
CHECK TABLE t;
ALTER TABLE t DISABLE KEYS;
INSERT INTO t (b, n) VALUES ('kept', 1);
ALTER TABLE t ENABLE KEYS;
ALTER TABLE t ORDER BY a;
FLUSH TABLES;
CREATE INDEX i ON t (n) ALGORITHM=INPLACE LOCK=NONE;
DROP INDEX i ON t;
ALTER TABLE t DROP FOREIGN KEY fq;
ALTER TABLE t ENGINE=MyISAM;
INSERT INTO t (b, n) VALUES ('kept too', 1);
ALTER TABLE t ENGINE InnoDB;
INSERT INTO t (b, n) VALUES ('back', 1);
""",
    ),
    "comments in odd places": Scenario(
        before=T,
        change="""
/* first */ ALTER -- second
 TABLE /* third */ t # fourth
 ADD /*!50100 COLUMN */ n1 INT /*!99999 NOT NULL DEFAULT 9 */ /*!40100 DEFAULT 3 */ /* fifth */;
INSERT INTO t (b, n1) VALUES ('f', 1);
CREATE /*!32312 IF NOT EXISTS*/ TABLE /*!40000 IF NOT EXISTS */ n (id INT PRIMARY KEY) /*!50100 PARTITION BY HASH (id) PARTITIONS 2 */;
INSERT INTO n VALUES (1);
/*!40000 ALTER TABLE t DISABLE KEYS */;
/*!50003 DROP TABLE IF EXISTS nothing */;
DROP/**/TABLE/**/n/**/;
INSERT INTO t (b) VALUES ('/* no */ -- nor # is');
ALTER TABLE t ADD n2 VARCHAR(40) DEFAULT '/* kept */ -- '' `' COMMENT '# "kept"';
UPDATE t SET a = 9;
""".replace("/*!32312 IF NOT EXISTS*/ TABLE", "TABLE"),
    ),
    "comments of MariaDB": Scenario(
        products=MARIADB,
        before=T,
        change="""
ALTER TABLE t ADD n1 INT /*M!100100 NOT NULL DEFAULT 3 */ /*!50700 COMMENT 'no' */ /*M!999999 UNIQUE */;
INSERT INTO t (b, n1) VALUES ('f', 1);
ALTER TABLE t ADD n2 INT /*!100100 DEFAULT 4 */;
""",
    ),
    "names": Scenario(
        before="""
CREATE TABLE `we.ird "t" ``x`` – 漢字` (`id.` INT PRIMARY KEY, `sel"ect` INT, ` lead` VARCHAR(10), `größe` INT);
INSERT INTO `we.ird "t" ``x`` – 漢字` VALUES (1, 1, 'a', 1);
""",
        change="""
ALTER TABLE `we.ird "t" ``x`` – 漢字` ADD `new ``col``` INT DEFAULT 5 AFTER `sel"ect`, ADD KEY `k"e``y` (`größe`), RENAME COLUMN ` lead` TO `led`;
INSERT INTO `we.ird "t" ``x`` – 漢字` VALUES (2, 2, 3, 'b', 2);
CREATE TABLE 1st (2nd INT PRIMARY KEY, table$ INT, ünïcode INT);
INSERT INTO 1st VALUES (1, 2, 3);
ALTER TABLE {db}.1st ADD COLUMN `key` INT, CHANGE 2nd `order` INT;
UPDATE 1st SET `key` = 7;
CREATE TABLE `{db}`.`select` (`from` INT PRIMARY KEY, `ctid` INT, `xmin` VARCHAR(5));
INSERT INTO `select` VALUES (1, 2, 'x');
ALTER TABLE `select` DROP `xmin`, ADD `xmax` INT;
ALTER TABLE `{db}`.`select` RENAME COLUMN `ctid` TO `cmin`;
UPDATE `select` SET `cmin` = 5;
ALTER TABLE `select` DROP `cmin`, RENAME COLUMN `xmax` TO `x`;
CREATE TABLE a_name_that_is_longer_than_postgresql_takes_because_it_has_64_bt (id INT PRIMARY KEY, v INT, KEY a_name_that_is_longer_than_postgresql_takes_because_it_has_64_bt (v));
INSERT INTO a_name_that_is_longer_than_postgresql_takes_because_it_has_64_bt VALUES (1, 2);
DROP TABLE a_name_that_is_longer_than_postgresql_takes_because_it_has_64_bt;
""",
    ),
    "quotes of ANSI": Scenario(
        before=T,
        change="""
SET sql_mode = 'ANSI_QUOTES';
CREATE TABLE "an ""si"" t" ("id" INT PRIMARY KEY, "v" VARCHAR(10) DEFAULT 'it''s');
INSERT INTO "an ""si"" t" ("id") VALUES (1);
ALTER TABLE "an ""si"" t" ADD "n" INT DEFAULT 4 AFTER "id";
SET sql_mode = 'NO_BACKSLASH_ESCAPES';
ALTER TABLE t ADD bs VARCHAR(10) DEFAULT '\\';
INSERT INTO t (b) VALUES ('f');
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
ALTER TABLE t ADD "bs2" VARCHAR(10) DEFAULT 'a\\"b' COMMENT 'c\\';
INSERT INTO t (b) VALUES ('g');
SET sql_mode = DEFAULT;
ALTER TABLE t ADD bs3 VARCHAR(10) DEFAULT "a\\"b\\\\";
INSERT INTO t (b) VALUES ('h');
DROP TABLE `an "si" t`;
""",
    ),
    "other objects": Scenario(
        before=T,
        change="""
CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(40));
CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO audit (what) VALUES (NEW.b);
INSERT INTO t (a, b) VALUES (1, 'triggered');
CREATE PROCEDURE proc() BEGIN DROP TABLE IF EXISTS nothing; INSERT INTO t (a, b) VALUES (2, 'procedure'); ALTER TABLE t ADD COLUMN by_proc INT; END;
CALL proc();
INSERT INTO t (a, b, by_proc) VALUES (1, 'after', 3);
CREATE FUNCTION fn(x INT) RETURNS INT DETERMINISTIC RETURN x + 1;
INSERT INTO t (a, b) VALUES (fn(5), 'function');
ALTER PROCEDURE proc COMMENT 'c';
DROP TRIGGER tr;
DROP PROCEDURE proc;
DROP FUNCTION fn;
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO DELETE FROM t;
ALTER EVENT ev DISABLE;
DROP EVENT ev;
CREATE USER 'opendrs_u'@'localhost' IDENTIFIED BY 'secret-Word1';
GRANT SELECT ON {db}.* TO 'opendrs_u'@'localhost';
REVOKE SELECT ON {db}.* FROM 'opendrs_u'@'localhost';
SET PASSWORD FOR 'opendrs_u'@'localhost' = {password};
RENAME USER 'opendrs_u'@'localhost' TO 'opendrs_v'@'localhost';
DROP USER 'opendrs_v'@'localhost';
CREATE ROLE opendrs_r;
DROP ROLE opendrs_r;
INSERT INTO t (a, b) VALUES (3, 'end');
""",
    ),
    "views": Scenario(
        before=T + "CREATE VIEW v0 AS SELECT id, a FROM t;\n",
        change="""
CREATE VIEW v1 AS SELECT id, b FROM t;
CREATE OR REPLACE ALGORITHM=MERGE DEFINER=CURRENT_USER SQL SECURITY INVOKER VIEW v1 AS SELECT id FROM t;
ALTER VIEW v1 AS SELECT id, c FROM t;
INSERT INTO v0 (a) VALUES (5);
RENAME TABLE v0 TO v2;
INSERT INTO t (a, b) VALUES (1, 'v');
DROP VIEW v1;
DROP VIEW IF EXISTS v2, nothing;
INSERT INTO t (a, b) VALUES (2, 'w');
""",
    ),
    "inside transactions": Scenario(
        merged=True,
        before=T,
        change="""
BEGIN;
INSERT INTO t (a, b) VALUES (1, 'ended by DDL');
UPDATE t SET a = 2;
ALTER TABLE t ADD n INT;
UPDATE t SET n = id;
ROLLBACK;
SET autocommit = 0;
INSERT INTO t (b, n) VALUES ('kept', 4);
CREATE TABLE n (id INT PRIMARY KEY);
INSERT INTO n VALUES (1);
ROLLBACK;
INSERT INTO n VALUES (2);
COMMIT;
DROP TABLE n;
""",
    ),
    "XA and a change": Scenario(
        before=T + "CREATE TABLE u (id INT PRIMARY KEY);\n",
        change="""
XA START 'one';
INSERT INTO t (a, b) VALUES (1, 'xa');
XA END 'one';
XA PREPARE 'one';
XA COMMIT 'one';
ALTER TABLE t ADD n INT;
XA START 'two';
INSERT INTO t (a, b, n) VALUES (2, 'xa2', 5);
XA END 'two';
XA PREPARE 'two';
XA COMMIT 'two';
""",
    ),
}
