//! The text form of values: what the types' input functions read. For columns whose type has no
//! binary form of ours, for text columns, and for keys in messages.

use std::io::Write;

use opendrs_columns::print;
use opendrs_columns::temporal::{DATE_IMPOSSIBLE_END, DATETIME_IMPOSSIBLE_END, DAY_US, civil_from_days};
use opendrs_columns::values::Values;

use super::binary::clock;
use super::field::{Field, Hot};
use super::policy::{ImpossibleDate, Policies};
use super::target::Target;
use crate::error::ValueProblem;

/// Whether a value was written; false: a policy makes it NULL.
type Outcome = Result<bool, ValueProblem>;

/// Writing to memory cannot fail.
macro_rules! print {
    ($out:expr, $($args:tt)*) => {{ let _ = write!($out, $($args)*); }};
}

impl Field<'_> {
    /// Appends the value as text, without length and without escapes. Not for NULL.
    pub fn write_text(&self, row: usize, out: &mut Vec<u8>) -> Outcome {
        self.write_text_as(row, self.target, self.policies, out)
    }

    /// The same, for a column of another type under other policies.
    pub fn write_text_as(&self, row: usize, target: Option<Target>, policies: Policies, out: &mut Vec<u8>) -> Outcome {
        match (&self.column, &self.hot) {
            (Some(column), _) => Form { target, brackets: self.brackets, policies }.write(&column.values, row, out),
            (None, Hot::Constant(constant)) => {
                out.extend_from_slice(constant.text());
                Ok(true)
            }
            (None, _) => Err(ValueProblem::Malformed),
        }
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
            Values::Decimal128(v, scale) => print::decimal128(v[row], *scale, out),
            Values::Decimal256(v, scale) => print::decimal256(v[row], *scale, out),
            // The double of the same value has more digits.
            Values::Float32(v) if self.target == Some(Target::Float8) => {
                let value = f64::from(v[row]);
                float(value, &value.to_string(), &format!("{value:e}"), out);
            }
            Values::Float32(v) => single(v[row], out),
            Values::Float64(v) => float(v[row], &v[row].to_string(), &format!("{:e}", v[row]), out),
            Values::Date(v) => return self.date(v[row], out),
            Values::Datetime(v, fraction) => return self.datetime(v[row], *fraction, false, out),
            Values::Timestamp(v, fraction) => return self.datetime(v[row], *fraction, !as_text, out),
            Values::Time(v, fraction) => {
                let micros = if self.target == Some(Target::Time) { clock(v[row])? } else { v[row] };
                print::time(micros, *fraction, out);
            }
            Values::Bits(v, length) => self.bits(v[row], *length, out),
            Values::Bytes(strings) => hex(strings.get(row), out),
            Values::Vector(strings) if self.target == Some(Target::Bytea) => hex(strings.get(row), out),
            Values::Vector(strings) => vector(strings.get(row), self.brackets || as_text, out)?,
            Values::Uuid(v) | Values::Inet4(v) | Values::Inet6(v) if self.target == Some(Target::Bytea) => {
                hex(v.value(row), out);
            }
            Values::Uuid(v) => print::uuid(v.value(row), out),
            Values::Inet4(v) => print::inet4(v.value(row).try_into().map_err(|_| ValueProblem::Malformed)?, out),
            Values::Inet6(v) => print::inet6(v.value(row).try_into().map_err(|_| ValueProblem::Malformed)?, out),
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
        if self.is_text_column() {
            print::date(days, out);
        } else if days < DATE_IMPOSSIBLE_END {
            return self.impossible("1970-01-01", out);
        } else {
            calendar(days, |_| (), out);
        }
        Ok(true)
    }

    fn datetime(&self, micros: i64, fraction: u8, zone: bool, out: &mut Vec<u8>) -> Outcome {
        if self.is_text_column() {
            print::datetime(micros, fraction, out);
            return Ok(true);
        }
        if micros < DATETIME_IMPOSSIBLE_END {
            return self.impossible("1970-01-01 00:00:00", out);
        }
        let days = i32::try_from(micros.div_euclid(DAY_US)).map_err(|_| ValueProblem::OutOfRange)?;
        let clock = |out: &mut Vec<u8>| {
            out.push(b' ');
            print::time(micros.rem_euclid(DAY_US), fraction, out);
            out.extend_from_slice(if zone { b"+00" } else { b"" });
        };
        calendar(days, clock, out);
        Ok(true)
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

/// Date and what follows it; PostgreSQL has no year 0, it calls it 1 BC.
fn calendar(days: i32, clock: impl Fn(&mut Vec<u8>), out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(days);
    print::civil(if year > 0 { year } else { 1 - year }, month, day, out);
    clock(out);
    if year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

fn single(value: f32, out: &mut Vec<u8>) {
    float(value.into(), &value.to_string(), &format!("{value:e}"), out);
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

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    print::hex(bytes, out);
}

fn vector(bytes: &[u8], brackets: bool, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    let (numbers, []) = bytes.as_chunks::<4>() else { return Err(ValueProblem::Malformed) };
    let numbers = numbers.iter().map(|number| f32::from_le_bytes(*number));
    print::list(numbers, if brackets { *b"[]" } else { *b"{}" }, single, out);
    Ok(())
}
