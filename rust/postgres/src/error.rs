use std::fmt;

use opendrs_net::{NetError, NetErrorKind};

/// PostgreSQL's code for a duplicate value in a unique index.
pub(crate) const UNIQUE_VIOLATION: &str = "23505";
/// PostgreSQL's code for a row that refers to none, or that is referred to and would go.
pub(crate) const FOREIGN_KEY_VIOLATION: &str = "23503";

/// Why something with PostgreSQL failed. Neither passwords nor row values other than keys are in its text.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    /// The server said no.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The network failed. Whether what was sent last took effect is not known.
    #[error("{0}")]
    Net(#[from] NetError),
    /// We refuse the server's way of authentication, or the server could not prove who it is.
    #[error("{0}")]
    Auth(String),
    /// The server's bytes do not follow the protocol.
    #[error("protocol violation: {0}")]
    Protocol(String),
    /// A value cannot be written to the target as it is.
    #[error(transparent)]
    Value(Box<RowValueError>),
    /// The target is not in the state that the change presupposes.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// The caller asked for something that makes no sense; the message says what.
    #[error("{0}")]
    Usage(String),
}

/// Result of everything in this crate.
pub type Result<T, E = PgError> = std::result::Result<T, E>;

impl PgError {
    /// The stable name of the kind, as Python sees it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Server(_) => "server",
            // Neither is cured by trying again.
            Self::Net(error) if error.kind == NetErrorKind::Tls => "tls",
            Self::Net(error) if error.kind == NetErrorKind::Interrupted => "interrupted",
            Self::Net(_) => "net",
            Self::Auth(_) => "auth",
            Self::Protocol(_) => "protocol",
            Self::Value(_) => "value",
            Self::Conflict(_) => "conflict",
            Self::Usage(_) => "usage",
        }
    }

    /// A finer name within the kind: of a network error ("refused", "timeout"...), or of what is wrong
    /// with a value.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Net(error) => Some(error.kind.name()),
            Self::Value(error) => Some(error.problem.name()),
            _ => None,
        }
    }

    /// The server's error, if it is one.
    pub fn server(&self) -> Option<&ServerError> {
        match self {
            Self::Server(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::Protocol(message.into())
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }
}

/// An error or a notice as the server sends it. Fields that it left out are None.
///
/// Source: PostgreSQL documentation, "Error and Notice Message Fields".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerError {
    /// ERROR, FATAL, PANIC, or WARNING, NOTICE, DEBUG, INFO, LOG; never translated.
    pub severity: String,
    /// Five characters that say what kind of error it is.
    pub sqlstate: String,
    /// The sentence for people.
    pub message: String,
    /// More about the problem.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The context, one line a level ("COPY t, line 3").
    pub location: Option<String>,
    /// Schema of the object the error is about.
    pub schema: Option<String>,
    /// Table the error is about.
    pub table: Option<String>,
    /// Column the error is about.
    pub column: Option<String>,
    /// Data type the error is about.
    pub data_type: Option<String>,
    /// Constraint (or unique index) the error is about.
    pub constraint: Option<String>,
}

impl ServerError {
    /// Whether the server ends the session with it.
    pub fn is_fatal(&self) -> bool {
        matches!(self.severity.as_str(), "FATAL" | "PANIC")
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.sqlstate)?;
        for (label, field) in [("detail", &self.detail), ("hint", &self.hint), ("where", &self.location)] {
            if let Some(text) = field {
                write!(f, "; {label}: {text}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ServerError {}

impl From<ServerError> for PgError {
    fn from(error: ServerError) -> Self {
        Self::Server(Box::new(error))
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ValueProblem {
    /// A date no calendar has, and the policy is to stop.
    ImpossibleDate,
    /// A NUL character in text, and the policy is to stop. PostgreSQL's text cannot hold it.
    NulInText,
    /// The value is outside the range of the target's type.
    OutOfRange,
    /// The bytes are not what the type says they are.
    Malformed,
}

impl ValueProblem {
    /// The stable name of the problem.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ImpossibleDate => "impossible_date",
            Self::NulInText => "nul_in_text",
            Self::OutOfRange => "out_of_range",
            Self::Malformed => "malformed",
        }
    }
}

/// A value that cannot be written, and where it is. The value itself is not in it, except in a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowValueError {
    /// Schema of the target table.
    pub schema: String,
    /// Target table.
    pub table: String,
    /// Column in the target.
    pub column: String,
    /// Type of the column in the target.
    pub target_type: String,
    /// The row's key as "(id)=(5)", if the table has one.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: ValueProblem,
}

impl fmt::Display for RowValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.problem {
            ValueProblem::ImpossibleDate => "a date that no calendar has",
            ValueProblem::NulInText => "a NUL character, which PostgreSQL's text cannot hold",
            ValueProblem::OutOfRange => "a value outside the range",
            ValueProblem::Malformed => "a malformed value",
        };
        write!(f, "{}.{}, column {} ({}): {what}", self.schema, self.table, self.column, self.target_type)?;
        match &self.key {
            Some(key) => write!(f, ", in the row with key {key}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RowValueError {}

/// The target is not as the change presupposes: somebody else wrote to it, or a change was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Schema of the target table.
    pub schema: String,
    /// Target table.
    pub table: String,
    /// "insert", "update" or "delete".
    pub op: &'static str,
    /// The key of the offending row as "(id)=(5)"; None: the table has no key, or it is not known.
    pub key: Option<String>,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub found: String,
    /// The unique index that refused the row, if one did.
    pub constraint: Option<String>,
    /// The change as SQL, for people, with values; None: which change it was is not known.
    pub statement: Option<String>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}.{}", self.op, self.schema, self.table)?;
        if let Some(key) = &self.key {
            write!(f, ", key {key}")?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)?;
        if let Some(constraint) = &self.constraint {
            write!(f, " (constraint {constraint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Conflict {}
