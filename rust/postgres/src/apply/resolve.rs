//! A window in which a conflict was found, once more: row by row in the order of the log, and each conflict is
//! resolved as it is wanted.
//!
//! Rows go in spans, each in one round trip and strictly, behind a savepoint of its own. Where one of them is in
//! conflict, what stands before it goes alone; then the row is resolved by itself.

use arrow_array::RecordBatch;

use super::placing::{Place, place};
use super::plan::{Action, Deed, Step, action};
use super::statements::Fixed;
use super::told::{Resolved, Teller};
use super::window::{Change, Window};
use super::{Failed, OnConflict, Savepoint, Session};
use crate::connection::Connection;
use crate::error::{FOREIGN_KEY_VIOLATION, PgError, Result, UNIQUE_VIOLATION};

/// Rows that are tried at once.
const SPAN: usize = 256;
/// How often a row is tried while others write to the same place.
const ATTEMPTS: usize = 10;

/// Whether an error is a conflict that can be resolved.
pub(super) fn possible(error: &PgError, on_conflict: OnConflict) -> bool {
    match error {
        PgError::Conflict(_) => on_conflict != OnConflict::Stop,
        error => on_conflict == OnConflict::Ignore && is_orphan(error),
    }
}

/// Whether a foreign key of the target refused a row.
fn is_orphan(error: &PgError) -> bool {
    error.server().is_some_and(|error| error.sqlstate == FOREIGN_KEY_VIOLATION)
}

/// Applies one window.
pub(super) struct Resolver<'a, 't, 'b> {
    pub connection: &'a mut Connection,
    pub session: &'a mut Session,
    pub window: &'a Window<'t, 'b>,
    pub batches: &'b [(u32, RecordBatch)],
    pub on_conflict: OnConflict,
}

impl Resolver<'_, '_, '_> {
    /// The savepoint before the window is there. Returns what was resolved.
    pub fn resolve(mut self) -> Result<Vec<Resolved>> {
        let changes = self.window.in_order();
        let resolved = match self.pass(&changes, Fixed::Defer) {
            // Which row it was is only known if each is looked at in its turn.
            Err(error) if self.on_conflict == OnConflict::Ignore && is_orphan(&error) => {
                self.pass(&changes, Fixed::CheckNow)?
            }
            other => other?,
        };
        self.session.savepoint = Some(Savepoint::of(self.connection));
        self.session.deferred_in = None;
        Ok(resolved)
    }

    /// All changes; `checks`: when foreign keys are looked at.
    fn pass(&mut self, changes: &[Change], checks: Fixed) -> Result<Vec<Resolved>> {
        self.connection.simple_query(&format!("{}; {}", Fixed::RestoreWindow.sql(), checks.sql()))?;
        let teller = Teller { window: self.window, batches: self.batches, on_conflict: self.on_conflict };
        let actions: Vec<Action> = changes.iter().map(|change| action(self.window, change)).collect();
        let mut resolved = Vec::new();
        let mut at = 0;
        while at < actions.len() {
            let span = &actions[at..actions.len().min(at + SPAN)];
            let Some((first, error)) = self.try_rows(span)? else {
                at += span.len();
                continue;
            };
            if first > 0 && self.try_rows(&span[..first])?.is_some() {
                continue; // somebody has written to a row that was right a moment ago
            }
            at += first;
            resolved.push(teller.change(&changes[at], &actions[at], &error));
            if self.on_conflict == OnConflict::Overwrite && actions[at].deed != Deed::Delete {
                let removed = self.overwrite(&actions[at], error)?;
                let told = (1..).zip(&removed);
                resolved.extend(told.map(|(part, (unique, row))| teller.removed(&changes[at], part, unique, row)));
            }
            at += 1;
        }
        if self.on_conflict == OnConflict::Ignore && checks == Fixed::Defer {
            self.connection.simple_query(Fixed::CheckNow.sql())?;
        }
        Ok(resolved)
    }

    /// Applies rows. If one of them is in conflict, none is applied, and it is told which.
    fn try_rows(&mut self, actions: &[Action]) -> Result<Option<(usize, PgError)>> {
        let steps = [Step::Rows(actions.to_vec())];
        match self.session.send(self.connection, self.window, &steps, &[Fixed::SaveRows], &[]) {
            Ok(()) => {
                self.connection.simple_query(Fixed::ReleaseRows.sql())?;
                Ok(None)
            }
            Err(Failed { error, action: Some(first) }) if possible(&error, self.on_conflict) => {
                self.restore_rows()?;
                Ok(Some((first, error)))
            }
            Err(failed) => Err(failed.error),
        }
    }

    fn restore_rows(&mut self) -> Result<()> {
        let sql = format!("{}; {}", Fixed::RestoreRows.sql(), Fixed::ReleaseRows.sql());
        self.connection.simple_query(&sql).map(drop)
    }

    /// The row shall be as the change leaves it. Returns the rows that had to go: the columns of the unique index,
    /// and the texts of all columns.
    fn overwrite(&mut self, action: &Action, error: PgError) -> Result<Vec<Place>> {
        let mut met = error;
        for _ in 0..ATTEMPTS {
            self.connection.simple_query(Fixed::SaveRows.sql())?;
            match place(self.connection, self.window, action) {
                Ok(Some(removed)) => {
                    self.connection.simple_query(Fixed::ReleaseRows.sql())?;
                    return Ok(removed);
                }
                Ok(None) => {}
                Err(PgError::Server(error)) if error.sqlstate == UNIQUE_VIOLATION => {
                    met = super::explain::duplicate(self.window, action, *error);
                }
                Err(other) => return Err(other),
            }
            self.restore_rows()?;
        }
        Err(met)
    }
}
