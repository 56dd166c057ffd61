use std::collections::{HashMap, VecDeque};

use bytes::BytesMut;
use opendrs_net::{Canceller, NetError, NetErrorKind, Stream, TlsMode};
use postgres_protocol::message::frontend;

use crate::auth;
use crate::cancel::{BackendKey, CancelHandle};
use crate::error::{PgError, Result, ServerError};
use crate::options::ConnectOptions;
use crate::sql::literal;
use crate::transport::Transport;
use crate::wire::{self, Cursor, tag};

/// Notices kept until somebody takes them; older ones go first.
const NOTICES_MAX: usize = 100;

/// Settings of every session, over those of the server, the database and the role. Names, not
/// values, are what could differ between servers; these are all older than PostgreSQL 9.2.
const SETTINGS: [(&str, &str); 7] = [
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    // Shortest text that reads back as the same number, from PostgreSQL 12 on; before, all digits.
    ("extra_float_digits", "3"),
    ("search_path", "pg_catalog"),
    ("standard_conforming_strings", "on"),
    ("client_min_messages", "notice"),
];

/// Time limits that would end a session that works for long or waits for the source. Which of them
/// a server has is asked of the server: `idle_session_timeout` came with 14, `transaction_timeout` with 17.
const LIMITS: &str = "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN \
     ('statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')";

/// Where a session stands, as the server says after each command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    /// No transaction is open.
    Idle,
    /// A transaction is open.
    Open,
    /// A transaction is open and failed: only ROLLBACK is possible.
    Failed,
}

/// The rows of one statement, as text. NULL is None.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// Names of the columns; empty after an extended query.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
    /// The number in the command tag; None for commands without one.
    pub affected: Option<u64>,
}

/// A session with a PostgreSQL server. Everything blocks; a [`CancelHandle`] interrupts it.
///
/// After an error of kind `Net` or `Protocol`, or a fatal one of the server, the connection is of no
/// more use and says so at each call.
pub struct Connection {
    pub(crate) transport: Transport,
    parameters: HashMap<String, String>,
    notices: VecDeque<ServerError>,
    status: TransactionStatus,
    cancel: CancelHandle,
    broken: Option<String>,
    /// Whether a COPY is under way: then nothing else may be sent.
    pub(crate) copying: bool,
    /// Transactions that ended, as far as we saw: what was known within one is void when this changes.
    pub(crate) transactions_ended: u64,
    /// Rollbacks, those to savepoints too: what was created before may be gone when this changes.
    pub(crate) rollbacks: u64,
    /// Number of the next prepared statement: names are never used twice.
    pub(crate) next_statement: u64,
}

impl Connection {
    /// Connects, encrypts if asked, logs in and sets up the session.
    pub fn connect(options: &ConnectOptions, canceller: &Canceller) -> Result<Self> {
        let stream = open_stream(options, canceller)?;
        let mut connection = Self {
            transport: Transport::new(stream),
            parameters: HashMap::new(),
            notices: VecDeque::new(),
            status: TransactionStatus::Idle,
            cancel: CancelHandle::new(options, canceller),
            broken: None,
            copying: false,
            transactions_ended: 0,
            rollbacks: 0,
            next_statement: 0,
        };
        // A server, or what answers in its place, must not keep us waiting for ever with a half-made
        // session: until that is done the time to connect is the time to wait.
        connection.transport.set_read_timeout(Some(options.net().connect_timeout))?;
        connection.start(options)?;
        connection.set_up(options)?;
        connection.transport.set_read_timeout(options.net().read_timeout)?;
        Ok(connection)
    }

    fn start(&mut self, options: &ConnectOptions) -> Result<()> {
        let parameters = [
            ("user", options.user.as_str()),
            ("database", options.database.as_str()),
            ("client_encoding", "UTF8"),
            ("application_name", options.application_name.as_str()),
        ];
        let mut message = BytesMut::new();
        frontend::startup_message(parameters, &mut message)
            .map_err(|_| PgError::usage("user, database and application_name must not hold NUL characters"))?;
        self.transport.send(&message)?;
        auth::authenticate(self, options)?;
        loop {
            match self.receive()? {
                tag::BACKEND_KEY => {
                    let mut body = Cursor::new(self.transport.body());
                    let key = BackendKey { process_id: body.i32()?, secret: body.rest().to_vec() };
                    self.cancel.know(key);
                }
                tag::READY => return self.ready(),
                tag::ERROR => return Err(self.take_error()?),
                other => return Err(self.unexpected(other, "at the start of the session")),
            }
        }
    }

    fn set_up(&mut self, options: &ConnectOptions) -> Result<()> {
        let mut settings: Vec<(&str, String)> = SETTINGS.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        settings.push(("lock_timeout", format!("{}ms", (options.lock_timeout_s * 1000.0).ceil())));
        if let Some(value) = &options.synchronous_commit {
            settings.push(("synchronous_commit", value.clone()));
        }
        settings.extend(options.settings.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let calls = settings
            .iter()
            .map(|(name, value)| format!("SELECT pg_catalog.set_config({}, {}, false);", literal(name), literal(value)))
            .collect::<String>();
        // In this order, so that nothing depends on the search path or on how literals are read.
        self.simple_query(&format!("{calls}{LIMITS}"))?;
        match self.parameter("client_encoding") {
            Some("UTF8") => Ok(()),
            other => {
                Err(PgError::protocol(format!("the server speaks {} and not UTF8", other.unwrap_or("no encoding"))))
            }
        }
    }

    /// A setting that the server reports by itself: `server_version`, `server_encoding`, `TimeZone`...
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Where the session stands.
    pub fn status(&self) -> TransactionStatus {
        self.status
    }

    /// Whether the connection can still be used.
    pub fn is_usable(&self) -> bool {
        self.broken.is_none()
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.transport.stream().is_encrypted()
    }

    /// The notices and warnings that came since the last call, oldest first (at most 100).
    pub fn take_notices(&mut self) -> Vec<ServerError> {
        self.notices.drain(..).collect()
    }

    /// What interrupts this connection from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.cancel.clone()
    }

    /// Bytes sent to the server since the connection was made.
    pub fn bytes_sent(&self) -> u64 {
        self.transport.sent
    }

    pub(crate) fn check_free(&self) -> Result<()> {
        self.check_usable()?;
        if self.copying { Err(PgError::usage("a COPY is under way on this connection")) } else { Ok(()) }
    }

    /// Runs one or more statements by the simple protocol; returns what each of them answered.
    ///
    /// Several statements without BEGIN are one transaction. COPY is refused here.
    pub fn simple_query(&mut self, sql: &str) -> Result<Vec<Rows>> {
        self.check_free()?;
        let mut message = BytesMut::new();
        frontend::query(sql, &mut message).map_err(|_| PgError::usage("a statement must not hold NUL characters"))?;
        self.send(&message)?;
        self.collect()
    }

    /// Runs one statement by the extended protocol, with parameters as text. The server decides their types.
    pub fn query(&mut self, sql: &str, parameters: &[Option<&str>]) -> Result<Rows> {
        self.check_free()?;
        let mut message = BytesMut::new();
        frontend::parse("", sql, [], &mut message)
            .map_err(|_| PgError::usage("a statement must not hold NUL characters"))?;
        let write = |value: &Option<&str>, out: &mut BytesMut| {
            Ok(match value {
                None => postgres_protocol::IsNull::Yes,
                Some(text) => {
                    out.extend_from_slice(text.as_bytes());
                    postgres_protocol::IsNull::No
                }
            })
        };
        frontend::bind("", "", [], parameters, write, [], &mut message)
            .map_err(|_| PgError::usage("too many parameters, or one that is too long"))?;
        frontend::execute("", 0, &mut message).map_err(|e| PgError::usage(e.to_string()))?;
        frontend::sync(&mut message);
        self.send(&message)?;
        Ok(self.collect()?.pop().unwrap_or_default())
    }

    /// Runs one statement by the extended protocol; its rows as text. Parameters have types and formats, and are
    /// written already: length, then bytes, one behind the other.
    pub(crate) fn ask(&mut self, sql: &str, oids: &[u32], formats: &[u8], values: &[u8]) -> Result<Rows> {
        self.check_free()?;
        let mut message = BytesMut::new();
        frontend::parse("", sql, oids.iter().copied(), &mut message)
            .map_err(|_| PgError::usage("a statement must not hold NUL characters"))?;
        let mut bind = Vec::new();
        let start = wire::begin(&mut bind, b'B');
        let count = u16::try_from(formats.len()).map_err(|_| PgError::usage("more than 65,535 parameters"))?;
        bind.extend_from_slice(&[0, 0]); // the unnamed portal of the unnamed statement
        bind.extend_from_slice(&count.to_be_bytes());
        for format in formats {
            bind.extend_from_slice(&[0, *format]);
        }
        bind.extend_from_slice(&count.to_be_bytes());
        bind.extend_from_slice(values);
        bind.extend_from_slice(&[0, 0]); // no result formats: text
        wire::end(&mut bind, start)?;
        message.extend_from_slice(&bind);
        frontend::execute("", 0, &mut message).map_err(|e| PgError::usage(e.to_string()))?;
        frontend::sync(&mut message);
        self.send(&message)?;
        Ok(self.collect()?.pop().unwrap_or_default())
    }

    /// Ends the session in an orderly way.
    pub fn close(mut self) {
        if self.is_usable() {
            let mut message = BytesMut::new();
            frontend::terminate(&mut message);
            let _ = self.transport.send(&message);
        }
    }

    /// Reads all answers up to ReadyForQuery.
    fn collect(&mut self) -> Result<Vec<Rows>> {
        let (mut results, mut current, mut failure) = (Vec::new(), Rows::default(), None);
        loop {
            match self.receive()? {
                tag::ROW_DESCRIPTION => current.columns = wire::parse_columns(self.transport.body())?,
                tag::DATA_ROW => current.rows.push(wire::parse_row(self.transport.body())?),
                tag::COMMAND_COMPLETE => {
                    current.affected = self.command_complete()?;
                    results.push(std::mem::take(&mut current));
                }
                tag::EMPTY_QUERY => results.push(std::mem::take(&mut current)),
                tag::ERROR => failure = Some(self.take_error_unless_fatal()?),
                tag::COPY_IN => {
                    let mut message = BytesMut::new();
                    frontend::copy_fail("COPY is not possible here", &mut message)
                        .map_err(|e| PgError::usage(e.to_string()))?;
                    self.send(&message)?;
                }
                tag::COPY_OUT => failure = Some(PgError::usage("COPY TO STDOUT is not supported")),
                tag::PARSE_COMPLETE
                | tag::BIND_COMPLETE
                | tag::CLOSE_COMPLETE
                | tag::NO_DATA
                | tag::COPY_DATA
                | tag::COPY_DONE => {}
                tag::READY => {
                    self.ready()?;
                    return failure.map_or(Ok(results), Err);
                }
                other => return Err(self.unexpected(other, "as answer to a statement")),
            }
        }
    }

    /// Reads a CommandComplete: keeps the books about transactions, returns the number of rows.
    pub(crate) fn command_complete(&mut self) -> Result<Option<u64>> {
        let command = Cursor::new(self.transport.body()).text()?;
        let affected = wire::affected(command);
        match command {
            "ROLLBACK" => {
                self.rollbacks += 1;
                self.transactions_ended += 1;
            }
            "COMMIT" | "PREPARE TRANSACTION" => self.transactions_ended += 1,
            _ => {}
        }
        Ok(affected)
    }

    /// Reads a ReadyForQuery.
    pub(crate) fn ready(&mut self) -> Result<()> {
        self.status = match Cursor::new(self.transport.body()).u8()? {
            b'I' => TransactionStatus::Idle,
            b'T' => TransactionStatus::Open,
            b'E' => TransactionStatus::Failed,
            other => return Err(PgError::protocol(format!("transaction status {other}"))),
        };
        Ok(())
    }

    /// Waits for the next message that answers us; takes in what comes without being asked for.
    pub(crate) fn receive(&mut self) -> Result<u8> {
        loop {
            let received = self.transport.receive();
            let tag = received.inspect_err(|error| self.broken = Some(error.to_string()))?;
            if !self.take_aside(tag)? {
                return Ok(tag);
            }
        }
    }

    /// Whether the server has said something that answers us; waits a moment if not. It is not taken.
    pub(crate) fn poll(&mut self) -> Result<bool> {
        while self.transport.poll().inspect_err(|error| self.broken = Some(error.to_string()))? {
            let tag = self.transport.peek()?;
            if !matches!(tag, tag::NOTICE | tag::PARAMETER_STATUS | tag::NOTIFICATION) {
                return Ok(true);
            }
            let tag = self.transport.receive()?;
            self.take_aside(tag)?;
        }
        Ok(false)
    }

    /// Notices, parameters and notifications: whether this message was one of them.
    fn take_aside(&mut self, tag: u8) -> Result<bool> {
        match tag {
            tag::NOTICE => {
                if self.notices.len() == NOTICES_MAX {
                    self.notices.pop_front();
                }
                self.notices.push_back(wire::parse_error(self.transport.body())?);
            }
            tag::PARAMETER_STATUS => {
                let mut body = Cursor::new(self.transport.body());
                let (name, value) = (body.text()?.to_owned(), body.text()?.to_owned());
                self.parameters.insert(name, value);
            }
            // Only a session that LISTENs gets them, and none of ours does.
            tag::NOTIFICATION => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The error in the message received last.
    pub(crate) fn take_error(&mut self) -> Result<PgError> {
        let error = wire::parse_error(self.transport.body())?;
        if error.is_fatal() {
            self.broken = Some(error.to_string());
        }
        Ok(error.into())
    }

    /// The error in the message received last; as `Err` if the server has hung up with it.
    pub(crate) fn take_error_unless_fatal(&mut self) -> Result<PgError> {
        let error = self.take_error()?;
        if self.is_usable() { Ok(error) } else { Err(error) }
    }

    pub(crate) fn unexpected(&mut self, tag: u8, place: &str) -> PgError {
        let message = format!("message {:?} {place}", char::from(tag));
        self.broken = Some(message.clone());
        PgError::Protocol(message)
    }

    pub(crate) fn check_usable(&self) -> Result<()> {
        match &self.broken {
            None => Ok(()),
            Some(reason) => {
                let message = format!("the connection is of no more use: {reason}");
                Err(NetError::new(NetErrorKind::Closed, message).into())
            }
        }
    }

    /// Sends; if the server hung up, prefers its last words to "broken pipe".
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Err(error) = self.transport.send(bytes) else { return Ok(()) };
        self.broken = Some(error.to_string());
        if matches!(&error, PgError::Net(e) if e.kind == NetErrorKind::Closed) {
            while let Ok(tag) = self.transport.receive() {
                if tag == tag::ERROR {
                    return Err(self.take_error()?);
                }
            }
        }
        Err(error)
    }
}

fn open_stream(options: &ConnectOptions, canceller: &Canceller) -> Result<Stream> {
    let mut stream = Stream::connect(&options.endpoint(), &options.net(), canceller)?;
    stream.set_read_timeout(Some(options.net().connect_timeout))?;
    if options.tls.mode == TlsMode::Disable { Ok(stream) } else { encrypt(stream, options) }
}

/// Asks the server to encrypt, and does so if it agrees.
pub(crate) fn encrypt(mut stream: Stream, options: &ConnectOptions) -> Result<Stream> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request)?;
    // One byte, read alone: whatever came behind it before the handshake would not be protected.
    let mut answer = [0u8];
    if stream.read(&mut answer)? == 0 {
        return Err(NetError::closed().into());
    }
    match answer[0] {
        b'S' => Ok(stream.upgrade(&options.tls, &options.endpoint())?),
        b'N' if options.tls.mode == TlsMode::Prefer => Ok(stream),
        b'N' => Err(NetError::new(NetErrorKind::Tls, "the server does not encrypt, and the options demand it").into()),
        other => Err(PgError::protocol(format!("answer {other} to the request for encryption"))),
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("stream", self.transport.stream())
            .field("status", &self.status)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}
