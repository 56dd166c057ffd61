//! Random tables and rows, and what each format must say of them: made here in another way than there.

use opendrs_columns::temporal::Parts;
use opendrs_columns::{Logical, TableSpec};
use serde_json::{Value, json};

use crate::tables::{Cell, Row, column, table};

/// A small generator of numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    fn bytes(&mut self, length_max: u64) -> Vec<u8> {
        (0..self.below(length_max + 1)).map(|_| self.next() as u8).collect()
    }

    fn text(&mut self, length_max: u64) -> String {
        const LETTERS: [char; 20] = [
            'a', 'Z', '0', ' ', '"', '\\', '<', '>', '&', '=', '\'', '\n', '\0', '\u{1f}', '\u{7f}', 'é', '漢',
            '\u{2028}', '\u{2029}', '😀',
        ];
        // Texts of many lengths without anything special, too.
        let letters = if self.below(3) == 0 { 1 } else { LETTERS.len() as u64 };
        (0..self.below(length_max + 1)).map(|_| LETTERS[self.below(letters) as usize]).collect()
    }
}

/// What the formats must say of a value.
#[derive(Debug, Clone)]
pub struct Told {
    pub json: Value,
    pub json_c: Value,
    pub avro: Value,
    pub canal: Value,
    pub debezium: Value,
}

impl Told {
    pub fn by(&self, format: &str) -> Value {
        match format {
            "json" => &self.json,
            "json_c" => &self.json_c,
            "avro" => &self.avro,
            "canal-json" => &self.canal,
            _ => &self.debezium,
        }
        .clone()
    }

    /// The same for all.
    fn text(text: &str) -> Self {
        Self::value(text, json!(text))
    }

    /// Debezium has a value of its own.
    fn value(text: &str, debezium: Value) -> Self {
        let text = json!(text);
        Self { json: text.clone(), json_c: text.clone(), avro: text.clone(), canal: text, debezium }
    }

    fn null() -> Self {
        let null = Value::Null;
        Self { json: null.clone(), json_c: null.clone(), avro: null.clone(), canal: null.clone(), debezium: null }
    }
}

/// A kind of column: its type, and how to make a value.
type Kind = (&'static str, Logical, fn(&mut Random) -> (Cell, Told));

fn kinds() -> Vec<Kind> {
    let int = |bits| Logical::Int { bits, unsigned: false };
    let uint = |bits| Logical::Int { bits, unsigned: true };
    vec![
        ("tinyint(4)", int(8), |random| signed(random.next() as i8 as i64)),
        ("smallint(5) unsigned", uint(16), |random| unsigned(random.next() as u16 as u64)),
        ("mediumint(9)", int(24), |random| signed(random.next() as i64 >> 40)),
        ("int unsigned", uint(32), |random| unsigned(random.next() as u32 as u64)),
        ("bigint(20)", int(64), |random| signed(random.next() as i64 >> random.below(64))),
        ("bigint(20) unsigned", uint(64), |random| unsigned(random.next() >> random.below(64))),
        ("decimal(30,7)", Logical::Decimal { precision: 30, scale: 7 }, |random| decimal(random, 23, 7)),
        ("decimal(65,30)", Logical::Decimal { precision: 65, scale: 30 }, |random| decimal(random, 35, 30)),
        ("float", Logical::Float32, single),
        ("double", Logical::Float64, double),
        ("bit(11)", Logical::Bits { length: 11 }, |random| bits(random.next() & 0x7ff)),
        ("date", Logical::Date, date),
        ("time(2)", Logical::Time { fraction: 2 }, time),
        ("datetime(4)", Logical::Datetime { fraction: 4 }, datetime),
        ("timestamp(3)", Logical::Timestamp { fraction: 3 }, timestamp),
        ("varchar(300)", Logical::Text, text),
        ("json", Logical::Json, text),
        ("blob", Logical::Binary { fixed: None }, bytes),
        ("geometry", Logical::Geometry, bytes),
        ("uuid", Logical::Uuid, uuid),
    ]
}

/// A table of some columns, the first of which is the key, and some rows.
pub fn table_and_rows(random: &mut Random) -> (TableSpec, Vec<Row>, Vec<Vec<Told>>) {
    let kinds = kinds();
    let chosen: Vec<&Kind> =
        (0..1 + random.below(12)).map(|_| &kinds[random.below(kinds.len() as u64) as usize]).collect();
    let spec = |(number, kind): (usize, &&Kind)| column(&format!("c{number}"), kind.0, kind.1.clone());
    let table = table("d", "t", chosen.iter().enumerate().map(spec).collect(), &["c0"]);
    let mut row = |_| -> (Row, Vec<Told>) {
        let value = |kind: &&Kind| if random.below(8) == 0 { (Cell::Null, Told::null()) } else { kind.2(random) };
        chosen.iter().map(value).unzip()
    };
    let (rows, told) = (0..6).map(&mut row).unzip();
    (table, rows, told)
}

fn signed(value: i64) -> (Cell, Told) {
    (Cell::Int(value), Told::value(&value.to_string(), json!(value)))
}

fn unsigned(value: u64) -> (Cell, Told) {
    (Cell::Uint(value), Told::value(&value.to_string(), json!(value)))
}

fn bits(value: u64) -> (Cell, Told) {
    let bytes = [value as u8, (value >> 8) as u8];
    (Cell::Uint(value), Told::value(&value.to_string(), json!(base64(&bytes))))
}

/// Up to so many digits before the point, and exactly so many behind it.
fn decimal(random: &mut Random, before: u64, behind: usize) -> (Cell, Told) {
    let count = random.below(before + 1) as usize;
    let whole = random.digits(count);
    let whole = whole.trim_start_matches('0');
    let part = random.digits(behind);
    let zero = whole.is_empty() && part.bytes().all(|digit| digit == b'0');
    let sign = if random.below(2) == 0 || zero { "" } else { "-" };
    let told = Told::text(&format!("{sign}{}.{part}", if whole.is_empty() { "0" } else { whole }));
    let digits = format!("{sign}{whole}{part}");
    let short = before + behind as u64 <= 38;
    (if short { Cell::Decimal(digits.parse().unwrap()) } else { Cell::Long(digits) }, told)
}

fn single(random: &mut Random) -> (Cell, Told) {
    let value = f32::from_bits(random.next() as u32 & 0xbfff_ffff);
    (Cell::Single(value), float(&format!("{value:e}")))
}

fn double(random: &mut Random) -> (Cell, Told) {
    let value = f64::from_bits(random.next() & 0xbfff_ffff_ffff_ffff);
    (Cell::Double(value), float(&format!("{value:e}")))
}

/// What the shortest digits look like: plain between 0.001 and 10,000,000, else with an exponent.
fn float(scientific: &str) -> Told {
    let (digits, exponent) = scientific.split_once('e').unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    let plain = digits.replace(['-', '.'], "");
    let sign = if digits.starts_with('-') { "-" } else { "" };
    let text = match exponent {
        -3..0 => format!("{sign}0.{}{plain}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        0..7 => {
            let padded = format!("{plain:0<8}");
            let (whole, part) = padded.split_at(exponent as usize + 1);
            let part = part.trim_end_matches('0');
            format!("{sign}{whole}.{}", if part.is_empty() { "0" } else { part })
        }
        _ => format!("{digits}{}E{exponent}", if digits.contains('.') { "" } else { ".0" }),
    };
    Told::value(&text, serde_json::from_str(scientific).unwrap())
}

/// Any day of a month of 31, possible or not.
fn day(random: &mut Random) -> (u16, u8, u8) {
    (random.below(10_000) as u16, random.below(13) as u8, random.below(32) as u8)
}

fn date(random: &mut Random) -> (Cell, Told) {
    let (year, month, day) = day(random);
    (Cell::Date(year, month, day), Told::text(&format!("{year:04}-{month:02}-{day:02}")))
}

fn time(random: &mut Random) -> (Cell, Told) {
    let (hours, minutes, seconds, part) = (random.below(839), random.below(60), random.below(60), random.below(100));
    let micros = (((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + part * 10_000) as i64;
    let negative = random.below(2) == 0 && micros > 0;
    let sign = if negative { "-" } else { "" };
    let told = Told::text(&format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{part:02}"));
    (Cell::Micros(if negative { -micros } else { micros }), told)
}

fn datetime(random: &mut Random) -> (Cell, Told) {
    let (year, month, day) = day(random);
    let (hour, minute, second) = (random.below(24) as u8, random.below(60) as u8, random.below(60) as u8);
    let part = random.below(10_000) as u32;
    let told = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{part:04}");
    (Cell::Moment(Parts { year, month, day, hour, minute, second, micro: part * 100 }), Told::text(&told))
}

/// The calendar by counting days, year by year and month by month.
fn timestamp(random: &mut Random) -> (Cell, Told) {
    let (seconds, part) = (random.below(1 << 31), random.below(1000));
    let mut days = seconds / 86_400;
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let clock = format!("{year}-{:02}-{:02} {hour:02}:{minute:02}:{second:02}.{part:03}", month + 1, days + 1);
    let told = Told { json: json!(format!("{seconds}.{part:03}")), ..Told::value(&clock, json!(format!("{clock}Z"))) };
    (Cell::Micros((seconds * 1_000_000 + part * 1000) as i64), told)
}

fn text(random: &mut Random) -> (Cell, Told) {
    let text = random.text(200);
    (Cell::text(&text), Told::text(&text))
}

fn bytes(random: &mut Random) -> (Cell, Told) {
    let bytes = random.bytes(70);
    let signed: Vec<i8> = bytes.iter().map(|byte| *byte as i8).collect();
    let list = json!(format!("{signed:?}"));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let encoded = json!(base64(&bytes));
    let told = Told {
        json: list.clone(),
        json_c: list,
        avro: json!({"bytes": hex}),
        canal: encoded.clone(),
        debezium: encoded,
    };
    (Cell::Bytes(bytes), told)
}

fn uuid(random: &mut Random) -> (Cell, Told) {
    let (high, low) = (random.next(), random.next());
    let told = format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    );
    (Cell::Bytes([high.to_be_bytes(), low.to_be_bytes()].concat()), Told::text(&told))
}

/// Six bits a letter, one after the other.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let letter = |six: &[u8]| {
        let value = six.iter().fold(0, |value, bit| value << 1 | bit) << (6 - six.len());
        char::from(ALPHABET[usize::from(value)])
    };
    let mut text: String = bits.chunks(6).map(letter).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}
