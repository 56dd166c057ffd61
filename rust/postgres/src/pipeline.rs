//! Many statements in one round trip: they are sent without waiting, and the answers are read as
//! they come.
//!
//! Neither side may wait for the other to read: what was sent and not yet answered stays below
//! [`UNANSWERED_BYTES_MAX`], which the sockets' buffers hold, so that a write never waits for a server
//! that itself waits for us. The rows of a COPY do not count, for the server answers none of them; and
//! notices, which could be any number, are switched off in sessions that apply.

use std::collections::VecDeque;

use crate::connection::Connection;
use crate::error::{PgError, Result, ServerError};
use crate::wire::{self, Cursor, tag};

/// Bytes gathered before they go to the socket.
const CHUNK_BYTES: usize = 32 << 10;
/// The same for the rows of a COPY.
const COPY_CHUNK_BYTES: usize = 128 << 10;
/// Statements sent and not yet answered, in bytes: two chunks, so that the server always has work.
const UNANSWERED_BYTES_MAX: usize = 2 * CHUNK_BYTES;

/// A prepared statement of this session. Names are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Statement(pub u64);

/// What a statement must answer to be a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Anything but an error.
    Any,
    /// This many rows.
    Rows(u64),
    /// One row of numbers of which the first two must be these; the third goes into the failure.
    Counts(u64, u64),
}

/// Why a pipeline failed, and at which statement.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server's error.
    Server { token: u64, error: Box<ServerError> },
    /// Another number of rows than expected.
    Rows { token: u64, found: u64 },
    /// Other counts than expected.
    Counts { token: u64, found: (u64, u64), offender: Option<u64> },
    /// The connection, or the caller's own error.
    Other(PgError),
}

impl Failure {
    /// Which statement failed, if it is one of the caller's.
    pub fn token(&self) -> Option<u64> {
        match self {
            Self::Server { token, .. } | Self::Rows { token, .. } | Self::Counts { token, .. } => Some(*token),
            Self::Other(_) => None,
        }
    }
}

impl From<PgError> for Failure {
    fn from(error: PgError) -> Self {
        Self::Other(error)
    }
}

enum Pending {
    Parse,
    Execute { token: u64, check: Check, row: Option<Vec<Option<String>>> },
}

/// Where the written statements go. Ends with [`Pipeline::finish`]; dropping it without leaves the
/// connection out of step, so it must not be dropped on any path.
pub(crate) struct Pipeline<'c> {
    connection: &'c mut Connection,
    /// Messages that were not sent yet.
    out: Vec<u8>,
    pending: VecDeque<Pending>,
    /// Per chunk sent: how many answers had been asked for when it ended, and its bytes.
    chunks: VecDeque<(u64, usize)>,
    asked: u64,
    answered: u64,
    unanswered_bytes: usize,
    failure: Option<Failure>,
    copy_block: Option<usize>,
}

impl<'c> Pipeline<'c> {
    pub fn new(connection: &'c mut Connection) -> Result<Self> {
        connection.check_free()?;
        Ok(Self {
            connection,
            out: Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4),
            pending: VecDeque::new(),
            chunks: VecDeque::new(),
            asked: 0,
            answered: 0,
            unanswered_bytes: 0,
            failure: None,
            copy_block: None,
        })
    }

    /// Whether something failed already, so that nothing more need be written.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Prepares a statement; parameters with oid 0 are of the type that the server infers.
    pub fn prepare(&mut self, sql: &str, oids: &[u32]) -> Result<Statement> {
        if sql.contains('\0') {
            return Err(PgError::usage("a name must not hold NUL characters"));
        }
        let count = u16::try_from(oids.len()).map_err(|_| PgError::usage("more than 65,535 parameters"))?;
        let statement = Statement(self.connection.next_statement);
        self.connection.next_statement += 1;
        let start = wire::begin(&mut self.out, b'P');
        self.write_name(statement);
        self.out.extend_from_slice(sql.as_bytes());
        self.out.push(0);
        self.out.extend_from_slice(&count.to_be_bytes());
        for oid in oids {
            self.out.extend_from_slice(&oid.to_be_bytes());
        }
        wire::end(&mut self.out, start)?;
        self.ask(Pending::Parse);
        Ok(statement)
    }

    /// Forgets a prepared statement.
    pub fn close(&mut self, statement: Statement) -> Result<()> {
        let start = wire::begin(&mut self.out, b'C');
        self.out.push(b'S');
        self.write_name(statement);
        wire::end(&mut self.out, start)?;
        self.ask(Pending::Parse);
        Ok(())
    }

    /// Runs a statement once. `write` appends `count` parameters; `formats` holds one format code a
    /// parameter (0 text, 1 binary), or one code for all. If `write` fails nothing was sent.
    #[inline]
    pub fn execute<E>(
        &mut self,
        statement: Statement,
        formats: &[u8],
        count: usize,
        token: u64,
        check: Check,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Result<(), E>> {
        let written = self.gather(statement, formats, count, token, check, write)?;
        if self.out.len() >= CHUNK_BYTES {
            self.send_chunk()?;
        }
        Ok(written)
    }

    /// Writes a statement without sending anything.
    #[inline]
    fn gather<E>(
        &mut self,
        statement: Statement,
        formats: &[u8],
        count: usize,
        token: u64,
        check: Check,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Result<(), E>> {
        let whole = self.out.len();
        let start = wire::begin(&mut self.out, b'B');
        self.out.push(0); // the unnamed portal
        self.write_name(statement);
        self.out.extend_from_slice(&(formats.len() as u16).to_be_bytes());
        for format in formats {
            self.out.extend_from_slice(&[0, *format]);
        }
        self.out.extend_from_slice(&(count as u16).to_be_bytes());
        if let Err(error) = write(&mut self.out) {
            self.out.truncate(whole);
            return Ok(Err(error));
        }
        // No result formats: text. Then Execute of the unnamed portal, all rows.
        self.out.extend_from_slice(&[0, 0]);
        if let Err(error) = wire::end(&mut self.out, start) {
            self.out.truncate(whole);
            return Err(error);
        }
        self.out.extend_from_slice(b"E\0\0\0\x09\0\0\0\0\0");
        self.ask(Pending::Execute { token, check, row: None });
        Ok(Ok(()))
    }

    /// Runs a statement without parameters.
    pub fn run(&mut self, statement: Statement, token: u64, check: Check) -> Result<()> {
        self.execute(statement, &[], 0, token, check, |_| Ok::<_, PgError>(()))?
    }

    /// Begins a COPY by a prepared `COPY ... FROM STDIN`; then [`Self::copy_rows`] and [`Self::copy_end`].
    pub fn copy_begin(&mut self, statement: Statement, token: u64, rows: u64) -> Result<()> {
        // A chunk must not end here: its answers would be waited for, and the COPY's comes behind its rows.
        self.gather(statement, &[], 0, token, Check::Rows(rows), |_| Ok::<_, PgError>(()))??;
        self.copy_block = Some(wire::begin(&mut self.out, tag::COPY_DATA));
        Ok(())
    }

    /// Where rows of the COPY are appended; call it row by row, for it also sends what has gathered.
    #[inline]
    pub fn copy_rows(&mut self) -> Result<&mut Vec<u8>> {
        if self.out.len() >= COPY_CHUNK_BYTES
            && let Some(block) = self.copy_block
        {
            wire::end(&mut self.out, block)?;
            self.write_out(false)?;
            self.copy_block = Some(wire::begin(&mut self.out, tag::COPY_DATA));
        }
        Ok(&mut self.out)
    }

    /// Ends a COPY. The messages behind it may follow at once: the server reads them in order
    /// (seen on PostgreSQL 15, 16 and 18; if the COPY failed they are skipped up to Sync).
    pub fn copy_end(&mut self) -> Result<()> {
        if let Some(block) = self.copy_block {
            wire::end(&mut self.out, block)?;
            self.copy_block = None;
            self.out.extend_from_slice(&[tag::COPY_DONE, 0, 0, 0, 4]);
        }
        Ok(())
    }

    /// Gives up a COPY, and with it the transaction.
    pub fn copy_fail(&mut self) -> Result<()> {
        if let Some(block) = self.copy_block.take() {
            // What was appended to the block is cut off: it may end within a row.
            self.out.truncate(block);
            self.out.pop();
            let start = wire::begin(&mut self.out, b'f');
            self.out.push(0);
            wire::end(&mut self.out, start)?;
        }
        Ok(())
    }

    /// Sends the rest, reads all answers, and returns the first failure.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.copy_fail()?;
        self.out.extend_from_slice(b"S\0\0\0\x04");
        self.write_out(false)?;
        loop {
            match self.connection.receive()? {
                tag::READY => {
                    self.connection.ready()?;
                    break;
                }
                other => self.answer(other)?,
            }
        }
        match self.failure {
            Some(failure) => Err(failure),
            None if self.pending.is_empty() => Ok(()),
            None => Err(PgError::protocol("fewer answers than statements").into()),
        }
    }

    fn write_name(&mut self, statement: Statement) {
        self.out.push(b'o');
        let mut digits = [0u8; 20];
        let (mut at, mut number) = (digits.len(), statement.0);
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&digits[at..]);
        self.out.push(0);
    }

    fn ask(&mut self, pending: Pending) {
        self.pending.push_back(pending);
        self.asked += 1;
    }

    /// Sends what has gathered, having made sure that the answers to it can be taken.
    fn send_chunk(&mut self) -> Result<()> {
        // The server keeps its answers to itself until its buffer is full, unless told to flush.
        self.out.extend_from_slice(b"H\0\0\0\x04");
        while self.unanswered_bytes > 0 && self.unanswered_bytes + self.out.len() > UNANSWERED_BYTES_MAX {
            if self.failure.is_some() {
                // It answers nothing more before Sync, and reads all.
                break;
            }
            self.read_answer()?;
        }
        self.write_out(true)
    }

    fn write_out(&mut self, counts: bool) -> Result<()> {
        self.connection.send(&self.out)?;
        if counts {
            self.chunks.push_back((self.asked, self.out.len()));
            self.unanswered_bytes += self.out.len();
        }
        self.out.clear();
        Ok(())
    }

    fn read_answer(&mut self) -> Result<()> {
        let tag = self.connection.receive()?;
        self.answer(tag)?;
        while let Some((asked, bytes)) = self.chunks.front()
            && *asked <= self.answered
        {
            self.unanswered_bytes -= bytes;
            self.chunks.pop_front();
        }
        Ok(())
    }

    fn answer(&mut self, tag: u8) -> Result<()> {
        match tag {
            tag::BIND_COMPLETE | tag::COPY_IN | tag::NO_DATA => Ok(()),
            tag::PARSE_COMPLETE | tag::CLOSE_COMPLETE => match self.pending.pop_front() {
                Some(Pending::Parse) => {
                    self.answered += 1;
                    Ok(())
                }
                _ => Err(self.connection.unexpected(tag, "out of order")),
            },
            tag::DATA_ROW => match self.pending.front_mut() {
                Some(Pending::Execute { row, .. }) => {
                    *row = Some(wire::parse_row(self.connection.transport.body())?);
                    Ok(())
                }
                _ => Err(self.connection.unexpected(tag, "out of order")),
            },
            tag::COMMAND_COMPLETE => match self.pending.pop_front() {
                Some(Pending::Execute { token, check, row }) => self.complete(token, check, row),
                _ => Err(self.connection.unexpected(tag, "out of order")),
            },
            tag::ERROR => self.error(),
            other => Err(self.connection.unexpected(other, "in a pipeline")),
        }
    }

    fn complete(&mut self, token: u64, check: Check, row: Option<Vec<Option<String>>>) -> Result<()> {
        self.answered += 1;
        let command = Cursor::new(self.connection.transport.body()).text()?;
        let found = wire::affected(command).unwrap_or(0);
        let failure = match check {
            Check::Any => None,
            Check::Rows(expected) if found == expected => None,
            Check::Rows(_) => Some(Failure::Rows { token, found }),
            Check::Counts(first, second) => {
                let row = row.ok_or_else(|| PgError::protocol("a statement that counts answered no row"))?;
                let number = |at: usize| row.get(at).and_then(Option::as_deref).and_then(|text| text.parse().ok());
                let (Some(a), Some(b)) = (number(0), number(1)) else {
                    return Err(PgError::protocol("a count that is no number"));
                };
                let offender = number(2);
                ((a, b) != (first, second)).then_some(Failure::Counts { token, found: (a, b), offender })
            }
        };
        if self.failure.is_none() {
            self.failure = failure;
        }
        Ok(())
    }

    fn error(&mut self) -> Result<()> {
        let error = match self.connection.take_error_unless_fatal()? {
            PgError::Server(error) => error,
            other => return Err(other),
        };
        let token = self.pending.iter().find_map(|pending| match pending {
            Pending::Execute { token, .. } => Some(*token),
            Pending::Parse => None,
        });
        // The server skips everything up to Sync.
        self.pending.clear();
        if self.failure.is_none() {
            self.failure = Some(Failure::Server { token: token.unwrap_or(u64::MAX), error });
        }
        Ok(())
    }
}
