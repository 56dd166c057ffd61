//! The values of an Arrow column, read by what they mean.

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, PrimitiveArray, StringArray, cast::AsArray, types as arrow,
};
use arrow_buffer::{NullBuffer, i256};

use crate::Logical;

/// One column of a batch: which rows are NULL, and the values of the others.
pub struct Column<'a> {
    nulls: Option<&'a NullBuffer>,
    /// The values; that of a row which is NULL means nothing.
    pub values: Values<'a>,
}

impl<'a> Column<'a> {
    /// Reads `array` as `logical`. None if the array is not of the Arrow type that carries it.
    pub fn new(array: &'a ArrayRef, logical: &Logical) -> Option<Self> {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        Some(Self { nulls, values: Values::new(array, logical)? })
    }

    /// Whether the row's value is NULL.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Whether two values are the same, bit for bit, or both NULL. (Both columns are of the same logical type.)
    pub fn same(&self, row: usize, other: &Column<'_>, other_row: usize) -> bool {
        match (self.is_null(row), other.is_null(other_row)) {
            (false, false) => self.values.same(row, &other.values, other_row),
            (left, right) => left == right,
        }
    }
}

/// The values of a column by row, NULL or not.
pub enum Values<'a> {
    /// Whole numbers of 8 bits.
    I8(&'a [i8]),
    /// Whole numbers of 16 bits.
    I16(&'a [i16]),
    /// Whole numbers of 24 or 32 bits.
    I32(&'a [i32]),
    /// Whole numbers of 64 bits.
    I64(&'a [i64]),
    /// Unsigned numbers of 8 bits.
    U8(&'a [u8]),
    /// Unsigned numbers of 16 bits.
    U16(&'a [u16]),
    /// Years.
    Year(&'a [u16]),
    /// Unsigned numbers of 24 or 32 bits.
    U32(&'a [u32]),
    /// Unsigned numbers of 64 bits.
    U64(&'a [u64]),
    /// Bits, and how many there are.
    Bits(&'a [u64], u8),
    /// Unscaled digits, and how many of them are behind the point.
    Decimal128(&'a [i128], u8),
    /// The same, for more than 38 digits.
    Decimal256(&'a [i256], u8),
    /// Single precision.
    Float32(&'a [f32]),
    /// Double precision.
    Float64(&'a [f64]),
    /// Days since 1970, or an impossible date ([`crate::temporal`]).
    Date(&'a [i32]),
    /// Microseconds, and digits behind the second.
    Time(&'a [i64], u8),
    /// Wall clock: microseconds, and digits behind the second.
    Datetime(&'a [i64], u8),
    /// Instant: microseconds, and digits behind the second.
    Timestamp(&'a [i64], u8),
    /// UTF-8: text, enum, set, JSON.
    Text(Strings<'a>),
    /// Bytes, geometry.
    Bytes(Strings<'a>),
    /// Little-endian singles, one behind the other.
    Vector(Strings<'a>),
    /// 16 bytes in the order of the text form.
    Uuid(&'a FixedSizeBinaryArray),
    /// 4 bytes, network order.
    Inet4(&'a FixedSizeBinaryArray),
    /// 16 bytes, network order.
    Inet6(&'a FixedSizeBinaryArray),
}

macro_rules! same {
    ($left:expr, $right:expr, $row:expr, $other:expr, slices: $($plain:ident)|*, $(scaled: $scaled:ident,)* $(strings: $strings:ident,)* $(fixed: $fixed:ident,)*) => {
        match ($left, $right) {
            $((Values::$plain(a), Values::$plain(b)) => a[$row] == b[$other],)*
            $((Values::$scaled(a, x), Values::$scaled(b, y)) => x == y && a[$row] == b[$other],)*
            $((Values::$strings(a), Values::$strings(b)) => a.get($row) == b.get($other),)*
            $((Values::$fixed(a), Values::$fixed(b)) => a.value($row) == b.value($other),)*
            (Values::Float32(a), Values::Float32(b)) => a[$row].to_bits() == b[$other].to_bits(),
            (Values::Float64(a), Values::Float64(b)) => a[$row].to_bits() == b[$other].to_bits(),
            _ => false,
        }
    };
}

impl<'a> Values<'a> {
    /// Reads `array` as `logical`. None if the array is not of the Arrow type that carries it.
    pub fn new(array: &'a ArrayRef, logical: &Logical) -> Option<Self> {
        if *array.data_type() != logical.arrow() {
            return None;
        }
        Some(match *logical {
            Logical::Int { bits: 8, unsigned: false } => Self::I8(slice::<arrow::Int8Type>(array)?),
            Logical::Int { bits: 8, unsigned: true } => Self::U8(slice::<arrow::UInt8Type>(array)?),
            Logical::Int { bits: 16, unsigned: false } => Self::I16(slice::<arrow::Int16Type>(array)?),
            Logical::Int { bits: 16, unsigned: true } => Self::U16(slice::<arrow::UInt16Type>(array)?),
            Logical::Year => Self::Year(slice::<arrow::UInt16Type>(array)?),
            Logical::Int { bits: 24 | 32, unsigned: false } => Self::I32(slice::<arrow::Int32Type>(array)?),
            Logical::Int { bits: 24 | 32, unsigned: true } => Self::U32(slice::<arrow::UInt32Type>(array)?),
            Logical::Int { unsigned: false, .. } => Self::I64(slice::<arrow::Int64Type>(array)?),
            Logical::Int { unsigned: true, .. } => Self::U64(slice::<arrow::UInt64Type>(array)?),
            Logical::Bits { length } => Self::Bits(slice::<arrow::UInt64Type>(array)?, length),
            Logical::Decimal { precision, scale } if precision <= 38 => {
                Self::Decimal128(slice::<arrow::Decimal128Type>(array)?, scale)
            }
            Logical::Decimal { scale, .. } => Self::Decimal256(slice::<arrow::Decimal256Type>(array)?, scale),
            Logical::Float32 => Self::Float32(slice::<arrow::Float32Type>(array)?),
            Logical::Float64 => Self::Float64(slice::<arrow::Float64Type>(array)?),
            Logical::Date => Self::Date(slice::<arrow::Date32Type>(array)?),
            Logical::Time { fraction } => Self::Time(slice::<arrow::DurationMicrosecondType>(array)?, fraction),
            Logical::Datetime { fraction } => {
                Self::Datetime(slice::<arrow::TimestampMicrosecondType>(array)?, fraction)
            }
            Logical::Timestamp { fraction } => {
                Self::Timestamp(slice::<arrow::TimestampMicrosecondType>(array)?, fraction)
            }
            Logical::Text | Logical::Enum | Logical::Set | Logical::Json => Self::Text(texts(array)?),
            Logical::Binary { .. } | Logical::Geometry => Self::Bytes(bytes(array)?),
            Logical::Vector => Self::Vector(bytes(array)?),
            Logical::Uuid => Self::Uuid(array.as_fixed_size_binary_opt()?),
            Logical::Inet4 => Self::Inet4(array.as_fixed_size_binary_opt()?),
            Logical::Inet6 => Self::Inet6(array.as_fixed_size_binary_opt()?),
        })
    }

    /// Whether two values are the same, bit for bit.
    #[inline]
    pub fn same(&self, row: usize, other: &Values<'_>, at: usize) -> bool {
        same!(self, other, row, at, slices: I8 | I16 | I32 | I64 | U8 | U16 | Year | U32 | U64 | Date,
            scaled: Bits, scaled: Decimal128, scaled: Decimal256,
            scaled: Time, scaled: Datetime, scaled: Timestamp,
            strings: Text, strings: Bytes, strings: Vector,
            fixed: Uuid, fixed: Inet4, fixed: Inet6,)
    }

    /// The value of a column of whole numbers.
    #[inline]
    pub fn whole(&self, row: usize) -> Option<i128> {
        Some(match self {
            Self::I8(v) => v[row].into(),
            Self::I16(v) => v[row].into(),
            Self::I32(v) => v[row].into(),
            Self::I64(v) => v[row].into(),
            Self::U8(v) => v[row].into(),
            Self::U16(v) | Self::Year(v) => v[row].into(),
            Self::U32(v) => v[row].into(),
            Self::U64(v) | Self::Bits(v, _) => v[row].into(),
            Self::Decimal128(v, 0) => v[row],
            _ => return None,
        })
    }
}

/// Texts or byte strings, one behind the other.
#[derive(Clone, Copy)]
pub struct Strings<'a> {
    offsets: &'a [i32],
    data: &'a [u8],
}

impl<'a> Strings<'a> {
    /// The text or the bytes of a row.
    #[inline]
    pub fn get(&self, row: usize) -> &'a [u8] {
        // Arrow's constructors have checked that offsets ascend and end within the data.
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// All of them as one.
    pub fn all(&self) -> &'a [u8] {
        let end = |offset: Option<&i32>| usize::try_from(*offset.unwrap_or(&0)).unwrap_or(0);
        self.data.get(end(self.offsets.first())..end(self.offsets.last())).unwrap_or_default()
    }
}

fn slice<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<&[T::Native]> {
    array.as_any().downcast_ref::<PrimitiveArray<T>>().map(|typed| &typed.values()[..])
}

fn texts(array: &ArrayRef) -> Option<Strings<'_>> {
    let typed: &StringArray = array.as_string_opt()?;
    Some(Strings { offsets: typed.value_offsets(), data: typed.value_data() })
}

fn bytes(array: &ArrayRef) -> Option<Strings<'_>> {
    let typed: &BinaryArray = array.as_binary_opt()?;
    Some(Strings { offsets: typed.value_offsets(), data: typed.value_data() })
}
