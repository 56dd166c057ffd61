//! What a failed pipeline means, in terms of rows and keys.

use super::execute::part;
use super::plan::{Action, Deed, How, Step};
use super::told;
use super::window::{RowRef, Window};
use crate::error::{Conflict, PgError, ServerError, UNIQUE_VIOLATION};
use crate::pipeline::Failure;

/// The error to report for a failure.
pub(crate) fn explain(window: &Window<'_, '_>, steps: &[Step], failure: Failure) -> PgError {
    match failure {
        Failure::Other(error) => error,
        Failure::Server { token, error } => server(window, place(steps, token), *error),
        Failure::Rows { token, found } => match place(steps, token) {
            Some((Step::Rows(actions), within)) => match actions.get(within as usize) {
                Some(action) => rows_conflict(window, action, found),
                None => PgError::protocol("a count for no action"),
            },
            Some((step, _)) => count_conflict(window, step, found),
            None => PgError::protocol("a count for no step"),
        },
        Failure::Counts { token, found, offender } => match place(steps, token) {
            Some((step, _)) => set_conflict(window, step, found, offender),
            None => PgError::protocol("counts for no step"),
        },
    }
}

fn place(steps: &[Step], token: u64) -> Option<(&Step, u32)> {
    Some((steps.get(usize::try_from(token >> 32).ok()?)?, token as u32))
}

/// A conflict without key or constraint yet.
fn conflict(window: &Window<'_, '_>, slot: usize, op: &'static str, expected: &str, found: String) -> Conflict {
    let target = &window.slots[slot].table.target;
    Conflict {
        schema: target.schema.clone(),
        table: target.table.clone(),
        op,
        key: None,
        expected: expected.to_owned(),
        found,
        constraint: None,
        statement: None,
    }
}

fn rows(count: u64) -> String {
    match count {
        0 => "no row".to_owned(),
        1 => "one row".to_owned(),
        _ => format!("{count} rows"),
    }
}

fn rows_conflict(window: &Window<'_, '_>, action: &Action, found: u64) -> PgError {
    let (op, expected, row) = match action.deed {
        Deed::Insert => ("insert", "one row", action.after),
        Deed::Update => ("update", "one row", action.before),
        Deed::Delete => ("delete", "one row", action.before),
        Deed::Absent => ("insert", "no row", action.before),
    };
    let mut conflict = conflict(window, action.slot as usize, op, expected, rows(found));
    conflict.key = window.key_text(action.slot as usize, row);
    conflict.statement = Some(told::statement(window, action));
    PgError::Conflict(Box::new(conflict))
}

/// COPY took another number of rows than it was given: a trigger of the target dropped some.
fn count_conflict(window: &Window<'_, '_>, step: &Step, found: u64) -> PgError {
    let (slot, op, given) = match step {
        Step::Copy { slot, rows } => (*slot, "insert", rows.len()),
        Step::Delete { slot, present, .. } => (*slot, "delete", present.len()),
        Step::Update { slot, present, .. } => (*slot, "update", present.len()),
        Step::Rows(_) => return PgError::protocol("a count for no action"),
    };
    let expected = rows(given as u64);
    PgError::Conflict(Box::new(conflict(window, slot, op, &expected, rows(found))))
}

fn set_conflict(window: &Window<'_, '_>, step: &Step, found: (u64, u64), offender: Option<u64>) -> PgError {
    let (slot, op, present, absent) = match step {
        Step::Delete { slot, present, absent, .. } => (*slot, "delete", present, absent.as_slice()),
        Step::Update { slot, present, .. } => (*slot, "update", present, &[][..]),
        _ => return PgError::protocol("counts for a step that does not count"),
    };
    let row = |at: u64| {
        let at = usize::try_from(at).ok()?;
        present.get(at).or_else(|| absent.get(at - present.len())).copied()
    };
    let row: Option<RowRef> = offender.and_then(row);
    let key = row.and_then(|row| window.key_text(slot, row));
    let mut conflict = if found.0 != present.len() as u64 {
        let missing = format!("{} of {} such rows in the window", found.0, present.len());
        conflict(window, slot, op, "one row", if key.is_some() { format!("no row ({missing})") } else { missing })
    } else {
        conflict(window, slot, "insert", "no row", "a row".to_owned())
    };
    conflict.key = key;
    let deed = match conflict.op {
        "delete" => Deed::Delete,
        "update" => Deed::Update,
        _ => Deed::Insert,
    };
    let action = |row| Action { slot: slot as u32, deed, how: How::Strict, before: row, after: row };
    conflict.statement = row.map(|row| told::statement(window, &action(row)));
    PgError::Conflict(Box::new(conflict))
}

/// The conflict that a row is a duplicate in a unique index.
pub(crate) fn duplicate(window: &Window<'_, '_>, action: &Action, error: ServerError) -> PgError {
    server(window, Some((&Step::Rows(vec![*action]), 0)), error)
}

/// A duplicate is a conflict; all else is the server's own business.
fn server(window: &Window<'_, '_>, place: Option<(&Step, u32)>, error: ServerError) -> PgError {
    let Some((step, within)) = place.filter(|_| error.sqlstate == UNIQUE_VIOLATION) else { return error.into() };
    let (slot, op, action) = match step {
        Step::Rows(actions) => {
            let Some(action) = actions.get(within as usize) else { return error.into() };
            let op = if action.deed == Deed::Insert { "insert" } else { "update" };
            (action.slot as usize, op, Some(action))
        }
        Step::Update { slot, .. } => (*slot, if within == part::INSERT { "insert" } else { "update" }, None),
        Step::Copy { slot, .. } => (*slot, "insert", None),
        Step::Delete { slot, .. } => (*slot, "delete", None),
    };
    let key = action.and_then(|action| window.key_text(slot, action.after));
    let mut conflict = conflict(window, slot, op, "no other row with the same unique value", "one".to_owned());
    conflict.key = key.or_else(|| error.detail.as_deref().and_then(key_in_detail));
    conflict.constraint = error.constraint;
    conflict.statement = action.map(|action| told::statement(window, action));
    PgError::Conflict(Box::new(conflict))
}

/// "Key (id)=(5) already exists." -> "(id)=(5)". (Messages are not translated in their structure.)
fn key_in_detail(detail: &str) -> Option<String> {
    let from = detail.find('(')?;
    let to = detail.rfind(')')?;
    detail.get(from..=to).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_cut_out_of_the_detail() {
        assert_eq!(key_in_detail("Key (a, b)=(1, x) already exists.").as_deref(), Some("(a, b)=(1, x)"));
        assert_eq!(key_in_detail("nothing"), None);
    }
}
