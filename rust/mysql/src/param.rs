//! Values that a statement's question marks stand for.

use serde::{Deserialize, Serialize};

use crate::column::field_type;
use crate::cursor::put_lenenc_bytes;
use crate::error::{ErrorKind, MysqlError, Result};

/// A value for a `?`. The JSON form (`{"int": 5}`, `"null"`) is persisted with the progress of a
/// snapshot: names are for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Param {
    /// NULL.
    Null,
    /// Signed whole number.
    Int(i64),
    /// Unsigned whole number.
    Uint(u64),
    /// Floating point; its JSON form is a text that keeps every bit.
    Float(#[serde(with = "exact")] f64),
    /// Decimal, as text.
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes; hexadecimal in JSON.
    Bytes(#[serde(with = "hexadecimal")] Vec<u8>),
    /// `YYYY-MM-DD`, impossible dates included.
    Date(String),
    /// `YYYY-MM-DD HH:MM:SS[.ffffff]`.
    Datetime(String),
    /// `[-]HHH:MM:SS[.ffffff]`.
    Time(String),
}

mod exact {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        // Debug prints the shortest text that reads back as the same number.
        serializer.serialize_str(&format!("{value:?}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pairs = text.as_bytes().chunks(2);
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some((char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?) as u8),
            _ => None,
        };
        pairs.map(byte).collect::<Option<_>>().ok_or_else(|| serde::de::Error::custom("not hexadecimal"))
    }
}

impl Param {
    /// Type byte and flag byte of COM_STMT_EXECUTE.
    pub(crate) fn wire_type(&self) -> [u8; 2] {
        match self {
            Self::Null => [field_type::NULL, 0],
            Self::Int(_) => [field_type::LONGLONG, 0],
            Self::Uint(_) => [field_type::LONGLONG, 0x80],
            Self::Float(_) => [field_type::DOUBLE, 0],
            Self::Decimal(_) => [field_type::NEWDECIMAL, 0],
            Self::Text(_) => [field_type::VAR_STRING, 0],
            // A parameter of a BLOB type has no character set.
            Self::Bytes(_) => [field_type::LONG_BLOB, 0],
            Self::Date(_) => [field_type::DATE, 0],
            Self::Datetime(_) => [field_type::DATETIME, 0],
            // As text: MySQL 9.7 refuses hour 838 with a fraction in the binary form (error 1690).
            Self::Time(_) => [field_type::VAR_STRING, 0],
        }
    }

    /// Appends the binary form ("Binary Protocol Value").
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Null => {}
            Self::Int(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Uint(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Float(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Decimal(text) | Self::Text(text) => put_lenenc_bytes(out, text.as_bytes()),
            Self::Bytes(bytes) => put_lenenc_bytes(out, bytes),
            Self::Date(text) => {
                let (date, rest) = date(text).ok_or_else(|| malformed(text, "a date"))?;
                if !rest.is_empty() {
                    return Err(malformed(text, "a date"));
                }
                out.push(4);
                out.extend_from_slice(&date);
            }
            Self::Datetime(text) => encode_datetime(text, out).ok_or_else(|| malformed(text, "a date and time"))?,
            Self::Time(text) => {
                clock(text.strip_prefix('-').unwrap_or(text), 838).ok_or_else(|| malformed(text, "a time"))?;
                put_lenenc_bytes(out, text.as_bytes());
            }
        }
        Ok(())
    }
}

#[cold]
fn malformed(text: &str, what: &str) -> MysqlError {
    MysqlError::new(ErrorKind::Misuse, format!("parameter {text:?} is not {what}"))
}

/// Year, month and day in their binary form, and what follows them.
fn date(text: &str) -> Option<([u8; 4], &str)> {
    let (year, rest) = text.split_once('-')?;
    let (month, rest) = rest.split_once('-')?;
    let (day, rest) = rest.split_at_checked(2)?;
    let year: u16 = digits(year, 9999)?.try_into().ok()?;
    let [low, high] = year.to_le_bytes();
    Some(([low, high, digits(month, 12)? as u8, digits(day, 31)? as u8], rest))
}

/// Hours, minutes, seconds and microseconds.
fn clock(text: &str, hours_max: u32) -> Option<(u32, u8, u8, u32)> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, rest) = rest.split_once(':')?;
    let (seconds, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    if fraction.len() > 6 {
        return None;
    }
    let micros = digits(fraction, 999_999)? * 10u32.pow(6 - fraction.len() as u32);
    Some((digits(hours, hours_max)?, digits(minutes, 59)? as u8, digits(seconds, 59)? as u8, micros))
}

fn digits(text: &str, max: u32) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| plain && *value <= max)
}

fn encode_datetime(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (date, rest) = date(text)?;
    let (hours, minutes, seconds, micros) = clock(rest.strip_prefix(' ')?, 23)?;
    out.push(11);
    out.extend_from_slice(&date);
    out.extend_from_slice(&[hours as u8, minutes, seconds]);
    out.extend_from_slice(&micros.to_le_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(param: &Param) -> Vec<u8> {
        let mut out = Vec::new();
        param.encode(&mut out).unwrap();
        out
    }

    #[test]
    fn the_json_form_keeps_every_bit() {
        for param in [
            Param::Null,
            Param::Int(i64::MIN),
            Param::Uint(u64::MAX),
            Param::Float(0.1 + 0.2),
            Param::Float(-0.0),
            Param::Float(5e-324),
            Param::Text("ü\0".into()),
            Param::Bytes(vec![0, 255, 16]),
            Param::Date("0000-00-00".into()),
        ] {
            let text = serde_json::to_string(&param).unwrap();
            let back: Param = serde_json::from_str(&text).unwrap();
            assert_eq!(format!("{back:?}"), format!("{param:?}"), "{text}");
        }
        assert_eq!(serde_json::to_string(&Param::Int(5)).unwrap(), r#"{"int":5}"#);
        assert!(serde_json::from_str::<Param>(r#"{"bytes":"0"}"#).is_err());
        assert!(serde_json::from_str::<Param>(r#"{"bytes":"zz"}"#).is_err());
    }

    #[test]
    fn times_become_binary() {
        assert_eq!(encoded(&Param::Date("2024-02-31".into())), [4, 0xE8, 7, 2, 31]);
        assert_eq!(
            encoded(&Param::Datetime("2024-01-02 03:04:05.5".into())),
            [11, 0xE8, 7, 1, 2, 3, 4, 5, 0x20, 0xA1, 7, 0]
        );
        assert_eq!(encoded(&Param::Time("-838:59:59.000001".into())), b"\x11-838:59:59.000001");
        for bad in ["", "2024", "2024-13-01", "2024-01-32", "2024-01-1", "2024-01-01x", "+024-01-01"] {
            assert!(Param::Date(bad.into()).encode(&mut Vec::new()).is_err(), "{bad:?}");
        }
        for bad in ["1:2", "839:00:00", "1:60:00", "1:00:60", "1:00:00.1234567", "1:00:00."] {
            assert!(Param::Time(bad.into()).encode(&mut Vec::new()).is_err(), "{bad:?}");
        }
    }
}
