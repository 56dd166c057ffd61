use std::fmt;

use opendrs_binlog::DecodeError;
use opendrs_columns::ValueError;
use opendrs_net::{NetError, NetErrorKind};

/// What went wrong: what callers decide by. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The server refused the login, or the user lacks a privilege.
    AccessDenied,
    /// The server answered with any other error; code and sqlstate say which.
    Server,
    /// The network failed.
    Net(NetErrorKind),
    /// The server said something the protocol does not allow.
    Protocol,
    /// The server wants something that is not supported here: an authentication plugin, an old protocol.
    Unsupported,
    /// A row or an event is larger than the options allow.
    TooLarge,
    /// A value does not fit the type that its column is declared with.
    Value,
    /// The result's columns are not those of the table description.
    SchemaMismatch,
    /// The log that was asked for is no longer there.
    LogPurged,
    /// The position that was asked for is one the server has not reached.
    AheadOfSource,
    /// The position belongs to another server.
    OtherServer,
    /// Another replica uses our server id.
    ServerIdCollision,
    /// The log could not be decoded.
    Decode,
    /// The disk behind the backlog failed.
    Spool,
    /// The caller asked for something impossible: bad options, a call out of order.
    Misuse,
}

impl ErrorKind {
    /// The stable lower-case name ("access_denied", "net.timeout"...).
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::Server => "server",
            Self::Net(NetErrorKind::Refused) => "net.refused",
            Self::Net(NetErrorKind::Unreachable) => "net.unreachable",
            Self::Net(NetErrorKind::Dns) => "net.dns",
            Self::Net(NetErrorKind::Timeout) => "net.timeout",
            Self::Net(NetErrorKind::Closed) => "net.closed",
            Self::Net(NetErrorKind::Tls) => "tls",
            Self::Net(NetErrorKind::Interrupted) => "interrupted",
            Self::Net(NetErrorKind::Io) => "net.io",
            Self::Protocol => "protocol",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too_large",
            Self::Value => "value",
            Self::SchemaMismatch => "schema_mismatch",
            Self::LogPurged => "log_purged",
            Self::AheadOfSource => "ahead_of_source",
            Self::OtherServer => "other_server",
            Self::ServerIdCollision => "server_id_collision",
            Self::Decode => "decode",
            Self::Spool => "spool",
            Self::Misuse => "misuse",
        }
    }
}

/// A failure of the MySQL client. It never holds a password.
#[derive(Clone, PartialEq, Eq)]
pub struct MysqlError(Box<Body>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Body {
    kind: ErrorKind,
    code: u16,
    sqlstate: String,
    message: String,
    decode: Option<DecodeError>,
}

/// Codes that mean "you may not", whoever raises them (MySQL Server Error Reference; MariaDB Error Codes).
const DENIED: [u16; 12] = [
    1044, // database
    1045, // login
    1130, // host
    1142, // table
    1143, // column
    1227, // a global privilege
    1370, // routine
    1396, // account operation
    1698, // login by socket
    1820, 1862, // password expired
    3118, // account locked
];

impl MysqlError {
    /// An error of a kind.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Body { kind, code: 0, sqlstate: String::new(), message: message.into(), decode: None }))
    }

    /// The server broke the protocol.
    #[cold]
    pub(crate) fn protocol(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, what)
    }

    /// An error that the server reports.
    #[cold]
    pub(crate) fn server(code: u16, sqlstate: &str, message: String) -> Self {
        let kind = if DENIED.contains(&code) { ErrorKind::AccessDenied } else { ErrorKind::Server };
        Self(Box::new(Body { kind, code, sqlstate: sqlstate.to_owned(), message, decode: None }))
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the decoder says, if the kind is `Decode`.
    pub fn decode_error(&self) -> Option<&DecodeError> {
        self.0.decode.as_ref()
    }

    /// The server's error code, 0 if the server raised none.
    pub fn code(&self) -> u16 {
        self.0.code
    }

    /// The server's SQLSTATE, empty if there is none.
    pub fn sqlstate(&self) -> &str {
        &self.0.sqlstate
    }

    /// A sentence for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The same error as another kind, with a sentence that knows more.
    #[must_use]
    pub(crate) fn into_kind(mut self, kind: ErrorKind, message: impl Into<String>) -> Self {
        self.0.kind = kind;
        self.0.message = message.into();
        self
    }

    /// Puts what was being done in front of the message.
    #[must_use]
    pub fn within(mut self, context: &str) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }
}

impl fmt::Display for MysqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if self.0.code != 0 {
            write!(f, " (server error {}, SQLSTATE {})", self.0.code, self.0.sqlstate)?;
        }
        Ok(())
    }
}

impl fmt::Debug for MysqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.kind.name())
    }
}

impl std::error::Error for MysqlError {}

impl From<NetError> for MysqlError {
    #[cold]
    fn from(error: NetError) -> Self {
        Self::new(ErrorKind::Net(error.kind), error.message)
    }
}

impl From<ValueError> for MysqlError {
    #[cold]
    fn from(error: ValueError) -> Self {
        let kind = match error {
            // The reader chose how to push by the table's description.
            ValueError::Kind { .. } => ErrorKind::SchemaMismatch,
            ValueError::Charset { .. } | ValueError::Invalid { .. } => ErrorKind::Value,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<DecodeError> for MysqlError {
    #[cold]
    fn from(error: DecodeError) -> Self {
        let mut own = Self::new(ErrorKind::Decode, error.to_string());
        own.0.decode = Some(error);
        own
    }
}

/// Result of this crate's functions.
pub type Result<T> = std::result::Result<T, MysqlError>;
