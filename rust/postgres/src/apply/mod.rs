//! Applies windows of changes to a target, within a transaction that the caller opens and ends.
//!
//! A window is planned first ([`plan`]: which rows by which statements, in which order; no server is
//! asked), then sent as one pipeline ([`execute`]), whose answers are checked as they come. What a
//! failure means is said in terms of keys ([`explain`]).

mod execute;
mod explain;
mod group;
mod keys;
mod plan;
mod shapes;
mod statements;
mod table;
#[cfg(test)]
mod tests;
mod window;

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow_array::RecordBatch;
use serde::Deserialize;

use self::execute::{Executor, token};
use self::shapes::{Shape, Staging};
use self::statements::{StagingTables, Statements};
use self::table::Table;
use self::window::{LEADING, Op, Window, unknown};
use crate::connection::{Connection, TransactionStatus};
use crate::error::{PgError, Result};
use crate::pipeline::{Check, Pipeline};
use crate::target_table::TargetTable;

/// Settings of a session that applies. The planner must use the key's index: it does not know how few
/// rows are staged, and a plan that is kept may have been made when the table was small. Compiling
/// queries (`jit`) would be started by the high cost that a switched-off way is given. Warnings are not
/// sent, for they could be more than the sockets' buffers hold while we write (see `pipeline`).
const SETTINGS: &str = "SELECT set_config(name, CASE name \
     WHEN 'plan_cache_mode' THEN 'force_generic_plan' WHEN 'temp_buffers' THEN '32MB' \
     WHEN 'max_parallel_workers_per_gather' THEN '0' WHEN 'client_min_messages' THEN 'error' \
     ELSE 'off' END, false) FROM pg_catalog.pg_settings WHERE name IN ('enable_hashjoin', 'enable_mergejoin', \
     'enable_seqscan', 'jit', 'plan_cache_mode', 'temp_buffers', 'max_parallel_workers_per_gather', \
     'client_min_messages')";

/// How the changes of a window are brought to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// In the order of the log.
    Transactional,
    /// Each key once, by its last image.
    Merged,
}

/// Changes applied to one table. An update counts once, whatever became of it in a merge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableCounts {
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// What an apply did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Per table id.
    pub tables: BTreeMap<u32, TableCounts>,
    /// Bytes sent to the server.
    pub bytes: u64,
}

/// Applies changes on one connection. The caller does BEGIN, its own statements and COMMIT on the same
/// connection.
pub struct Applier {
    tables: HashMap<u32, Table>,
    statements: Statements,
    staging: StagingTables,
    generation: u32,
    /// The transaction in which foreign keys were told to wait.
    deferred_in: Option<u64>,
    set_rows_min: usize,
    /// After a failure: how many rollbacks there had been. There must be one more before the next.
    failed_at: Option<u64>,
}

impl Applier {
    /// Prepares the session. Not within a transaction, for its settings must outlive a rollback.
    pub fn new(connection: &mut Connection) -> Result<Self> {
        if connection.status() != TransactionStatus::Idle {
            return Err(PgError::usage("an applier is made before the transaction begins"));
        }
        connection.simple_query(SETTINGS)?;
        Ok(Self {
            tables: HashMap::new(),
            statements: Statements::default(),
            staging: StagingTables::default(),
            generation: 0,
            deferred_in: None,
            set_rows_min: plan::SET_ROWS_MIN,
            failed_at: None,
        })
    }

    /// From how many rows of one table on they go by COPY and one statement over all (at least 1).
    pub fn set_rows_min(&mut self, rows: usize) {
        self.set_rows_min = rows.max(1);
    }

    /// Makes a table known, or a new shape of it. Asks the catalog whether its types are as said.
    pub fn register(&mut self, connection: &mut Connection, id: u32, target: TargetTable) -> Result<()> {
        self.generation += 1;
        let table = Table::new(connection, id, self.generation, target)?;
        self.statements.retire(id);
        if let Some(old) = self.tables.insert(id, table)
            && self.staging.forget(id)
        {
            for which in [Staging::Keys, Staging::Rows] {
                connection.simple_query(&shapes::statement(&old, &Shape::DropStaging(which)).0)?;
            }
        }
        Ok(())
    }

    /// Applies the changes of a window, or of a part of one; one round trip unless the window is large.
    ///
    /// Each batch has the columns op (Int8: 1 insert, 2 update before, 3 update after, 4 delete; the
    /// images of an update stand together), seq (UInt32: the order over all tables of the window), txn
    /// (UInt32), flags (UInt8), then the table's. Changes of the tables in `idempotent` may have been
    /// applied already. After an error the caller must ROLLBACK.
    pub fn apply(
        &mut self,
        connection: &mut Connection,
        batches: &[(u32, RecordBatch)],
        mode: Mode,
        idempotent: &HashSet<u32>,
    ) -> Result<Counts> {
        if connection.status() != TransactionStatus::Open {
            return Err(PgError::usage("changes are applied within an open transaction"));
        }
        if self.failed_at.is_some_and(|rollbacks| connection.rollbacks == rollbacks) {
            return Err(PgError::usage("an apply has failed: ROLLBACK first"));
        }
        self.failed_at = None;
        let applied = self.run(connection, batches, mode, idempotent);
        if applied.is_err() {
            self.failed_at = Some(connection.rollbacks);
        }
        applied
    }

    fn run(
        &mut self,
        connection: &mut Connection,
        batches: &[(u32, RecordBatch)],
        mode: Mode,
        idempotent: &HashSet<u32>,
    ) -> Result<Counts> {
        for (id, batch) in batches {
            let table = self.tables.get_mut(id).ok_or_else(|| unknown(*id))?;
            table.encoder.bind_schema(&batch.schema(), LEADING)?;
        }
        let mut window = Window::new(batches, &self.tables, idempotent)?;
        let mut counts = count(&window);
        window.keep_replaced()?;
        for slot in plan::needs_keys(&window, mode, self.set_rows_min) {
            window.compute_keys(slot)?;
        }
        let steps = plan::plan(&window, mode, self.set_rows_min)?;
        if steps.is_empty() {
            return Ok(counts);
        }
        let sent_before = connection.bytes_sent();
        let transaction = connection.transactions_ended;
        self.staging.meet(connection);
        let mut pipeline = Pipeline::new(connection)?;
        self.statements.make_room(&mut pipeline)?;
        if self.deferred_in != Some(transaction) {
            let statement = self.statements.defer(&mut pipeline)?;
            pipeline.run(statement, token(steps.len(), 0), Check::Any)?;
            self.deferred_in = Some(transaction);
        }
        let (statements, staging) = (&mut self.statements, &mut self.staging);
        let sent = Executor { pipeline: &mut pipeline, statements, staging, window: &window }.send(&steps);
        let answered = pipeline.finish();
        self.statements.settle(sent.is_ok() && answered.is_ok());
        let failure = match (sent, answered) {
            (Ok(()), Ok(())) => {
                counts.bytes = connection.bytes_sent() - sent_before;
                return Ok(counts);
            }
            // A value that cannot be written, or a broken connection: what the pipeline makes of it then
            // explains nothing.
            (Err(error), _) => return Err(error),
            (Ok(()), Err(failure)) => failure,
        };
        Err(explain::explain(&window, &steps, failure))
    }
}

fn count(window: &Window<'_, '_>) -> Counts {
    let mut counts = Counts::default();
    for slot in &window.slots {
        let table = counts.tables.entry(slot.table.id).or_default();
        for change in &slot.changes {
            match change.op {
                Op::Insert => table.inserted += 1,
                Op::Update => table.updated += 1,
                Op::Delete => table.deleted += 1,
            }
        }
    }
    counts
}
