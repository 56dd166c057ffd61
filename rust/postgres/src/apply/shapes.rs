//! The statements of the apply, as text.
//!
//! Every name is qualified and quoted. The dialect is that of PostgreSQL 9.1: no ON CONFLICT, no MERGE.

use super::table::{Columns, Table};
use crate::encode::Target;

/// What a statement does. With the table it decides its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// One row, all columns.
    Insert,
    /// The columns given, in the row with a key.
    Update(Columns),
    /// The row with a key.
    Delete,
    /// One row, unless its key is there.
    InsertAbsent,
    /// All columns, in the row with another key than the new one, unless the new key is there.
    Move,
    /// The row with the new key, if there is one with the old key too, which shall get the new one.
    MakeWay,
    /// Any one row equal in all columns; the first set is NULL in it.
    DeleteMatch(Columns),
    /// As `DeleteMatch`; then the columns of the second set get new values.
    UpdateMatch(Columns, Columns),
    /// COPY into the table itself.
    CopyTable,
    /// Drop, create, empty, fill a staging table.
    DropStaging(Staging),
    CreateStaging(Staging),
    TruncateStaging(Staging),
    /// COPY of the row's number and these columns into staging.
    CopyStaging(Staging, Columns),
    /// Delete the rows whose keys are staged: those numbered below $1 must all be there, those below
    /// $2 must all be absent.
    DeleteStaged,
    /// Give the columns the staged values: the rows numbered below $1 must all be there.
    UpdateStaged(Columns),
    /// Insert the staged rows numbered from $1 on, unless their keys are there.
    InsertStaged,
}

/// The two staging tables of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Staging {
    /// Keys of rows to delete.
    Keys,
    /// New values of rows.
    Rows,
}

const INT4: u32 = 23;

/// Text and parameter types of a statement. Type 0 means: as the server infers.
pub(crate) fn statement(table: &Table, shape: &Shape) -> (String, Vec<u32>) {
    let (name, touched) = (&table.sql_name, &table.sql_touched);
    match shape {
        Shape::Insert => {
            let values = list((0..table.sql_columns.len()).map(|column| format!("${}", column + 1)));
            (format!("INSERT INTO {name} ({}) VALUES ({values})", table.sql_columns.join(", ")), oids(table))
        }
        Shape::Update(columns) => update(table, columns),
        Shape::Delete => {
            let by_key = conjunction(table.key.iter().zip(1..).map(|(&k, n)| equals(table, k, n)));
            (format!("DELETE FROM {name} WHERE {by_key}"), table.key.iter().map(|&k| oid(table, k)).collect())
        }
        Shape::InsertAbsent => {
            let values = list((0..table.sql_columns.len()).map(|column| typed(table, column, column + 1)));
            let by_key = conjunction(table.key.iter().map(|&k| equals(table, k, k + 1)));
            let columns = table.sql_columns.join(", ");
            let absent = format!("NOT EXISTS (SELECT 1 FROM {name} WHERE {by_key})");
            (format!("INSERT INTO {name} ({columns}) SELECT {values} WHERE {absent}"), oids(table))
        }
        Shape::Move => {
            let count = table.sql_columns.len();
            let assignments = list((0..count).map(|column| equals(table, column, column + 1)));
            let old = conjunction(table.key.iter().zip(count + 1..).map(|(&k, n)| equals(table, k, n)));
            let new = conjunction(table.key.iter().map(|&k| equals(table, k, k + 1)));
            let absent = format!("NOT EXISTS (SELECT 1 FROM {name} WHERE {new})");
            let types = oids(table).into_iter().chain(table.key.iter().map(|&k| oid(table, k))).collect();
            (format!("UPDATE {name} SET {assignments}{touched} WHERE {old} AND {absent}"), types)
        }
        Shape::MakeWay => {
            let (new, mut types) = by_key(table, &table.key, 1);
            let (old, rest) = by_key(table, &table.key, types.len() + 1);
            types.extend(rest);
            (format!("DELETE FROM {name} WHERE {new} AND EXISTS (SELECT 1 FROM {name} WHERE {old})"), types)
        }
        Shape::DeleteMatch(nulls) => {
            let (found, oids) = matching(table, nulls, 1);
            (format!("DELETE FROM {name} WHERE ctid = {found}"), oids)
        }
        Shape::UpdateMatch(nulls, columns) => {
            let assignments = columns.iter().zip(1..).map(|(c, n)| format!("{} = ${n}", table.sql_columns[c]));
            let assignments = list(assignments);
            let mut types: Vec<u32> = columns.iter().map(|column| oid(table, column)).collect();
            let (found, rest) = matching(table, nulls, types.len() + 1);
            types.extend(rest);
            (format!("UPDATE {name} SET {assignments}{touched} WHERE ctid = {found}"), types)
        }
        Shape::CopyTable => (copy(name, &table.sql_columns.join(", "), table.encoder.is_binary()), Vec::new()),
        _ => staged(table, shape),
    }
}

fn staged(table: &Table, shape: &Shape) -> (String, Vec<u32>) {
    let (name, touched) = (&table.sql_name, &table.sql_touched);
    match shape {
        Shape::DropStaging(which) => (format!("DROP TABLE IF EXISTS pg_temp.{}", staging_name(table, *which)), vec![]),
        Shape::CreateStaging(which) => {
            let columns: Vec<usize> = match which {
                Staging::Keys => table.key.clone(),
                Staging::Rows => (0..table.sql_columns.len()).collect(),
            };
            let columns = list(columns.iter().map(|&c| format!("t.{} AS c{c}", table.sql_columns[c])));
            let staging = staging_name(table, *which);
            // Types and modifiers exactly as the table has them, constraints none.
            let query = format!("SELECT 0::int4 AS n, {columns} FROM {name} AS t WITH NO DATA");
            (format!("CREATE TEMP TABLE {staging} ON COMMIT DELETE ROWS AS {query}"), vec![])
        }
        Shape::TruncateStaging(which) => (format!("TRUNCATE pg_temp.{}", staging_name(table, *which)), vec![]),
        Shape::CopyStaging(which, columns) => {
            let columns = list(columns.iter().map(|column| format!("c{column}")));
            let staging = format!("pg_temp.{}", staging_name(table, *which));
            (copy(&staging, &format!("n, {columns}"), table.encoder.is_binary()), vec![])
        }
        Shape::DeleteStaged => {
            let (by_key, keys) = (by_staged_key(table), staging_name(table, Staging::Keys));
            let text = format!(
                "WITH gone AS (DELETE FROM {name} AS t USING pg_temp.{keys} AS s WHERE {by_key} RETURNING s.n) \
                 SELECT count(CASE WHEN n < $1 THEN 1 END), count(CASE WHEN n >= $1 AND n < $2 THEN 1 END), \
                 CASE WHEN count(CASE WHEN n < $1 THEN 1 END) <> $1 THEN \
                 (SELECT min(s.n) FROM pg_temp.{keys} AS s WHERE s.n < $1 AND s.n NOT IN (SELECT n FROM gone)) \
                 ELSE min(CASE WHEN n >= $1 AND n < $2 THEN n END) END FROM gone"
            );
            (text, vec![INT4, INT4])
        }
        Shape::UpdateStaged(columns) => {
            let (by_key, rows) = (by_staged_key(table), staging_name(table, Staging::Rows));
            let assignments = list(columns.iter().map(|c| format!("{} = s.c{c}", table.sql_columns[c])));
            let text = format!(
                "WITH hit AS (UPDATE {name} AS t SET {assignments}{touched} FROM pg_temp.{rows} AS s WHERE {by_key} \
                 RETURNING s.n) SELECT count(CASE WHEN n < $1 THEN 1 END), 0, \
                 CASE WHEN count(CASE WHEN n < $1 THEN 1 END) <> $1 THEN \
                 (SELECT min(s.n) FROM pg_temp.{rows} AS s WHERE s.n < $1 AND s.n NOT IN (SELECT n FROM hit)) END \
                 FROM hit"
            );
            (text, vec![INT4])
        }
        _ => {
            let (by_key, rows) = (by_staged_key(table), staging_name(table, Staging::Rows));
            let values = list((0..table.sql_columns.len()).map(|column| format!("s.c{column}")));
            let columns = table.sql_columns.join(", ");
            let text = format!(
                "INSERT INTO {name} ({columns}) SELECT {values} FROM pg_temp.{rows} AS s WHERE s.n >= $1 \
                 AND NOT EXISTS (SELECT 1 FROM {name} AS t WHERE {by_key})"
            );
            (text, vec![INT4])
        }
    }
}

fn update(table: &Table, columns: &Columns) -> (String, Vec<u32>) {
    let assigned: Vec<usize> = columns.iter().collect();
    let assignments = list(assigned.iter().zip(1..).map(|(&c, n)| format!("{} = ${n}", table.sql_columns[c])));
    let by_key = conjunction(table.key.iter().zip(assigned.len() + 1..).map(|(&k, n)| equals(table, k, n)));
    let oids = assigned.iter().chain(&table.key).map(|&column| oid(table, column)).collect();
    let (name, touched) = (&table.sql_name, &table.sql_touched);
    (format!("UPDATE {name} SET {assignments}{touched} WHERE {by_key}"), oids)
}

fn copy(name: &str, columns: &str, binary: bool) -> String {
    let format = if binary { " (FORMAT binary)" } else { "" };
    format!("COPY {name} ({columns}) FROM STDIN{format}")
}

fn staging_name(table: &Table, which: Staging) -> String {
    let suffix = match which {
        Staging::Keys => "keys",
        Staging::Rows => "rows",
    };
    format!("opendrs_{}_{}_{suffix}", table.id, table.generation)
}

fn oid(table: &Table, column: usize) -> u32 {
    table.encoder.parameter_oid(column)
}

fn oids(table: &Table) -> Vec<u32> {
    (0..table.sql_columns.len()).map(|column| oid(table, column)).collect()
}

fn equals(table: &Table, column: usize, parameter: usize) -> String {
    format!("{} = ${parameter}", table.sql_columns[column])
}

/// A parameter whose type nothing around it tells. The cast has no modifier, so that the assignment
/// checks lengths instead of the cast cutting them.
fn typed(table: &Table, column: usize, parameter: usize) -> String {
    match oid(table, column) {
        0 => format!("CAST(${parameter} AS {})", table.casts[column]),
        _ => format!("${parameter}"),
    }
}

fn by_staged_key(table: &Table) -> String {
    conjunction(table.key.iter().map(|&column| format!("t.{} = s.c{column}", table.sql_columns[column])))
}

/// The condition that columns have given values, whose parameters begin with this number; and their types.
pub(crate) fn by_key(table: &Table, columns: &[usize], first_parameter: usize) -> (String, Vec<u32>) {
    let condition = conjunction(columns.iter().zip(first_parameter..).map(|(&c, n)| equals(table, c, n)));
    (condition, columns.iter().map(|&column| oid(table, column)).collect())
}

/// The place of one row that is equal in all columns, as a subquery; and its parameters' types.
pub(crate) fn matching(table: &Table, nulls: &Columns, first_parameter: usize) -> (String, Vec<u32>) {
    let (mut conditions, mut oids) = (Vec::new(), Vec::new());
    for (column, name) in table.sql_columns.iter().enumerate() {
        if nulls.contains(column) {
            conditions.push(format!("{name} IS NULL"));
            continue;
        }
        let parameter = format!("${}", first_parameter + oids.len());
        oids.push(oid(table, column));
        let target = table.encoder.target(column).filter(|_| oid(table, column) != 0);
        conditions.push(match target {
            // Equal numbers may differ in their bits (0 and -0).
            Some(Target::Float4) => format!("{name} = {parameter} AND float4send({name}) = float4send({parameter})"),
            Some(Target::Float8) => format!("{name} = {parameter} AND float8send({name}) = float8send({parameter})"),
            Some(Target::Float4Array) => format!("array_send({name}) = array_send({parameter})"),
            // json has no equality; jsonb's takes 1 and 1.0 for the same.
            Some(Target::Json | Target::Jsonb) => format!("{name}::text = {parameter}::text"),
            // A collation may take different texts for equal; the first half is for an index.
            Some(Target::Text | Target::Varchar | Target::Bpchar) => {
                format!("{name} = {parameter} AND {name} = {parameter} COLLATE \"C\"")
            }
            Some(_) => format!("{name} = {parameter}"),
            None => format!("{name}::text = CAST({parameter} AS {})::text", table.casts[column]),
        });
    }
    (format!("(SELECT ctid FROM {} WHERE {} LIMIT 1)", table.sql_name, conditions.join(" AND ")), oids)
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn conjunction(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(" AND ")
}
