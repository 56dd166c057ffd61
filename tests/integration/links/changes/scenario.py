"""Changes of a schema, as people make them, each with the rows that come before, between and behind.

`{db}` is the database of the job and `{other}` another one, selected by `selects` only. A statement ends with ";"
at the end of a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERY: Final = ("mariadb", "mysql")
MARIADB: Final = ("mariadb",)
MYSQL: Final = ("mysql",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is there before, and what changes.

    products   those that have it at all, by the beginning of the server's name
    stops      words of the error with which the job must stop, when it follows the log; none: it goes on
    catches_up whether a job that was about to load goes on where one that follows stops: it loads anew
    selects    patterns of tables; none: all of `{db}`
    merged     whether it is played in merged mode too
    unlike     beginnings of facts in which a followed target may differ from a freshly loaded one
    again      whether the job begins once more before its schema is looked at
    unheeded   children come before their parents, while foreign_key_checks is 0
    """

    before: str = ""
    change: str
    products: tuple[str, ...] = EVERY
    stops: tuple[str, ...] = ()
    catches_up: bool = True
    selects: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    again: bool = False
    unheeded: bool = False
    merged: bool = False


T: Final = """
CREATE TABLE q (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, code VARCHAR(20) NOT NULL, UNIQUE KEY (code));
CREATE TABLE t (
  id INT NOT NULL AUTO_INCREMENT, a INT, b VARCHAR(20) DEFAULT 'x', c TEXT, d DECIMAL(10,2) NOT NULL DEFAULT 1.5,
  e ENUM('x','y','z') DEFAULT 'x', s SET('p','q','r') DEFAULT 'p', f DATETIME(3), q INT,
  PRIMARY KEY (id), KEY a (a), UNIQUE KEY ub (b), KEY ad (a, d), CONSTRAINT fq FOREIGN KEY (q) REFERENCES q (id)
);
INSERT INTO q VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO t VALUES (1, 10, 'a', 'alpha', 1, 'x', 'p,q', '2020-01-02 03:04:05.678', 1),
 (2, 20, 'b', NULL, -2.25, 'y', '', NULL, 2), (3, NULL, NULL, '', 99999999.99, 'z', 'r', '1999-12-31 23:59:59.999', NULL),
 (4, -40, 'd', 'ä€😀', 0, NULL, NULL, '2038-01-19 03:14:07', 1), (5, 50, 'e ', 'x', 5, 'y', 'p,q,r', NULL, 3);
"""
