//! The transaction under way.

use crate::TransactionId;
use crate::event::Control;
use crate::held::Held;
use crate::origins::Origin;
use crate::query::Xid;
use crate::window::Mark;

/// What MariaDB's `binlog_alter_two_phase` makes of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alter {
    /// Nothing special, or the second half of an ALTER that succeeded.
    Whole,
    /// The first half, or the end of one that failed: nothing has changed.
    Void,
}

/// A transaction, or a statement of its own, from its GTID to its end.
pub(crate) struct Group {
    pub id: TransactionId,
    /// It was applied before this decoder began: its rows are dropped.
    pub applied: bool,
    /// BEGIN was seen (or stands in MariaDB's GTID).
    pub began: bool,
    pub alter: Alter,
    /// Commit in microseconds since 1970, if the GTID told.
    pub commit_us: i64,
    /// Time and place of the event that began it.
    pub begun_us: i64,
    pub begun_pos: u64,
    /// Rows are held until an XA transaction is decided.
    pub xa: Option<Box<(Xid, Held)>>,
    /// The prepared XA transaction whose rows these are, if it is the decision on one.
    pub decides: Option<Xid>,
    savepoints: Vec<Savepoint>,
    /// Parts handed over so far.
    pub parts: u32,
    /// For the next part.
    controls: Vec<(u32, Control)>,
}

struct Savepoint {
    name: String,
    mark: Mark,
    /// Number of the part in which it was set, and its place there.
    part: u32,
    seq: u32,
}

impl Group {
    pub fn new(id: TransactionId, applied: bool, begun_us: i64, begun_pos: u64) -> Self {
        Self {
            id,
            applied,
            began: false,
            alter: Alter::Whole,
            commit_us: 0,
            begun_us,
            begun_pos,
            xa: None,
            decides: None,
            savepoints: Vec::new(),
            parts: 0,
            controls: Vec::new(),
        }
    }

    /// Where it comes from, as far as its begin tells.
    pub fn origin(&self) -> Origin {
        let moment_us = if self.commit_us > 0 { self.commit_us } else { self.begun_us };
        Origin { id: self.id.clone(), moment_us, pos: self.begun_pos }
    }

    pub fn savepoint(&mut self, name: String, mark: Mark, seq: u32) {
        self.savepoints.retain(|own| !own.name.eq_ignore_ascii_case(&name));
        self.savepoints.push(Savepoint { name, mark, part: self.parts, seq });
    }

    /// Forgets savepoints set since; tells back to which mark of the current part rows are undone: None
    /// is its begin, and then the earlier parts are concerned too. Err if there is no such savepoint.
    pub fn rollback_to(&mut self, name: &str, seq: u32) -> Result<Option<&Mark>, ()> {
        let found = self.savepoints.iter().position(|own| own.name.eq_ignore_ascii_case(name)).ok_or(())?;
        self.savepoints.truncate(found + 1);
        if self.savepoints[found].part == self.parts {
            return Ok(Some(&self.savepoints[found].mark));
        }
        self.controls.push((seq, Control::RollbackTo(self.savepoints[found].name.clone())));
        Ok(None)
    }

    pub fn rollback(&mut self, seq: u32) {
        self.savepoints.clear();
        if self.parts > 0 {
            self.controls.push((seq, Control::Rollback));
        }
    }

    /// Controls of the part that is cut now, in order: also the savepoints that were set in it and live.
    pub fn take_controls(&mut self) -> Vec<(u32, Control)> {
        let mut controls = std::mem::take(&mut self.controls);
        let set = self.savepoints.iter().filter(|own| own.part == self.parts);
        controls.extend(set.map(|own| (own.seq, Control::Savepoint(own.name.clone()))));
        controls.sort_by_key(|control| control.0);
        self.parts += 1;
        controls
    }
}
