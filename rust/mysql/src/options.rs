use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use opendrs_net::{ConnectOptions, Endpoint, TlsOptions};
use serde::Deserialize;

use crate::error::{ErrorKind, MysqlError, Result};

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where the server is, who we are there, and how the session behaves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionOptions {
    /// Host name or address. Ignored if `unix_socket` is given.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path of the server's Unix socket.
    pub unix_socket: Option<PathBuf>,
    /// User.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// Default database.
    pub database: Option<String>,
    /// Encryption.
    pub tls: TlsOptions,
    /// Time for the connection and the login, in seconds.
    pub connect_timeout_s: f64,
    /// Longest silence of the server in the middle of an answer, in seconds; None: any.
    pub read_timeout_s: Option<f64>,
    /// Longest wait until the server takes what we send, in seconds; None: any.
    pub write_timeout_s: Option<f64>,
    /// Largest row (or packet of any kind) that is accepted, in bytes.
    pub row_bytes_max: usize,
    /// Whether the session may only read: `SET SESSION TRANSACTION READ ONLY`.
    pub read_only: bool,
    /// Attributes shown in `performance_schema.session_connect_attrs`, besides `program_name`.
    pub attributes: BTreeMap<String, String>,
    /// Statements to run at the beginning, after our own.
    pub session: Vec<String>,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 3306,
            unix_socket: None,
            user: String::new(),
            password: Secret::default(),
            database: None,
            tls: TlsOptions::default(),
            connect_timeout_s: 10.0,
            read_timeout_s: None,
            write_timeout_s: Some(60.0),
            row_bytes_max: 1 << 30,
            read_only: false,
            attributes: BTreeMap::new(),
            session: Vec::new(),
        }
    }
}

impl ConnectionOptions {
    /// Reads the JSON form: an object of the fields above; unknown ones are an error.
    pub fn from_json(text: &str) -> Result<Self> {
        // serde_json quotes the offending value, which may be the password.
        serde_json::from_str(text).map_err(|e| {
            let place = format!("line {} column {}", e.line(), e.column());
            MysqlError::new(
                ErrorKind::Misuse,
                format!("the connection options are not valid: {:?} at {place}", e.classify()),
            )
        })
    }

    /// Where the server listens.
    pub fn endpoint(&self) -> Endpoint {
        match &self.unix_socket {
            Some(path) => Endpoint::unix(path),
            None => Endpoint::tcp(&self.host, self.port),
        }
    }

    pub(crate) fn net(&self) -> Result<ConnectOptions> {
        Ok(ConnectOptions {
            connect_timeout: seconds(self.connect_timeout_s)?,
            read_timeout: self.read_timeout_s.map(seconds).transpose()?,
            write_timeout: self.write_timeout_s.map(seconds).transpose()?,
            ..ConnectOptions::default()
        })
    }
}

/// A number of seconds as a duration; negative, endless and unreasonable ones are errors.
pub(crate) fn seconds(value: f64) -> Result<Duration> {
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if value <= 1e9 => Ok(duration),
        _ => Err(MysqlError::new(ErrorKind::Misuse, format!("{value} is not a number of seconds"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_and_no_debug_shows_the_password() {
        let options = ConnectionOptions::from_json(r#"{"user": "u", "password": "hunter2"}"#).unwrap();
        assert!(!format!("{options:?}").contains("hunter2"));
        for bad in
            [r#"{"password": "hunter2", "port": "hunter2"}"#, r#"{"password": ["hunter2"]}"#, r#"{"hunter2": 1}"#]
        {
            let error = ConnectionOptions::from_json(bad).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn seconds_are_finite() {
        assert!(seconds(0.5).is_ok());
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(seconds(bad).is_err());
        }
    }
}
