use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field};
use opendrs_columns::TableName;

use crate::{Origins, Position};

/// What the log says, in order.
#[derive(Debug, Clone)]
pub enum Event {
    /// Row changes.
    Window(Window),
    /// A statement that changes a schema: a barrier.
    SchemaChange(SchemaChange),
    /// The position moved without rows for us.
    Heartbeat(Heartbeat),
}

/// Row changes of whole transactions in log order, or a part of one transaction that is larger
/// than [`crate::Config::part_bytes`].
#[derive(Debug, Clone)]
pub struct Window {
    /// One batch a table, in the order in which the tables first occur. Columns: those of
    /// [`leading_fields`], then the table's.
    pub tables: Vec<(TableName, RecordBatch)>,
    /// Where the log stands behind the window; None if the transaction goes on in the next one.
    pub position: Option<Position>,
    /// Whether the window is a part of one transaction. Its last part has a position.
    pub part: bool,
    /// What happened to the transaction as a whole, in order; only in parts. Each entry tells how
    /// many changes (`seq`) of this part precede it.
    pub controls: Vec<(u32, Control)>,
    /// Transactions that end in this window, those without rows for us included.
    pub transactions: u32,
    /// Row changes; an update is one.
    pub changes: u64,
    /// How many values of `seq` were given out: more than changes where some were undone at once.
    pub ordinals: u32,
    /// Bytes of the log that the window stands for.
    pub bytes: u64,
    /// Commit of the first transaction, in microseconds since 1970 (0: unknown).
    pub first_commit_us: i64,
    /// Commit of the last transaction.
    pub last_commit_us: i64,
    /// Where each of the transactions that `txn` counts comes from.
    pub origins: Origins,
    /// Last state of each sequence (MariaDB) that moved.
    pub sequences: Vec<SequenceState>,
}

/// What happens to the rows of the *earlier parts* of a transaction. Within one part the decoder
/// has already carried it out. Only tables registered as transactional are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// A savepoint is set here; one of the same name is forgotten. Names compare without case.
    Savepoint(String),
    /// Everything since the savepoint is undone, the savepoint stays. It lies in an earlier part.
    RollbackTo(String),
    /// Everything since the transaction's begin is undone.
    Rollback,
}

/// A row of a MariaDB sequence, as the log last showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceState {
    /// The sequence.
    pub name: TableName,
    /// The value that the server would hand out after a restart: all smaller ones may be in use.
    pub next_not_cached: i64,
    /// How often it has cycled.
    pub cycles: i64,
}

/// A statement that changes a schema. Rows before it have been handed over; the decoder waits for
/// [`crate::Decoder::resume`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    /// Default database of the session, empty if it had none.
    pub database: String,
    /// The statement in UTF-8. Executable comments (`/*!50700 ... */`) are not expanded.
    pub sql: String,
    /// The session's `sql_mode` as the server's bit mask.
    pub sql_mode: u64,
    /// Collation id of the statement's text before it became UTF-8 (`character_set_client`).
    pub client_charset: u16,
    /// Collation id of the connection.
    pub connection_collation: u16,
    /// Collation id of the server: what a new database or table takes when nothing else is said.
    pub server_collation: u16,
    /// Collation id of the default database, 0 where the log does not tell.
    pub database_collation: u16,
    /// The session's time zone as the log names it, empty if it does not.
    pub time_zone: String,
    /// Connection id of the session.
    pub thread_id: u32,
    /// Version of the server that wrote the log.
    pub server_version: String,
    /// Where the log stands behind the statement; None inside a transaction.
    pub position: Option<Position>,
    /// Commit time in microseconds since 1970.
    pub commit_us: i64,
    /// Whether the transaction goes on: CREATE TABLE ... SELECT, whose rows follow.
    pub in_group: bool,
}

/// The position moved, or the server shows that it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Where the log stands.
    pub position: Position,
    /// Time of the last event, in microseconds since 1970 (0: unknown).
    pub time_us: i64,
}

/// The columns that come before the table's own in every batch of a [`Window`]:
///
/// - `op` Int8: 1 insert, 2 update (before), 3 update (after), 4 delete; an update is two
///   consecutive rows;
/// - `seq` UInt32: ordinal of the change within the window, over all tables, from 0; both images
///   of an update share it;
/// - `txn` UInt32: ordinal of the transaction within the window, from 0;
/// - `flags` UInt8: bit 0 is set if the log carries the foreign-key cascades of this change
///   (`USE_SQL_FOREIGN_KEY`, MySQL 9.6 and newer); bit 1 if the log left out columns that
///   [`crate::TableOptions::generated`] names, which are NULL here whatever they are in the table;
///   bit 2 if the change was made with `foreign_key_checks=0`, of all changes of its statement.
pub fn leading_fields() -> [Field; 4] {
    [
        Field::new("op", DataType::Int8, false),
        Field::new("seq", DataType::UInt32, false),
        Field::new("txn", DataType::UInt32, false),
        Field::new("flags", DataType::UInt8, false),
    ]
}
