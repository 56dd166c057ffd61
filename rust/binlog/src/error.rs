use std::fmt;

use opendrs_columns::{TableName, ValueError};

/// Why the log could not be decoded: what callers tell apart. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The bytes contradict the format, or events stand in an order that no server writes.
    Corrupt,
    /// The CRC32 of an event does not match its bytes.
    Checksum,
    /// An event type that is unknown and not marked as ignorable.
    UnknownEvent,
    /// A column type that is unknown.
    UnknownType,
    /// The registered table and the log disagree.
    SchemaMismatch,
    /// Rows of a selected table that was not registered.
    NotRegistered,
    /// A row image lacks columns: `binlog_row_image` is not FULL.
    RowImage,
    /// Bytes that are not valid in the character set of their column or statement.
    Charset,
    /// A value that the column's type cannot hold.
    Value,
    /// Data changed by a statement that the log carries as text.
    StatementLogged,
    /// The source reports that events were lost.
    Incident,
    /// Known, but not decoded here.
    Unsupported,
    /// More bytes than the configured limits allow.
    TooLarge,
    /// Rows of a prepared XA transaction could not be written to, or read from, their file.
    Spill,
    /// The decoder was called out of order: fed before [`crate::Decoder::resume`], say.
    Misuse,
}

impl ErrorKind {
    /// The stable name, for fault tables and tests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Corrupt => "corrupt",
            Self::Checksum => "checksum",
            Self::UnknownEvent => "unknown_event",
            Self::UnknownType => "unknown_type",
            Self::SchemaMismatch => "schema_mismatch",
            Self::NotRegistered => "not_registered",
            Self::RowImage => "row_image",
            Self::Charset => "charset",
            Self::Value => "value",
            Self::StatementLogged => "statement_logged",
            Self::Incident => "incident",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too_large",
            Self::Spill => "spill",
            Self::Misuse => "misuse",
        }
    }
}

/// An error with the place in the log where it was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// What is wrong, and what to do where that is known.
    pub what: String,
    /// Log file, empty before the first one is known.
    pub file: String,
    /// End position of the event in the file, as far as it is known.
    pub position: u64,
    /// The table concerned, where known.
    pub table: Option<TableName>,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = &self.table {
            write!(f, "{table}: ")?;
        }
        write!(f, "{} (binary log {} before position {})", self.what, self.file, self.position)
    }
}

impl std::error::Error for DecodeError {}

/// An error whose place in the log is not known yet. Small, for it travels through every value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(Box<(ErrorKind, String, Option<TableName>)>);

pub(crate) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    #[cold]
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new((kind, what.into(), None)))
    }

    #[cold]
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, what)
    }

    #[cold]
    pub fn of_table(mut self, table: &TableName) -> Self {
        self.0.2.get_or_insert_with(|| table.clone());
        self
    }

    #[cfg(test)]
    pub fn kind(&self) -> ErrorKind {
        self.0.0
    }

    pub fn at(self, file: &str, position: u64) -> DecodeError {
        let (kind, what, table) = *self.0;
        DecodeError { kind, what, file: file.to_owned(), position, table }
    }
}

impl From<ValueError> for Fault {
    #[cold]
    fn from(error: ValueError) -> Self {
        let kind = match error {
            ValueError::Charset { .. } => ErrorKind::Charset,
            ValueError::Invalid { .. } => ErrorKind::Value,
            // The column decoders are chosen to suit the columns.
            ValueError::Kind { .. } => ErrorKind::Misuse,
        };
        Self::new(kind, error.to_string())
    }
}
