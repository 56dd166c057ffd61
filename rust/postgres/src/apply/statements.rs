use hashbrown::HashMap;

use super::shapes::{self, Shape, Staging};
use super::table::Table;
use crate::connection::Connection;
use crate::error::Result;
use crate::pipeline::{Check, Pipeline, Statement};

/// Prepared statements kept; beyond it those not used for the longest time are forgotten.
const STATEMENTS_MAX: usize = 400;

/// The statements that are prepared on a connection.
#[derive(Default)]
pub(crate) struct Statements {
    /// By table and its generation.
    tables: HashMap<(u32, u32), HashMap<Shape, Cached>>,
    count: usize,
    /// No longer of use; the server is told with the next pipeline.
    retired: Vec<Statement>,
    clock: u64,
    fixed: HashMap<Fixed, Statement>,
    /// Whether any was prepared since [`Self::settle`]: if the pipeline fails it may not exist.
    fresh: bool,
}

/// A statement that is of no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fixed {
    /// Makes foreign keys wait for the end of the transaction. It lasts until then, or until [`Fixed::CheckNow`].
    Defer,
    /// Checks the foreign keys that wait, and from here on each at once.
    CheckNow,
    /// The savepoint before a window.
    SaveWindow,
    ReleaseWindow,
    RestoreWindow,
    /// The savepoint before some changes of a window that is applied once more.
    SaveRows,
    ReleaseRows,
    RestoreRows,
}

impl Fixed {
    pub fn sql(self) -> &'static str {
        match self {
            Self::Defer => "SET CONSTRAINTS ALL DEFERRED",
            Self::CheckNow => "SET CONSTRAINTS ALL IMMEDIATE",
            Self::SaveWindow => "SAVEPOINT opendrs_window",
            Self::ReleaseWindow => "RELEASE SAVEPOINT opendrs_window",
            Self::RestoreWindow => "ROLLBACK TO SAVEPOINT opendrs_window",
            Self::SaveRows => "SAVEPOINT opendrs_rows",
            Self::ReleaseRows => "RELEASE SAVEPOINT opendrs_rows",
            Self::RestoreRows => "ROLLBACK TO SAVEPOINT opendrs_rows",
        }
    }
}

struct Cached {
    statement: Statement,
    used: u64,
}

impl Statements {
    /// The statement for a table, prepared now if it is not yet.
    pub fn get(&mut self, pipeline: &mut Pipeline<'_>, table: &Table, shape: Shape) -> Result<Statement> {
        self.clock += 1;
        let statements = self.tables.entry((table.id, table.generation)).or_default();
        if let Some(cached) = statements.get_mut(&shape) {
            cached.used = self.clock;
            return Ok(cached.statement);
        }
        let (text, oids) = shapes::statement(table, &shape);
        let statement = pipeline.prepare(&text, &oids)?;
        statements.insert(shape, Cached { statement, used: self.clock });
        self.count += 1;
        self.fresh = true;
        Ok(statement)
    }

    /// Runs statements that are of no table.
    pub fn run(&mut self, pipeline: &mut Pipeline<'_>, which: &[Fixed], token: u64) -> Result<()> {
        for &fixed in which {
            let statement = match self.fixed.get(&fixed) {
                Some(known) => *known,
                None => {
                    self.fresh = true;
                    *self.fixed.entry(fixed).insert(pipeline.prepare(fixed.sql(), &[])?).get()
                }
            };
            pipeline.run(statement, token, Check::Any)?;
        }
        Ok(())
    }

    /// A table's statements are of no more use.
    pub fn retire(&mut self, id: u32) {
        for (_, statements) in self.tables.extract_if(|(table, _), _| *table == id) {
            self.count -= statements.len();
            self.retired.extend(statements.values().map(|cached| cached.statement));
        }
    }

    /// Makes room, before new statements come.
    pub fn make_room(&mut self, pipeline: &mut Pipeline<'_>) -> Result<()> {
        for statement in self.retired.drain(..) {
            pipeline.close(statement)?;
        }
        if self.count <= STATEMENTS_MAX {
            return Ok(());
        }
        let mut ages: Vec<u64> = self.tables.values().flat_map(HashMap::values).map(|cached| cached.used).collect();
        ages.sort_unstable();
        let limit = ages.get(self.count / 4).copied().unwrap_or(0);
        for statements in self.tables.values_mut() {
            for (_, cached) in statements.extract_if(|_, cached| cached.used <= limit) {
                pipeline.close(cached.statement)?;
                self.count -= 1;
            }
        }
        self.tables.retain(|_, statements| !statements.is_empty());
        Ok(())
    }

    /// Notes how a pipeline ended. After a failure it is not known which of its new statements exist:
    /// all are forgotten, which costs the session a little memory.
    pub fn settle(&mut self, succeeded: bool) {
        if self.fresh && !succeeded {
            *self = Self { clock: self.clock, ..Self::default() };
        }
        self.fresh = false;
    }
}

/// Which staging tables exist, and which are empty.
#[derive(Default)]
pub(crate) struct StagingTables {
    known: HashMap<(u32, u32, Staging), Known>,
    /// Where the connection's transactions stand.
    rollbacks: u64,
    transactions_ended: u64,
}

struct Known {
    rollbacks: u64,
    filled_in: u64,
}

impl StagingTables {
    /// Looks where the connection stands, before a pipeline.
    pub fn meet(&mut self, connection: &Connection) {
        self.rollbacks = connection.rollbacks;
        self.transactions_ended = connection.transactions_ended;
    }

    /// What to run so that the table exists and is empty.
    pub fn prepare(&mut self, table: &Table, which: Staging) -> Vec<Shape> {
        let now = Known { rollbacks: self.rollbacks, filled_in: self.transactions_ended };
        let known = self.known.insert((table.id, table.generation, which), now);
        match known {
            // Emptied by the end of the transaction that filled it (ON COMMIT DELETE ROWS).
            Some(known) if known.rollbacks == self.rollbacks && known.filled_in != self.transactions_ended => vec![],
            Some(known) if known.rollbacks == self.rollbacks => vec![Shape::TruncateStaging(which)],
            // Never made, or perhaps undone.
            _ => vec![Shape::DropStaging(which), Shape::CreateStaging(which)],
        }
    }

    /// Forgets a table's staging tables; returns whether there were any.
    pub fn forget(&mut self, id: u32) -> bool {
        self.known.extract_if(|(table, _, _), _| *table == id).count() > 0
    }
}
