//! Applies windows of changes to a target, within a transaction that the caller opens and ends.
//!
//! A window is planned first ([`plan`]: which rows by which statements, in which order; no server is
//! asked), then sent as one pipeline ([`execute`]), whose answers are checked as they come. What a
//! failure means is said in terms of keys ([`explain`]).

mod execute;
mod explain;
mod group;
mod keys;
mod placing;
mod plan;
mod resolve;
mod shapes;
mod statements;
mod table;
#[cfg(test)]
mod tests;
mod told;
mod window;

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow_array::RecordBatch;
use serde::Deserialize;

use self::execute::{Executor, token};
use self::plan::Step;
use self::resolve::Resolver;
use self::shapes::{Shape, Staging};
use self::statements::{Fixed, StagingTables, Statements};
use self::table::Table;
pub use self::told::Resolved;
use self::window::{LEADING, Op, Window, unknown};
use crate::connection::{Connection, TransactionStatus};
use crate::error::{PgError, Result};
use crate::pipeline::Pipeline;
use crate::target_table::TargetTable;

/// Settings of a session that applies. The planner must use the key's index: it does not know how few
/// rows are staged, and a plan that is kept may have been made when the table was small. Compiling
/// queries (`jit`) would be started by the high cost that a switched-off way is given. Warnings are not
/// sent, for they could be more than the sockets' buffers hold while we write (see `pipeline`). Each
/// statement sees what others have committed before it: a row that refuses ours must be seen to be resolved.
const SETTINGS: &str = "SELECT set_config(name, CASE name \
     WHEN 'plan_cache_mode' THEN 'force_generic_plan' WHEN 'temp_buffers' THEN '32MB' \
     WHEN 'max_parallel_workers_per_gather' THEN '0' WHEN 'client_min_messages' THEN 'error' \
     WHEN 'default_transaction_isolation' THEN 'read committed' \
     ELSE 'off' END, false) FROM pg_catalog.pg_settings WHERE name IN ('enable_hashjoin', 'enable_mergejoin', \
     'enable_seqscan', 'jit', 'plan_cache_mode', 'temp_buffers', 'max_parallel_workers_per_gather', \
     'client_min_messages', 'default_transaction_isolation')";

/// How the changes of a window are brought to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// In the order of the log.
    Transactional,
    /// Each key once, by its last image.
    Merged,
}

/// What becomes of a change that finds the target otherwise than it presupposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It is an error.
    Stop,
    /// The target's rows stay as they are.
    Ignore,
    /// The source's row wins.
    Overwrite,
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
    /// Conflicts, in the order of the log.
    pub resolved: Vec<Resolved>,
}

/// Applies changes on one connection. The caller does BEGIN, its own statements and COMMIT on the same
/// connection.
pub struct Applier {
    tables: HashMap<u32, Table>,
    session: Session,
    generation: u32,
    set_rows_min: usize,
    /// After a failure: how many rollbacks there had been. There must be one more before the next.
    failed_at: Option<u64>,
}

/// What the server's session has of ours.
#[derive(Default)]
struct Session {
    statements: Statements,
    staging: StagingTables,
    /// The transaction in which foreign keys were told to wait.
    deferred_in: Option<u64>,
    /// The savepoint before the last window, while it is there.
    savepoint: Option<Savepoint>,
}

/// A savepoint is there as long as its transaction, and no longer than until a rollback, which may be one to a
/// savepoint before it.
#[derive(PartialEq, Eq)]
struct Savepoint {
    transactions_ended: u64,
    rollbacks: u64,
}

/// Why the steps of a window failed, and at which action, where they are actions.
struct Failed {
    error: PgError,
    action: Option<usize>,
}

impl From<PgError> for Failed {
    fn from(error: PgError) -> Self {
        Self { error, action: None }
    }
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
            session: Session::default(),
            generation: 0,
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
        self.session.statements.retire(id);
        if let Some(old) = self.tables.insert(id, table)
            && self.session.staging.forget(id)
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
    ///
    /// Where conflicts are to be resolved, a savepoint is left behind: [`Self::release`] before the caller sets one.
    pub fn apply(
        &mut self,
        connection: &mut Connection,
        batches: &[(u32, RecordBatch)],
        mode: Mode,
        idempotent: &HashSet<u32>,
        on_conflict: OnConflict,
    ) -> Result<Counts> {
        if connection.status() != TransactionStatus::Open {
            return Err(PgError::usage("changes are applied within an open transaction"));
        }
        if self.failed_at.is_some_and(|rollbacks| connection.rollbacks == rollbacks) {
            return Err(PgError::usage("an apply has failed: ROLLBACK first"));
        }
        self.failed_at = None;
        let applied = self.run(connection, batches, mode, idempotent, on_conflict);
        if applied.is_err() {
            self.failed_at = Some(connection.rollbacks);
        }
        applied
    }

    /// Forgets the savepoint that an apply has left behind, if there is one: it must not stand before others.
    pub fn release(&mut self, connection: &mut Connection) -> Result<()> {
        if self.session.takes_savepoint(connection) {
            connection.simple_query(Fixed::ReleaseWindow.sql())?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        connection: &mut Connection,
        batches: &[(u32, RecordBatch)],
        mode: Mode,
        idempotent: &HashSet<u32>,
        on_conflict: OnConflict,
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
        let sent_before = connection.bytes_sent();
        let planned = plan::plan(&window, mode, self.set_rows_min);
        let applied = match &planned {
            Ok(steps) if steps.is_empty() => return Ok(counts),
            Ok(steps) => self.session.apply(connection, &window, steps, on_conflict),
            // The changes contradict each other: nothing was sent.
            Err(_) => Ok(()),
        };
        let contradiction = planned.is_err();
        match planned.map(drop).and(applied.map_err(|failed| failed.error)) {
            Err(error) if resolve::possible(&error, on_conflict) => {
                if contradiction {
                    self.session.save(connection)?;
                }
                let session = &mut self.session;
                counts.resolved = Resolver { connection, session, window: &window, batches, on_conflict }.resolve()?;
            }
            other => other?,
        }
        counts.bytes = connection.bytes_sent() - sent_before;
        Ok(counts)
    }
}

impl Session {
    /// Sends the steps of a window in one pipeline; where conflicts are to be resolved, behind a savepoint.
    fn apply(
        &mut self,
        connection: &mut Connection,
        window: &Window<'_, '_>,
        steps: &[Step],
        on_conflict: OnConflict,
    ) -> Result<(), Failed> {
        let mut before = Vec::with_capacity(3);
        if self.takes_savepoint(connection) {
            before.push(Fixed::ReleaseWindow);
        }
        if self.deferred_in != Some(connection.transactions_ended) {
            before.push(Fixed::Defer);
        }
        self.deferred_in = Some(connection.transactions_ended);
        if on_conflict != OnConflict::Stop {
            before.push(Fixed::SaveWindow);
            self.savepoint = Some(Savepoint::of(connection));
        }
        let after: &[Fixed] = match on_conflict {
            OnConflict::Ignore => {
                // A row that refers to none is found here, and not by the commit.
                self.deferred_in = None;
                &[Fixed::CheckNow]
            }
            OnConflict::Stop | OnConflict::Overwrite => &[],
        };
        self.send(connection, window, steps, &before, after)
    }

    /// Sets the savepoint before a window.
    fn save(&mut self, connection: &mut Connection) -> Result<()> {
        if self.takes_savepoint(connection) {
            connection.simple_query(Fixed::ReleaseWindow.sql())?;
        }
        connection.simple_query(Fixed::SaveWindow.sql()).map(drop)
    }

    /// Sends steps between statements in one pipeline.
    fn send(
        &mut self,
        connection: &mut Connection,
        window: &Window<'_, '_>,
        steps: &[Step],
        before: &[Fixed],
        after: &[Fixed],
    ) -> Result<(), Failed> {
        self.staging.meet(connection);
        let mut pipeline = Pipeline::new(connection)?;
        let (statements, staging) = (&mut self.statements, &mut self.staging);
        statements.make_room(&mut pipeline)?;
        statements.run(&mut pipeline, before, token(steps.len(), 0))?;
        let sent = Executor { pipeline: &mut pipeline, statements, staging, window }.send(steps);
        let sent = sent.and_then(|()| self.statements.run(&mut pipeline, after, token(steps.len(), 1)));
        let answered = pipeline.finish();
        self.statements.settle(sent.is_ok() && answered.is_ok());
        let failure = match (sent, answered) {
            (Ok(()), Ok(())) => return Ok(()),
            // A value that cannot be written, or a broken connection: what the pipeline makes of it then
            // explains nothing.
            (Err(error), _) => return Err(error.into()),
            (Ok(()), Err(failure)) => failure,
        };
        let action = match (steps, failure.token()) {
            ([Step::Rows(_)], Some(token)) if token >> 32 == 0 => Some(token as u32 as usize),
            _ => None,
        };
        Err(Failed { error: explain::explain(window, steps, failure), action })
    }

    /// Whether the savepoint before the last window is there; it is not counted as ours any more.
    fn takes_savepoint(&mut self, connection: &Connection) -> bool {
        self.savepoint.take().is_some_and(|savepoint| savepoint == Savepoint::of(connection))
    }
}

impl Savepoint {
    fn of(connection: &Connection) -> Self {
        Self { transactions_ended: connection.transactions_ended, rollbacks: connection.rollbacks }
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
