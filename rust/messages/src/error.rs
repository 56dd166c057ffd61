use std::fmt;

/// Why there are no messages. No row values other than keys are in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The caller asked for something that makes no sense; the message says what.
    #[error("{0}")]
    Usage(String),
    /// A batch is not what was registered, or its leading columns contradict themselves.
    #[error("{0}")]
    Batch(String),
    /// A value cannot be written.
    #[error(transparent)]
    Value(Box<RowValueError>),
    /// The message of a row, and those before it, are more bytes than a portion can hold (4 GiB).
    #[error("{0}: the message is too large")]
    TooLarge(Box<RowName>),
}

/// Result of everything in this crate.
pub type Result<T, E = MessageError> = std::result::Result<T, E>;

impl MessageError {
    /// The stable name of the kind, as Python sees it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Batch(_) => "batch",
            Self::Value(_) => "value",
            Self::TooLarge(_) => "too_large",
        }
    }

    /// A finer name within the kind: what is wrong with a value.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Value(error) => Some(error.problem.name()),
            _ => None,
        }
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueProblem {
    /// The bytes are not what the type says they are.
    Malformed,
    /// Infinite or not a number, which a JSON number cannot be.
    NotANumber,
}

impl ValueProblem {
    /// The stable name of the problem.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotANumber => "not_a_number",
        }
    }
}

/// A column's number in a table's list of columns that are read, and what is wrong with its value.
pub(crate) type Refused = (usize, ValueProblem);

/// A row, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowName {
    /// Database at the source.
    pub schema: String,
    /// Table at the source.
    pub table: String,
    /// The row's key as "(id)=(5)", if the table has one.
    pub key: Option<String>,
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)?;
        match &self.key {
            Some(key) => write!(f, ", the row with key {key}"),
            None => Ok(()),
        }
    }
}

/// A value that cannot be written, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowValueError {
    /// The row.
    pub row: RowName,
    /// The column.
    pub column: String,
    /// The column's type as the source prints it.
    pub native: String,
    /// What is wrong.
    pub problem: ValueProblem,
}

impl fmt::Display for RowValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.problem {
            ValueProblem::Malformed => "a malformed value",
            ValueProblem::NotANumber => "a number that JSON cannot hold",
        };
        write!(f, "{}: column {} ({}) has {what}", self.row, self.column, self.native)
    }
}

impl std::error::Error for RowValueError {}
