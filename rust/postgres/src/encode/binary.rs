//! The binary form of values: length, then bytes. COPY and parameters have the same.
//!
//! Sources: the `*_recv` functions of PostgreSQL, in `src/backend/utils/adt/`: `int.c`, `numeric.c`,
//! `date.c`, `timestamp.c`, `varbit.c`, `jsonb.c`, `network.c`, `arrayfuncs.c`, `uuid.c`.

use opendrs_columns::Logical;
use opendrs_columns::temporal::{DATE_IMPOSSIBLE_END, DATETIME_IMPOSSIBLE_END, DAY_US};
use opendrs_columns::values::{Strings, Values};

use super::field::{Field, Hot};
use super::numeric;
use super::policy::{self, ImpossibleDate};
use super::target::Target;
use crate::error::ValueProblem;

type Outcome = Result<(), ValueProblem>;

const NULL: [u8; 4] = (-1i32).to_be_bytes();
/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's day zero.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_US: i64 = EPOCH_DAYS as i64 * DAY_US;
/// Ranges of PostgreSQL, counted from 2000-01-01: `datatype/timestamp.h`.
const DATE_DAYS: std::ops::Range<i32> = -2_451_545..2_145_031_949;
const TIMESTAMP_US: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// Whether values of this logical type have a binary form for this type that says exactly the same,
/// or else an error. Anything can be written to a text column.
pub(crate) fn supported(logical: &Logical, target: Target) -> bool {
    use Target as T;
    let numbers = [T::Int2, T::Int4, T::Int8, T::Oid, T::Numeric, T::Bool, T::Float4, T::Float8];
    let targets: &[Target] = match *logical {
        Logical::Int { .. } | Logical::Year => &numbers,
        Logical::Decimal { scale: 0, precision: ..=38 } => &numbers,
        Logical::Decimal { .. } => &[T::Numeric],
        Logical::Float32 => &[T::Float4, T::Float8],
        Logical::Float64 => &[T::Float8],
        Logical::Bits { .. } => &[T::Bit, T::Varbit, T::Bytea, T::Int2, T::Int4, T::Int8, T::Numeric, T::Bool, T::Oid],
        Logical::Date => &[T::Date, T::Timestamp, T::Timestamptz],
        Logical::Time { .. } => &[T::Interval, T::Time],
        Logical::Datetime { .. } | Logical::Timestamp { .. } => &[T::Timestamp, T::Timestamptz],
        Logical::Text | Logical::Enum | Logical::Set | Logical::Json => &[T::Json, T::Jsonb],
        Logical::Binary { .. } | Logical::Geometry => &[T::Bytea],
        Logical::Vector => &[T::Float4Array, T::Bytea],
        Logical::Uuid => &[T::Uuid, T::Bytea],
        Logical::Inet4 | Logical::Inet6 => &[T::Inet, T::Bytea],
    };
    // Bytes as text would be a guess about their meaning.
    let text = matches!(target, T::Text | T::Varchar | T::Bpchar);
    let bytes = matches!(logical, Logical::Binary { .. } | Logical::Geometry);
    targets.contains(&target) || (text && !bytes)
}

impl Field<'_> {
    /// Appends the field in binary. The plan has made sure that there is a way ([`supported`]).
    #[inline]
    pub fn write_binary(&self, row: usize, out: &mut Vec<u8>) -> Outcome {
        if self.is_null(row) {
            out.extend_from_slice(&NULL);
            return Ok(());
        }
        match self.hot {
            Hot::Int4(v) => put4(out, v[row]),
            Hot::Int8(v) => put8(out, v[row]),
            Hot::Numeric(v, scale) => numeric::write_i128(out, v[row], scale),
            Hot::Date(v) => return self.date(v[row], out),
            Hot::Timestamp(v) => return self.timestamp(v[row], out),
            Hot::Text(texts) => put(out, texts.get(row)),
            Hot::Constant(constant) => out.extend_from_slice(constant.binary()),
            Hot::Other => return self.rare(row, self.target.ok_or(ValueProblem::Malformed)?, out),
        }
        Ok(())
    }

    fn rare(&self, row: usize, target: Target, out: &mut Vec<u8>) -> Outcome {
        let column = self.column.as_ref().ok_or(ValueProblem::Malformed)?;
        match (&column.values, target) {
            (Values::Text(strings), Target::Text | Target::Varchar | Target::Bpchar | Target::Json) => {
                return self.text(strings, row, out);
            }
            (Values::Float64(v), Target::Float8) => put8(out, v[row].to_bits() as i64),
            (Values::Float32(v), Target::Float4) => put4(out, v[row].to_bits() as i32),
            (Values::Bytes(strings), Target::Bytea) => put(out, strings.get(row)),
            (Values::Date(v), Target::Timestamp | Target::Timestamptz) => {
                let impossible = v[row] < DATE_IMPOSSIBLE_END;
                let midnight = if impossible { i64::MIN } else { i64::from(v[row]) * DAY_US };
                return self.timestamp(midnight, out);
            }
            (Values::Time(v, _), Target::Time) => put8(out, clock(v[row])?),
            (Values::Time(v, _), Target::Interval) => {
                out.extend_from_slice(&16i32.to_be_bytes());
                out.extend_from_slice(&v[row].to_be_bytes());
                out.extend_from_slice(&[0; 8]);
            }
            (Values::Decimal256(v, scale), Target::Numeric) => numeric::write_i256(out, v[row], *scale),
            (Values::Float32(v), Target::Float8) => put8(out, f64::from(v[row]).to_bits() as i64),
            (Values::Text(strings), Target::Jsonb) => return self.jsonb(strings, row, out),
            (Values::Vector(strings), Target::Float4Array) => return float_array(strings.get(row), out),
            (Values::Vector(strings), Target::Bytea) => put(out, strings.get(row)),
            (Values::Bits(v, length), Target::Bit | Target::Varbit) => return bits(v[row], *length, out),
            (Values::Bits(v, length), Target::Bytea) => {
                put(out, &v[row].to_be_bytes()[8 - usize::from(*length).div_ceil(8).min(8)..]);
            }
            (Values::Uuid(v), Target::Uuid | Target::Bytea) => put(out, v.value(row)),
            (Values::Inet4(v) | Values::Inet6(v), Target::Bytea) => put(out, v.value(row)),
            (Values::Inet4(v), Target::Inet) => inet(2, v.value(row), out),
            (Values::Inet6(v), Target::Inet) => inet(3, v.value(row), out),
            (_, Target::Text | Target::Varchar | Target::Bpchar) => {
                let start = out.len();
                out.extend_from_slice(&NULL);
                self.write_text(row, out)?;
                let length = (out.len() - start - 4) as i32;
                out[start..start + 4].copy_from_slice(&length.to_be_bytes());
            }
            (values, target) => return whole(values.whole(row).ok_or(ValueProblem::Malformed)?, target, out),
        }
        Ok(())
    }

    fn text(&self, strings: &Strings<'_>, row: usize, out: &mut Vec<u8>) -> Outcome {
        let text = strings.get(row);
        if self.has_nul && memchr::memchr(0, text).is_some() {
            put(out, &self.policies.nul_in_text.clean(text).ok_or(ValueProblem::NulInText)?);
        } else {
            put(out, text);
        }
        Ok(())
    }

    fn jsonb(&self, strings: &Strings<'_>, row: usize, out: &mut Vec<u8>) -> Outcome {
        let text = strings.get(row);
        let cleaned = if policy::may_hold_json_nul(text) {
            // An even number of backslashes before "u0000" is text, not NUL: only cleaning can tell.
            let removed = policy::NulInText::Remove.clean_json(text).unwrap_or_default();
            if removed.len() == text.len() {
                None
            } else {
                Some(self.policies.nul_in_text.clean_json(text).ok_or(ValueProblem::NulInText)?)
            }
        } else {
            None
        };
        let text = cleaned.as_deref().unwrap_or(text);
        out.extend_from_slice(&(text.len() as i32 + 1).to_be_bytes());
        out.push(1); // the version of the format
        out.extend_from_slice(text);
        Ok(())
    }

    #[inline]
    fn date(&self, days: i32, out: &mut Vec<u8>) -> Outcome {
        if days < DATE_IMPOSSIBLE_END {
            match self.policies.impossible_date {
                ImpossibleDate::Stop => return Err(ValueProblem::ImpossibleDate),
                ImpossibleDate::Null => out.extend_from_slice(&NULL),
                ImpossibleDate::Epoch => put4(out, -EPOCH_DAYS),
                ImpossibleDate::MinusInfinity => put4(out, i32::MIN),
            }
            return Ok(());
        }
        match days.checked_sub(EPOCH_DAYS) {
            Some(days) if DATE_DAYS.contains(&days) => put4(out, days),
            _ => return Err(ValueProblem::OutOfRange),
        }
        Ok(())
    }

    #[inline]
    fn timestamp(&self, micros: i64, out: &mut Vec<u8>) -> Outcome {
        if micros < DATETIME_IMPOSSIBLE_END {
            match self.policies.impossible_date {
                ImpossibleDate::Stop => return Err(ValueProblem::ImpossibleDate),
                ImpossibleDate::Null => out.extend_from_slice(&NULL),
                ImpossibleDate::Epoch => put8(out, -EPOCH_US),
                ImpossibleDate::MinusInfinity => put8(out, i64::MIN),
            }
            return Ok(());
        }
        match micros.checked_sub(EPOCH_US) {
            Some(micros) if TIMESTAMP_US.contains(&micros) => put8(out, micros),
            _ => return Err(ValueProblem::OutOfRange),
        }
        Ok(())
    }
}

/// A time of day; 24:00:00 is one for PostgreSQL too.
pub(crate) fn clock(micros: i64) -> Result<i64, ValueProblem> {
    if (0..=DAY_US).contains(&micros) { Ok(micros) } else { Err(ValueProblem::OutOfRange) }
}

#[inline]
fn put4(out: &mut Vec<u8>, value: i32) {
    let field = (4u64 << 32) | u64::from(value as u32);
    out.extend_from_slice(&field.to_be_bytes());
}

#[inline]
fn put8(out: &mut Vec<u8>, value: i64) {
    let mut field = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    field[4..].copy_from_slice(&value.to_be_bytes());
    out.extend_from_slice(&field);
}

#[inline]
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // Columns of a batch stay below 1 GiB, so the length fits.
    out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn whole(value: i128, target: Target, out: &mut Vec<u8>) -> Outcome {
    let range = |_| ValueProblem::OutOfRange;
    match target {
        Target::Int2 => put(out, &i16::try_from(value).map_err(range)?.to_be_bytes()),
        Target::Int4 => put4(out, i32::try_from(value).map_err(range)?),
        Target::Int8 => put8(out, i64::try_from(value).map_err(range)?),
        Target::Oid => put4(out, u32::try_from(value).map_err(range)? as i32),
        Target::Numeric => numeric::write_i128(out, value, 0),
        Target::Bool => match value {
            0 | 1 => put(out, &[value as u8]),
            _ => return Err(ValueProblem::OutOfRange),
        },
        // Only whole numbers that the type holds exactly.
        Target::Float4 if value.unsigned_abs() <= 1 << 24 => put4(out, (value as f32).to_bits() as i32),
        Target::Float8 if value.unsigned_abs() <= 1 << 53 => put8(out, (value as f64).to_bits() as i64),
        Target::Float4 | Target::Float8 => return Err(ValueProblem::OutOfRange),
        _ => return Err(ValueProblem::Malformed),
    }
    Ok(())
}

fn bits(value: u64, length: u8, out: &mut Vec<u8>) -> Outcome {
    let length = length.clamp(1, 64);
    if value.unbounded_shr(length.into()) != 0 {
        return Err(ValueProblem::OutOfRange);
    }
    let bytes = usize::from(length).div_ceil(8);
    out.extend_from_slice(&(4 + bytes as i32).to_be_bytes());
    out.extend_from_slice(&i32::from(length).to_be_bytes());
    out.extend_from_slice(&(value << (64 - length)).to_be_bytes()[..bytes]);
    Ok(())
}

fn inet(family: u8, address: &[u8], out: &mut Vec<u8>) {
    // Family, bits of the mask, "is cidr", length of the address.
    let length = address.len() as u8;
    out.extend_from_slice(&(4 + i32::from(length)).to_be_bytes());
    out.extend_from_slice(&[family, length * 8, 0, length]);
    out.extend_from_slice(address);
}

fn float_array(vector: &[u8], out: &mut Vec<u8>) -> Outcome {
    let (numbers, []) = vector.as_chunks::<4>() else { return Err(ValueProblem::Malformed) };
    let dimensions = i32::from(!numbers.is_empty());
    let length = 12 + 8 * dimensions + 8 * numbers.len() as i32;
    for word in [length, dimensions, 0, Target::Float4.oid() as i32] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    if dimensions > 0 {
        out.extend_from_slice(&(numbers.len() as i32).to_be_bytes());
        out.extend_from_slice(&1i32.to_be_bytes()); // the first index
    }
    for number in numbers {
        put4(out, i32::from_le_bytes(*number));
    }
    Ok(())
}
