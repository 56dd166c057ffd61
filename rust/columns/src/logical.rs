use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

/// What a column means, independent of any engine: an Arrow type plus the facts Arrow cannot hold.
///
/// The JSON form (`{"kind": "decimal", "precision": 15, "scale": 2}`) is shared with Python and is
/// persisted in the schema history of a job: names are for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Logical {
    /// Whole number of 8, 16, 24, 32 or 64 bits. 24 bits travel in a 32-bit array.
    Int {
        /// Width in bits as the source declares it.
        bits: u8,
        /// Whether the range begins at zero.
        #[serde(default)]
        unsigned: bool,
    },
    /// Exact decimal. Up to 38 digits travel in `Decimal128`, up to 76 in `Decimal256`.
    Decimal {
        /// Number of digits in all (1 to 76).
        precision: u8,
        /// Digits behind the point (0 to `precision`).
        scale: u8,
    },
    /// IEEE 754 single precision; the bits are kept.
    Float32,
    /// IEEE 754 double precision; the bits are kept.
    Float64,
    /// Calendar year as MySQL has it: 0, or 1901 to 2155.
    Year,
    /// `length` bits (1 to 64), most significant first, in an unsigned 64-bit array.
    Bits {
        /// Number of bits.
        length: u8,
    },
    /// Calendar date. Dates no calendar has (0000-00-00, 2024-00-10) are carried by
    /// [`crate::temporal::impossible_date`].
    Date,
    /// Signed duration in microseconds; MySQL's TIME, -838:59:59.999999 to 838:59:59.999999.
    Time {
        /// Digits behind the second (0 to 6).
        fraction: u8,
    },
    /// Wall clock without a zone, in microseconds. Impossible ones are carried by
    /// [`crate::temporal::impossible_datetime`].
    Datetime {
        /// Digits behind the second (0 to 6).
        fraction: u8,
    },
    /// Instant, in microseconds since 1970 UTC. MySQL's zero timestamp is carried as the impossible
    /// date 0000-00-00 00:00:00.
    Timestamp {
        /// Digits behind the second (0 to 6).
        fraction: u8,
    },
    /// Text, UTF-8 whatever the character set of the source.
    Text,
    /// One member of a list, as its text; the empty string is MySQL's error value (index 0).
    Enum,
    /// Several members of a list, in list order, joined by commas.
    Set,
    /// JSON document as the source's server prints it.
    Json,
    /// Bytes. A `fixed` length is restored where the log strips trailing zero bytes.
    Binary {
        /// Length of every value, if the type has one (BINARY(n)).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fixed: Option<u32>,
    },
    /// MySQL's geometry: SRID in 4 little-endian bytes, then WKB.
    Geometry,
    /// Array of little-endian IEEE 754 singles.
    Vector,
    /// 16 bytes in the order of the text form.
    Uuid,
    /// 4 bytes, network order.
    Inet4,
    /// 16 bytes, network order.
    Inet6,
}

impl Logical {
    /// The Arrow type whose arrays carry this logical type.
    pub fn arrow(&self) -> DataType {
        match *self {
            Self::Int { bits, unsigned } => match (bits, unsigned) {
                (8, false) => DataType::Int8,
                (8, true) => DataType::UInt8,
                (16, false) => DataType::Int16,
                (16, true) => DataType::UInt16,
                (24 | 32, false) => DataType::Int32,
                (24 | 32, true) => DataType::UInt32,
                (_, false) => DataType::Int64,
                (_, true) => DataType::UInt64,
            },
            Self::Decimal { precision, scale } if precision <= 38 => DataType::Decimal128(precision, scale as i8),
            Self::Decimal { precision, scale } => DataType::Decimal256(precision, scale as i8),
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Year => DataType::UInt16,
            Self::Bits { .. } => DataType::UInt64,
            Self::Date => DataType::Date32,
            Self::Time { .. } => DataType::Duration(TimeUnit::Microsecond),
            Self::Datetime { .. } => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamp { .. } => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Self::Text | Self::Enum | Self::Set | Self::Json => DataType::Utf8,
            Self::Binary { .. } | Self::Geometry | Self::Vector => DataType::Binary,
            Self::Uuid | Self::Inet6 => DataType::FixedSizeBinary(16),
            Self::Inet4 => DataType::FixedSizeBinary(4),
        }
    }

    /// Whether values are text that is converted from the character set of the column.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Enum | Self::Set)
    }
}
