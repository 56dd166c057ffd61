use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use bytes::BytesMut;
use postgres_protocol::message::frontend;

use crate::connection::Connection;
use crate::encode::{Encoder, RowFormat};
use crate::error::{PgError, Result};
use crate::target_table::TargetTable;
use crate::wire::{self, tag};

/// Bytes gathered before they go to the socket.
const BLOCK_BYTES: usize = 256 << 10;
/// How often to look whether the server has said something. A look waits for some milliseconds (the
/// shortest timeout of a socket), for the stream has no way to ask without waiting.
const LOOK: Duration = Duration::from_secs(1);

/// Begin of COPY's binary format: signature, flags, length of the extension.
/// Source: PostgreSQL documentation, COPY, "Binary Format".
pub(crate) const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// End of COPY's binary format: a row of -1 fields.
pub(crate) const BINARY_TRAILER: &[u8] = b"\xff\xff";

/// Which of COPY's formats to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CopyFormat {
    /// Binary if every column has a binary form, else text.
    #[default]
    Auto,
    /// Binary.
    Binary,
    /// Text.
    Text,
}

/// A COPY into a table, fed with batches. It ends with [`CopyIn::finish`] or [`CopyIn::abort`]; until
/// then its connection can do nothing else. After an error it has ended, and the connection can be
/// used (in a transaction: after ROLLBACK).
pub struct CopyIn {
    encoder: Encoder,
    key: Vec<usize>,
    format: RowFormat,
    block: Block,
    rows: u64,
}

/// A CopyData message that is being filled, of a COPY that goes on.
struct Block {
    bytes: Vec<u8>,
    start: usize,
    looked: Instant,
    ended: bool,
}

impl CopyIn {
    /// Begins a COPY into the table's columns. One round trip to look at the catalog, one to begin.
    pub fn begin(connection: &mut Connection, target: &TargetTable, format: CopyFormat) -> Result<Self> {
        let (encoder, _) = target.prepare(connection)?;
        let format = match format {
            CopyFormat::Auto if encoder.is_binary() => RowFormat::CopyBinary,
            CopyFormat::Binary if encoder.is_binary() => RowFormat::CopyBinary,
            CopyFormat::Binary => return Err(PgError::usage("binary COPY into columns without a binary form")),
            CopyFormat::Auto | CopyFormat::Text => RowFormat::CopyText,
        };
        let key = target.positions(&target.key)?;
        let options = if format == RowFormat::CopyBinary { " (FORMAT binary)" } else { "" };
        begin_copy(connection, &format!("COPY {} ({}) FROM STDIN{options}", target.sql_name(), target.column_list()))?;
        let mut copy = Self { encoder, key, format, block: Block::new(), rows: 0 };
        if format == RowFormat::CopyBinary {
            copy.block.bytes.extend_from_slice(BINARY_HEADER);
        }
        Ok(copy)
    }

    /// Writes all rows of a batch. What fits into a block may stay here until the next call.
    pub fn write(&mut self, connection: &mut Connection, batch: &RecordBatch) -> Result<()> {
        self.check()?;
        let written = self.write_rows(connection, batch);
        if written.is_err() && !self.block.ended {
            // A value that cannot be written: the rows before it must not stay as if they were all.
            self.abort(connection)?;
        }
        written
    }

    fn write_rows(&mut self, connection: &mut Connection, batch: &RecordBatch) -> Result<()> {
        self.encoder.bind_schema(&batch.schema(), 0)?;
        let fields = self.encoder.fields(batch)?;
        for row in 0..batch.num_rows() {
            if let Err((column, problem)) = Encoder::write_row(&fields, row, self.format, &mut self.block.bytes) {
                let key = self.encoder.key_text(&self.key, &fields, row);
                return Err(self.encoder.value_error(column, problem, key));
            }
            if self.block.bytes.len() >= BLOCK_BYTES {
                self.block.send(connection)?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the COPY; returns the number of rows the server took.
    pub fn finish(&mut self, connection: &mut Connection) -> Result<u64> {
        self.check()?;
        self.block.ended = true;
        let block = &mut self.block;
        if self.format == RowFormat::CopyBinary {
            block.bytes.extend_from_slice(BINARY_TRAILER);
        }
        wire::end(&mut block.bytes, block.start)?;
        let mut done = BytesMut::new();
        frontend::copy_done(&mut done);
        block.bytes.extend_from_slice(&done);
        connection.send(&block.bytes)?;
        let taken = end_copy(connection)?;
        if taken != self.rows {
            return Err(PgError::protocol(format!("COPY took {taken} rows of {}", self.rows)));
        }
        Ok(taken)
    }

    /// Ends the COPY without effect: none of its rows stays.
    pub fn abort(&mut self, connection: &mut Connection) -> Result<()> {
        if self.block.ended {
            return Ok(());
        }
        self.block.ended = true;
        let mut fail = BytesMut::new();
        frontend::copy_fail("given up by the client", &mut fail).map_err(|e| PgError::usage(e.to_string()))?;
        connection.send(&fail)?;
        match end_copy(connection) {
            Err(PgError::Server(error)) if !error.is_fatal() => Ok(()),
            Ok(_) => Err(PgError::protocol("the server took a COPY that was given up")),
            Err(error) => Err(error),
        }
    }

    fn check(&self) -> Result<()> {
        if self.block.ended { Err(PgError::usage("this COPY has ended")) } else { Ok(()) }
    }
}

impl Block {
    fn new() -> Self {
        let mut bytes = Vec::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 4);
        let start = wire::begin(&mut bytes, tag::COPY_DATA);
        Self { bytes, start, looked: Instant::now(), ended: false }
    }

    fn send(&mut self, connection: &mut Connection) -> Result<()> {
        wire::end(&mut self.bytes, self.start)?;
        let sent = connection.send(&self.bytes).inspect_err(|_| self.ended = true);
        self.bytes.clear();
        self.start = wire::begin(&mut self.bytes, tag::COPY_DATA);
        sent?;
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            if connection.poll()? {
                // The server says nothing during COPY unless it has failed.
                self.ended = true;
                return Err(end_copy(connection)
                    .err()
                    .unwrap_or_else(|| PgError::protocol("COPY ended before its end")));
            }
        }
        Ok(())
    }
}

fn begin_copy(connection: &mut Connection, sql: &str) -> Result<()> {
    connection.check_free()?;
    // While we write we do not read: warnings of a trigger, one a row, would fill the sockets' buffers
    // until the server waits for us and we for it.
    let sql = format!("SET LOCAL client_min_messages TO error; {sql}");
    let mut message = BytesMut::new();
    frontend::query(&sql, &mut message).map_err(|_| PgError::usage("a name must not hold NUL characters"))?;
    connection.send(&message)?;
    let mut answer = connection.receive()?;
    if answer == tag::COMMAND_COMPLETE {
        connection.command_complete()?;
        answer = connection.receive()?;
    }
    match answer {
        tag::COPY_IN => {
            connection.copying = true;
            Ok(())
        }
        tag::ERROR => {
            let error = connection.take_error_unless_fatal()?;
            match connection.receive()? {
                tag::READY => connection.ready()?,
                other => return Err(connection.unexpected(other, "after a failed COPY")),
            }
            Err(error)
        }
        other => Err(connection.unexpected(other, "as answer to COPY")),
    }
}

/// Reads what the server says to the end of a COPY; returns the number of rows.
fn end_copy(connection: &mut Connection) -> Result<u64> {
    connection.copying = false;
    let (mut rows, mut failure) = (0, None);
    loop {
        match connection.receive()? {
            tag::COMMAND_COMPLETE => rows = connection.command_complete()?.unwrap_or(0),
            tag::ERROR => failure = Some(connection.take_error_unless_fatal()?),
            tag::READY => {
                connection.ready()?;
                return failure.map_or(Ok(rows), Err);
            }
            other => return Err(connection.unexpected(other, "at the end of a COPY")),
        }
    }
}
