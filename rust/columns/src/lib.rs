//! Logical types, and the Arrow arrays that carry their values.
//!
//! Every reader (snapshot, log) appends to the same [`ColumnBuilder`]s and every writer reads the
//! same arrays, so that a value is the same whichever way it came. The types are documented for
//! users in `docs/reference/types.md`.

mod builder;
pub mod changes;
mod decimal;
mod logical;
pub mod print;
mod table;
pub mod temporal;
pub mod values;

pub use builder::{BatchBuilder, ColumnBuilder};
pub use decimal::{DecimalError, parse_decimal128, parse_decimal256};
pub use logical::Logical;
pub use table::{ColumnSpec, TYPE_KEY, TableName, TableSpec};

/// Why a value could not be carried.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum ValueError {
    /// The bytes are not valid in the character set of the column.
    #[error("column {column}: the bytes {bytes} are not valid in character set {charset}")]
    Charset {
        /// Name of the column.
        column: String,
        /// Name of the character set that the source declares.
        charset: String,
        /// The first offending bytes, in hexadecimal.
        bytes: String,
    },
    /// The value does not fit the declared type.
    #[error("column {column}: {reason}")]
    Invalid {
        /// Name of the column.
        column: String,
        /// What does not fit.
        reason: String,
    },
    /// The method does not suit the type of the column: a mistake of the reader.
    #[error("column {column} holds {expected} and was given {given}")]
    Kind {
        /// Name of the column.
        column: String,
        /// The logical type of the column.
        expected: String,
        /// What was appended.
        given: &'static str,
    },
}
