use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use opendrs_columns::changes::LEADING;

use crate::error::{MessageError, Result};
use crate::facts::{Facts, Transactions};
use crate::messages::{Messages, Part};
use crate::options::{Format, Options, Source, TableFormat};
use crate::order::Order;
use crate::statement::{self, Statement, StatementMessage};
use crate::table::Table;

/// Makes the messages of a job. Tables are registered before their batches come.
pub struct Encoder {
    options: Options,
    source: Source,
    tables: HashMap<u32, Arc<Table>>,
}

impl Encoder {
    /// An encoder without tables. An error if `debezium-json` lacks the source.
    pub fn new(options: Options) -> Result<Self> {
        if options.format == Format::DebeziumJson && options.source.is_none() {
            return Err(MessageError::Usage("debezium-json needs the source's name".to_owned()));
        }
        let source = options.source.clone().unwrap_or_default();
        Ok(Self { options, source, tables: HashMap::new() })
    }

    /// Makes a table known under the caller's number, or what it has become known: messages that were begun
    /// before keep what was.
    pub fn register(&mut self, id: u32, format: &TableFormat) -> Result<()> {
        let table = Table::new(&self.options, &self.source, format)?;
        self.tables.insert(id, Arc::new(table));
        Ok(())
    }

    /// The messages of a window: changes of all tables in the order of the log, without those whose seq is below
    /// `from`. Ids count from `first_id`. Of the first transaction, `begun` changes came in windows before this one.
    ///
    /// `batches` as a window has them (`docs/explanation/windows.md`), by the number of the table. `transactions`
    /// has one row a source transaction: `commit_us` (int64, microseconds since 1970 UTC, 0: unknown), `gtid` and
    /// `file` (utf8 or null), `pos` (uint64, the end of the transaction in the file).
    pub fn window(
        &self,
        batches: &[(u32, RecordBatch)],
        transactions: &RecordBatch,
        first_id: u64,
        from: u32,
        begun: u32,
    ) -> Result<Messages> {
        let parts = batches.iter().map(|(id, batch)| self.part(*id, batch, LEADING)).collect::<Result<Vec<_>>>()?;
        let transactions = Transactions::new(transactions)?;
        let order = Order::of_window(batches.iter().map(|(_, batch)| batch), transactions.len(), from, begun);
        let order = order.map_err(|(part, reason)| {
            let table = parts.get(part).map(|part| part.table.name.to_string()).unwrap_or_default();
            MessageError::Batch(format!("{table}: {reason}"))
        })?;
        self.messages(parts, transactions, order, first_id)
    }

    /// The messages of rows that a snapshot found, in their order. The batch has the table's columns only.
    pub fn rows(&self, id: u32, batch: &RecordBatch, facts: &Facts<'_>, first_id: u64) -> Result<Messages> {
        let parts = vec![self.part(id, batch, 0)?];
        self.messages(parts, Transactions::one(facts), Order::of_snapshot(batch)?, first_id)
    }

    /// The message of a statement. `now_ms` is its `ts`, in milliseconds since 1970 UTC.
    pub fn statement(&self, statement: &Statement<'_>, id: u64, now_ms: i64) -> Result<StatementMessage> {
        ids_fit(id, 1)?;
        Ok(statement::message(&self.options, &self.source, statement, id, now_ms))
    }

    fn messages(&self, parts: Vec<Part>, transactions: Transactions, order: Order, first_id: u64) -> Result<Messages> {
        // An update may take two.
        ids_fit(first_id, 2 * order.len() as u64)?;
        Ok(Messages::new(self.options.format, parts, transactions, order, first_id))
    }

    fn part(&self, id: u32, batch: &RecordBatch, leading: usize) -> Result<Part> {
        let unknown = || MessageError::Usage(format!("table {id} was not registered"));
        let table = self.tables.get(&id).ok_or_else(unknown)?.clone();
        let places = table.bind(batch, leading)?;
        Ok(Part { table, batch: batch.clone(), places })
    }
}

/// Readers hold an id in a signed number of 64 bits.
fn ids_fit(first: u64, count: u64) -> Result<()> {
    match first.checked_add(count) {
        Some(end) if i64::try_from(end).is_ok() => Ok(()),
        _ => Err(MessageError::Usage(format!("ids from {first} on do not fit 63 bits"))),
    }
}
