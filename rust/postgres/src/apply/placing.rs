//! Makes a row what a change leaves it as, whatever stands in its way, as REPLACE would: but a row that goes on
//! existing is updated, so that what refers to it stays.

use super::plan::{Action, Deed, How};
use super::shapes::{Shape, by_key, matching, statement};
use super::table::{Columns, Table};
use super::window::{RowRef, Window};
use crate::connection::{Connection, Rows};
use crate::error::{Result, ValueProblem};
use crate::sql::literal;

/// A row of the target that had to go: the columns of a unique index in which it held the value, and the texts of all
/// its columns.
pub(super) type Place = (Vec<usize>, Vec<Option<String>>);

/// Where the row stands that a change means.
enum Home {
    /// Under the key of an image.
    Key(RowRef),
    /// A row of a table without a key, by its place.
    Place(String),
}

/// None: somebody has written to the same rows at the same time; then nothing is of use that was done.
pub(super) fn place(
    connection: &mut Connection,
    window: &Window<'_, '_>,
    action: &Action,
) -> Result<Option<Vec<Place>>> {
    let table = window.slots[action.slot as usize].table;
    let mut placing = Placing { connection, window, table };
    let home = placing.home(action)?;
    if home.is_none() && action.deed == Deed::Update && matches!(action.how, How::Tolerant | How::Partial) {
        return Ok(Some(Vec::new()));
    }
    let mut removed = Vec::new();
    if let Some(Home::Key(row)) = home
        && !window.same(row, action.after, &table.key)
    {
        removed.extend(placing.remove(&table.key, action.after, home.as_ref())?);
    }
    for unique in &table.uniques {
        removed.extend(placing.remove(unique, action.after, home.as_ref())?);
    }
    Ok((placing.write(action.after, home.as_ref())? == 1).then_some(removed))
}

struct Placing<'a, 't, 'b> {
    connection: &'a mut Connection,
    window: &'a Window<'t, 'b>,
    table: &'t Table,
}

impl Placing<'_, '_, '_> {
    /// Finds the row, and keeps others from writing to it.
    fn home(&mut self, action: &Action) -> Result<Option<Home>> {
        let (table, name) = (self.table, &self.table.sql_name);
        if !table.has_key() {
            if action.deed == Deed::Insert {
                return Ok(None);
            }
            let nulls = self.nulls(action.before, 0..table.sql_columns.len())?;
            let (found, oids) = matching(table, &nulls, 1);
            let sql = format!("SELECT ctid FROM {name} WHERE ctid = {found} FOR UPDATE");
            let written = (0..table.sql_columns.len()).filter(|&column| !nulls.contains(column));
            let given: Vec<(usize, RowRef)> = written.map(|column| (column, action.before)).collect();
            let row = self.ask(&sql, &oids, &given)?.rows.pop();
            return Ok(row.and_then(|mut row| row.pop()).flatten().map(Home::Place));
        }
        for row in [action.before, action.after] {
            let (condition, oids) = by_key(table, &table.key, 1);
            let given: Vec<(usize, RowRef)> = table.key.iter().map(|&column| (column, row)).collect();
            let sql = format!("SELECT 1 FROM {name} WHERE {condition} FOR UPDATE");
            if !self.ask(&sql, &oids, &given)?.rows.is_empty() {
                return Ok(Some(Home::Key(row)));
            }
            if action.deed == Deed::Insert || self.window.same(action.before, action.after, &table.key) {
                break;
            }
        }
        Ok(None)
    }

    /// Removes every other row that has the values of an image in the columns of a unique index.
    fn remove(&mut self, unique: &[usize], image: RowRef, home: Option<&Home>) -> Result<Vec<Place>> {
        if !self.nulls(image, unique.iter().copied())?.is_empty() {
            return Ok(Vec::new()); // NULL is nobody's
        }
        let table = self.table;
        let (held, mut oids) = by_key(table, unique, 1);
        let mut given: Vec<(usize, RowRef)> = unique.iter().map(|&column| (column, image)).collect();
        let other = match home {
            None => String::new(),
            Some(Home::Key(row)) => {
                let (own, types) = by_key(table, &table.key, given.len() + 1);
                oids.extend(types);
                given.extend(table.key.iter().map(|&column| (column, *row)));
                format!(" AND NOT ({own})")
            }
            Some(Home::Place(place)) => format!(" AND ctid <> {}", literal(place)),
        };
        let texts: Vec<String> = table.sql_columns.iter().map(|column| format!("{column}::text")).collect();
        let sql = format!("DELETE FROM {} WHERE {held}{other} RETURNING {}", table.sql_name, texts.join(", "));
        let rows = self.ask(&sql, &oids, &given)?.rows;
        Ok(rows.into_iter().map(|row| (unique.to_vec(), row)).collect())
    }

    /// Writes the image; the number of rows.
    fn write(&mut self, image: RowRef, home: Option<&Home>) -> Result<u64> {
        let table = self.table;
        let mut given: Vec<(usize, RowRef)> = (0..table.sql_columns.len()).map(|column| (column, image)).collect();
        let (sql, oids) = match home {
            None => statement(table, &Shape::Insert),
            Some(Home::Key(row)) => {
                given.extend(table.key.iter().map(|&column| (column, *row)));
                statement(table, &Shape::Update(Columns::all(table.sql_columns.len())))
            }
            Some(Home::Place(place)) => {
                let (name, touched) = (&table.sql_name, &table.sql_touched);
                let all: Vec<usize> = (0..table.sql_columns.len()).collect();
                let set = all.iter().zip(1..).map(|(&c, n)| format!("{} = ${n}", table.sql_columns[c]));
                let set = set.collect::<Vec<_>>().join(", ");
                let oids = all.iter().map(|&column| table.encoder.parameter_oid(column)).collect();
                (format!("UPDATE {name} SET {set}{touched} WHERE ctid = {}", literal(place)), oids)
            }
        };
        Ok(self.ask(&sql, &oids, &given)?.affected.unwrap_or(0))
    }

    /// Which of the columns are written as NULL.
    fn nulls(&self, image: RowRef, columns: impl Iterator<Item = usize>) -> Result<Columns> {
        let mut nulls = Columns::none(self.table.sql_columns.len());
        for column in columns {
            if self.window.is_written_as_null(self.table, image, column)? {
                nulls.insert(column);
            }
        }
        Ok(nulls)
    }

    /// Runs one statement; parameters are values of columns in images.
    fn ask(&mut self, sql: &str, oids: &[u32], given: &[(usize, RowRef)]) -> Result<Rows> {
        let (window, table) = (self.window, self.table);
        let formats: Vec<u8> = given.iter().map(|(column, _)| table.formats[*column]).collect();
        let mut values = Vec::new();
        for &(column, row) in given {
            let field = &window.fields(row)[column];
            let written = table.encoder.write_parameter(field, column, row.row(), &mut values);
            written.map_err(|problem: ValueProblem| window.value_error(table, column, problem, row))?;
        }
        self.connection.ask(sql, oids, &formats, &values)
    }
}
