use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use opendrs_net::{ConnectOptions as NetOptions, Endpoint, TlsOptions};
use serde::Deserialize;

use crate::error::{PgError, Result};

/// Where a server is, who we are, and how the session is to behave. Python gives it as JSON.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectOptions {
    /// Name or address of the host. Not used if `unix_socket` is given.
    #[serde(default = "default_host")]
    pub host: String,
    /// Port.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Path of a Unix socket, or of the folder that it is in under its usual name.
    #[serde(default)]
    pub unix_socket: Option<PathBuf>,
    /// User.
    pub user: String,
    /// Password, if one is needed.
    #[serde(default)]
    pub password: Option<String>,
    /// Database.
    pub database: String,
    /// Encryption.
    #[serde(default)]
    pub tls: TlsOptions,
    /// How the session calls itself ("opendrs/<job>").
    #[serde(default = "default_application_name")]
    pub application_name: String,
    /// Longest time to connect, in seconds.
    #[serde(default = "default_connect_timeout_s")]
    pub connect_timeout_s: f64,
    /// Longest wait for the next byte of an answer, in seconds; None: for ever (statements may take long).
    #[serde(default)]
    pub read_timeout_s: Option<f64>,
    /// Longest wait for a lock, in seconds; 0: for ever.
    #[serde(default)]
    pub lock_timeout_s: f64,
    /// The session's `synchronous_commit`; None: as the server has it.
    #[serde(default)]
    pub synchronous_commit: Option<String>,
    /// Whether a password may be sent in clear over a connection that is not encrypted.
    #[serde(default)]
    pub allow_cleartext: bool,
    /// Further settings of the session, by name; they go over ours.
    #[serde(default)]
    pub settings: Vec<(String, String)>,
}

fn default_host() -> String {
    "127.0.0.1".to_owned()
}

fn default_port() -> u16 {
    5432
}

fn default_application_name() -> String {
    "opendrs".to_owned()
}

fn default_connect_timeout_s() -> f64 {
    10.0
}

impl ConnectOptions {
    /// Reads the JSON form. Errors name the field and hold no values.
    pub fn from_json(text: &str) -> Result<Self> {
        // serde's messages may quote a value where it has the wrong type: only its place is passed on.
        let options: Self = serde_json::from_str(text).map_err(|e| {
            let fields = "host port unix_socket user password database tls application_name connect_timeout_s \
                          read_timeout_s lock_timeout_s synchronous_commit allow_cleartext settings";
            let (line, column) = (e.line(), e.column());
            PgError::Usage(format!(
                "connection options: wrong at line {line}, column {column}; the fields are {fields}"
            ))
        })?;
        for (name, seconds) in [
            ("connect_timeout_s", Some(options.connect_timeout_s)),
            ("read_timeout_s", options.read_timeout_s),
            ("lock_timeout_s", Some(options.lock_timeout_s)),
        ] {
            if seconds.is_some_and(|s| !(0.0..=1e6).contains(&s)) {
                let message = format!("connection options: {name} must be between 0 and 1,000,000 seconds");
                return Err(PgError::Usage(message));
            }
        }
        Ok(options)
    }

    /// Where the server listens.
    pub fn endpoint(&self) -> Endpoint {
        match &self.unix_socket {
            Some(path) if path.is_dir() => Endpoint::unix(path.join(format!(".s.PGSQL.{}", self.port))),
            Some(path) => Endpoint::unix(path.clone()),
            None => Endpoint::tcp(self.host.clone(), self.port),
        }
    }

    pub(crate) fn net(&self) -> NetOptions {
        NetOptions {
            connect_timeout: Duration::from_secs_f64(self.connect_timeout_s.clamp(0.001, 1e6)),
            read_timeout: self.read_timeout_s.map(|s| Duration::from_secs_f64(s.clamp(0.001, 1e6))),
            ..NetOptions::default()
        }
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("endpoint", &self.endpoint())
            .field("user", &self.user)
            .field("database", &self.database)
            .field("tls", &self.tls)
            .field("application_name", &self.application_name)
            .finish_non_exhaustive()
    }
}
