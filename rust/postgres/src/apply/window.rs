use std::collections::{HashMap, HashSet};

use arrow_array::RecordBatch;
use hashbrown::DefaultHashBuilder;
use opendrs_columns::changes::Changes;
pub(crate) use opendrs_columns::changes::{LEADING, Op};

use super::keys::Keys;
use super::table::Table;
use crate::encode::field::Field;
use crate::error::{PgError, Result, ValueProblem};

/// In `flags`: the log carries the effects of foreign keys on other rows as changes of their own.
const CARRIES_CASCADES: u8 = 1;

/// The place of a row's image: which part of the window, and which row of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowRef {
    pub part: u32,
    pub row: u32,
}

impl RowRef {
    pub fn row(self) -> usize {
        self.row as usize
    }
}

/// One change of one row. `image` is the row inserted or deleted, or the before image of an update; `after`
/// the image that an insert or an update leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub seq: u32,
    pub slot: u32,
    pub image: RowRef,
    pub after: RowRef,
    pub op: Op,
    /// The log has changes of their own for what the source's foreign keys do to other rows.
    pub flagged: bool,
    /// It may be one of these: then the target's own foreign keys have done it already.
    pub tolerant: bool,
    /// The row was deleted and came again: it may have gone meanwhile with what it refers to.
    pub again: bool,
}

/// One batch of the window.
pub(crate) struct Part<'b> {
    pub slot: u32,
    pub fields: Vec<Field<'b>>,
    pub rows: usize,
    /// Computed when they are needed.
    pub keys: Option<Keys>,
    pub uniques: Vec<Keys>,
}

/// A table that occurs in the window, and its changes in order.
pub(crate) struct Slot<'t> {
    pub table: &'t Table,
    pub idempotent: bool,
    pub changes: Vec<Change>,
}

impl Slot<'_> {
    /// Whether only the order of the log is sure to meet no unique value that another row still has.
    pub fn in_order(&self) -> bool {
        let target = &self.table.target;
        target.opaque_uniques || (target.partial && !self.idempotent && !self.table.uniques.is_empty())
    }

    /// Whether rows that are inserted can go by COPY: were two of the same key, the server would say so.
    pub fn takes_copies(&self) -> bool {
        self.table.has_key() && !self.idempotent && !self.table.target.partial
    }
}

/// All changes of a window.
pub(crate) struct Window<'t, 'b> {
    pub slots: Vec<Slot<'t>>,
    pub parts: Vec<Part<'b>>,
    pub hasher: DefaultHashBuilder,
}

impl<'t: 'b, 'b> Window<'t, 'b> {
    /// Reads the batches. The tables' schemas are bound already.
    pub fn new(
        batches: &'b [(u32, RecordBatch)],
        tables: &'t HashMap<u32, Table>,
        idempotent: &HashSet<u32>,
    ) -> Result<Self> {
        let mut window = Self { slots: Vec::new(), parts: Vec::new(), hasher: DefaultHashBuilder::default() };
        for (id, batch) in batches {
            let table = tables.get(id).ok_or_else(|| unknown(*id))?;
            let slot = match window.slots.iter().position(|slot| slot.table.id == *id) {
                Some(slot) => slot,
                None => {
                    let idempotent = idempotent.contains(id);
                    if idempotent && !table.has_key() {
                        let message = format!("{}: changes cannot be repeated without a key", table.sql_name);
                        return Err(PgError::Usage(message));
                    }
                    window.slots.push(Slot { table, idempotent, changes: Vec::new() });
                    window.slots.len() - 1
                }
            };
            let fields = table.encoder.fields(batch)?;
            let part = window.parts.len() as u32;
            read_changes(batch, slot as u32, part, table.target.acted_on, &mut window.slots[slot].changes)
                .map_err(|reason| PgError::Usage(format!("batch of {}: {reason}", table.sql_name)))?;
            let rows = batch.num_rows();
            window.parts.push(Part { slot: slot as u32, fields, rows, keys: None, uniques: Vec::new() });
        }
        Ok(window)
    }

    /// Computes what [`Self::key`] and [`Self::unique`] show, for one slot.
    pub fn compute_keys(&mut self, slot: usize) -> Result<()> {
        let table = self.slots[slot].table;
        for part in self.parts.iter_mut().filter(|part| part.slot as usize == slot && part.keys.is_none()) {
            let keys = |columns: &[usize]| {
                Keys::new(&part.fields, columns, part.rows, &self.hasher).map_err(|(column, row, problem)| {
                    let key = table.encoder.key_text(&table.key, &part.fields, row);
                    table.encoder.value_error(column, problem, key)
                })
            };
            let uniques = table.uniques.iter().map(|columns| keys(columns)).collect::<Result<Vec<_>>>()?;
            part.keys = Some(keys(&table.key)?);
            part.uniques = uniques;
        }
        Ok(())
    }

    /// Makes an update of a row that is deleted and comes again, where foreign keys with actions refer to it.
    ///
    /// MySQL 9.6 and newer logs REPLACE as a deletion and an insertion, and what refers to the row stays (seen on
    /// 9.7); whatever its foreign keys do to other rows has changes of its own. The target's would act once more.
    pub fn keep_replaced(&mut self) -> Result<()> {
        for slot in 0..self.slots.len() {
            let own = &self.slots[slot];
            let deletes = own.changes.iter().any(|change| change.flagged && change.op == Op::Delete);
            if !deletes || !own.table.target.referenced_with_actions || !own.table.has_key() {
                continue;
            }
            self.compute_keys(slot)?;
            let changes = std::mem::take(&mut self.slots[slot].changes);
            self.slots[slot].changes = self.without_replaced(changes);
        }
        Ok(())
    }

    /// Only deletions may stand between: anything else could need the place that the row left.
    fn without_replaced(&self, changes: Vec<Change>) -> Vec<Change> {
        let mut kept: Vec<Option<Change>> = Vec::with_capacity(changes.len());
        let mut deleted: HashMap<&[u8], usize> = HashMap::new();
        for change in changes {
            let key = self.key(change.image).0;
            match change.op {
                Op::Delete if change.flagged => {
                    deleted.insert(key, kept.len());
                    kept.push(Some(change));
                }
                Op::Insert if change.flagged && deleted.contains_key(key) => {
                    let before = deleted.remove(key).and_then(|at| kept[at].take());
                    let image = before.map_or(change.image, |before| before.image);
                    kept.push(Some(Change { image, op: Op::Update, again: true, ..change }));
                    deleted.clear();
                }
                _ => {
                    deleted.clear();
                    kept.push(Some(change));
                }
            }
        }
        kept.into_iter().flatten().collect()
    }

    pub fn fields(&self, row: RowRef) -> &[Field<'b>] {
        &self.parts[row.part as usize].fields
    }

    /// The key's bytes and their hash. Computed before ([`Self::compute_keys`]).
    #[inline]
    pub fn key(&self, row: RowRef) -> (&[u8], u64) {
        match &self.parts[row.part as usize].keys {
            Some(keys) => (keys.bytes(row.row()), keys.hash(row.row())),
            None => (&[], 0),
        }
    }

    /// The bytes of a unique index and their hash; None if a NULL is in it. Computed before.
    #[inline]
    pub fn unique(&self, index: usize, row: RowRef) -> Option<(&[u8], u64)> {
        let keys = self.parts[row.part as usize].uniques.get(index)?;
        (!keys.has_null(row.row())).then(|| (keys.bytes(row.row()), keys.hash(row.row())))
    }

    /// Whether two images of a slot's rows are the same in these columns, bit for bit.
    pub fn same(&self, left: RowRef, right: RowRef, columns: &[usize]) -> bool {
        let (a, b) = (self.fields(left), self.fields(right));
        columns.iter().all(|&column| a[column].same(left.row(), &b[column], right.row()))
    }

    /// The row's key for people.
    pub fn key_text(&self, slot: usize, row: RowRef) -> Option<String> {
        let table = self.slots[slot].table;
        table.encoder.key_text(&table.key, self.fields(row), row.row())
    }

    /// Whether a value is NULL, at the source or by a policy.
    pub fn is_written_as_null(&self, table: &Table, row: RowRef, column: usize) -> Result<bool> {
        let field = &self.fields(row)[column];
        if field.is_null(row.row()) || !field.may_become_null() {
            return Ok(field.is_null(row.row()));
        }
        let mut written = Vec::new();
        table
            .encoder
            .write_parameter(field, column, row.row(), &mut written)
            .map_err(|problem| self.value_error(table, column, problem, row))?;
        Ok(written == [0xff; 4])
    }

    #[cold]
    pub fn value_error(&self, table: &Table, column: usize, problem: ValueProblem, row: RowRef) -> PgError {
        let key = table.encoder.key_text(&table.key, self.fields(row), row.row());
        table.encoder.value_error(column, problem, key)
    }

    /// All changes of the window in the order of the log.
    pub fn in_order(&self) -> Vec<Change> {
        match self.slots.as_slice() {
            [only] => only.changes.clone(),
            slots => {
                let mut all: Vec<Change> = slots.iter().flat_map(|slot| slot.changes.iter().copied()).collect();
                all.sort_unstable_by_key(|change| change.seq);
                all
            }
        }
    }
}

pub(crate) fn unknown(id: u32) -> PgError {
    PgError::Usage(format!("table {id} was not registered"))
}

/// Appends the batch's changes. `acted_on`: foreign keys may change rows of the table.
fn read_changes(
    batch: &RecordBatch,
    slot: u32,
    part: u32,
    acted_on: bool,
    changes: &mut Vec<Change>,
) -> Result<(), String> {
    let read = Changes::new(batch)?;
    changes.reserve(read.rows());
    for change in read {
        let change = change?;
        if changes.last().is_some_and(|last| last.seq >= change.seq) {
            return Err(format!("seq does not ascend in row {}", change.row));
        }
        let (image, after) = (RowRef { part, row: change.row }, RowRef { part, row: change.after() });
        let flagged = change.flags & CARRIES_CASCADES != 0;
        // No foreign key makes a row.
        let tolerant = flagged && acted_on && change.op != Op::Insert;
        changes.push(Change { seq: change.seq, slot, image, after, op: change.op, flagged, tolerant, again: false });
    }
    Ok(())
}
