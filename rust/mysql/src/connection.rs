use std::collections::BTreeMap;

use opendrs_binlog::Flavour;
use opendrs_net::{Canceller, Stream, TlsMode};

use crate::auth::{Authenticator, Privacy, Step};
use crate::cursor::Cursor;
use crate::error::{ErrorKind, MysqlError, Result};
use crate::handshake::{Greeting, Login, capability, parse_error, ssl_request};
use crate::options::{ConnectionOptions, seconds};
use crate::packet::Wire;
use crate::session;

/// Packets before the login is done are small; whoever sends a large one is no MySQL server.
const LOGIN_BYTES_MAX: usize = 1 << 20;

pub(crate) mod command {
    //! First byte of a command ("Command Phase").
    pub const QUIT: u8 = 0x01;
    pub const QUERY: u8 = 0x03;
    pub const PING: u8 = 0x0E;
    pub const BINLOG_DUMP: u8 = 0x12;
    pub const REGISTER_SLAVE: u8 = 0x15;
    pub const STMT_PREPARE: u8 = 0x16;
    pub const STMT_EXECUTE: u8 = 0x17;
    pub const STMT_CLOSE: u8 = 0x19;
    pub const BINLOG_DUMP_GTID: u8 = 0x1E;
}

/// Server status flags that matter here.
pub(crate) const MORE_RESULTS: u16 = 0x0008;

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// MySQL or MariaDB.
    pub flavour: Flavour,
    /// Version as the server prints it ("10.11.19-MariaDB-log").
    pub version: String,
    /// The server's number for this connection: what KILL takes.
    pub connection_id: u32,
    /// TLS version and cipher, if the connection is encrypted.
    pub cipher: Option<String>,
    /// The authentication plugin that the login used in the end.
    pub auth_plugin: String,
}

impl ServerInfo {
    /// Leading numbers of the version: (10, 11, 19).
    pub fn version_numbers(&self) -> (u32, u32, u32) {
        let mut parts = self.version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        (next(), next(), next())
    }
}

/// What a statement without rows did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Rows changed.
    pub affected: u64,
    /// Last AUTO_INCREMENT value.
    pub last_insert_id: u64,
    /// Warnings raised.
    pub warnings: u16,
    pub(crate) status: u16,
}

/// A session at a MySQL or MariaDB server.
///
/// After an error of kind `Net`, `Protocol` or `TooLarge` it can only be dropped: where the next
/// packet begins is no longer known.
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    info: ServerInfo,
    capabilities: u32,
    state: State,
    /// Text of results comes in the character set of its column.
    as_stored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// A result is on its way; whoever reads it holds the number.
    Reading(u64),
    Broken,
}

impl Connection {
    /// Connects, encrypts, logs in and sets up the session. `canceller` can end all of that, and
    /// whatever the connection does later.
    pub fn open(options: &ConnectionOptions, canceller: &Canceller) -> Result<Self> {
        let mut connection = Self::log_in(options, canceller)?;
        session::set_up(&mut connection, options)?;
        let timeout = options.read_timeout_s.map(seconds).transpose()?;
        connection.wire.stream_mut().set_read_timeout(timeout)?;
        connection.wire.set_bytes_max(options.row_bytes_max);
        Ok(connection)
    }

    fn log_in(options: &ConnectionOptions, canceller: &Canceller) -> Result<Self> {
        let endpoint = options.endpoint();
        let mut stream = Stream::connect(&endpoint, &options.net()?, canceller)?;
        // A server that takes the connection but never says a word must not hold us.
        stream.set_read_timeout(Some(seconds(options.connect_timeout_s)?))?;
        let mut wire = Wire::new(stream, LOGIN_BYTES_MAX);
        let greeting = Greeting::parse(wire.next()?)?;
        let mut capabilities = capability::WANTED & greeting.capabilities;
        if options.database.is_some() {
            capabilities |= capability::CONNECT_WITH_DB;
        }
        if wants_tls(options, &greeting)? {
            capabilities |= capability::SSL;
            wire.send(&ssl_request(capabilities))?;
            wire = wire.upgrade(&options.tls, &endpoint)?;
        }
        let auth_plugin = authenticate(&mut wire, options, &greeting, capabilities)?;
        let info = ServerInfo {
            flavour: greeting.flavour,
            version: greeting.version,
            connection_id: greeting.connection_id,
            cipher: wire.stream().cipher(),
            auth_plugin,
        };
        Ok(Self { wire, info, capabilities, state: State::Idle, as_stored: false })
    }

    /// Whether text of results comes as it is stored from now on, or as UTF-8. Of what Unicode has
    /// no character for the server would make a question mark, and say nothing: who reads tables
    /// converts by himself, and makes an error of it.
    pub(crate) fn set_results_as_stored(&mut self, as_stored: bool) -> Result<()> {
        if self.as_stored != as_stored {
            let charset = if as_stored { "NULL" } else { "utf8mb4" };
            self.execute(&format!("SET character_set_results = {charset}"))?;
            self.as_stored = as_stored;
        }
        Ok(())
    }

    /// What the server says of itself.
    pub fn info(&self) -> &ServerInfo {
        &self.info
    }

    /// MySQL or MariaDB.
    pub fn flavour(&self) -> Flavour {
        self.info.flavour
    }

    /// What can end this connection from another thread.
    pub fn canceller(&self) -> Canceller {
        self.wire.stream().canceller()
    }

    /// Whether the server answers.
    pub fn ping(&mut self) -> Result<()> {
        self.command(&[command::PING])?;
        self.done().map(|_| ())
    }

    pub(crate) fn deprecates_eof(&self) -> bool {
        self.capabilities & capability::DEPRECATE_EOF != 0
    }

    /// Sends a command. An error unless the connection is idle.
    pub(crate) fn command(&mut self, payload: &[u8]) -> Result<()> {
        match self.state {
            State::Idle => {}
            State::Reading(_) => {
                return Err(MysqlError::new(ErrorKind::Misuse, "a result of this connection is still being read"));
            }
            State::Broken => return Err(Self::broken()),
        }
        self.wire.begin_command();
        self.guard(|wire| wire.send(payload))
    }

    #[cold]
    fn broken() -> MysqlError {
        MysqlError::new(ErrorKind::Misuse, "the connection is unusable after an earlier error")
    }

    /// Runs one step on the wire; any error but the server's own answer makes the connection unusable.
    pub(crate) fn guard<T>(&mut self, step: impl FnOnce(&mut Wire) -> Result<T>) -> Result<T> {
        let result = step(&mut self.wire);
        if let Err(error) = &result
            && !matches!(error.kind(), ErrorKind::Server | ErrorKind::AccessDenied)
        {
            self.state = State::Broken;
        }
        result
    }

    /// The next packet, which is an error if it is an ERR packet.
    pub(crate) fn packet(&mut self) -> Result<&[u8]> {
        match self.wire.next() {
            Ok([0xFF, ..]) => {
                // Asked again only to end the borrow of the first answer.
                let error = self.wire_error();
                self.state = State::Idle;
                Err(error)
            }
            Ok(_) => Ok(self.wire.current()),
            Err(error) => {
                self.state = State::Broken;
                Err(error)
            }
        }
    }

    fn wire_error(&self) -> MysqlError {
        parse_error(self.wire.current())
    }

    pub(crate) fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }

    /// Takes the connection for a result that will be read in pieces; the number is the reader's.
    pub(crate) fn begin_reading(&mut self, reader: u64) {
        self.state = State::Reading(reader);
    }

    /// The reader has read everything.
    pub(crate) fn end_reading(&mut self) {
        if matches!(self.state, State::Reading(_)) {
            self.state = State::Idle;
        }
    }

    /// An error unless this reader's result is the one on its way.
    pub(crate) fn check_reading(&self, reader: u64) -> Result<()> {
        match self.state {
            State::Reading(current) if current == reader => Ok(()),
            State::Broken => Err(Self::broken()),
            _ => Err(MysqlError::new(ErrorKind::Misuse, "this result was read to its end")),
        }
    }

    /// Where the next packet begins is not known any more.
    pub(crate) fn set_broken(&mut self) {
        self.state = State::Broken;
    }

    /// Whether the connection can take a command.
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// The answer to a command that returns no rows.
    pub(crate) fn done(&mut self) -> Result<Done> {
        let packet = self.packet()?;
        match packet.first() {
            Some(0) => parse_done(packet),
            _ => {
                self.set_broken();
                Err(MysqlError::protocol("the server answered a command with something else than OK"))
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.state == State::Idle {
            self.wire.begin_command();
            // The server is told so that it does not log an aborted connection; it sends no answer.
            let _ = self.wire.stream_mut().set_write_timeout(Some(std::time::Duration::from_millis(100)));
            let _ = self.wire.send(&[command::QUIT]);
        }
    }
}

/// Whether a packet ends rows: an EOF packet, or an OK packet in its disguise (first byte 0xFE, and
/// shorter than a row that begins with an 8-byte length).
#[inline]
pub(crate) fn end_of_rows(packet: &[u8], deprecates_eof: bool) -> Option<Result<Done>> {
    match packet {
        [0xFE, ..] if deprecates_eof && packet.len() < 0xFF_FFFF => Some(parse_done(packet)),
        [0xFE, rest @ ..] if !deprecates_eof && packet.len() < 9 => Some(parse_eof(rest)),
        _ => None,
    }
}

pub(crate) fn parse_done(packet: &[u8]) -> Result<Done> {
    let mut cursor = Cursor::new(packet);
    cursor.skip(1)?;
    Ok(Done {
        affected: cursor.lenenc()?,
        last_insert_id: cursor.lenenc()?,
        status: cursor.u16()?,
        warnings: cursor.u16()?,
    })
}

fn parse_eof(rest: &[u8]) -> Result<Done> {
    let mut cursor = Cursor::new(rest);
    Ok(Done { warnings: cursor.u16()?, status: cursor.u16()?, affected: 0, last_insert_id: 0 })
}

fn wants_tls(options: &ConnectionOptions, greeting: &Greeting) -> Result<bool> {
    let offered = greeting.capabilities & capability::SSL != 0;
    match options.tls.mode {
        TlsMode::Disable => Ok(false),
        TlsMode::Prefer => Ok(offered && options.unix_socket.is_none()),
        _ if offered => Ok(true),
        _ => Err(MysqlError::new(
            ErrorKind::Net(opendrs_net::NetErrorKind::Tls),
            "the server does not offer TLS, and the options demand it",
        )),
    }
}

/// Proves who we are; returns the plugin that did it.
fn authenticate(
    wire: &mut Wire,
    options: &ConnectionOptions,
    greeting: &Greeting,
    capabilities: u32,
) -> Result<String> {
    let privacy = match wire.stream() {
        stream if stream.is_encrypted() => Privacy::Encrypted,
        stream if stream.is_local() => Privacy::Local,
        _ => Privacy::Open,
    };
    let password = options.password.expose();
    let proof = |plugin: &str, challenge: &[u8]| Authenticator::new(plugin, challenge, password, privacy);
    // A default plugin that is not ours (gssapi...) need not be the user's: the server will switch.
    let plugin = if Authenticator::knows(&greeting.plugin) { &greeting.plugin } else { "mysql_native_password" };
    let mut auth = proof(plugin, &greeting.challenge)?;
    // The server's default may be one that we must not answer here (clear text without TLS); the
    // user's own may be another, so an empty answer lets the server switch.
    let answer = auth.first().unwrap_or_default();
    let attributes = attributes(options);
    let login = Login {
        capabilities,
        user: &options.user,
        answer: &answer,
        database: options.database.as_deref(),
        plugin: auth.name(),
        attributes: &attributes,
    };
    wire.send(&login.packet())?;
    loop {
        let packet = wire.next()?;
        let reply = match packet {
            [0, ..] => return Ok(auth.name().to_owned()),
            [0xFF, ..] => return Err(login_error(packet, options)),
            [0xFE] => {
                return Err(MysqlError::new(
                    ErrorKind::Unsupported,
                    "the server wants the password in the form of MySQL 4.0; give the user a new password",
                ));
            }
            [0xFE, switch @ ..] => {
                let (plugin, challenge) = parse_switch(switch);
                auth = proof(&plugin, challenge)?;
                Step::Send(auth.first()?)
            }
            // MariaDB sends what its plugins say as it is, unless it begins with one of the above.
            [1, message @ ..] | message => auth.next(message)?,
        };
        if let Step::Send(bytes) = reply {
            wire.send(&bytes)?;
        }
    }
}

/// Plugin and challenge of an AuthSwitchRequest. Behind some challenges a zero byte follows, and others
/// may end in one: each plugin takes as many bytes as it knows that there are.
fn parse_switch(packet: &[u8]) -> (String, &[u8]) {
    let mut cursor = Cursor::new(packet);
    let plugin = String::from_utf8_lossy(cursor.until_nul()).into_owned();
    (plugin, cursor.rest())
}

fn login_error(packet: &[u8], options: &ConnectionOptions) -> MysqlError {
    let error = parse_error(packet);
    match error.code() {
        // ER_SECURE_TRANSPORT_REQUIRED
        3159 => error.within("encryption is switched off by the options"),
        _ if options.tls.mode == TlsMode::Disable && error.kind() == ErrorKind::AccessDenied => {
            error.within("login refused (a user made with REQUIRE SSL needs encryption)")
        }
        _ => error,
    }
}

fn attributes(options: &ConnectionOptions) -> BTreeMap<String, String> {
    let mut attributes = options.attributes.clone();
    let mut default = |key: &str, value: &str| {
        attributes.entry(key.to_owned()).or_insert_with(|| value.to_owned());
    };
    default("program_name", "opendrs");
    default("_client_name", "opendrs");
    default("_client_version", env!("CARGO_PKG_VERSION"));
    default("_os", std::env::consts::OS);
    default("_pid", &std::process::id().to_string());
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_may_end_in_a_zero_byte() {
        let mut packet = b"parsec\0".to_vec();
        packet.extend([7; 31]);
        packet.push(0);
        let (plugin, challenge) = parse_switch(&packet);
        assert_eq!((plugin.as_str(), challenge.len()), ("parsec", 32));
    }

    #[test]
    fn ends_of_rows_are_told_from_rows() {
        let eof = [0xFE, 1, 0, 8, 0];
        let done = end_of_rows(&eof, false).unwrap().unwrap();
        assert_eq!((done.warnings, done.status & MORE_RESULTS), (1, MORE_RESULTS));
        let ok = [0xFE, 0, 0, 2, 0, 3, 0, b'x'];
        let done = end_of_rows(&ok, true).unwrap().unwrap();
        assert_eq!((done.status, done.warnings), (2, 3));
        // A text row whose first column is 16 MiB long begins with the same byte.
        let mut row = vec![0xFE];
        row.resize(0x100_0000, 0);
        assert!(end_of_rows(&row, true).is_none() && end_of_rows(&row, false).is_none());
        assert!(end_of_rows(&[0xFE, 0], true).unwrap().is_err(), "cut short");
        assert!(end_of_rows(&[0, 1, 2], true).is_none());
    }

    #[test]
    fn versions_have_numbers() {
        let info = |version: &str| ServerInfo {
            flavour: Flavour::Mysql,
            version: version.into(),
            connection_id: 1,
            cipher: None,
            auth_plugin: String::new(),
        };
        assert_eq!(info("10.11.19-MariaDB-log").version_numbers(), (10, 11, 19));
        assert_eq!(info("9.7.4").version_numbers(), (9, 7, 4));
        assert_eq!(info("weird").version_numbers(), (0, 0, 0));
    }
}
