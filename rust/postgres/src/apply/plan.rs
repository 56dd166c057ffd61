use super::Mode;
use super::group::{Added, Entry, Group};
use super::table::Columns;
use super::window::{Change, Op, RowRef, Window};
use crate::error::Result;

/// From this many rows on, staging is cheaper than a statement a row. (Measured: emptying a staging
/// table, COPY into it and one statement over it cost about as much as 60 statements.)
pub(crate) const SET_ROWS_MIN: usize = 64;

/// How the target must be found for a change to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Exactly as the change presupposes.
    Strict,
    /// As it presupposes, or as it leaves it.
    Tolerant,
    /// Anyhow: the row shall be as the change leaves it.
    Idempotent,
    /// Anyhow, but an update makes no row: not all changes of the row came this way.
    Partial,
}

/// What to do with one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Insert,
    Update,
    Delete,
    /// Make sure that there is no such row.
    Absent,
}

/// One row to be changed by a statement of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action {
    pub slot: u32,
    pub deed: Deed,
    pub how: How,
    /// The image to be found, for Update and Delete.
    pub before: RowRef,
    /// The image to be left, for Insert and Update.
    pub after: RowRef,
}

/// One step of a window's apply. Steps are done in order.
#[derive(Debug)]
pub(crate) enum Step {
    /// Row by row, in order, all in one pipeline.
    Rows(Vec<Action>),
    /// One DELETE over staged keys.
    Delete {
        slot: usize,
        /// Must be there.
        present: Vec<RowRef>,
        /// Must not be there.
        absent: Vec<RowRef>,
        /// May be there.
        tolerated: Vec<RowRef>,
    },
    /// One UPDATE over staged rows, then one INSERT of those of `upserts` that are not there.
    Update {
        slot: usize,
        columns: Columns,
        /// Must be there.
        present: Vec<RowRef>,
        /// May be there.
        tolerated: Vec<RowRef>,
        /// May be there, and shall be.
        upserts: Vec<RowRef>,
    },
    /// COPY into the table.
    Copy { slot: usize, rows: Vec<RowRef> },
}

/// Turns a window's changes into steps.
pub(crate) struct Planner<'w, 't, 'b> {
    window: &'w Window<'t, 'b>,
    /// From this many rows on, by sets.
    set_rows_min: usize,
    /// Changes that are being merged, per slot.
    groups: Vec<Option<Group>>,
    /// Changes of keyless tables, per slot.
    keyless: Vec<Vec<Change>>,
    /// A run of changes with effects on other rows, or that may not be reordered; all of one slot.
    run: Vec<Change>,
    steps: Vec<Step>,
}

/// The steps that apply a window. Keys of all slots that [`needs_keys`] names are computed.
pub(crate) fn plan(window: &Window<'_, '_>, mode: Mode, set_rows_min: usize) -> Result<Vec<Step>> {
    let slots = window.slots.len();
    let mut planner = Planner {
        window,
        set_rows_min,
        groups: (0..slots).map(|_| None).collect(),
        keyless: (0..slots).map(|_| Vec::new()).collect(),
        run: Vec::new(),
        steps: Vec::new(),
    };
    match mode {
        Mode::Transactional => planner.transactional()?,
        Mode::Merged => planner.merged()?,
    }
    Ok(planner.steps)
}

/// The slots whose keys the planner compares.
pub(crate) fn needs_keys(window: &Window<'_, '_>, mode: Mode, set_rows_min: usize) -> Vec<usize> {
    let long = |slot: &usize| mode == Mode::Merged || window.slots[*slot].changes.len() >= set_rows_min;
    (0..window.slots.len()).filter(|slot| window.slots[*slot].table.has_key() && long(slot)).collect()
}

/// The change by a statement of its own.
pub(crate) fn action(window: &Window<'_, '_>, change: &Change) -> Action {
    let (deed, before, after) = match change.op {
        Op::Insert => (Deed::Insert, change.image, change.image),
        Op::Update => (Deed::Update, change.image, change.after),
        Op::Delete => (Deed::Delete, change.image, change.image),
    };
    let slot = &window.slots[change.slot as usize];
    let partial = slot.table.target.partial;
    // While a load is caught up with, only an update that changes the key may bring the row.
    let updates = || change.op == Op::Update && window.same(change.image, change.after, &slot.table.key);
    let how = match (slot.idempotent, change.tolerant) {
        _ if change.again => How::Idempotent,
        (true, _) if partial && updates() => How::Partial,
        (true, _) => How::Idempotent,
        (false, true) => How::Tolerant,
        (false, false) if partial => How::Partial,
        (false, false) => How::Strict,
    };
    Action { slot: change.slot, deed, how, before, after }
}

impl Planner<'_, '_, '_> {
    /// Every row once: one group a table, cut only where order matters between rows or tables.
    fn merged(&mut self) -> Result<()> {
        let window = self.window;
        if window.slots.iter().any(|slot| slot.table.target.referenced_with_actions) {
            for change in window.in_order() {
                self.merge(&change)?;
            }
            self.flush_all();
            return Ok(());
        }
        for (number, slot) in window.slots.iter().enumerate() {
            for change in &slot.changes {
                self.merge(change)?;
            }
            self.flush_run();
            self.flush(number);
        }
        Ok(())
    }

    /// In the order of the log; runs of one table that are long enough as a group.
    fn transactional(&mut self) -> Result<()> {
        let changes = self.window.in_order();
        for run in changes.chunk_by(|left, right| left.slot == right.slot) {
            let slot = &self.window.slots[run[0].slot as usize];
            if run.len() < self.set_rows_min || slot.in_order() {
                run.iter().for_each(|change| self.push_action(self.action(change)));
            } else if slot.takes_copies() && run.iter().all(|change| change.op == Op::Insert) {
                self.steps.push(Step::Copy { slot: run[0].slot as usize, rows: images(run) });
            } else {
                for change in run {
                    self.merge(change)?;
                }
                self.flush_all();
            }
        }
        Ok(())
    }

    fn merge(&mut self, change: &Change) -> Result<()> {
        let slot = change.slot as usize;
        if self.window.slots[slot].in_order() || self.has_wide_effects(change) {
            if self.run.first().is_none_or(|first| first.slot != change.slot) {
                self.flush_all();
            }
            self.run.push(*change);
            return Ok(());
        }
        self.flush_run();
        if !self.window.slots[slot].table.has_key() {
            self.keyless[slot].push(*change);
            return Ok(());
        }
        let own = &self.window.slots[slot];
        let looks = change.tolerant || (own.table.target.partial && !own.idempotent);
        if change.again || (looks && change.op == Op::Update && !self.same_key(change)) {
            // The target may have changed the key itself, or deleted the row, or never had it. That is for one row at
            // a time.
            self.flush(slot);
            self.push_action(self.action(change));
            return Ok(());
        }
        let window = self.window;
        if self.groups[slot].get_or_insert_with(|| Group::new(slot, window)).add(window, change)? == Added::CutFirst {
            self.flush(slot);
            self.groups[slot].insert(Group::new(slot, window)).add(window, change)?;
        }
        Ok(())
    }

    /// Whether the target's foreign keys change further rows with this one, so that neither what came
    /// before nor what comes after may be reordered with it.
    fn has_wide_effects(&self, change: &Change) -> bool {
        let table = self.window.slots[change.slot as usize].table;
        if !table.target.referenced_with_actions {
            return false;
        }
        match change.op {
            Op::Insert => false,
            Op::Delete => true,
            Op::Update => {
                let columns = std::iter::once(&table.key).chain(&table.uniques);
                !columns.into_iter().all(|columns| self.window.same(change.image, change.after, columns))
            }
        }
    }

    fn same_key(&self, change: &Change) -> bool {
        self.window.key(change.image).0 == self.window.key(change.after).0
    }

    fn action(&self, change: &Change) -> Action {
        action(self.window, change)
    }

    fn push_action(&mut self, action: Action) {
        match self.steps.last_mut() {
            Some(Step::Rows(actions)) => actions.push(action),
            _ => self.steps.push(Step::Rows(vec![action])),
        }
    }

    fn flush_all(&mut self) {
        self.flush_run();
        for slot in 0..self.groups.len() {
            self.flush(slot);
        }
    }

    fn flush_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        let Some(slot) = run.first().map(|first| first.slot as usize) else { return };
        let strict = |change: &Change| change.op == Op::Delete && self.action(change).how == How::Strict;
        let has_key = self.window.slots[slot].table.has_key();
        if run.len() >= self.set_rows_min && has_key && run.iter().all(strict) {
            self.steps.push(Step::Delete { slot, present: images(&run), absent: Vec::new(), tolerated: Vec::new() });
        } else {
            run.iter().for_each(|change| self.push_action(self.action(change)));
        }
    }

    fn flush(&mut self, slot: usize) {
        self.flush_keyless(slot);
        let Some(group) = self.groups[slot].take() else { return };
        let mut sorted = Sorted::default();
        let own = &self.window.slots[slot];
        for entry in &group.entries {
            sorted.add(entry, own.idempotent, own.table.target.partial);
        }
        self.flush_deletes(slot, &sorted);
        self.flush_updates(slot, &sorted);
        self.flush_inserts(slot, sorted.inserts);
    }

    fn flush_deletes(&mut self, slot: usize, sorted: &Sorted) {
        let count = sorted.deletes.len() + sorted.absent.len() + sorted.tolerated_deletes.len();
        if count >= self.set_rows_min {
            let (present, absent) = (sorted.deletes.clone(), sorted.absent.clone());
            self.steps.push(Step::Delete { slot, present, absent, tolerated: sorted.tolerated_deletes.clone() });
            return;
        }
        let classes = [
            (&sorted.deletes, Deed::Delete, How::Strict),
            (&sorted.absent, Deed::Absent, How::Strict),
            (&sorted.tolerated_deletes, Deed::Delete, How::Tolerant),
        ];
        for (rows, deed, how) in classes {
            for &row in rows {
                self.push_action(Action { slot: slot as u32, deed, how, before: row, after: row });
            }
        }
    }

    fn flush_updates(&mut self, slot: usize, sorted: &Sorted) {
        let count = sorted.updates.len() + sorted.tolerated_updates.len() + sorted.upserts.len();
        if count >= self.set_rows_min {
            let after = |pairs: &[(RowRef, RowRef)]| pairs.iter().map(|pair| pair.1).collect();
            self.steps.push(Step::Update {
                slot,
                columns: self.changed_columns(slot, sorted),
                present: after(&sorted.updates),
                tolerated: after(&sorted.tolerated_updates),
                upserts: sorted.upserts.clone(),
            });
            return;
        }
        let tolerated = if self.window.slots[slot].table.target.partial { How::Partial } else { How::Tolerant };
        for (pairs, how) in [(&sorted.updates, How::Strict), (&sorted.tolerated_updates, tolerated)] {
            for &(before, after) in pairs {
                self.push_action(Action { slot: slot as u32, deed: Deed::Update, how, before, after });
            }
        }
        for &row in &sorted.upserts {
            let (deed, how) = (Deed::Insert, How::Idempotent);
            self.push_action(Action { slot: slot as u32, deed, how, before: row, after: row });
        }
    }

    fn flush_inserts(&mut self, slot: usize, rows: Vec<RowRef>) {
        if rows.len() >= self.set_rows_min {
            self.steps.push(Step::Copy { slot, rows });
            return;
        }
        for row in rows {
            let (deed, how) = (Deed::Insert, How::Strict);
            self.push_action(Action { slot: slot as u32, deed, how, before: row, after: row });
        }
    }

    /// Inserts that stand together in long runs go by COPY, all else row by row.
    fn flush_keyless(&mut self, slot: usize) {
        let changes = std::mem::take(&mut self.keyless[slot]);
        for run in changes.chunk_by(|left, right| (left.op == Op::Insert) == (right.op == Op::Insert)) {
            if run[0].op == Op::Insert && run.len() >= self.set_rows_min {
                self.steps.push(Step::Copy { slot, rows: images(run) });
            } else {
                run.iter().for_each(|change| self.push_action(self.action(change)));
            }
        }
    }

    /// The columns in which any of the updated rows changes; all, if rows may be there as nobody knows.
    fn changed_columns(&self, slot: usize, sorted: &Sorted) -> Columns {
        let table = self.window.slots[slot].table;
        let count = table.sql_columns.len();
        if !sorted.upserts.is_empty() || table.target.partial {
            return Columns::all(count);
        }
        let mut columns = Columns::none(count);
        let mut left: Vec<usize> = (0..count).collect();
        for &(before, after) in sorted.updates.iter().chain(&sorted.tolerated_updates) {
            left.retain(|&column| {
                let same = self.window.same(before, after, &[column]);
                if !same {
                    columns.insert(column);
                }
                same
            });
            if left.is_empty() {
                break;
            }
        }
        columns
    }
}

fn images(changes: &[Change]) -> Vec<RowRef> {
    changes.iter().map(|change| change.image).collect()
}

/// The entries of a group by what is done with them.
#[derive(Default)]
struct Sorted {
    deletes: Vec<RowRef>,
    absent: Vec<RowRef>,
    tolerated_deletes: Vec<RowRef>,
    updates: Vec<(RowRef, RowRef)>,
    tolerated_updates: Vec<(RowRef, RowRef)>,
    upserts: Vec<RowRef>,
    inserts: Vec<RowRef>,
}

impl Sorted {
    fn add(&mut self, entry: &Entry, idempotent: bool, partial: bool) {
        let tolerant = entry.tolerant || idempotent || partial;
        match (entry.first, entry.last) {
            (Some(first), None) if tolerant => self.tolerated_deletes.push(first),
            (Some(first), None) => self.deletes.push(first),
            // Came and went: whoever was there before must not be touched, unless repeating.
            (None, None) if tolerant => self.tolerated_deletes.push(entry.key),
            (None, None) => self.absent.push(entry.key),
            (_, Some(last)) if partial && entry.came => self.upserts.push(last),
            (Some(first), Some(last)) if partial => self.tolerated_updates.push((first, last)),
            (_, Some(last)) if idempotent => self.upserts.push(last),
            (Some(_), Some(last)) if tolerant && entry.returned => self.upserts.push(last),
            (Some(first), Some(last)) if tolerant => self.tolerated_updates.push((first, last)),
            (Some(first), Some(last)) => self.updates.push((first, last)),
            (None, Some(last)) if tolerant => self.upserts.push(last),
            (None, Some(last)) => self.inserts.push(last),
        }
    }
}
