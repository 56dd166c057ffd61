"""Random definitions and changes of tables, as people write them: not all are accepted by every server."""

from __future__ import annotations

from hypothesis import strategies as st

from opendrs.model.catalog import Table

TYPES = (
    "TINYINT(1)", "TINYINT UNSIGNED", "SMALLINT", "MEDIUMINT UNSIGNED", "INT", "INTEGER(7) ZEROFILL", "BIGINT", "BIGINT UNSIGNED",
    "BOOL", "DECIMAL(10,2)", "NUMERIC", "DEC(5)", "FLOAT", "FLOAT(30)", "DOUBLE", "REAL", "DOUBLE(10,3)", "BIT", "BIT(9)", "YEAR",
    "DATE", "TIME", "TIME(4)", "DATETIME", "DATETIME(6)", "TIMESTAMP NULL", "TIMESTAMP(3) NULL",
    "CHAR", "CHAR(10)", "VARCHAR(20)", "VARCHAR(300)", "VARCHAR(20) CHARACTER SET latin1", "VARCHAR(20) COLLATE utf8mb4_bin",
    "NCHAR(3)", "NATIONAL VARCHAR(5)", "CHARACTER VARYING(6)", "CHAR(5) BINARY", "VARCHAR(9) ASCII", "VARCHAR(25000)",
    "TINYTEXT", "TEXT", "TEXT(100)", "MEDIUMTEXT", "LONGTEXT", "LONG VARCHAR", "TEXT CHARACTER SET latin1",
    "BINARY(4)", "VARBINARY(30)", "BLOB", "BLOB(70000)", "LONGBLOB", "ENUM('a','b','c''d')", "SET('x','y')", "JSON", "GEOMETRY", "POINT",
)  # fmt: skip
DEFAULTS = ("NULL", "1", "'1'", "'a'", "'2020-01-02'", "'10:11:12'", "CURRENT_TIMESTAMP", "0", "-5", "2.5", "b'1'", "''", "TRUE", "(1 + 1)", "('x')")  # fmt: skip
# Defaults that suit a type, by the beginning of its name; any other may be tried as well.
SUITABLE = {
    "DATETIME": ("CURRENT_TIMESTAMP", "'2020-01-02'", "'2020-01-02 03:04:05'", "NULL", "NOW()", "0", "(now())"),
    "TIMESTAMP": ("'2020-01-02 03:04:05'", "NULL", "0"),
    "DATE": ("'2020-01-02'", "NULL", "'2020-1-2'", "20200102"),
    "TIME": ("'10:11'", "'-1:02:03'", "NULL", "101112", "0"),
    "BIT": ("b'1'", "0", "1", "NULL"),
    "YEAR": ("2020", "'20'", "70", "NULL"),
    "ENUM": ("'a'", "'B'", "NULL"),
    "SET": ("'x'", "'y,x'", "''", "NULL"),
    "BINARY": ("'ab'", "x'00ff'", "NULL", "''"),
    "VARBINARY": ("'ab'", "x'6100'", "NULL", "''"),
    "CHAR": ("'a '", "''", "5", "NULL", "'it''s'"),
    "NCHAR": ("'a'", "NULL"),
    "VARCHAR": ("'a '", "''", "5", "NULL", "'\\\\'", "'NULL'", "('x')"),
    "NATIONAL": ("'ä'", "NULL"),
    "TEXT": ("('x')", "NULL"),
    "GEOMETRY": ("NULL",),
    "POINT": ("NULL",),
    "JSON": ("NULL", "(json_object())"),
    "BLOB": ("NULL", "('x')"),
    "LONG": ("NULL", "('x')"),
    "MEDIUMTEXT": ("NULL",),
    "TINYTEXT": ("NULL",),
    "": ("NULL", "1", "'1'", "0", "2.5", "TRUE", "(1 + 1)", "1e1", "'007'", "0x10", "b'11'"),
}
OTHERS = (" UNIQUE", " UNIQUE KEY", " COMMENT 'it''s'", " INVISIBLE", " CHECK (1 = 1)")
ACTIONS = ("", " ON DELETE CASCADE", " ON UPDATE CASCADE", " ON DELETE SET NULL", " ON DELETE RESTRICT", " ON DELETE NO ACTION")  # fmt: skip
CHARSETS = ("latin1", "utf8mb4", "utf8mb4 COLLATE utf8mb4_bin", "utf8mb3", "ascii")
NEW_NAMES = ("n1", "n2", "n3", "N4", "weird name", "select", "größe")


def q(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def rarely(strategy: st.SearchStrategy[str], times: int = 4) -> st.SearchStrategy[str]:
    """The strategy, or (more often) nothing."""
    return st.one_of(*[st.just("")] * times, strategy)


def suitable(name: str) -> st.SearchStrategy[str]:
    """A default for a column of that type, most often."""
    return st.sampled_from(next(texts for start, texts in SUITABLE.items() if name.startswith(start)))


def definition() -> st.SearchStrategy[str]:
    """type attributes"""
    attributes = st.sampled_from(TYPES).flatmap(
        lambda name: st.tuples(
            st.just(name),
            rarely(st.sampled_from((" NOT NULL", " NULL")), 2),
            rarely(suitable(name).map(lambda text: f" DEFAULT {text}"), 1),
            rarely(st.sampled_from(OTHERS[2:] if name in ("POINT", "GEOMETRY") else OTHERS), 9),
        )
    )
    generated = st.sampled_from(("INT AS (1 + 1) STORED", "VARCHAR(10) GENERATED ALWAYS AS ('x') VIRTUAL"))
    return st.one_of(*[attributes.map("".join)] * 9, generated)


def part(table: Table) -> st.SearchStrategy[str]:
    names = [q(c.name) for c in table.columns if not c.hidden and c.type.kind != "geometry"]
    name = st.sampled_from(names or [q(table.columns[0].name)])
    return st.tuples(name, rarely(st.sampled_from(("(3)", "(20)")), 5), rarely(st.just(" DESC"), 5)).map("".join)


def columns_of(table: Table, *, least: int = 1) -> st.SearchStrategy[str]:
    return st.lists(part(table), min_size=least, max_size=3, unique=True).map(lambda parts: f"({', '.join(parts)})")


def new_key(table: Table) -> st.SearchStrategy[str]:
    name = st.sampled_from(("", " k1", " k2", " k3", " `K 4`"))
    kind = st.sampled_from(("INDEX", "KEY", "UNIQUE", "UNIQUE KEY", "FULLTEXT KEY", "SPATIAL INDEX"))
    plain = st.tuples(kind, name, st.just(" "), columns_of(table)).map("".join)
    primary = columns_of(table).map(lambda columns: f"PRIMARY KEY {columns}")
    single = st.sampled_from([q(c.name) for c in table.columns if not c.hidden])
    constraint = st.sampled_from(("", "CONSTRAINT f1 ", "CONSTRAINT f2 "))
    foreign = st.tuples(constraint, single, st.sampled_from(ACTIONS)).map(
        lambda drawn: f"{drawn[0]}FOREIGN KEY ({drawn[1]}) REFERENCES parent (id){drawn[2]}"
    )
    check = st.sampled_from(("CHECK (1 = 1)", "CONSTRAINT ck1 CHECK (2 > 1)", "CONSTRAINT ck2 CHECK (3 > 1)"))
    return st.one_of(plain, plain, plain, primary, foreign, foreign, check)


def place(table: Table) -> st.SearchStrategy[str]:
    after = st.sampled_from([q(c.name) for c in table.columns if not c.hidden]).map(lambda name: f" AFTER {name}")
    return rarely(st.one_of(st.just(" FIRST"), after), 2)


def clause(table: Table) -> st.SearchStrategy[str]:
    """One clause of an ALTER TABLE."""
    old = st.sampled_from([q(c.name) for c in table.columns if not c.hidden])
    new = st.sampled_from([q(name) for name in NEW_NAMES])
    either = st.one_of(new, old)
    add = st.tuples(new, definition(), place(table)).map(lambda d: f"ADD COLUMN {d[0]} {d[1]}{d[2]}")
    choices = [
        add,
        add,
        old.map(lambda name: f"DROP COLUMN {name}"),
        st.tuples(old, definition(), place(table)).map(lambda d: f"MODIFY {d[0]} {d[1]}{d[2]}"),
        st.tuples(old, either, definition(), place(table)).map(lambda d: f"CHANGE {d[0]} {d[1]} {d[2]}{d[3]}"),
        st.tuples(old, either).map(lambda d: f"RENAME COLUMN {d[0]} TO {d[1]}"),
        st.tuples(old, st.sampled_from(DEFAULTS)).map(lambda d: f"ALTER COLUMN {d[0]} SET DEFAULT {d[1]}"),
        old.map(lambda name: f"ALTER COLUMN {name} DROP DEFAULT"),
        new_key(table).map(lambda key: f"ADD {key}"),
        new_key(table).map(lambda key: f"ADD {key}"),
        st.sampled_from(("COMMENT 'new'", "FORCE", "ALGORITHM=COPY", "ENGINE=InnoDB", "ROW_FORMAT=DYNAMIC", "AUTO_INCREMENT=99")),
        st.sampled_from(CHARSETS).map(lambda charset: f"DEFAULT CHARACTER SET {charset}"),
        st.sampled_from(CHARSETS).map(lambda charset: f"CONVERT TO CHARACTER SET {charset}"),
    ]  # fmt: skip
    if table.primary:
        choices.append(st.just("DROP PRIMARY KEY"))
    if table.indexes:
        index = st.sampled_from([q(i.name) for i in table.indexes])
        choices.append(index.map(lambda name: f"DROP INDEX {name}"))
        choices.append(st.tuples(index, st.sampled_from(("k1", "k9"))).map(lambda d: f"RENAME INDEX {d[0]} TO {d[1]}"))
    if table.foreign_keys:
        choices.append(st.sampled_from([q(k.name) for k in table.foreign_keys]).map(lambda n: f"DROP FOREIGN KEY {n}"))
    if table.checks:
        choices.append(st.sampled_from([q(c.name) for c in table.checks]).map(lambda n: f"DROP CONSTRAINT {n}"))
    return st.one_of(*choices)


def alteration(table: Table) -> st.SearchStrategy[str]:
    name = q(table.name.table)
    clauses = st.lists(clause(table), min_size=1, max_size=3).map(
        lambda parts: f"ALTER TABLE {name} {', '.join(parts)}"
    )
    index = st.tuples(st.sampled_from(("", "UNIQUE ")), columns_of(table)).map(
        lambda d: f"CREATE {d[0]}INDEX k5 ON {name} {d[1]}"
    )
    return st.one_of(*[clauses] * 6, index, st.just(f"CREATE TABLE copy LIKE {name}"))


def creation() -> st.SearchStrategy[str]:
    """CREATE TABLE t with three to eight columns."""
    keys = ("", ", PRIMARY KEY (c0)", ", UNIQUE (c0), KEY (c1)", ", PRIMARY KEY (c0, c1)", ", KEY k1 (c2), FOREIGN KEY (c0) REFERENCES parent (id)")  # fmt: skip
    tail = st.sampled_from(
        ("", " CHARACTER SET latin1", " COMMENT 'c'", " COLLATE utf8mb4_bin", " CHARACTER SET utf8mb3")
    )
    columns = st.lists(definition(), min_size=3, max_size=8)
    columns = columns.filter(lambda texts: not any(t.startswith(("POINT", "GEOM")) for t in texts[:2]))  # in keys
    return st.tuples(columns, st.sampled_from(keys), tail).map(
        lambda d: f"CREATE TABLE t ({', '.join(f'c{n} {text}' for n, text in enumerate(d[0]))}{d[1]}){d[2]}"
    )
