//! Character sets of MySQL and MariaDB, converted to UTF-8 exactly as the servers do.
//!
//! The tables were asked from real servers by `tools/charset_tables.py`; MySQL 9.7 and MariaDB 11.8
//! answered alike for every set that both have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use opendrs_columns::{ColumnBuilder, ValueError};

use crate::format::Flavour;

/// zlib-compressed tables, in the form that `tools/charset_tables.py` describes.
static TABLES: &[u8] = include_bytes!("charset/tables.bin");
/// Flavour, first collation id, last one, character set.
static COLLATIONS: &str = include_str!("charset/collations.tsv");

/// How the bytes of a character set become UTF-8.
#[derive(Debug, Clone)]
pub(crate) enum Charset {
    /// utf8mb3 and utf8mb4.
    Utf8,
    /// One byte a character.
    Single(Arc<Single>),
    /// One to four bytes a character.
    Multi(Arc<Multi>),
    Ucs2,
    Utf16,
    Utf16le,
    Utf32,
}

/// Per byte the UTF-8 bytes and their number; no bytes for codes without a character.
pub(crate) struct Single {
    utf8: [([u8; 3], u8); 256],
    /// Bytes below 128 are ASCII.
    ascii: bool,
}

/// Code points by code; 0 for codes without a character (but code 0 itself).
pub(crate) struct Multi {
    single: [u32; 256],
    double: Vec<u32>,
    /// EUC: behind the byte 0x8f.
    triple: Vec<u32>,
    /// GB 18030: first ordinal, number of ordinals, first code point; ascending.
    quadruple: Vec<(u32, u32, u32)>,
}

impl std::fmt::Debug for Single {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Single")
    }
}

impl std::fmt::Debug for Multi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Multi")
    }
}

/// The bytes are not text of the character set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

impl Charset {
    /// The set of a name as the servers print it; None for `binary` and unknown names.
    pub fn named(name: &str) -> Option<Self> {
        match canonical(name) {
            "utf8mb4" | "utf8mb3" => Some(Self::Utf8),
            "ucs2" => Some(Self::Ucs2),
            "utf16" => Some(Self::Utf16),
            "utf16le" => Some(Self::Utf16le),
            "utf32" => Some(Self::Utf32),
            name => tabulated(name),
        }
    }

    /// Appends the text as UTF-8.
    pub fn decode(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Invalid> {
        match self {
            Self::Utf8 => {
                simdutf8::basic::from_utf8(bytes).map_err(|_| Invalid)?;
                out.extend_from_slice(bytes);
                Ok(())
            }
            Self::Single(table) => table.decode(bytes, out),
            Self::Multi(table) => table.decode(bytes, out),
            Self::Ucs2 => each(bytes, 2, out, |unit| char::from_u32(be(unit))),
            Self::Utf32 => each(bytes, 4, out, |unit| char::from_u32(be(unit))),
            Self::Utf16 => utf16(bytes, out, u16::from_be_bytes),
            Self::Utf16le => utf16(bytes, out, u16::from_le_bytes),
        }
    }

    /// Whether bytes below 128 are ASCII, so that ASCII needs no conversion.
    pub fn keeps_ascii(&self) -> bool {
        match self {
            Self::Utf8 | Self::Multi(_) => true,
            Self::Single(table) => table.ascii,
            _ => false,
        }
    }
}

/// Reads the text of one column.
#[derive(Debug, Clone)]
pub struct TextDecoder {
    charset: Charset,
    name: String,
    /// Bytes below 128 are ASCII.
    ascii: bool,
}

impl TextDecoder {
    /// For a character set as the servers call it; None for `binary` and unknown ones.
    pub fn named(name: &str) -> Option<Self> {
        let charset = Charset::named(name)?;
        Some(Self { ascii: charset.keeps_ascii(), charset, name: canonical(name).to_owned() })
    }

    /// For the number of a collation; None for bytes that are no text and unknown numbers.
    pub fn of_collation(flavour: Flavour, id: u64) -> Option<Self> {
        of_collation(flavour, id).and_then(Self::named)
    }

    /// Whether the text is UTF-8 as it stands.
    pub fn is_utf8(&self) -> bool {
        matches!(self.charset, Charset::Utf8)
    }

    /// Appends the text to a column; `scratch` is memory for the conversion. Bytes that are no
    /// character, and codes for which Unicode has none, are an error.
    #[inline]
    pub fn push(&self, bytes: &[u8], out: &mut ColumnBuilder, scratch: &mut Vec<u8>) -> Result<(), ValueError> {
        if self.ascii && bytes.is_ascii() {
            return out.push_utf8(bytes);
        }
        scratch.clear();
        self.charset.decode(bytes, scratch).map_err(|Invalid| out.bad_bytes(bytes, &self.name))?;
        out.push_utf8(scratch)
    }
}

/// `utf8` is what MySQL before 8.0.29 and MariaDB before 10.6 call utf8mb3.
pub(crate) fn canonical(name: &str) -> &str {
    if name == "utf8" { "utf8mb3" } else { name }
}

impl Single {
    fn decode(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Invalid> {
        out.reserve(bytes.len());
        for byte in bytes {
            match self.utf8[usize::from(*byte)] {
                ([a, _, _], 1) => out.push(a),
                ([a, b, _], 2) => out.extend_from_slice(&[a, b]),
                (all, 3) => out.extend_from_slice(&all),
                _ => return Err(Invalid),
            }
        }
        Ok(())
    }
}

impl Multi {
    fn decode(&self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Invalid> {
        while let Some(&first) = bytes.first() {
            if first < 0x80 {
                out.push(first);
                bytes = &bytes[1..];
                continue;
            }
            let (point, length) = self.character(first, bytes).ok_or(Invalid)?;
            push(out, char::from_u32(point).ok_or(Invalid)?);
            bytes = &bytes[length..];
        }
        Ok(())
    }

    /// Code point and length of the character that begins with a byte above 127.
    fn character(&self, first: u8, bytes: &[u8]) -> Option<(u32, usize)> {
        if self.single[usize::from(first)] != 0 {
            return Some((self.single[usize::from(first)], 1));
        }
        let second = *bytes.get(1)?;
        if first == 0x8f && !self.triple.is_empty() {
            let third = *bytes.get(2)?;
            let code = usize::from(second) << 8 | usize::from(third);
            return self.triple.get(code).filter(|point| **point != 0).map(|point| (*point, 3));
        }
        if second.is_ascii_digit() && !self.quadruple.is_empty() {
            return self.quadruple(bytes.get(..4)?).map(|point| (point, 4));
        }
        let code = usize::from(first) << 8 | usize::from(second);
        self.double.get(code).filter(|point| **point != 0).map(|point| (*point, 2))
    }

    fn quadruple(&self, bytes: &[u8]) -> Option<u32> {
        let digit = |index: usize, low: u8, values: u32| {
            let digit = u32::from(bytes.get(index)?.checked_sub(low)?);
            (digit < values).then_some(digit)
        };
        let (a, b) = (digit(0, 0x81, 126)?, digit(1, 0x30, 10)?);
        let (c, d) = (digit(2, 0x81, 126)?, digit(3, 0x30, 10)?);
        let ordinal = ((a * 10 + b) * 126 + c) * 10 + d;
        let run = self.quadruple.partition_point(|run| run.0 <= ordinal).checked_sub(1)?;
        let (first, count, point) = *self.quadruple.get(run)?;
        (ordinal - first < count).then(|| point + (ordinal - first))
    }
}

fn push(out: &mut Vec<u8>, c: char) {
    let mut buffer = [0u8; 4];
    out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
}

fn be(unit: &[u8]) -> u32 {
    unit.iter().fold(0, |all, byte| all << 8 | u32::from(*byte))
}

fn each(bytes: &[u8], width: usize, out: &mut Vec<u8>, f: impl Fn(&[u8]) -> Option<char>) -> Result<(), Invalid> {
    // A short last unit has no character either.
    for unit in bytes.chunks(width) {
        let c = if unit.len() == width { f(unit) } else { None };
        push(out, c.ok_or(Invalid)?);
    }
    Ok(())
}

fn utf16(bytes: &[u8], out: &mut Vec<u8>, f: fn([u8; 2]) -> u16) -> Result<(), Invalid> {
    if !bytes.len().is_multiple_of(2) {
        return Err(Invalid);
    }
    let units = bytes.chunks_exact(2).map(|unit| f([unit[0], unit[1]]));
    for c in char::decode_utf16(units) {
        push(out, c.map_err(|_| Invalid)?);
    }
    Ok(())
}

/// Character set of a collation id; None if the id is not known.
pub(crate) fn of_collation(flavour: Flavour, id: u64) -> Option<&'static str> {
    static RANGES: OnceLock<Vec<(Flavour, u64, u64, &'static str)>> = OnceLock::new();
    let ranges = RANGES.get_or_init(|| COLLATIONS.lines().filter_map(range).collect());
    let own = |range: &&(Flavour, u64, u64, &'static str)| (range.1..=range.2).contains(&id);
    // An id that one server lacks may still stand in the log of the other's replica.
    let of = |wanted: Flavour| ranges.iter().filter(|range| range.0 == wanted).find(own).map(|range| range.3);
    of(flavour).or_else(|| match flavour {
        Flavour::Mysql => of(Flavour::Mariadb),
        Flavour::Mariadb => of(Flavour::Mysql),
    })
}

fn range(line: &'static str) -> Option<(Flavour, u64, u64, &'static str)> {
    let mut parts = line.split('\t');
    let flavour = if parts.next()? == "mysql" { Flavour::Mysql } else { Flavour::Mariadb };
    Some((flavour, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?))
}

/// The sets with tables, each unpacked when first asked for.
fn tabulated(name: &str) -> Option<Charset> {
    static UNPACKED: Mutex<Option<HashMap<String, Charset>>> = Mutex::new(None);
    let mut unpacked = UNPACKED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = unpacked.get_or_insert_default();
    if let Some(charset) = known.get(name) {
        return Some(charset.clone());
    }
    let charset = unpack(name)?;
    known.insert(name.to_owned(), charset.clone());
    Some(charset)
}

fn unpack(name: &str) -> Option<Charset> {
    static INFLATED: OnceLock<Vec<u8>> = OnceLock::new();
    let mut rest =
        INFLATED.get_or_init(|| miniz_oxide::inflate::decompress_to_vec_zlib(TABLES).unwrap_or_default()).as_slice();
    let mut multi = Multi { single: [0; 256], double: Vec::new(), triple: Vec::new(), quadruple: Vec::new() };
    let mut single = None;
    while !rest.is_empty() {
        let length = varint(&mut rest)? as usize;
        let (table, behind) = rest.split_at_checked(length)?;
        rest = behind;
        let [_flavours, width, name_length, table @ ..] = table else { return None };
        let (table_name, runs) = table.split_at_checked(usize::from(*name_length))?;
        if table_name == name.as_bytes() {
            match width {
                1 => single = Some(fill(runs, &mut multi.single)?),
                2 => fill(runs, sized(&mut multi.double))?,
                3 => fill_triple(runs, sized(&mut multi.triple))?,
                _ => read_runs(runs, |code, count, point| multi.quadruple.push((code, count, point)))?,
            }
        }
    }
    single?;
    if multi.double.is_empty() {
        Some(Charset::Single(Arc::new(single_bytes(&multi.single))))
    } else {
        Some(Charset::Multi(Arc::new(multi)))
    }
}

fn sized(table: &mut Vec<u32>) -> &mut [u32] {
    table.resize(1 << 16, 0);
    table
}

fn single_bytes(points: &[u32; 256]) -> Single {
    let mut table = Single { utf8: [([0; 3], 0); 256], ascii: true };
    for (code, point) in points.iter().enumerate() {
        let c = char::from_u32(*point).filter(|_| *point != 0 || code == 0);
        if let Some(c) = c.filter(|c| c.len_utf8() <= 3) {
            let mut bytes = [0u8; 4];
            let length = c.encode_utf8(&mut bytes).len();
            table.utf8[code] = ([bytes[0], bytes[1], bytes[2]], length as u8);
        }
        table.ascii &= code >= 0x80 || *point == code as u32;
    }
    table
}

fn fill(runs: &[u8], table: &mut [u32]) -> Option<()> {
    read_runs(runs, |code, count, point| {
        for i in 0..count {
            if let Some(slot) = table.get_mut((code + i) as usize) {
                *slot = point + i;
            }
        }
    })
}

fn fill_triple(runs: &[u8], table: &mut [u32]) -> Option<()> {
    read_runs(runs, |code, count, point| {
        for i in 0..count {
            if let Some(slot) = table.get_mut((code + i) as usize & 0xffff) {
                *slot = point + i;
            }
        }
    })
}

/// Calls back with first code, number of codes and first code point of pieces that ascend together.
fn read_runs(mut runs: &[u8], mut piece: impl FnMut(u32, u32, u32)) -> Option<()> {
    let (mut code, mut before) = (0u32, 0i64);
    while !runs.is_empty() {
        code = code.checked_add(varint(&mut runs)?)?;
        let head = varint(&mut runs)?;
        let (count, straight) = (head >> 1, head & 1 == 1);
        let (pieces, length) = if straight { (1, count) } else { (count, 1) };
        for _ in 0..pieces {
            let delta = varint(&mut runs)?;
            let delta = if delta & 1 == 0 { i64::from(delta >> 1) } else { -i64::from(delta >> 1) - 1 };
            let point = before + 1 + delta;
            piece(code, length, u32::try_from(point).ok()?);
            before = point + i64::from(length) - 1;
            code = code.checked_add(length)?;
        }
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0u32;
    for shift in (0..32).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(charset: &str, bytes: &[u8]) -> Result<String, Invalid> {
        let mut out = Vec::new();
        Charset::named(charset).unwrap().decode(bytes, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn single_bytes_are_the_servers() {
        // MySQL's latin1 is cp1252 with the five holes filled by C1 controls.
        assert_eq!(text("latin1", b"a\xe9\x80\x81").unwrap(), "aé€\u{81}");
        assert_eq!(text("cp1251", b"\xcf\xf0").unwrap(), "Пр");
        assert_eq!(text("swe7", b"[\\]").unwrap(), "ÄÖÅ");
        assert_eq!(text("koi8r", b"\xf0").unwrap(), "П");
        assert_eq!(text("ascii", b"\x80"), Err(Invalid));
        assert!(Charset::named("latin1").unwrap().keeps_ascii() && !Charset::named("swe7").unwrap().keeps_ascii());
    }

    #[test]
    fn several_bytes_are_the_servers() {
        assert_eq!(text("gbk", b"\xc4\xe3a").unwrap(), "你a");
        assert_eq!(text("gb2312", b"\xc4\xe3").unwrap(), "你");
        assert_eq!(text("big5", b"\xa7\x41").unwrap(), "你");
        assert_eq!(text("sjis", b"\x82\xa0\xb1").unwrap(), "あｱ");
        assert_eq!(text("cp932", b"\x87\x40").unwrap(), "①");
        assert_eq!(text("ujis", b"\xa4\xa2\x8e\xb1\x8f\xb0\xa1").unwrap(), "あｱ丂");
        assert_eq!(text("euckr", b"\xb0\xa1").unwrap(), "가");
        assert_eq!(text("gb18030", b"\xc4\xe3\x81\x30\x81\x30\x94\x39\xfc\x36").unwrap(), "你\u{80}😀");
        for (charset, torn) in
            [("gbk", &b"\xc4"[..]), ("gb18030", b"\x81\x30\x81"), ("ujis", b"\x8f\xb0"), ("sjis", b"\x82")]
        {
            assert_eq!(text(charset, torn), Err(Invalid), "{charset}");
        }
        assert_eq!(text("gbk", b"\x81\x7f"), Err(Invalid));
    }

    #[test]
    fn unicode_is_arithmetic() {
        assert_eq!(text("ucs2", b"\x00a\x4f\x60").unwrap(), "a你");
        assert_eq!(text("utf16", b"\xd8\x3d\xde\x00").unwrap(), "😀");
        assert_eq!(text("utf16le", b"\x3d\xd8\x00\xde").unwrap(), "😀");
        assert_eq!(text("utf32", b"\x00\x01\xf6\x00").unwrap(), "😀");
        for (charset, bad) in [
            ("ucs2", &b"\xd8\x3d"[..]),
            ("ucs2", b"a"),
            ("utf16", b"\xd8\x3d"),
            ("utf16", b"abc"),
            ("utf32", b"\x00\x11\x00\x00"),
            ("utf8mb4", b"\xff"),
        ] {
            assert_eq!(text(charset, bad), Err(Invalid), "{charset}");
        }
    }

    #[test]
    fn collations_name_their_set() {
        assert_eq!(of_collation(Flavour::Mysql, 255), Some("utf8mb4"));
        assert_eq!(of_collation(Flavour::Mysql, 248), Some("gb18030"));
        assert_eq!(of_collation(Flavour::Mariadb, 8), Some("latin1"));
        assert_eq!(of_collation(Flavour::Mariadb, 2304), Some("utf8mb4"));
        assert_eq!(of_collation(Flavour::Mariadb, 63), Some("binary"));
        assert_eq!(of_collation(Flavour::Mysql, 9999), None);
    }

    #[test]
    fn every_set_of_every_collation_is_known() {
        for charset in COLLATIONS.lines().filter_map(range).map(|range| range.3) {
            assert!(charset == "binary" || Charset::named(charset).is_some(), "{charset}");
        }
    }
}
