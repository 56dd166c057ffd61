//! What is told of a conflict that was resolved.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;

use super::OnConflict;
use super::plan::{Action, Deed};
use super::table::Table;
use super::window::{Change, RowRef, Window};
use crate::error::PgError;

/// Characters of one value that are told, and of one statement.
const VALUE_CHARS: usize = 200;
const STATEMENT_CHARS: usize = 4000;

/// A change that found the target otherwise than it presupposed, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Id of the table.
    pub table: u32,
    /// Ordinal of the change in the window.
    pub seq: u32,
    /// Ordinal of the source transaction in the window.
    pub txn: u32,
    /// 0: the change itself. From 1 on: rows of the target that had to go for it.
    pub part: u32,
    /// "insert", "update" or "delete".
    pub op: &'static str,
    /// "ignored" or "overwritten".
    pub resolved: &'static str,
    /// What was found, without values.
    pub reason: String,
    /// The change as SQL, for people: long values are cut.
    pub statement: String,
}

/// Makes the records of a window.
pub(crate) struct Teller<'w, 't, 'b> {
    pub window: &'w Window<'t, 'b>,
    pub batches: &'b [(u32, RecordBatch)],
    pub on_conflict: OnConflict,
}

impl Teller<'_, '_, '_> {
    /// A change that met `error`.
    pub fn change(&self, change: &Change, action: &Action, error: &PgError) -> Resolved {
        let reason = match error {
            PgError::Conflict(conflict) => {
                let constraint = conflict.constraint.as_ref().map(|name| format!(" (constraint {name})"));
                format!("expected {}, found {}{}", conflict.expected, conflict.found, constraint.unwrap_or_default())
            }
            PgError::Server(error) => error.message.clone(),
            other => other.to_string(),
        };
        self.record(change, 0, change.op.name(), reason, statement(self.window, action))
    }

    /// A row of the target that had to go for a change, by the texts of its columns; `unique` are the columns whose
    /// values it held.
    pub fn removed(&self, change: &Change, part: u32, unique: &[usize], row: &[Option<String>]) -> Resolved {
        let table = self.window.slots[change.slot as usize].table;
        let names: Vec<&str> = unique.iter().map(|&column| table.target.columns[column].name.as_str()).collect();
        let reason = format!("it held the value of the source's row in the unique index of ({})", names.join(", "));
        let values = row.iter().map(|value| quoted(value.as_deref())).enumerate();
        let statement = format!("DELETE FROM {} WHERE {}", table.sql_name, joined(table, values, " AND "));
        self.record(change, part, "delete", reason, cut(statement, STATEMENT_CHARS))
    }

    fn record(&self, change: &Change, part: u32, op: &'static str, reason: String, statement: String) -> Resolved {
        let (id, batch) = &self.batches[change.image.part as usize];
        let txns = batch.column(2).as_primitive_opt::<UInt32Type>();
        Resolved {
            table: *id,
            seq: change.seq,
            txn: txns.map_or(0, |txns| txns.value(change.image.row())),
            part,
            op,
            resolved: if self.on_conflict == OnConflict::Ignore { "ignored" } else { "overwritten" },
            reason,
            statement,
        }
    }
}

/// The change as SQL, for people.
#[cold]
pub(crate) fn statement(window: &Window<'_, '_>, action: &Action) -> String {
    let table = window.slots[action.slot as usize].table;
    let name = &table.sql_name;
    let all: Vec<usize> = (0..table.sql_columns.len()).collect();
    let found = if table.has_key() { &table.key } else { &all };
    let found = |row| joined(table, values(window, found, row), " AND ");
    let text = match action.deed {
        Deed::Insert => {
            let values: Vec<String> = values(window, &all, action.after).map(|value| value.1).collect();
            format!("INSERT INTO {name} ({}) VALUES ({})", table.sql_columns.join(", "), values.join(", "))
        }
        Deed::Update => {
            let changes = |column: &usize| !window.same(action.before, action.after, &[*column]);
            let changed: Vec<usize> = all.iter().copied().filter(changes).collect();
            let changed = if changed.is_empty() { &all } else { &changed };
            let set = joined(table, values(window, changed, action.after), ", ");
            format!("UPDATE {name} SET {set} WHERE {}", found(action.before))
        }
        Deed::Delete | Deed::Absent => format!("DELETE FROM {name} WHERE {}", found(action.before)),
    };
    cut(text, STATEMENT_CHARS)
}

fn values<'a>(
    window: &'a Window<'_, '_>,
    columns: &'a [usize],
    row: RowRef,
) -> impl Iterator<Item = (usize, String)> + 'a {
    let fields = window.fields(row);
    columns.iter().map(move |&column| (column, quoted(fields[column].for_people(row.row()).as_deref())))
}

fn joined(table: &Table, values: impl Iterator<Item = (usize, String)>, between: &str) -> String {
    let parts = values.map(|(column, value)| match value.as_str() {
        "NULL" if between != ", " => format!("{} IS NULL", table.sql_columns[column]),
        _ => format!("{} = {value}", table.sql_columns[column]),
    });
    parts.collect::<Vec<_>>().join(between)
}

fn quoted(value: Option<&str>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(text) => format!("'{}'", cut(text.to_owned(), VALUE_CHARS).replace('\'', "''")),
    }
}

fn cut(text: String, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_and_cut() {
        assert_eq!(quoted(None), "NULL");
        assert_eq!(quoted(Some("it's")), "'it''s'");
        let long = quoted(Some(&"é".repeat(201)));
        assert_eq!(long, format!("'{}…'", "é".repeat(200)));
    }
}
