//! Tables with every kind of value, and the ends of their ranges.

use opendrs_columns::Logical;
use opendrs_columns::Logical as L;
use opendrs_columns::TableSpec;

use crate::tables::{Cell, Row, column, table};

/// A table whose key, where it has one, is in the rows; at least three rows, of which no two have the same key.
pub struct Case {
    pub name: &'static str,
    pub table: TableSpec,
    /// Columns that are written; empty: all.
    pub columns: &'static [&'static str],
    pub rows: Vec<Row>,
}

/// The columns of a case behind `id`, its key.
type Columns = Vec<(&'static str, &'static str, Logical)>;

fn case(name: &'static str, columns: Columns, rows: Vec<Row>) -> Case {
    let id = ("id", "int(11)", int(32));
    let columns = [id].into_iter().chain(columns).map(|(name, native, logical)| column(name, native, logical));
    let numbered = |(number, row): (usize, Row)| [Cell::Int(number as i64 + 1)].into_iter().chain(row).collect();
    let rows = rows.into_iter().enumerate().map(numbered).collect();
    Case { name, table: table("shop", name, columns.collect(), &["id"]), columns: &[], rows }
}

fn int(bits: u8) -> Logical {
    L::Int { bits, unsigned: false }
}

fn uint(bits: u8) -> Logical {
    L::Int { bits, unsigned: true }
}

pub fn all() -> Vec<Case> {
    vec![
        integers(),
        bits(),
        fractions(),
        times(),
        moments(),
        texts(),
        documents(),
        bytes(),
        rare(),
        keyless(),
        keys(),
        names(),
    ]
}

fn integers() -> Case {
    let columns = vec![
        ("tiny", "tinyint(4)", int(8)),
        ("utiny", "tinyint(3) unsigned", uint(8)),
        ("small", "smallint(6)", int(16)),
        ("usmall", "smallint(5) unsigned", uint(16)),
        ("medium", "mediumint(9)", int(24)),
        ("umedium", "mediumint(8) unsigned", uint(24)),
        ("whole", "int", int(32)),
        ("uwhole", "int(10) unsigned zerofill", uint(32)),
        ("big", "bigint(20)", int(64)),
        ("ubig", "bigint(20) unsigned", uint(64)),
    ];
    let signed = [8, 16, 24, 32, 64];
    let low = signed.map(|bits| [Cell::Int(-1 << (bits - 1)), Cell::Uint(0)]).into_iter().flatten();
    let high = signed.map(|bits| [Cell::Int(i64::MAX >> (64 - bits)), Cell::Uint(u64::MAX >> (64 - bits))]);
    let middle = signed.map(|_| [Cell::Int(-1), Cell::Uint(100)]).into_iter().flatten();
    let rows = vec![low.collect(), high.into_iter().flatten().collect(), vec![Cell::Null; 10], middle.collect()];
    case("integers", columns, rows)
}

fn bits() -> Case {
    let columns = vec![
        ("y", "year(4)", L::Year),
        ("b1", "bit(1)", L::Bits { length: 1 }),
        ("b10", "bit(10)", L::Bits { length: 10 }),
        ("b64", "bit(64)", L::Bits { length: 64 }),
    ];
    let uint = |values: [u64; 4]| values.map(Cell::Uint).to_vec();
    let rows = vec![uint([2024, 1, 513, 1 << 63]), uint([0; 4]), vec![Cell::Null; 4], uint([2155, 1, 1023, u64::MAX])];
    case("bits", columns, rows)
}

fn fractions() -> Case {
    let columns = vec![
        ("d", "decimal(10,2)", L::Decimal { precision: 10, scale: 2 }),
        ("d0", "decimal(5,0)", L::Decimal { precision: 5, scale: 0 }),
        ("d65", "decimal(65,30)", L::Decimal { precision: 65, scale: 30 }),
        ("f", "float", L::Float32),
        ("g", "double", L::Float64),
    ];
    let row = |d, d0, d65: &str, f, g| {
        vec![Cell::Decimal(d), Cell::Decimal(d0), Cell::Long(d65.to_owned()), Cell::Single(f), Cell::Double(g)]
    };
    let rows = vec![
        row(123_450, -7, "1500000000000000000000000000000", 10_357.0, 12_510_357.0),
        row(-5, 0, "-1", -0.0, -0.0),
        vec![Cell::Null; 5],
        row(9_999_999_999, 99_999, &"9".repeat(65), f32::MAX, f64::MAX),
        row(-9_999_999_999, -99_999, &format!("-{}", "9".repeat(65)), f32::MIN_POSITIVE, f64::from_bits(1)),
        row(0, 1, "0", 0.1, 0.1),
        row(100, 10, "1", 0.001, 9_999_999.0),
        row(1, 2, "2", 1e-7, 1e23),
    ];
    case("fractions", columns, rows)
}

fn times() -> Case {
    let columns = vec![
        ("d", "date", L::Date),
        ("t", "time", L::Time { fraction: 0 }),
        ("t6", "time(6)", L::Time { fraction: 6 }),
        ("dt", "datetime", L::Datetime { fraction: 0 }),
        ("dt3", "datetime(3)", L::Datetime { fraction: 3 }),
    ];
    let row = |(y, m, d), t: i64, t6, dt, dt3| {
        vec![Cell::Date(y, m, d), Cell::Micros(t * 1_000_000), Cell::Micros(t6), Cell::at(dt), Cell::at(dt3)]
    };
    let rows = vec![
        row((2021, 6, 25), 64_313, 1, [2021, 6, 25, 17, 51, 53, 0], [2021, 6, 25, 17, 51, 53, 201_000]),
        row((0, 0, 0), 0, -1, [0; 7], [0, 0, 0, 0, 0, 0, 0]),
        vec![Cell::Null; 5],
        row(
            (2024, 0, 10),
            -3_020_399,
            -3_020_398_999_999,
            [2024, 2, 31, 0, 0, 0, 0],
            [2024, 0, 0, 23, 59, 59, 999_000],
        ),
        row((9999, 12, 31), 3_020_399, 3_020_399_000_000, [9999, 12, 31, 23, 59, 59, 0], [1000, 1, 1, 0, 0, 0, 0]),
        row((1, 1, 1), 59, 59_900_000, [1969, 12, 31, 23, 59, 59, 0], [1969, 12, 31, 23, 59, 59, 999_000]),
    ];
    case("times", columns, rows)
}

fn moments() -> Case {
    let columns = vec![
        ("ts", "timestamp", L::Timestamp { fraction: 0 }),
        ("ts3", "timestamp(3)", L::Timestamp { fraction: 3 }),
        ("ts6", "timestamp(6)", L::Timestamp { fraction: 6 }),
    ];
    let row = |seconds: i64, micros: i64| {
        let to = |unit: i64| Cell::Micros(seconds * 1_000_000 + micros / unit * unit);
        vec![to(1_000_000), to(1000), to(1)]
    };
    let zero = || Cell::at([0; 7]);
    let rows = vec![
        row(1_624_614_713, 201_456),
        vec![zero(), zero(), zero()],
        vec![Cell::Null; 3],
        row(1, 0),
        row(2_147_483_647, 999_999),
        vec![Cell::Micros(-1_000_000), Cell::Micros(-500_000), Cell::Micros(-1)],
    ];
    case("moments", columns, rows)
}

fn texts() -> Case {
    let columns = vec![
        ("c", "char(20)", L::Text),
        ("v", "varchar(255)", L::Text),
        ("e", "enum('a','b''c')", L::Enum),
        ("s", "set('x','y')", L::Set),
    ];
    let row = |values: [&str; 4]| values.map(Cell::text).to_vec();
    let rows = vec![
        row(["plain", "two words", "a", "x,y"]),
        row(["", "", "", ""]),
        vec![Cell::Null; 4],
        row(["\"\\/", "\u{8}\u{c}\n\r\t\0\u{1}\u{1f}\u{7f}", "b'c", "x"]),
        row(["😀漢é", "<a href='x'>&=</a>", "a", ""]),
        row(["\u{2028}\u{2029}", "\u{2027}\u{202a}€", "a", "y"]),
    ];
    case("texts", columns, rows)
}

fn documents() -> Case {
    let columns = vec![
        ("tt", "tinytext", L::Text),
        ("t", "text", L::Text),
        ("mt", "mediumtext", L::Text),
        ("lt", "longtext", L::Text),
        ("j", "json", L::Json),
    ];
    let row = |values: [&str; 5]| values.map(Cell::text).to_vec();
    let long = "0123456789'abcdefghijklmnopqrstuvwxyz\"".repeat(3);
    let rows = vec![
        row(["a", "b", "c", "d", r#"{"a": [1, 2.5, "x\ny\u0000"], "b": null}"#]),
        row(["", "", "", &long, "[]"]),
        vec![Cell::Null; 5],
        row(["é", "漢", "😀", "\0", r#""<&>""#]),
    ];
    case("documents", columns, rows)
}

fn bytes() -> Case {
    let plain = || L::Binary { fixed: None };
    let columns = vec![
        ("b4", "binary(4)", L::Binary { fixed: Some(4) }),
        ("vb", "varbinary(20)", plain()),
        ("tb", "tinyblob", plain()),
        ("b", "blob", plain()),
        ("mb", "mediumblob", plain()),
        ("lb", "longblob", plain()),
    ];
    let row = |values: [&[u8]; 6]| values.map(Cell::bytes).to_vec();
    let rows = vec![
        row([b"jgoq", b"jgo", &[0x80, 0xff, 0x7f, 0], b"a", b"ab", b"abcd"]),
        row([b""; 6]),
        vec![Cell::Null; 6],
        row([b"\0\0\0\x01", b"\0", b"\xff\xfe\xfd", b"<'\"\\>", "漢".as_bytes(), &[251, 240]]),
    ];
    case("bytes", columns, rows)
}

fn rare() -> Case {
    let columns = vec![
        ("g", "geometry", L::Geometry),
        ("p", "point", L::Geometry),
        ("vec", "vector(2)", L::Vector),
        ("u", "uuid", L::Uuid),
        ("i4", "inet4", L::Inet4),
        ("i6", "inet6", L::Inet6),
    ];
    let point = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0];
    let floats = |numbers: &[f32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let row = |vector: &[f32], sixteen: u8, four: [u8; 4]| {
        let many = [[sixteen; 8], [0, 0, 0, 0, 0, 0, 0, 1]].concat();
        let vector = floats(vector);
        vec![&point[..], &point, &vector, &many, &four, &many].into_iter().map(Cell::bytes).collect::<Row>()
    };
    let rows = vec![
        row(&[1.5, 2.0], 0x12, [10, 0, 0, 1]),
        row(&[], 0, [0; 4]),
        vec![Cell::Null; 6],
        row(&[f32::MAX, -1e-7], 0xff, [255; 4]),
    ];
    case("rare", columns, rows)
}

fn keyless() -> Case {
    let columns = vec![column("a", "int(11)", int(32)), column("b", "varchar(10)", L::Text)];
    let row = |number, text| vec![Cell::Int(number), Cell::text(text)];
    let rows = vec![row(1, "x"), row(1, "x"), row(2, "y")];
    Case { name: "keyless", table: table("shop", "keyless", columns, &[]), columns: &[], rows }
}

/// What keys are made of; a key whose columns are not all written, in another order than the table's.
fn keys() -> Case {
    let columns = vec![
        column("v", "int(11)", int(32)),
        column("a", "varchar(20)", L::Text),
        column("b", "varbinary(20)", L::Binary { fixed: None }),
        column("m", "timestamp(3)", L::Timestamp { fraction: 3 }),
        column("n", "decimal(5,2)", L::Decimal { precision: 5, scale: 2 }),
    ];
    let row = |text, bytes, moment, decimal| {
        vec![Cell::Int(1), Cell::text(text), Cell::bytes(bytes), Cell::Micros(moment), Cell::Decimal(decimal)]
    };
    let rows = vec![
        row("a,b\\c", &[0, 0xff], 1_624_614_713_201_000, 150),
        row("a", b"", 0, -5),
        row("漢 \"q\"\n", b"x", 1, 0),
        vec![Cell::Int(2), Cell::text("\\N"), Cell::Null, Cell::at([0; 7]), Cell::Null],
    ];
    let table = table("shop", "keys", columns, &["n", "a", "b", "m"]);
    Case { name: "keys", table, columns: &["v", "a", "b"], rows }
}

/// Names with what must be escaped in them.
fn names() -> Case {
    let columns = vec![
        column("id'<&>", "int(11)", int(32)),
        column("left out", "varchar(10)", L::Text),
        column("漢\"\\\n=", "enum('\"','\\\\','<')", L::Enum),
    ];
    let row = |number, text| vec![Cell::Int(number), Cell::text("x"), Cell::text(text)];
    let rows = vec![row(1, "\""), row(2, "\\"), row(3, "<")];
    let table = table("shop's", "t=\"\u{2028}\"", columns, &["id'<&>"]);
    Case { name: "names", table, columns: &["漢\"\\\n=", "id'<&>"], rows }
}
