"""Column types and defaults: what they mean, how they print, on every version."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.engines.mysql.charsets import Charset, Charsets
from opendrs.engines.mysql.columns import column_type
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.flavour import FACTS, Flavour
from opendrs.engines.mysql.literals import default, expression, read_default
from opendrs.engines.mysql.statement import Lexer, Mode, NotUnderstood
from opendrs.engines.mysql.types import ALIASES, NATIONAL, TYPES, Meaning, resolve
from opendrs.model.catalog import Default

MYSQL57, MYSQL8, MYSQL9 = Flavour("mysql", 50744), Flavour("mysql", 80036), Flavour("mysql", 90704)
MARIADB, MARIADB11 = Flavour("mariadb", 101118), Flavour("mariadb", 110809)
FLAVOURS = (MYSQL57, MYSQL8, MYSQL9, Flavour("mariadb", 100432), MARIADB, MARIADB11)
UTF8 = Charset("utf8mb4", "utf8mb4_general_ci")


def meaning(text: str, flavour: Flavour = MYSQL9, mode: Mode = Mode(0)) -> Meaning:  # noqa: B008
    cursor = Cursor(Lexer(text, flavour))
    spec = column_type(cursor, mode)
    cursor.end()
    return resolve(spec.declared(Charsets(flavour), UTF8), flavour)


@pytest.mark.parametrize(
    ("text", "flavour", "logical", "native"),
    [
        ("INT", MYSQL57, "int32", "int(11)"),
        ("INT", MYSQL9, "int32", "int"),
        ("INT UNSIGNED", MARIADB, "uint32", "int(10) unsigned"),
        ("INT(5) ZEROFILL", MYSQL9, "uint32", "int(5) unsigned zerofill"),
        ("BOOL", MYSQL9, "int8", "tinyint(1)"),
        ("TINYINT(1) UNSIGNED", MYSQL9, "uint8", "tinyint unsigned"),
        ("MIDDLEINT", MYSQL9, "int24", "mediumint"),
        ("DECIMAL", MYSQL9, "decimal(10,0)", "decimal(10,0)"),
        ("DEC(0)", MYSQL9, "decimal(10,0)", "decimal(10,0)"),
        ("FLOAT(24)", MYSQL9, "float32", "float"),
        ("FLOAT(25)", MYSQL9, "float64", "double"),
        ("DOUBLE PRECISION", MYSQL9, "float64", "double"),
        ("YEAR(2)", MYSQL57, "year", "year(4)"),
        ("YEAR", MYSQL9, "year", "year"),
        ("BIT", MYSQL9, "bits(1)", "bit(1)"),
        ("TIME(0)", MYSQL9, "time(0)", "time"),
        ("DATETIME(6)", MYSQL9, "datetime(6)", "datetime(6)"),
        ("CHAR", MYSQL9, "text", "char(1)"),
        ("CHAR(5) BYTE", MYSQL9, "binary(5)", "binary(5)"),
        ("VARCHAR(5) CHARACTER SET binary", MYSQL9, "binary", "varbinary(5)"),
        ("LONG", MYSQL9, "text", "mediumtext"),
        ("LONG VARBINARY", MYSQL9, "binary", "mediumblob"),
        ("TEXT(60)", MYSQL9, "text", "tinytext"),
        ("TEXT(64)", MYSQL9, "text", "text"),
        ("TEXT(64) CHARACTER SET latin1", MYSQL9, "text", "tinytext"),
        ("BLOB(65536)", MYSQL9, "binary", "mediumblob"),
        ("VARCHAR(16384)", MYSQL9, "text", "mediumtext"),
        ("ENUM('a ','b''c','\\\\')", MYSQL9, "enum", "enum('a','b''c','\\\\')"),
        ("GEOMETRYCOLLECTION", MYSQL57, "geometry", "geometrycollection"),
        ("GEOMETRYCOLLECTION", MYSQL9, "geometry", "geomcollection"),
        ("VECTOR", MYSQL9, "vector", "vector(2048)"),
        ("TEXT COMPRESSED", MARIADB, "text", "text /*M!100301 COMPRESSED*/"),
        ("text /*M!100301 COMPRESSED*/", MARIADB, "text", "text /*M!100301 COMPRESSED*/"),
        ("UUID", MARIADB, "uuid", "uuid"),
        ("INET6", MARIADB, "inet6", "inet6"),
    ],
)  # fmt: skip
def test_types(text: str, flavour: Flavour, logical: str, native: str) -> None:
    found = meaning(text, flavour)
    assert (str(found.type), found.native) == (logical, native)


def test_real_depends_on_the_session() -> None:
    assert meaning("REAL").type.kind == "float64"
    assert meaning("REAL", mode=Mode.REAL_AS_FLOAT).type.kind == "float32"


@pytest.mark.parametrize("text", ["MONEY", "INT INT", "VARCHAR", "ENUM()", "INT(a)", "DATE(", "", "INTERVAL"])
def test_an_unknown_type_is_an_error(text: str) -> None:
    with pytest.raises(NotUnderstood):
        meaning(text)


SMALL = st.integers(1, 30)
SPELLINGS = st.one_of(
    st.sampled_from(sorted(name for name, row in TYPES.items() if row.takes in ("nothing", "width", "capacity", "year", "fraction", "float", "double", "digits"))),
    st.builds(lambda words, n: f"{' '.join(words)}({n})", st.sampled_from(sorted(NATIONAL)), SMALL),
    st.builds(lambda name, n: f"{name}({n})", st.sampled_from(["char", "varchar", "binary", "varbinary", "bit", "text", "blob", "vector"]), SMALL),
    st.builds(lambda name, n: f"{name}({n})", st.sampled_from(["time", "datetime", "timestamp"]), st.integers(0, 6)),
    st.builds(lambda name, n, u: f"{name}({n}){u}", st.sampled_from(["tinyint", "smallint", "mediumint", "int", "bigint"]), SMALL, st.sampled_from(["", " unsigned", " zerofill", " unsigned zerofill"])),
    st.builds(lambda name, p, s: f"{name}({p + s},{s})", st.sampled_from(["decimal", "float", "double"]), SMALL, SMALL),
    st.builds(lambda name, m: f"{name}({','.join(repr(x).replace(chr(34), chr(39)) for x in m)})", st.sampled_from(["enum", "set"]), st.lists(st.from_regex(r"[a-z ]{1,5}", fullmatch=True), min_size=1, max_size=4)),
    st.sampled_from([" ".join(words) for words in ALIASES if ALIASES[words][0] not in ("varchar", "char")]),
)  # fmt: skip


@given(SPELLINGS, st.sampled_from(FLAVOURS))
def test_what_a_type_prints_as_means_the_same(text: str, flavour: Flavour) -> None:
    found = meaning(text, flavour)
    again = meaning(found.native, flavour)
    # Character sets do not print with the type.
    assert (again.type, again.native, again.members, again.length) == (
        found.type,
        found.native,
        found.members,
        found.length,
    )


@pytest.mark.parametrize(
    ("type_text", "default_text", "flavour", "expected"),
    [
        ("INT", "'007'", MYSQL9, Default("literal", "7")),
        ("INT", "2.5", MYSQL9, Default("literal", "3")),
        ("INT", "-2.5", MYSQL9, Default("literal", "-3")),
        ("INT", "0x10", MYSQL9, Default("literal", "16")),
        ("INT", "TRUE", MYSQL9, Default("literal", "1")),
        ("INT", "NULL", MYSQL9, None),
        ("INT", "(1 + 1)", MYSQL9, Default("expression", "1 + 1")),
        ("INT", "(5)", MYSQL9, Default("expression", "5")),
        ("INT", "(5)", MARIADB, Default("literal", "5")),
        ("DECIMAL(10,2)", "1.005", MYSQL9, Default("literal", "1.01")),
        ("DECIMAL(10,2)", "-0.001", MYSQL9, Default("literal", "0.00")),
        ("DECIMAL(65,30)", "12345678901234567890123456789012345.5", MYSQL9, Default("literal", "12345678901234567890123456789012345.5" + "0" * 29)),
        ("FLOAT", "0.1", MYSQL9, Default("literal", "0.1")),
        ("DOUBLE", "1e30", MYSQL9, Default("literal", "1e+30")),
        ("CHAR(5)", "'a  '", MYSQL9, Default("literal", "a")),
        ("VARCHAR(5)", "'a  '", MYSQL9, Default("literal", "a  ")),
        ("VARCHAR(5)", "_utf8mb4'x'", MYSQL9, Default("literal", "x")),
        ("VARCHAR(5)", "'a' 'b'", MYSQL9, Default("literal", "ab")),
        ("VARCHAR(5)", "''", MYSQL9, Default("literal", "")),
        ("ENUM('Ja','Nein')", "'ja'", MYSQL9, Default("literal", "Ja")),
        ("SET('x','y')", "'y,x'", MYSQL9, Default("literal", "x,y")),
        ("SET('x','y')", "''", MYSQL9, Default("literal", "")),
        ("BIT(8)", "b'00101'", MYSQL9, Default("literal", "101")),
        ("BIT(8)", "5", MYSQL9, Default("literal", "101")),
        ("BINARY(3)", "'ab'", MYSQL9, Default("literal", "616200")),
        ("YEAR", "70", MYSQL9, Default("literal", "1970")),
        ("YEAR", "0", MYSQL9, Default("literal", "0000")),
        ("YEAR", "'0'", MYSQL9, Default("literal", "2000")),
        ("DATE", "20200102", MYSQL9, Default("literal", "2020-01-02")),
        ("DATE", "'2020-1-2'", MYSQL9, Default("literal", "2020-01-02")),
        ("DATE", "DATE '2020-01-02'", MYSQL9, Default("literal", "2020-01-02")),
        ("DATETIME(3)", "'2020-01-02T03:04:05.6'", MYSQL9, Default("literal", "2020-01-02 03:04:05.600")),
        ("DATETIME", "'2020-01-02 03:04:05.6'", MYSQL9, Default("expression", "'2020-01-02 03:04:05.6'")),
        ("TIME", "-10001", MYSQL9, Default("literal", "-01:00:01")),
        ("DATETIME", "NOW()", MYSQL9, Default("expression", "CURRENT_TIMESTAMP")),
        ("DATETIME(6)", "LOCALTIME(6)", MYSQL9, Default("expression", "CURRENT_TIMESTAMP(6)")),
        ("DATETIME", "(now())", MYSQL9, Default("expression", "CURRENT_TIMESTAMP")),
        ("UUID", "uuid()", MARIADB, Default("expression", "uuid()")),
        ("INT", "NEXT VALUE FOR s", MARIADB, Default("expression", "NEXT VALUE FOR s")),
        ("DATE", "CURRENT_DATE", MARIADB, Default("expression", "CURRENT_DATE")),
    ],
)  # fmt: skip
def test_defaults(type_text: str, default_text: str, flavour: Flavour, expected: Default | None) -> None:
    cursor = Cursor(Lexer(default_text, flavour))
    written = read_default(cursor, flavour)
    cursor.end()
    assert default(written, meaning(type_text, flavour)) == expected


@pytest.mark.parametrize("text", ["uuid()", "a", "1 + 1", ")", "SELECT 1"])
def test_a_default_that_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(NotUnderstood):
        cursor = Cursor(Lexer(text, MYSQL9))
        read_default(cursor, MYSQL9)
        cursor.end()


def test_character_sets() -> None:
    old, new = Charsets(MYSQL57), Charsets(MARIADB11)
    assert old.default("utf8mb4") == ("utf8mb4", "utf8mb4_general_ci")
    assert Charsets(MYSQL9).default("utf8mb4") == ("utf8mb4", "utf8mb4_0900_ai_ci")
    assert new.default("utf8mb4") == ("utf8mb4", "utf8mb4_uca1400_ai_ci")
    assert old.default("utf8") == ("utf8", "utf8_general_ci")
    assert Charsets(MYSQL9).default("utf8") == ("utf8mb3", "utf8mb3_general_ci")
    assert Charsets(MARIADB, utf8="utf8mb4").charset("utf8") == "utf8mb4"
    assert new.resolved(None, "uca1400_as_cs", UTF8) == ("utf8mb4", "utf8mb4_uca1400_as_cs")
    assert new.resolved("latin1", None, UTF8) == ("latin1", "latin1_swedish_ci")
    assert new.resolved(None, "latin1_bin", UTF8) == ("latin1", "latin1_bin")
    assert new.resolved(None, None, UTF8) == UTF8
    with pytest.raises(NotUnderstood):
        new.default("klingon")


def test_every_fact_holds_somewhere() -> None:
    for fact in FACTS:
        assert any(flavour.has(fact) for flavour in (*FLAVOURS, Flavour("mariadb", 100502))), fact


@pytest.mark.parametrize(
    ("listed", "meant"),
    [
        # Asked of MySQL 9.7: information_schema's GENERATION_EXPRESSION, COLUMN_DEFAULT and CHECK_CLAUSE.
        ("cast(`å\x90\x8då\x89\x8d` as char(30) charset utf8mb4)", "cast(`名前` as char(30) charset utf8mb4)"),
        ("_utf8mb4\\'Ã¤\\'", "_utf8mb4'ä'"),
        ("_latin1\\'ä\\'", "_latin1'ä'"),
        ("concat(_utf8mb4\\'ð\x9f\x98\x80\\',`a`)", "concat(_utf8mb4'😀',`a`)"),
        ("(`b` <> _gbk\\'ºÃ\\')", "(`b` <> _gbkx'bac3')"),
        ("concat(_utf8mb4\\'Ã\x83Â¤\\',_utf8mb4\\'a\\\\\\'b\\')", "concat(_utf8mb4'Ã¤',_utf8mb4'a\\'b')"),
    ],
)
def test_mysql_prints_each_byte_of_an_expression_as_one_character(listed: str, meant: str) -> None:
    assert expression(listed, MYSQL9) == meant
