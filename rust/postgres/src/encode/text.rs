//! The text form of values: what the types' input functions read. For columns whose type has no
//! binary form of ours, for text columns, and for keys in messages.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use arrow_buffer::i256;
use opendrs_columns::temporal::{as_impossible_date, as_impossible_datetime, civil_from_days};

use super::binary::clock;
use super::field::{Field, Values};
use super::policy::{ImpossibleDate, Policies};
use super::target::Target;
use crate::error::ValueProblem;

const DAY_US: i64 = 86_400_000_000;

/// Whether a value was written; false: a policy makes it NULL.
type Outcome = Result<bool, ValueProblem>;

/// Writing to memory cannot fail.
macro_rules! print {
    ($out:expr, $($args:tt)*) => {{ let _ = write!($out, $($args)*); }};
}

impl Field<'_> {
    /// Appends the value as text, without length and without escapes. Not for NULL.
    pub fn write_text(&self, row: usize, out: &mut Vec<u8>) -> Outcome {
        Form { target: self.target, brackets: self.brackets, policies: self.policies }.write(&self.values, row, out)
    }

    /// The same, for a column of another type under other policies.
    pub fn write_text_as(&self, row: usize, target: Option<Target>, policies: Policies, out: &mut Vec<u8>) -> Outcome {
        Form { target, brackets: self.brackets, policies }.write(&self.values, row, out)
    }
}

/// What the text is for.
struct Form {
    target: Option<Target>,
    brackets: bool,
    policies: Policies,
}

impl Form {
    fn write(&self, values: &Values<'_>, row: usize, out: &mut Vec<u8>) -> Outcome {
        let as_text = self.is_text_column();
        match values {
            Values::Text(strings) => return self.plain(strings.get(row), out),
            Values::Decimal128(v, scale) => decimal(&v[row].unsigned_abs().to_string(), v[row] < 0, *scale, out),
            Values::Decimal256(v, scale) => {
                let digits = v[row].to_string();
                decimal(digits.trim_start_matches('-'), v[row] < i256::ZERO, *scale, out);
            }
            // The double of the same value has more digits.
            Values::Float32(v) if self.target == Some(Target::Float8) => {
                let value = f64::from(v[row]);
                float(value, &value.to_string(), &format!("{value:e}"), out);
            }
            Values::Float32(v) => float(v[row].into(), &v[row].to_string(), &format!("{:e}", v[row]), out),
            Values::Float64(v) => float(v[row], &v[row].to_string(), &format!("{:e}", v[row]), out),
            Values::Date(v) => return self.date(v[row], out),
            Values::Datetime(v, fraction) => return self.datetime(v[row], *fraction, false, out),
            Values::Timestamp(v, fraction) => return self.datetime(v[row], *fraction, !as_text, out),
            Values::Time(v, fraction) => {
                let micros = if self.target == Some(Target::Time) { clock(v[row])? } else { v[row] };
                time(micros, *fraction, out);
            }
            Values::Bits(v, length) => self.bits(v[row], *length, out),
            Values::Bytes(strings) => hex(strings.get(row), out),
            Values::Vector(strings) if self.target == Some(Target::Bytea) => hex(strings.get(row), out),
            Values::Vector(strings) => vector(strings.get(row), self.brackets || as_text, out)?,
            Values::Uuid(v) | Values::Inet4(v) | Values::Inet6(v) if self.target == Some(Target::Bytea) => {
                hex(v.value(row), out);
            }
            Values::Uuid(v) => uuid(v.value(row), out),
            Values::Inet4(v) => {
                let address: [u8; 4] = v.value(row).try_into().map_err(|_| ValueProblem::Malformed)?;
                print!(out, "{}", Ipv4Addr::from(address));
            }
            Values::Inet6(v) => {
                let address: [u8; 16] = v.value(row).try_into().map_err(|_| ValueProblem::Malformed)?;
                print!(out, "{}", Ipv6Addr::from(address));
            }
            whole => match whole.whole(row) {
                Some(value) => print!(out, "{value}"),
                None => return Err(ValueProblem::Malformed),
            },
        }
        Ok(true)
    }

    /// A text column holds what the source prints, impossible dates too.
    fn is_text_column(&self) -> bool {
        matches!(self.target, Some(Target::Text | Target::Varchar | Target::Bpchar))
    }

    fn plain(&self, text: &[u8], out: &mut Vec<u8>) -> Outcome {
        if memchr::memchr(0, text).is_some() {
            out.extend_from_slice(&self.policies.nul_in_text.clean(text).ok_or(ValueProblem::NulInText)?);
        } else {
            out.extend_from_slice(text);
        }
        Ok(true)
    }

    fn date(&self, days: i32, out: &mut Vec<u8>) -> Outcome {
        match as_impossible_date(days) {
            Some((year, month, day)) if self.is_text_column() => print!(out, "{year:04}-{month:02}-{day:02}"),
            Some(_) => return self.impossible("1970-01-01", out),
            None => self.calendar(days, "", out),
        }
        Ok(true)
    }

    fn datetime(&self, micros: i64, fraction: u8, zone: bool, out: &mut Vec<u8>) -> Outcome {
        if let Some(parts) = as_impossible_datetime(micros) {
            if !self.is_text_column() {
                return self.impossible("1970-01-01 00:00:00", out);
            }
            print!(out, "{:04}-{:02}-{:02} ", parts.year, parts.month, parts.day);
            print!(out, "{:02}:{:02}:{:02}", parts.hour, parts.minute, parts.second);
            second_fraction(parts.micro.into(), fraction, out);
            return Ok(true);
        }
        let days = i32::try_from(micros.div_euclid(DAY_US)).map_err(|_| ValueProblem::OutOfRange)?;
        let mut clock = Vec::with_capacity(24);
        clock.push(b' ');
        time(micros.rem_euclid(DAY_US), fraction, &mut clock);
        if zone {
            clock.extend_from_slice(b"+00");
        }
        self.calendar(days, &String::from_utf8_lossy(&clock), out);
        Ok(true)
    }

    /// Date and what follows it; PostgreSQL has no year 0, it calls it 1 BC.
    fn calendar(&self, days: i32, clock: &str, out: &mut Vec<u8>) {
        let (year, month, day) = civil_from_days(days);
        if year > 0 || self.is_text_column() {
            print!(out, "{year:04}-{month:02}-{day:02}{clock}");
        } else {
            print!(out, "{:04}-{month:02}-{day:02}{clock} BC", 1 - year);
        }
    }

    fn impossible(&self, epoch: &str, out: &mut Vec<u8>) -> Outcome {
        match self.policies.impossible_date {
            ImpossibleDate::Stop => return Err(ValueProblem::ImpossibleDate),
            ImpossibleDate::Null => return Ok(false),
            ImpossibleDate::Epoch => out.extend_from_slice(epoch.as_bytes()),
            ImpossibleDate::MinusInfinity => out.extend_from_slice(b"-infinity"),
        }
        Ok(true)
    }

    fn bits(&self, value: u64, length: u8, out: &mut Vec<u8>) {
        let length = usize::from(length.clamp(1, 64));
        match self.target {
            Some(Target::Bytea) => hex(&value.to_be_bytes()[8 - length.div_ceil(8)..], out),
            Some(Target::Int2 | Target::Int4 | Target::Int8 | Target::Oid | Target::Numeric | Target::Bool) => {
                print!(out, "{value}");
            }
            _ => print!(out, "{value:0length$b}"),
        }
    }
}

fn decimal(digits: &str, negative: bool, scale: u8, out: &mut Vec<u8>) {
    let scale = usize::from(scale);
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = padded.split_at(padded.len() - scale);
    let (sign, point) = (if negative { "-" } else { "" }, if scale > 0 { "." } else { "" });
    print!(out, "{sign}{whole}{point}{part}");
}

/// The shortest text that reads back as the same number; with an exponent where that is shorter.
fn float(value: f64, plain: &str, exponent: &str, out: &mut Vec<u8>) {
    let text = if value.is_nan() {
        "NaN"
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }
    } else if plain.len() > 24 {
        exponent
    } else {
        plain
    };
    out.extend_from_slice(text.as_bytes());
}

fn time(micros: i64, fraction: u8, out: &mut Vec<u8>) {
    let (sign, magnitude) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let seconds = magnitude / 1_000_000;
    print!(out, "{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    second_fraction(magnitude % 1_000_000, fraction, out);
}

/// As many digits as the column declares; all, should the value have more than that.
fn second_fraction(micros: u64, fraction: u8, out: &mut Vec<u8>) {
    let dropped = 10u64.pow(6 - u32::from(fraction.min(6)));
    let (value, digits) =
        if micros.is_multiple_of(dropped) { (micros / dropped, usize::from(fraction.min(6))) } else { (micros, 6) };
    if digits > 0 {
        print!(out, ".{value:0digits$}");
    }
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    for byte in bytes {
        print!(out, "{byte:02x}");
    }
}

fn uuid(bytes: &[u8], out: &mut Vec<u8>) {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        print!(out, "{byte:02x}");
    }
}

fn vector(bytes: &[u8], brackets: bool, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    let (numbers, []) = bytes.as_chunks::<4>() else { return Err(ValueProblem::Malformed) };
    out.push(if brackets { b'[' } else { b'{' });
    for (index, number) in numbers.iter().enumerate() {
        let number = f32::from_le_bytes(*number);
        if index > 0 {
            out.push(b',');
        }
        float(number.into(), &number.to_string(), &format!("{number:e}"), out);
    }
    out.push(if brackets { b']' } else { b'}' });
    Ok(())
}
