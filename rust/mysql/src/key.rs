//! The key of a row, as parameters for the next page.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use opendrs_columns::temporal::{Parts, as_impossible_date, as_impossible_datetime, civil_from_days};
use opendrs_columns::{Logical, TableSpec};

use crate::error::{ErrorKind, MysqlError, Result};
use crate::param::Param;

/// Where the columns of a table's key are, and what they mean.
#[derive(Debug, Clone)]
pub struct KeyColumns(Vec<(usize, Logical)>);

impl KeyColumns {
    /// The columns of `table.key`, which must exist.
    pub fn new(table: &TableSpec) -> Result<Self> {
        let find = |name: &String| {
            let index = table.columns.iter().position(|column| column.name == *name)?;
            Some((index, table.columns.get(index)?.logical.clone()))
        };
        let found = table.key.iter().map(|name| {
            let text = || format!("{} has no column {name}, which its key names", table.name);
            find(name).ok_or_else(|| MysqlError::new(ErrorKind::SchemaMismatch, text()))
        });
        found.collect::<Result<_>>().map(Self)
    }
}

/// The key of one row of a batch. An error if the batch is not one of the table that the key is of.
///
/// ENUM and SET come as their text: a page ordered by them must compare the text (`CAST(c AS
/// CHAR)`), for the server orders the bare column by number.
pub fn key_of_row(batch: &RecordBatch, row: usize, key: &KeyColumns) -> Result<Vec<Param>> {
    let column = |index: usize| batch.columns().get(index).ok_or_else(|| other_type("is not in the batch"));
    key.0.iter().map(|(index, logical)| param(column(*index)?, row, logical)).collect()
}

fn other_type(what: &str) -> MysqlError {
    MysqlError::new(ErrorKind::SchemaMismatch, format!("a column of a key {what}"))
}

fn param(array: &ArrayRef, row: usize, logical: &Logical) -> Result<Param> {
    if row >= array.len() {
        return Err(MysqlError::new(ErrorKind::Misuse, "no such row"));
    }
    if array.is_null(row) {
        return Ok(Param::Null);
    }
    let other = || other_type("has another type than its table says");
    macro_rules! value {
        ($kind:ty) => {
            array.as_primitive_opt::<$kind>().ok_or_else(other)?.value(row)
        };
    }
    let fixed = || array.as_fixed_size_binary_opt().ok_or_else(other).map(|array| array.value(row));
    Ok(match logical {
        Logical::Int { bits: 8, unsigned: false } => Param::Int(value!(Int8Type).into()),
        Logical::Int { bits: 16, unsigned: false } => Param::Int(value!(Int16Type).into()),
        Logical::Int { bits: 24 | 32, unsigned: false } => Param::Int(value!(Int32Type).into()),
        Logical::Int { unsigned: false, .. } => Param::Int(value!(Int64Type)),
        Logical::Int { bits: 8, unsigned: true } => Param::Uint(value!(UInt8Type).into()),
        Logical::Int { bits: 16, unsigned: true } | Logical::Year => Param::Uint(value!(UInt16Type).into()),
        Logical::Int { bits: 24 | 32, unsigned: true } => Param::Uint(value!(UInt32Type).into()),
        Logical::Int { unsigned: true, .. } | Logical::Bits { .. } => Param::Uint(value!(UInt64Type)),
        Logical::Decimal { precision, scale } if *precision <= 38 => {
            Param::Decimal(decimal_text(value!(Decimal128Type).to_string(), *scale))
        }
        Logical::Decimal { scale, .. } => Param::Decimal(decimal_text(value!(Decimal256Type).to_string(), *scale)),
        Logical::Float32 => Param::Float(value!(Float32Type).into()),
        Logical::Float64 => Param::Float(value!(Float64Type)),
        Logical::Date => Param::Date(date_text(value!(Date32Type))),
        Logical::Time { .. } => Param::Time(time_text(value!(DurationMicrosecondType))),
        Logical::Datetime { .. } | Logical::Timestamp { .. } => {
            Param::Datetime(datetime_text(value!(TimestampMicrosecondType)))
        }
        Logical::Text | Logical::Enum | Logical::Set | Logical::Json => {
            Param::Text(array.as_string_opt::<i32>().ok_or_else(other)?.value(row).to_owned())
        }
        Logical::Binary { .. } | Logical::Geometry | Logical::Vector => {
            Param::Bytes(array.as_binary_opt::<i32>().ok_or_else(other)?.value(row).to_vec())
        }
        Logical::Uuid => Param::Text(uuid_text(fixed()?)),
        Logical::Inet4 => Param::Text(inet_text::<4>(fixed()?)),
        Logical::Inet6 => Param::Text(inet_text::<16>(fixed()?)),
    })
}

/// The point put back into unscaled digits ("-5", 2 -> "-0.05").
fn decimal_text(unscaled: String, scale: u8) -> String {
    let scale = usize::from(scale);
    if scale == 0 {
        return unscaled;
    }
    let (sign, digits) = unscaled.strip_prefix('-').map_or(("", unscaled.as_str()), |rest| ("-", rest));
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

fn date_text(days: i32) -> String {
    let (year, month, day) = match as_impossible_date(days) {
        Some((year, month, day)) => (i32::from(year), month, day),
        None => civil_from_days(days),
    };
    format!("{year:04}-{month:02}-{day:02}")
}

fn datetime_text(micros: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    if let Some(Parts { year, month, day, hour, minute, second, micro }) = as_impossible_datetime(micros) {
        return format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micro:06}");
    }
    // A possible date-time is less than 2^22 days away from 1970.
    let days = micros.div_euclid(DAY) as i32;
    format!("{} {}", date_text(days), time_text(micros.rem_euclid(DAY)))
}

fn time_text(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, fraction) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    format!("{sign}{:02}:{:02}:{:02}.{fraction:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn uuid_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

fn inet_text<const N: usize>(bytes: &[u8]) -> String
where
    std::net::IpAddr: From<[u8; N]>,
{
    <[u8; N]>::try_from(bytes).map(|octets| std::net::IpAddr::from(octets).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;
    use arrow_schema::{DataType, Field, Schema};
    use opendrs_columns::temporal::{date, datetime, impossible_datetime};

    use super::*;

    /// One column `k` of whole numbers of 64 bits, in a batch of one row.
    fn batch() -> RecordBatch {
        let schema = Schema::new(vec![Field::new("k", DataType::Int64, false)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(vec![7]))]).unwrap()
    }

    fn key_of(columns: &str, row: usize) -> Result<Vec<Param>> {
        let table = format!(r#"{{"name":{{"schema":"s","table":"t"}},"columns":[{columns}],"key":["k"]}}"#);
        key_of_row(&batch(), row, &KeyColumns::new(&TableSpec::from_json(&table).unwrap())?)
    }

    #[test]
    fn a_batch_of_another_table_is_an_error() {
        let column = |name: &str, kind: &str| format!(r#"{{"name":"{name}","type":{{{kind}}}}}"#);
        let whole = column("k", r#""kind":"int","bits":64"#);
        assert_eq!(key_of(&whole, 0).unwrap(), [Param::Int(7)]);
        let kinds = [
            r#""kind":"int","bits":32"#,
            r#""kind":"int","bits":64,"unsigned":true"#,
            r#""kind":"decimal","precision":5,"scale":2"#,
            r#""kind":"decimal","precision":50,"scale":2"#,
            r#""kind":"float64""#,
            r#""kind":"date""#,
            r#""kind":"time","fraction":0"#,
            r#""kind":"datetime","fraction":0"#,
            r#""kind":"year""#,
            r#""kind":"bits","length":3"#,
            r#""kind":"text""#,
            r#""kind":"enum""#,
            r#""kind":"binary""#,
            r#""kind":"uuid""#,
            r#""kind":"inet4""#,
            r#""kind":"inet6""#,
        ];
        for kind in kinds {
            let error = key_of(&column("k", kind), 0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{kind}");
        }
        let behind = format!("{},{whole}", column("a", r#""kind":"year""#));
        assert_eq!(key_of(&behind, 0).unwrap_err().kind(), ErrorKind::SchemaMismatch);
        assert_eq!(key_of(&column("a", r#""kind":"year""#), 0).unwrap_err().kind(), ErrorKind::SchemaMismatch);
        assert_eq!(key_of(&whole, 1).unwrap_err().kind(), ErrorKind::Misuse);
    }

    #[test]
    fn texts_are_what_the_server_reads() {
        assert_eq!(decimal_text("-5".into(), 2), "-0.05");
        assert_eq!(decimal_text("12345".into(), 2), "123.45");
        assert_eq!(decimal_text("0".into(), 3), "0.000");
        assert_eq!(decimal_text("7".into(), 0), "7");
        assert_eq!(date_text(date(2024, 2, 29)), "2024-02-29");
        assert_eq!(date_text(date(2024, 2, 31)), "2024-02-31");
        assert_eq!(date_text(date(0, 0, 0)), "0000-00-00");
        let parts = Parts { year: 1969, month: 12, day: 31, hour: 23, minute: 59, second: 58, micro: 7 };
        assert_eq!(datetime_text(datetime(parts)), "1969-12-31 23:59:58.000007");
        let parts = Parts { month: 0, ..parts };
        assert_eq!(datetime_text(impossible_datetime(parts)), "1969-00-31 23:59:58.000007");
        assert_eq!(time_text(-3_020_399_000_001), "-838:59:59.000001");
        assert_eq!(time_text(0), "00:00:00.000000");
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(uuid_text(&bytes), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_eq!(inet_text::<4>(&[10, 0, 0, 1]), "10.0.0.1");
    }
}
