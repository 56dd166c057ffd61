use arrow_array::builder::{
    BinaryBuilder, Date32Builder, Decimal128Builder, Decimal256Builder, DurationMicrosecondBuilder,
    FixedSizeBinaryBuilder, Float32Builder, Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder, UInt8Builder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::{ArrowError, SchemaRef};
use std::sync::Arc;

use crate::{ColumnSpec, Logical, TableSpec, ValueError};

/// Text and bytes of one column of one batch stay below this, so that 32-bit offsets suffice.
const COLUMN_BYTES_MAX: usize = 1 << 30;

enum Values {
    I8(Int8Builder),
    I16(Int16Builder),
    I32(Int32Builder),
    I64(Int64Builder),
    U8(UInt8Builder),
    U16(UInt16Builder),
    U32(UInt32Builder),
    U64(UInt64Builder),
    F32(Float32Builder),
    F64(Float64Builder),
    Decimal128(Decimal128Builder),
    Decimal256(Decimal256Builder),
    Date(Date32Builder),
    Duration(DurationMicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Fixed(FixedSizeBinaryBuilder),
}

macro_rules! every {
    ($values:expr, $b:ident => $do:expr) => {
        match $values {
            Values::I8($b) => $do,
            Values::I16($b) => $do,
            Values::I32($b) => $do,
            Values::I64($b) => $do,
            Values::U8($b) => $do,
            Values::U16($b) => $do,
            Values::U32($b) => $do,
            Values::U64($b) => $do,
            Values::F32($b) => $do,
            Values::F64($b) => $do,
            Values::Decimal128($b) => $do,
            Values::Decimal256($b) => $do,
            Values::Date($b) => $do,
            Values::Duration($b) => $do,
            Values::Timestamp($b) => $do,
            Values::Text($b) => $do,
            Values::Bytes($b) => $do,
            Values::Fixed($b) => $do,
        }
    };
}

impl Values {
    /// An empty builder with room for some rows, and for some bytes of text in them.
    fn with_capacity(logical: &Logical, rows: usize, bytes: usize) -> Self {
        match logical {
            Logical::Int { bits: 8, unsigned: false } => Values::I8(Int8Builder::with_capacity(rows)),
            Logical::Int { bits: 8, unsigned: true } => Values::U8(UInt8Builder::with_capacity(rows)),
            Logical::Int { bits: 16, unsigned: false } => Values::I16(Int16Builder::with_capacity(rows)),
            Logical::Int { bits: 16, unsigned: true } | Logical::Year => {
                Values::U16(UInt16Builder::with_capacity(rows))
            }
            Logical::Int { bits: 24 | 32, unsigned: false } => Values::I32(Int32Builder::with_capacity(rows)),
            Logical::Int { bits: 24 | 32, unsigned: true } => Values::U32(UInt32Builder::with_capacity(rows)),
            Logical::Int { unsigned: false, .. } => Values::I64(Int64Builder::with_capacity(rows)),
            Logical::Int { unsigned: true, .. } | Logical::Bits { .. } => {
                Values::U64(UInt64Builder::with_capacity(rows))
            }
            Logical::Decimal { precision, .. } if *precision <= 38 => {
                Values::Decimal128(Decimal128Builder::with_capacity(rows).with_data_type(logical.arrow()))
            }
            Logical::Decimal { .. } => {
                Values::Decimal256(Decimal256Builder::with_capacity(rows).with_data_type(logical.arrow()))
            }
            Logical::Float32 => Values::F32(Float32Builder::with_capacity(rows)),
            Logical::Float64 => Values::F64(Float64Builder::with_capacity(rows)),
            Logical::Date => Values::Date(Date32Builder::with_capacity(rows)),
            Logical::Time { .. } => Values::Duration(DurationMicrosecondBuilder::with_capacity(rows)),
            Logical::Datetime { .. } | Logical::Timestamp { .. } => {
                Values::Timestamp(TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(logical.arrow()))
            }
            Logical::Text | Logical::Enum | Logical::Set | Logical::Json => {
                Values::Text(StringBuilder::with_capacity(rows, bytes))
            }
            Logical::Binary { .. } | Logical::Geometry | Logical::Vector => {
                Values::Bytes(BinaryBuilder::with_capacity(rows, bytes))
            }
            Logical::Uuid | Logical::Inet6 => Values::Fixed(FixedSizeBinaryBuilder::with_capacity(rows, 16)),
            Logical::Inet4 => Values::Fixed(FixedSizeBinaryBuilder::with_capacity(rows, 4)),
        }
    }

    /// Bytes of text that were pushed; nothing for values of one size.
    fn text_bytes(&self) -> usize {
        match self {
            Values::Text(builder) => builder.values_slice().len(),
            Values::Bytes(builder) => builder.values_slice().len(),
            _ => 0,
        }
    }
}

/// Builds the array of one column. A push that does not suit the column's type, or a value outside
/// the type's range, is an error; it is never clipped, wrapped or dropped.
pub struct ColumnBuilder {
    name: String,
    logical: Logical,
    values: Values,
    bytes: usize,
}

impl ColumnBuilder {
    /// An empty builder for a column.
    pub fn new(spec: &ColumnSpec) -> Self {
        let values = Values::with_capacity(&spec.logical, 0, 0);
        Self { name: spec.name.clone(), logical: spec.logical.clone(), values, bytes: 0 }
    }

    /// Bytes of values pushed since the last [`Self::finish`]: what a batch is bounded by.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    #[cold]
    fn kind(&self, given: &'static str) -> ValueError {
        ValueError::Kind { column: self.name.clone(), expected: format!("{:?}", self.logical), given }
    }

    #[cold]
    fn invalid(&self, reason: String) -> ValueError {
        ValueError::Invalid { column: self.name.clone(), reason }
    }

    #[cold]
    fn range(&self, value: impl std::fmt::Display) -> ValueError {
        self.invalid(format!("{value} is outside the range of {:?}", self.logical))
    }

    /// The value pushed last, of a column of 64-bit numbers or of moments; None if it is NULL or of another kind.
    pub fn last(&self) -> Option<i128> {
        match &self.values {
            Values::I64(b) => b.values_slice().last().map(|value| i128::from(*value)),
            Values::U64(b) => b.values_slice().last().map(|value| i128::from(*value)),
            Values::Timestamp(b) => b.values_slice().last().map(|value| i128::from(*value)),
            _ => None,
        }
    }

    /// Appends NULL.
    #[inline]
    pub fn push_null(&mut self) {
        self.bytes += 1;
        every!(&mut self.values, b => b.append_null());
    }

    /// Appends a whole number to a signed column.
    #[inline]
    pub fn push_i64(&mut self, value: i64) -> Result<(), ValueError> {
        self.bytes += 8;
        let fits = match &mut self.values {
            Values::I8(b) => i8::try_from(value).map(|v| b.append_value(v)).is_ok(),
            Values::I16(b) => i16::try_from(value).map(|v| b.append_value(v)).is_ok(),
            Values::I32(b) => i32::try_from(value).map(|v| b.append_value(v)).is_ok(),
            Values::I64(b) => {
                b.append_value(value);
                true
            }
            _ => return Err(self.kind("a signed number")),
        };
        if fits { Ok(()) } else { Err(self.range(value)) }
    }

    /// Appends a whole number to an unsigned column, a year or bits.
    #[inline]
    pub fn push_u64(&mut self, value: u64) -> Result<(), ValueError> {
        self.bytes += 8;
        let fits = match &mut self.values {
            Values::U8(b) => u8::try_from(value).map(|v| b.append_value(v)).is_ok(),
            Values::U16(b) => u16::try_from(value).map(|v| b.append_value(v)).is_ok(),
            Values::U32(b) => u32::try_from(value).map(|v| b.append_value(v)).is_ok(),
            Values::U64(b) => {
                b.append_value(value);
                true
            }
            _ => return Err(self.kind("an unsigned number")),
        };
        if fits { Ok(()) } else { Err(self.range(value)) }
    }

    /// Appends a decimal as its unscaled digits (12.50 with scale 2 is 1250).
    #[inline]
    pub fn push_i128(&mut self, unscaled: i128) -> Result<(), ValueError> {
        self.bytes += 16;
        match &mut self.values {
            Values::Decimal128(b) => b.append_value(unscaled),
            Values::Decimal256(b) => b.append_value(i256::from_i128(unscaled)),
            _ => return Err(self.kind("a decimal")),
        }
        Ok(())
    }

    /// Appends a decimal of more than 38 digits as its unscaled digits.
    #[inline]
    pub fn push_i256(&mut self, unscaled: i256) -> Result<(), ValueError> {
        self.bytes += 32;
        match &mut self.values {
            Values::Decimal256(b) => b.append_value(unscaled),
            _ => return Err(self.kind("a long decimal")),
        }
        Ok(())
    }

    /// Appends a single-precision number.
    #[inline]
    pub fn push_f32(&mut self, value: f32) -> Result<(), ValueError> {
        self.bytes += 4;
        match &mut self.values {
            Values::F32(b) => b.append_value(value),
            _ => return Err(self.kind("a single-precision number")),
        }
        Ok(())
    }

    /// Appends a double-precision number.
    #[inline]
    pub fn push_f64(&mut self, value: f64) -> Result<(), ValueError> {
        self.bytes += 8;
        match &mut self.values {
            Values::F64(b) => b.append_value(value),
            _ => return Err(self.kind("a double-precision number")),
        }
        Ok(())
    }

    /// Appends a date, made by [`crate::temporal::date`].
    #[inline]
    pub fn push_date(&mut self, days: i32) -> Result<(), ValueError> {
        self.bytes += 4;
        match &mut self.values {
            Values::Date(b) => b.append_value(days),
            _ => return Err(self.kind("a date")),
        }
        Ok(())
    }

    /// Appends microseconds to a TIME, DATETIME or TIMESTAMP column ([`crate::temporal::datetime`]).
    #[inline]
    pub fn push_micros(&mut self, micros: i64) -> Result<(), ValueError> {
        self.bytes += 8;
        match &mut self.values {
            Values::Duration(b) => b.append_value(micros),
            Values::Timestamp(b) => b.append_value(micros),
            _ => return Err(self.kind("a time")),
        }
        Ok(())
    }

    /// Appends text that is known to be UTF-8.
    #[inline]
    pub fn push_str(&mut self, text: &str) -> Result<(), ValueError> {
        self.grow(text.len())?;
        match &mut self.values {
            Values::Text(b) => b.append_value(text),
            _ => return Err(self.kind("text")),
        }
        Ok(())
    }

    /// Appends bytes that should be UTF-8.
    #[inline]
    pub fn push_utf8(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => self.push_str(text),
            Err(_) => Err(self.bad_bytes(bytes, "utf8mb4")),
        }
    }

    /// The error for bytes that are not valid in a character set.
    #[cold]
    pub fn bad_bytes(&self, bytes: &[u8], charset: &str) -> ValueError {
        let shown = bytes.iter().take(16).map(|b| format!("{b:02x}")).collect();
        ValueError::Charset { column: self.name.clone(), charset: charset.to_owned(), bytes: shown }
    }

    /// Appends bytes. A fixed-length BINARY is filled up with zero bytes, as the server reads it.
    #[inline]
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        self.grow(bytes.len())?;
        match &mut self.values {
            Values::Bytes(b) => match self.logical {
                Logical::Binary { fixed: Some(length) } if bytes.len() < length as usize => {
                    let mut padded = bytes.to_vec();
                    padded.resize(length as usize, 0);
                    b.append_value(&padded);
                }
                _ => b.append_value(bytes),
            },
            Values::Fixed(b) => {
                if b.append_value(bytes).is_err() {
                    return Err(self.invalid(format!("{} bytes do not fit {:?}", bytes.len(), self.logical)));
                }
            }
            _ => return Err(self.kind("bytes")),
        }
        Ok(())
    }

    #[inline]
    fn grow(&mut self, length: usize) -> Result<(), ValueError> {
        self.bytes += length + 4;
        if self.bytes > COLUMN_BYTES_MAX {
            return Err(self.invalid(format!("more than {COLUMN_BYTES_MAX} bytes in one batch")));
        }
        Ok(())
    }

    /// Appends the values `from` to `end` (exclusive) of an array that a builder of the same column
    /// finished: what a window keeps for the next one.
    // Some of the builders answer with nothing, some with a result that is known to be good here.
    #[allow(clippy::let_unit_value)]
    pub fn append_rows(&mut self, array: &ArrayRef, from: usize, end: usize) -> Result<(), ValueError> {
        let length = array.len();
        if from > end || end > length || *array.data_type() != self.logical.arrow() {
            return Err(self.invalid(format!("rows {from} to {end} of {length}")));
        }
        let part = array.slice(from, end - from);
        // Buffers are shared by slices; a share of them is near enough to bound a batch.
        self.bytes += array.get_buffer_memory_size() / length.max(1) * part.len();
        let fits = every!(&mut self.values, b => match part.as_any().downcast_ref() {
            Some(part) => { let _ = b.append_array(part); true }
            None => false,
        });
        if fits { Ok(()) } else { Err(self.kind("an array of another type")) }
    }

    /// The array of all values pushed; the builder is empty afterwards, and holds no memory.
    pub fn finish(&mut self) -> ArrayRef {
        self.bytes = 0;
        every!(&mut self.values, b => Arc::new(b.finish()) as ArrayRef)
    }

    /// The same, with room kept for as many values again: growing means copying.
    pub fn finish_and_go_on(&mut self) -> ArrayRef {
        let text = self.values.text_bytes();
        let array = self.finish();
        self.values = Values::with_capacity(&self.logical, array.len(), text + text / 16);
        array
    }
}

/// Builds batches of one table, without any leading columns.
pub struct BatchBuilder {
    schema: SchemaRef,
    /// One builder a column, in table order; whoever appends a row pushes once to each.
    pub columns: Vec<ColumnBuilder>,
    /// Rows appended; kept by whoever appends.
    pub rows: usize,
}

impl BatchBuilder {
    /// An empty builder for batches of a table.
    pub fn new(table: &TableSpec) -> Self {
        Self { schema: table.schema(&[]), columns: table.columns.iter().map(ColumnBuilder::new).collect(), rows: 0 }
    }

    /// Bytes of values pushed since the last [`Self::finish`].
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(ColumnBuilder::bytes).sum()
    }

    /// The batch of all rows pushed; the builder is empty afterwards, with room for a batch of the same size.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        RecordBatch::try_new(
            self.schema.clone(),
            self.columns.iter_mut().map(ColumnBuilder::finish_and_go_on).collect(),
        )
    }
}
