use hashbrown::HashTable;

use super::plan::action;
use super::told;
use super::window::{Change, Op, RowRef, Window};
use crate::error::{Conflict, PgError, Result};

/// What became of one key in a group: the image it began with and the one it ends with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// An image that has the key.
    pub key: RowRef,
    /// Before the group; None: the row was not there.
    pub first: Option<RowRef>,
    /// After the group; None: the row is not there.
    pub last: Option<RowRef>,
    /// One of the changes may have been done by the target's own foreign keys already.
    pub tolerant: bool,
    /// The row went and came again.
    pub returned: bool,
    /// The row came in this group, and has not gone since: it is there, whatever was before.
    pub came: bool,
}

impl Entry {
    /// Whether the row exists before and after: it is updated, never deleted and inserted.
    fn stays(&self) -> bool {
        self.first.is_some() && self.last.is_some()
    }
}

/// Whether a change went into a group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    Yes,
    /// The group must be applied before: in one step with it, the change would meet a unique value
    /// that another row of the group gives up in the same statement.
    CutFirst,
}

/// Changes of one table that are applied in one go: deletes, then updates, then inserts, each key
/// once.
///
/// Deleting first, updating second and inserting last makes every hand-over of a unique value safe,
/// save one: that from an updated row to another updated row, for a unique index is checked row by
/// row within a statement. Such a change cuts the group.
pub(crate) struct Group {
    slot: usize,
    index: HashTable<u32>,
    pub entries: Vec<Entry>,
    /// Per unique index: who held a value before the group, and who holds it after, among the
    /// entries.
    first_holders: Vec<HashTable<u32>>,
    last_holders: Vec<HashTable<u32>>,
}

impl Group {
    pub fn new(slot: usize, window: &Window<'_, '_>) -> Self {
        let uniques = window.slots[slot].table.uniques.len();
        Self {
            slot,
            index: HashTable::new(),
            entries: Vec::new(),
            first_holders: (0..uniques).map(|_| HashTable::new()).collect(),
            last_holders: (0..uniques).map(|_| HashTable::new()).collect(),
        }
    }

    /// Takes a change in. `Err`: the changes contradict each other, so the log and the target cannot
    /// both be right.
    pub fn add(&mut self, window: &Window<'_, '_>, change: &Change) -> Result<Added> {
        let (before, after) = (change.image, change.after);
        let moves = match change.op {
            Op::Insert => [Some((before, None, Some(before))), None],
            Op::Delete => [Some((before, Some(before), None)), None],
            Op::Update if window.key(before).0 == window.key(after).0 => {
                [Some((before, Some(before), Some(after))), None]
            }
            // The old key goes, the new one comes.
            Op::Update => [Some((before, Some(before), None)), Some((after, None, Some(after)))],
        };
        // All is looked at before anything is taken, so that no half of a change stays behind.
        let moves = || moves.iter().flatten().copied();
        if moves().any(|(key, from, to)| self.must_cut(window, key, from, to)) {
            return Ok(Added::CutFirst);
        }
        for (key, from, to) in moves() {
            self.take(window, change, key, from, to)?;
        }
        Ok(Added::Yes)
    }

    fn find(&self, window: &Window<'_, '_>, key: RowRef) -> Option<usize> {
        let (bytes, hash) = window.key(key);
        self.index.find(hash, |&at| window.key(self.entries[at as usize].key).0 == bytes).map(|at| *at as usize)
    }

    /// The entry of a key as it would be after a change from `from` to `to`.
    fn outcome(&self, window: &Window<'_, '_>, key: RowRef, from: Option<RowRef>, to: Option<RowRef>) -> Entry {
        match self.find(window, key) {
            Some(at) => {
                let entry = self.entries[at];
                // A row that is not there is not updated, where that is no contradiction.
                let partial = window.slots[self.slot].table.target.partial;
                let to = to.filter(|_| !(partial && from.is_some() && entry.last.is_none()));
                let came = to.is_some() && (entry.came || from.is_none());
                Entry { last: to, returned: entry.returned || (entry.last.is_none() && to.is_some()), came, ..entry }
            }
            None => {
                let came = from.is_none() && to.is_some();
                Entry { key, first: from, last: to, tolerant: false, returned: false, came }
            }
        }
    }

    fn must_cut(&self, window: &Window<'_, '_>, key: RowRef, from: Option<RowRef>, to: Option<RowRef>) -> bool {
        if self.first_holders.is_empty() {
            return false;
        }
        let entry = self.outcome(window, key, from, to);
        let (true, Some(last)) = (self.updates(window, &entry), entry.last) else { return false };
        let own = self.find(window, key);
        (0..self.first_holders.len()).any(|index| {
            let old = entry.first.and_then(|first| window.unique(index, first));
            let new = window.unique(index, last);
            if entry.first.is_some() && old.map(|value| value.0) == new.map(|value| value.0) {
                return false;
            }
            let takes = new.and_then(|value| self.holder(window, index, value, true));
            let gives = old.and_then(|value| self.holder(window, index, value, false));
            let others = [takes, gives].into_iter().flatten().filter(|holder| Some(*holder) != own);
            others.into_iter().any(|holder| self.updates(window, &self.entries[holder]))
        })
    }

    /// Who has a unique value before the group (`first`) or after it.
    fn holder(&self, window: &Window<'_, '_>, index: usize, value: (&[u8], u64), first: bool) -> Option<usize> {
        let holders = if first { &self.first_holders } else { &self.last_holders };
        let same = |&at: &u32| {
            let entry = &self.entries[at as usize];
            let image = if first { entry.first } else { entry.last };
            image.and_then(|row| window.unique(index, row)).is_some_and(|held| held.0 == value.0)
        };
        holders[index].find(value.1, same).map(|at| *at as usize)
    }

    /// Whether the entry becomes part of the UPDATE. What may be there is tried as an update first.
    fn updates(&self, window: &Window<'_, '_>, entry: &Entry) -> bool {
        let slot = &window.slots[self.slot];
        entry.stays() || ((slot.idempotent || slot.table.target.partial) && entry.last.is_some())
    }

    fn take(
        &mut self,
        window: &Window<'_, '_>,
        change: &Change,
        key: RowRef,
        from: Option<RowRef>,
        to: Option<RowRef>,
    ) -> Result<()> {
        let slot = &window.slots[self.slot];
        let strict = !slot.idempotent && !slot.table.target.partial && !change.tolerant;
        let found = self.find(window, key);
        if let Some(at) = found
            && strict
            && self.entries[at].last.is_some() != from.is_some()
        {
            return Err(self.contradiction(window, change, key));
        }
        let mut entry = self.outcome(window, key, from, to);
        entry.tolerant |= change.tolerant;
        let at = match found {
            Some(at) => at,
            None => {
                let hash = window.key(key).1;
                let entries = &self.entries;
                self.index.insert_unique(hash, entries.len() as u32, |&at| window.key(entries[at as usize].key).1);
                self.entries.push(Entry { last: None, ..entry });
                self.note_first(window, self.entries.len() - 1);
                self.entries.len() - 1
            }
        };
        self.note_last(window, at, entry.last);
        self.entries[at] = entry;
        Ok(())
    }

    fn note_first(&mut self, window: &Window<'_, '_>, at: usize) {
        let Some(first) = self.entries[at].first else { return };
        for (index, holders) in self.first_holders.iter_mut().enumerate() {
            if let Some((_, hash)) = window.unique(index, first) {
                let entries = &self.entries;
                holders.insert_unique(hash, at as u32, |&at| first_hash(window, index, &entries[at as usize]));
            }
        }
    }

    fn note_last(&mut self, window: &Window<'_, '_>, at: usize, to: Option<RowRef>) {
        for index in 0..self.last_holders.len() {
            if let Some((_, hash)) = self.entries[at].last.and_then(|row| window.unique(index, row))
                && let Ok(held) = self.last_holders[index].find_entry(hash, |&holder| holder as usize == at)
            {
                held.remove();
            }
        }
        self.entries[at].last = to;
        for index in 0..self.last_holders.len() {
            if let Some((_, hash)) = to.and_then(|row| window.unique(index, row)) {
                let entries = &self.entries;
                let rehash = |&at: &u32| last_hash(window, index, &entries[at as usize]);
                self.last_holders[index].insert_unique(hash, at as u32, rehash);
            }
        }
    }

    fn contradiction(&self, window: &Window<'_, '_>, change: &Change, key: RowRef) -> PgError {
        let target = &window.slots[self.slot].table.target;
        let (expected, found) = match change.op {
            Op::Insert => ("no row", "a row that an earlier change of the same window left"),
            _ => ("one row", "none: an earlier change of the same window removed it"),
        };
        PgError::Conflict(Box::new(Conflict {
            schema: target.schema.clone(),
            table: target.table.clone(),
            op: change.op.name(),
            key: window.key_text(self.slot, key),
            expected: expected.to_owned(),
            found: found.to_owned(),
            constraint: None,
            statement: Some(told::statement(window, &action(window, change))),
        }))
    }
}

fn first_hash(window: &Window<'_, '_>, index: usize, entry: &Entry) -> u64 {
    entry.first.and_then(|row| window.unique(index, row)).map_or(0, |value| value.1)
}

fn last_hash(window: &Window<'_, '_>, index: usize, entry: &Entry) -> u64 {
    entry.last.and_then(|row| window.unique(index, row)).map_or(0, |value| value.1)
}
