//! Reading tables: prepared statements, binary rows, Arrow batches.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use opendrs_columns::{BatchBuilder, TableSpec};

use crate::connection::{Connection, command, end_of_rows};
use crate::cursor::Cursor;
use crate::error::{ErrorKind, MysqlError, Result};
use crate::handshake::parse_error;
use crate::key::{KeyColumns, key_of_row};
use crate::param::Param;
use crate::row::Plan;

/// Numbers readers, so that a connection knows whose result is on its way.
static READERS: AtomicU64 = AtomicU64::new(1);

/// A result on its way, without the connection it comes through: for callers who keep the two
/// apart. [`RowReader`] is the same with the connection.
pub struct RowCursor {
    id: u64,
    statement: u32,
    plan: Plan,
    builder: BatchBuilder,
    key: KeyColumns,
    last_key: Option<Vec<Param>>,
    /// Upper bound of what the builder holds, in bytes.
    estimate: usize,
    rows: u64,
    finished: bool,
}

impl RowCursor {
    /// Runs a SELECT whose columns are those of `table`, in order and by name.
    pub fn start(connection: &mut Connection, sql: &str, params: &[Param], table: &TableSpec) -> Result<Self> {
        let key = KeyColumns::new(table)?;
        connection.set_results_as_stored(true)?;
        let statement = prepare(connection, sql, params.len())?;
        let columns = match execute(connection, statement, params) {
            Ok(columns) => columns,
            Err(error) => {
                if connection.is_idle() {
                    close(connection, statement)?;
                }
                return Err(error);
            }
        };
        let id = READERS.fetch_add(1, Ordering::Relaxed);
        connection.begin_reading(id);
        let plan = Plan::new(&columns, table, connection.flavour()).inspect_err(|_| connection.set_broken())?;
        let builder = BatchBuilder::new(table);
        Ok(Self { id, statement, plan, builder, key, last_key: None, estimate: 0, rows: 0, finished: false })
    }

    /// The next batch: as many rows as there are, up to `rows_max`, or until their values take
    /// `bytes_max` bytes (one row at least, whatever its size). None at the end of the result.
    pub fn next_batch(
        &mut self,
        connection: &mut Connection,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<Option<RecordBatch>> {
        if !self.finished {
            connection.check_reading(self.id)?;
            // Where the next packet begins is lost if a row cannot be read.
            self.fill(connection, rows_max.max(1), bytes_max).inspect_err(|_| connection.set_broken())?;
        }
        self.estimate = 0;
        if self.builder.rows == 0 {
            return Ok(None);
        }
        let batch = self.builder.finish().map_err(|e| MysqlError::new(ErrorKind::SchemaMismatch, e.to_string()))?;
        self.rows += batch.num_rows() as u64;
        self.last_key = Some(key_of_row(&batch, batch.num_rows() - 1, &self.key)?);
        Ok(Some(batch))
    }

    fn fill(&mut self, connection: &mut Connection, rows_max: usize, bytes_max: usize) -> Result<()> {
        let deprecates_eof = connection.deprecates_eof();
        while self.builder.rows < rows_max && !self.is_full(bytes_max) {
            let packet = connection.wire().next()?;
            match packet.first() {
                Some(0) => {
                    self.estimate += packet.len() + self.plan.fixed_bytes;
                    self.plan.append(packet, &mut self.builder)?;
                }
                Some(0xFF) => {
                    let error = parse_error(packet);
                    self.finished = true;
                    connection.end_reading();
                    return Err(error);
                }
                _ => {
                    return match end_of_rows(packet, deprecates_eof) {
                        Some(done) => {
                            done?;
                            self.finished = true;
                            connection.wire().forget_joined();
                            connection.end_reading();
                            close(connection, self.statement)
                        }
                        None => Err(MysqlError::protocol("something that is neither a row nor the end of the rows")),
                    };
                }
            }
        }
        Ok(())
    }

    /// The estimate counts numbers twice, as sent and as stored; at the limit it is replaced by
    /// the exact sum.
    #[inline]
    fn is_full(&mut self, bytes_max: usize) -> bool {
        if self.estimate < bytes_max || self.builder.rows == 0 {
            return false;
        }
        self.estimate = self.builder.bytes();
        self.estimate >= bytes_max
    }

    /// The key (`TableSpec::key`) of the last row of the last batch: where keyset paging goes on.
    /// None before the first batch; empty if the table has no key.
    pub fn last_key(&self) -> Option<&[Param]> {
        self.last_key.as_deref()
    }

    /// Rows handed over so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the result was read to its end (or failed).
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Gives up a result that was not read to its end. The connection cannot be used afterwards:
    /// there is no telling how much is still to come.
    pub fn abandon(&mut self, connection: &mut Connection) {
        if !self.finished && connection.check_reading(self.id).is_ok() {
            connection.set_broken();
        }
        self.finished = true;
    }
}

/// Rows of one SELECT, as batches. Dropped before the end it leaves the connection unusable.
pub struct RowReader<'c> {
    connection: &'c mut Connection,
    cursor: RowCursor,
}

impl RowReader<'_> {
    /// As [`RowCursor::next_batch`].
    pub fn next_batch(&mut self, rows_max: usize, bytes_max: usize) -> Result<Option<RecordBatch>> {
        self.cursor.next_batch(self.connection, rows_max, bytes_max)
    }

    /// As [`RowCursor::last_key`].
    pub fn last_key(&self) -> Option<&[Param]> {
        self.cursor.last_key()
    }

    /// As [`RowCursor::rows`].
    pub fn rows(&self) -> u64 {
        self.cursor.rows()
    }
}

impl Drop for RowReader<'_> {
    fn drop(&mut self) {
        self.cursor.abandon(self.connection);
    }
}

impl Connection {
    /// Runs a SELECT whose columns are those of `table`, in order and by name (aliases count), with
    /// `params` for its question marks, and returns a reader of its rows.
    ///
    /// Errors: `SchemaMismatch` if a column's type is not the one described, `Value` for a value
    /// that the described type cannot hold, those of the server and of the network.
    pub fn read<'c>(&'c mut self, sql: &str, params: &[Param], table: &TableSpec) -> Result<RowReader<'c>> {
        let cursor = RowCursor::start(self, sql, params, table)?;
        Ok(RowReader { connection: self, cursor })
    }
}

/// COM_STMT_PREPARE; returns the statement's id.
fn prepare(connection: &mut Connection, sql: &str, params: usize) -> Result<u32> {
    connection.command(&[&[command::STMT_PREPARE], sql.as_bytes()].concat())?;
    let mut cursor = Cursor::new(connection.packet()?);
    let (status, statement) = (cursor.u8()?, cursor.u32()?);
    let (columns, wanted) = (usize::from(cursor.u16()?), usize::from(cursor.u16()?));
    if status != 0 {
        connection.set_broken();
        return Err(MysqlError::protocol("the answer to COM_STMT_PREPARE cannot be read"));
    }
    for count in [wanted, columns] {
        if count > 0 {
            connection.columns(count)?;
        }
    }
    if wanted != params || columns == 0 {
        close(connection, statement)?;
        let text = if columns == 0 {
            "the statement returns no rows".to_owned()
        } else {
            format!("the statement has {wanted} parameters, and {params} are given")
        };
        return Err(MysqlError::new(ErrorKind::Misuse, text));
    }
    Ok(statement)
}

/// COM_STMT_EXECUTE; returns the columns of the result.
fn execute(connection: &mut Connection, statement: u32, params: &[Param]) -> Result<Vec<crate::column::Column>> {
    let mut payload = vec![command::STMT_EXECUTE];
    payload.extend_from_slice(&statement.to_le_bytes());
    // No cursor: the server sends rows as it finds them. One iteration.
    payload.extend_from_slice(&[0, 1, 0, 0, 0]);
    if !params.is_empty() {
        let mut nulls = vec![0u8; params.len().div_ceil(8)];
        for (index, _) in params.iter().enumerate().filter(|(_, param)| **param == Param::Null) {
            nulls[index / 8] |= 1 << (index % 8);
        }
        payload.extend_from_slice(&nulls);
        payload.push(1);
        params.iter().for_each(|param| payload.extend_from_slice(&param.wire_type()));
        for param in params {
            param.encode(&mut payload)?;
        }
    }
    connection.command(&payload)?;
    let count = Cursor::new(connection.packet()?).lenenc()?;
    match usize::try_from(count) {
        Ok(count @ 1..=65_535) => connection.columns(count),
        _ => {
            connection.set_broken();
            Err(MysqlError::protocol("the answer to COM_STMT_EXECUTE cannot be read"))
        }
    }
}

/// COM_STMT_CLOSE; the server does not answer it.
fn close(connection: &mut Connection, statement: u32) -> Result<()> {
    let mut payload = vec![command::STMT_CLOSE];
    payload.extend_from_slice(&statement.to_le_bytes());
    connection.command(&payload)
}
