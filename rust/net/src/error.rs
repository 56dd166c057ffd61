use std::io;

/// What happened to a connection: what a caller decides by whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NetErrorKind {
    /// Nobody listens at that address.
    Refused,
    /// No route to the host or its network.
    Unreachable,
    /// The name of the host is not known, or the name server did not answer.
    Dns,
    /// Nothing came, or could be sent, within the time allowed.
    Timeout,
    /// The peer ended or reset the connection.
    Closed,
    /// No agreement about encryption: certificate, protocol version, key files.
    Tls,
    /// A [`crate::Canceller`] ended it.
    Interrupted,
    /// Any other failure of the operating system.
    Io,
}

impl NetErrorKind {
    /// The stable lower-case name ("refused", "timeout"...), for messages and for Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Dns => "dns",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Tls => "tls",
            Self::Interrupted => "interrupted",
            Self::Io => "io",
        }
    }
}

/// A failure of the network. The message names the address and never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NetError {
    /// What happened.
    pub kind: NetErrorKind,
    /// A sentence for people.
    pub message: String,
}

impl NetError {
    /// An error of a kind.
    pub fn new(kind: NetErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The error for a connection that the peer has ended.
    pub fn closed() -> Self {
        Self::new(NetErrorKind::Closed, "the server closed the connection")
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(NetErrorKind::Interrupted, "interrupted: the connection was cancelled by its owner")
    }

    /// The error behind an `io::Error`, with `what` was being done.
    pub fn from_io(error: &io::Error, what: &str) -> Self {
        if let Some(own) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return own.clone();
        }
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::new(NetErrorKind::Tls, format!("{what}: {tls}"));
        }
        let kind = match error.kind() {
            // A Unix socket whose file is missing is a server that does not run.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => NetErrorKind::Refused,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => NetErrorKind::Unreachable,
            // A blocking socket whose timeout has passed answers EAGAIN (socket(7), SO_RCVTIMEO).
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => NetErrorKind::Timeout,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::UnexpectedEof => NetErrorKind::Closed,
            _ => NetErrorKind::Io,
        };
        let reason = if kind == NetErrorKind::Timeout { "timed out".to_owned() } else { error.to_string() };
        Self::new(kind, format!("{what}: {reason}"))
    }
}

impl From<NetError> for io::Error {
    fn from(error: NetError) -> Self {
        let kind = match error.kind {
            NetErrorKind::Refused => io::ErrorKind::ConnectionRefused,
            NetErrorKind::Unreachable => io::ErrorKind::HostUnreachable,
            NetErrorKind::Timeout => io::ErrorKind::TimedOut,
            NetErrorKind::Closed => io::ErrorKind::ConnectionReset,
            NetErrorKind::Tls => io::ErrorKind::InvalidData,
            NetErrorKind::Interrupted => io::ErrorKind::ConnectionAborted,
            NetErrorKind::Dns | NetErrorKind::Io => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
