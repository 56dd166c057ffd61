use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, PrimitiveArray, StringArray, cast::AsArray, types as arrow,
};
use arrow_buffer::{NullBuffer, i256};
use opendrs_columns::Logical;

use super::policy::{ImpossibleDate, Policies};
use super::target::Target;

/// The values of a column, read by what they mean.
pub(crate) enum Values<'a> {
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    Bits(&'a [u64], u8),
    Decimal128(&'a [i128], u8),
    Decimal256(&'a [i256], u8),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Date(&'a [i32]),
    /// Microseconds, and digits behind the second.
    Time(&'a [i64], u8),
    /// Wall clock: microseconds, and digits behind the second.
    Datetime(&'a [i64], u8),
    /// Instant: microseconds, and digits behind the second.
    Timestamp(&'a [i64], u8),
    Text(Strings<'a>),
    Bytes(Strings<'a>),
    Vector(Strings<'a>),
    Uuid(&'a FixedSizeBinaryArray),
    Inet4(&'a FixedSizeBinaryArray),
    Inet6(&'a FixedSizeBinaryArray),
}

/// Texts or byte strings, one behind the other.
pub(crate) struct Strings<'a> {
    offsets: &'a [i32],
    data: &'a [u8],
    /// Whether a zero byte occurs in any of them.
    pub has_nul: bool,
}

impl<'a> Strings<'a> {
    fn new(offsets: &'a [i32], data: &'a [u8]) -> Self {
        let end = |offset: Option<&i32>| usize::try_from(*offset.unwrap_or(&0)).unwrap_or(0);
        let used = data.get(end(offsets.first())..end(offsets.last())).unwrap_or_default();
        Self { offsets, data, has_nul: memchr::memchr(0, used).is_some() }
    }

    #[inline]
    pub fn get(&self, row: usize) -> &'a [u8] {
        string(self.offsets, self.data, row)
    }
}

/// Arrow's constructors have checked that offsets ascend and end within the data.
#[inline]
pub(crate) fn string<'a>(offsets: &[i32], data: &'a [u8], row: usize) -> &'a [u8] {
    &data[offsets[row] as usize..offsets[row + 1] as usize]
}

/// The pairs of values and target that most columns are, so that the hot loop decides but once a
/// value.
pub(crate) enum Hot<'a> {
    Int4(&'a [i32]),
    Int8(&'a [i64]),
    Numeric(&'a [i128], u8),
    Date(&'a [i32]),
    Timestamp(&'a [i64]),
    /// Text without a NUL in the whole batch.
    Text(&'a [i32], &'a [u8]),
    Other,
}

/// One column of a batch, bound to the type it is written as.
pub(crate) struct Field<'a> {
    nulls: Option<&'a NullBuffer>,
    pub hot: Hot<'a>,
    pub values: Values<'a>,
    /// The type of the target's column; None: not one of ours, so everything goes as text.
    pub target: Option<Target>,
    /// Whether the column is written in binary.
    pub has_binary: bool,
    /// Whether the target wants arrays of numbers as `[1,2]` (pgvector) and not as `{1,2}`.
    pub brackets: bool,
    pub policies: Policies,
}

impl<'a> Field<'a> {
    /// Reads `array` as `logical`. None if the array is not of the Arrow type that carries it.
    pub fn new(array: &'a ArrayRef, logical: &Logical, target: Option<Target>, policies: Policies) -> Option<Self> {
        if *array.data_type() != logical.arrow() {
            return None;
        }
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        let values = values(array, logical)?;
        let hot = hot(&values, target);
        Some(Self { nulls, hot, values, target, has_binary: true, brackets: false, policies })
    }

    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Whether a policy may write a value that is not NULL as NULL.
    pub fn may_become_null(&self) -> bool {
        self.policies.impossible_date == ImpossibleDate::Null
            && matches!(self.values, Values::Date(_) | Values::Datetime(..) | Values::Timestamp(..))
    }

    /// Whether two values are the same, bit for bit. (Both fields are of the same column.)
    pub fn same(&self, row: usize, other: &Field<'_>, other_row: usize) -> bool {
        match (self.is_null(row), other.is_null(other_row)) {
            (false, false) => self.values.same(row, &other.values, other_row),
            (left, right) => left == right,
        }
    }
}

fn hot<'a>(values: &Values<'a>, target: Option<Target>) -> Hot<'a> {
    match (values, target) {
        (Values::I32(v), Some(Target::Int4)) => Hot::Int4(v),
        (Values::I64(v), Some(Target::Int8)) => Hot::Int8(v),
        (Values::Decimal128(v, scale), Some(Target::Numeric)) => Hot::Numeric(v, *scale),
        (Values::Date(v), Some(Target::Date)) => Hot::Date(v),
        (Values::Datetime(v, _) | Values::Timestamp(v, _), Some(Target::Timestamp | Target::Timestamptz)) => {
            Hot::Timestamp(v)
        }
        (Values::Text(s), Some(Target::Text | Target::Varchar | Target::Bpchar | Target::Json)) if !s.has_nul => {
            Hot::Text(s.offsets, s.data)
        }
        _ => Hot::Other,
    }
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

impl Values<'_> {
    #[inline]
    fn same(&self, row: usize, other: &Values<'_>, at: usize) -> bool {
        same!(self, other, row, at, slices: I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64 | Date,
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
            Self::U16(v) => v[row].into(),
            Self::U32(v) => v[row].into(),
            Self::U64(v) | Self::Bits(v, _) => v[row].into(),
            Self::Decimal128(v, 0) => v[row],
            _ => return None,
        })
    }
}

fn slice<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<&[T::Native]> {
    array.as_any().downcast_ref::<PrimitiveArray<T>>().map(|typed| &typed.values()[..])
}

fn texts(array: &ArrayRef) -> Option<Strings<'_>> {
    let typed: &StringArray = array.as_string_opt()?;
    Some(Strings::new(typed.value_offsets(), typed.value_data()))
}

fn bytes(array: &ArrayRef) -> Option<Strings<'_>> {
    let typed: &BinaryArray = array.as_binary_opt()?;
    Some(Strings::new(typed.value_offsets(), typed.value_data()))
}

fn values<'a>(array: &'a ArrayRef, logical: &Logical) -> Option<Values<'a>> {
    Some(match *logical {
        Logical::Int { bits: 8, unsigned: false } => Values::I8(slice::<arrow::Int8Type>(array)?),
        Logical::Int { bits: 8, unsigned: true } => Values::U8(slice::<arrow::UInt8Type>(array)?),
        Logical::Int { bits: 16, unsigned: false } => Values::I16(slice::<arrow::Int16Type>(array)?),
        Logical::Int { bits: 16, unsigned: true } | Logical::Year => Values::U16(slice::<arrow::UInt16Type>(array)?),
        Logical::Int { bits: 24 | 32, unsigned: false } => Values::I32(slice::<arrow::Int32Type>(array)?),
        Logical::Int { bits: 24 | 32, unsigned: true } => Values::U32(slice::<arrow::UInt32Type>(array)?),
        Logical::Int { unsigned: false, .. } => Values::I64(slice::<arrow::Int64Type>(array)?),
        Logical::Int { unsigned: true, .. } => Values::U64(slice::<arrow::UInt64Type>(array)?),
        Logical::Bits { length } => Values::Bits(slice::<arrow::UInt64Type>(array)?, length),
        Logical::Decimal { precision, scale } if precision <= 38 => {
            Values::Decimal128(slice::<arrow::Decimal128Type>(array)?, scale)
        }
        Logical::Decimal { scale, .. } => Values::Decimal256(slice::<arrow::Decimal256Type>(array)?, scale),
        Logical::Float32 => Values::Float32(slice::<arrow::Float32Type>(array)?),
        Logical::Float64 => Values::Float64(slice::<arrow::Float64Type>(array)?),
        Logical::Date => Values::Date(slice::<arrow::Date32Type>(array)?),
        Logical::Time { fraction } => Values::Time(slice::<arrow::DurationMicrosecondType>(array)?, fraction),
        Logical::Datetime { fraction } => Values::Datetime(slice::<arrow::TimestampMicrosecondType>(array)?, fraction),
        Logical::Timestamp { fraction } => {
            Values::Timestamp(slice::<arrow::TimestampMicrosecondType>(array)?, fraction)
        }
        Logical::Text | Logical::Enum | Logical::Set | Logical::Json => Values::Text(texts(array)?),
        Logical::Binary { .. } | Logical::Geometry => Values::Bytes(bytes(array)?),
        Logical::Vector => Values::Vector(bytes(array)?),
        Logical::Uuid => Values::Uuid(array.as_fixed_size_binary_opt()?),
        Logical::Inet4 => Values::Inet4(array.as_fixed_size_binary_opt()?),
        Logical::Inet6 => Values::Inet6(array.as_fixed_size_binary_opt()?),
    })
}
