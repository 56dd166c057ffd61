use super::plan::{Action, Deed, How, Step};
use super::shapes::{Shape, Staging};
use super::statements::{StagingTables, Statements};
use super::table::{Columns, Table};
use super::window::{RowRef, Window};
use crate::copy::{BINARY_HEADER, BINARY_TRAILER};
use crate::encode::RowFormat;
use crate::encode::field::Field;
use crate::error::{PgError, Result, ValueProblem};
use crate::pipeline::{Check, Pipeline, Statement};

/// Which statement of a step a token means.
pub(crate) mod part {
    pub const SET_UP: u32 = 0;
    pub const COPY: u32 = 1;
    pub const MAIN: u32 = 2;
    pub const INSERT: u32 = 3;
}

/// Names a statement of the pipeline: the step, and within it the action or the [`part`].
pub(crate) fn token(step: usize, within: u32) -> u64 {
    (step as u64) << 32 | u64::from(within)
}

/// Sends the steps of a window. Stops early when the pipeline has failed.
pub(crate) struct Executor<'a, 'c, 't, 'b> {
    pub pipeline: &'a mut Pipeline<'c>,
    pub statements: &'a mut Statements,
    pub staging: &'a mut StagingTables,
    pub window: &'a Window<'t, 'b>,
}

impl Executor<'_, '_, '_, '_> {
    pub fn send(&mut self, steps: &[Step]) -> Result<()> {
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Rows(actions) => {
                    for (within, action) in actions.iter().enumerate() {
                        if self.pipeline.has_failed() {
                            return Ok(());
                        }
                        self.action(action, token(number, within as u32))?;
                    }
                }
                Step::Delete { slot, present, absent, tolerated } => {
                    self.delete(number, *slot, [present, absent, tolerated])?;
                }
                Step::Update { slot, columns, present, tolerated, upserts } => {
                    self.update(number, *slot, columns, [present, tolerated, upserts])?;
                }
                Step::Copy { slot, rows } => self.copy_table(number, *slot, rows)?,
            }
            if self.pipeline.has_failed() {
                return Ok(());
            }
        }
        Ok(())
    }

    // --- row by row -------------------------------------------------------------------------------

    fn action(&mut self, action: &Action, token: u64) -> Result<()> {
        let table = self.window.slots[action.slot as usize].table;
        if !table.has_key() {
            return self.keyless(table, action, token);
        }
        let strict = action.how == How::Strict;
        let one = if strict { Check::Rows(1) } else { Check::Any };
        match action.deed {
            Deed::Insert if strict => self.all_columns(table, Shape::Insert, action.after, token, one),
            Deed::Insert => self.upsert(table, action.after, token),
            Deed::Delete if action.how == How::Idempotent && table.target.referenced_with_actions => {
                // What goes with the row must go, although the row itself may have gone before.
                self.all_columns(table, Shape::InsertAbsent, action.before, token, Check::Any)?;
                self.by_key(table, action.before, token, one)
            }
            Deed::Delete => self.by_key(table, action.before, token, one),
            Deed::Absent => self.by_key(table, action.before, token, Check::Rows(0)),
            Deed::Update if strict => self.update_row(table, action, action.before, token, one),
            Deed::Update => {
                let moved = !self.window.same(action.before, action.after, &table.key);
                match (action.how, moved) {
                    (How::Idempotent, false) => self.upsert(table, action.after, token),
                    (How::Idempotent, true) => {
                        if table.target.referenced_with_actions {
                            // What refers to the row must follow it, not go with it.
                            self.move_row(table, action, token)?;
                        }
                        self.by_key(table, action.before, token, Check::Any)?;
                        self.upsert(table, action.after, token)
                    }
                    (How::Partial, moved) => {
                        if moved {
                            self.make_way(table, action, token)?;
                        }
                        let all = Columns::all(table.sql_columns.len());
                        self.update_columns(table, &all, action.after, action.before, token, Check::Any)
                    }
                    (_, false) => self.update_row(table, action, action.before, token, Check::Any),
                    (_, true) => {
                        // By the old key, or, if the target has changed it already, by the new one.
                        self.update_row(table, action, action.before, token, Check::Any)?;
                        self.update_row(table, action, action.after, token, Check::Any)
                    }
                }
            }
        }
    }

    /// The row shall be there as the image says, whether it was there or not.
    fn upsert(&mut self, table: &Table, row: RowRef, token: u64) -> Result<()> {
        let all = Columns::all(table.sql_columns.len());
        self.update_columns(table, &all, row, row, token, Check::Any)?;
        self.all_columns(table, Shape::InsertAbsent, row, token, Check::Any)
    }

    fn move_row(&mut self, table: &Table, action: &Action, token: u64) -> Result<()> {
        let statement = self.statements.get(self.pipeline, table, Shape::Move)?;
        let new = (0..table.sql_columns.len()).map(|column| (column, action.after));
        let old = table.key.iter().map(|&column| (column, action.before));
        let parameters: Vec<(usize, RowRef)> = new.chain(old).collect();
        self.execute(table, statement, &parameters, token, Check::Any)
    }

    /// Whoever has the new key is a row whose deletion did not come this way.
    fn make_way(&mut self, table: &Table, action: &Action, token: u64) -> Result<()> {
        let statement = self.statements.get(self.pipeline, table, Shape::MakeWay)?;
        let images = [action.after, action.before].into_iter();
        let parameters: Vec<(usize, RowRef)> =
            images.flat_map(|row| table.key.iter().map(move |&column| (column, row))).collect();
        self.execute(table, statement, &parameters, token, Check::Any)
    }

    fn update_row(&mut self, table: &Table, action: &Action, found: RowRef, token: u64, check: Check) -> Result<()> {
        let columns = self.changed(table, action);
        self.update_columns(table, &columns, action.after, found, token, check)
    }

    /// The columns that an update changes; the first of the key, or the first of all, if it changes none.
    fn changed(&self, table: &Table, action: &Action) -> Columns {
        let count = table.sql_columns.len();
        let mut columns = Columns::none(count);
        let (before, after) = (self.window.fields(action.before), self.window.fields(action.after));
        for column in 0..count {
            if !before[column].same(action.before.row(), &after[column], action.after.row()) {
                columns.insert(column);
            }
        }
        if columns.is_empty() {
            columns.insert(table.key.first().copied().unwrap_or(0));
        }
        columns
    }

    fn update_columns(
        &mut self,
        table: &Table,
        columns: &Columns,
        values: RowRef,
        found: RowRef,
        token: u64,
        check: Check,
    ) -> Result<()> {
        let statement = self.statements.get(self.pipeline, table, Shape::Update(columns.clone()))?;
        let parameters: Vec<(usize, RowRef)> =
            columns.iter().map(|column| (column, values)).chain(table.key.iter().map(|&k| (k, found))).collect();
        self.execute(table, statement, &parameters, token, check)
    }

    fn by_key(&mut self, table: &Table, row: RowRef, token: u64, check: Check) -> Result<()> {
        let statement = self.statements.get(self.pipeline, table, Shape::Delete)?;
        let parameters: Vec<(usize, RowRef)> = table.key.iter().map(|&column| (column, row)).collect();
        self.execute(table, statement, &parameters, token, check)
    }

    fn all_columns(&mut self, table: &Table, shape: Shape, row: RowRef, token: u64, check: Check) -> Result<()> {
        let statement = self.statements.get(self.pipeline, table, shape)?;
        let parameters: Vec<(usize, RowRef)> = (0..table.sql_columns.len()).map(|column| (column, row)).collect();
        self.execute(table, statement, &parameters, token, check)
    }

    fn keyless(&mut self, table: &Table, action: &Action, token: u64) -> Result<()> {
        let one = if action.how == How::Strict { Check::Rows(1) } else { Check::Any };
        if action.deed == Deed::Insert {
            return self.all_columns(table, Shape::Insert, action.after, token, one);
        }
        let mut nulls = Columns::none(table.sql_columns.len());
        for column in 0..table.sql_columns.len() {
            if self.window.is_written_as_null(table, action.before, column)? {
                nulls.insert(column);
            }
        }
        let found = (0..table.sql_columns.len()).filter(|&c| !nulls.contains(c)).map(|c| (c, action.before));
        let (shape, parameters): (Shape, Vec<(usize, RowRef)>) = if action.deed == Deed::Update {
            let columns = self.changed(table, action);
            let parameters = columns.iter().map(|column| (column, action.after)).chain(found).collect();
            (Shape::UpdateMatch(nulls.clone(), columns), parameters)
        } else {
            (Shape::DeleteMatch(nulls.clone()), found.collect())
        };
        let statement = self.statements.get(self.pipeline, table, shape)?;
        self.execute(table, statement, &parameters, token, one)
    }

    fn execute(
        &mut self,
        table: &Table,
        statement: Statement,
        parameters: &[(usize, RowRef)],
        token: u64,
        check: Check,
    ) -> Result<()> {
        let window = self.window;
        let listed: Vec<u8>;
        let formats: &[u8] = if table.all_binary {
            &[1]
        } else {
            listed = parameters.iter().map(|(column, _)| table.formats[*column]).collect();
            &listed
        };
        let write = |out: &mut Vec<u8>| {
            for &(column, row) in parameters {
                let field = &window.fields(row)[column];
                let written = table.encoder.write_parameter(field, column, row.row(), out);
                written.map_err(|problem| (column, problem, row))?;
            }
            Ok::<_, (usize, ValueProblem, RowRef)>(())
        };
        let sent = self.pipeline.execute(statement, formats, parameters.len(), token, check, write)?;
        sent.map_err(|(column, problem, row)| self.window.value_error(table, column, problem, row))
    }

    // --- by sets ----------------------------------------------------------------------------------

    fn delete(&mut self, step: usize, slot: usize, classes: [&Vec<RowRef>; 3]) -> Result<()> {
        let table = self.window.slots[slot].table;
        let mut columns = Columns::none(table.sql_columns.len());
        table.key.iter().for_each(|&column| columns.insert(column));
        self.stage(step, table, Staging::Keys, &columns, classes)?;
        let present = classes[0].len();
        let bounds = [present, present + classes[1].len()];
        self.counted(table, Shape::DeleteStaged, &bounds, token(step, part::MAIN), Check::Counts(present as u64, 0))
    }

    fn update(&mut self, step: usize, slot: usize, columns: &Columns, classes: [&Vec<RowRef>; 3]) -> Result<()> {
        let table = self.window.slots[slot].table;
        let mut assigned = columns.clone();
        if assigned.is_empty() {
            assigned.insert(table.key[0]);
        }
        let mut staged = assigned.clone();
        table.key.iter().for_each(|&column| staged.insert(column));
        self.stage(step, table, Staging::Rows, &staged, classes)?;
        let present = classes[0].len();
        let check = Check::Counts(present as u64, 0);
        self.counted(table, Shape::UpdateStaged(assigned), &[present], token(step, part::MAIN), check)?;
        if !classes[2].is_empty() {
            let first = present + classes[1].len();
            self.counted(table, Shape::InsertStaged, &[first], token(step, part::INSERT), Check::Any)?;
        }
        Ok(())
    }

    /// Runs a statement whose parameters are row numbers.
    fn counted(&mut self, table: &Table, shape: Shape, bounds: &[usize], token: u64, check: Check) -> Result<()> {
        let statement = self.statements.get(self.pipeline, table, shape)?;
        self.pipeline.execute(statement, &[1], bounds.len(), token, check, |out| {
            for bound in bounds {
                let bound = i32::try_from(*bound).map_err(|_| PgError::usage("a window of more than 2^31 rows"))?;
                out.extend_from_slice(&4i32.to_be_bytes());
                out.extend_from_slice(&bound.to_be_bytes());
            }
            Ok(())
        })?
    }

    /// Fills a staging table with numbered rows.
    fn stage(
        &mut self,
        step: usize,
        table: &Table,
        which: Staging,
        columns: &Columns,
        classes: [&Vec<RowRef>; 3],
    ) -> Result<()> {
        for shape in self.staging.prepare(table, which) {
            let statement = self.statements.get(self.pipeline, table, shape)?;
            self.pipeline.run(statement, token(step, part::SET_UP), Check::Any)?;
        }
        let statement = self.statements.get(self.pipeline, table, Shape::CopyStaging(which, columns.clone()))?;
        let columns: Vec<usize> = columns.iter().collect();
        let rows = classes.iter().flat_map(|class| class.iter().copied());
        let count = classes.iter().map(|class| class.len()).sum();
        self.copy(statement, token(step, part::COPY), table, Some(&columns), rows, count)
    }

    fn copy_table(&mut self, step: usize, slot: usize, rows: &[RowRef]) -> Result<()> {
        let table = self.window.slots[slot].table;
        let statement = self.statements.get(self.pipeline, table, Shape::CopyTable)?;
        self.copy(statement, token(step, part::COPY), table, None, rows.iter().copied(), rows.len())
    }

    /// COPY of all columns, or of the row's number and some columns.
    fn copy(
        &mut self,
        statement: Statement,
        token: u64,
        table: &Table,
        columns: Option<&[usize]>,
        rows: impl Iterator<Item = RowRef>,
        count: usize,
    ) -> Result<()> {
        let binary = table.encoder.is_binary();
        let format = if binary { RowFormat::CopyBinary } else { RowFormat::CopyText };
        self.pipeline.copy_begin(statement, token, count as u64)?;
        if binary {
            self.pipeline.copy_rows()?.extend_from_slice(BINARY_HEADER);
        }
        for (number, row) in rows.enumerate() {
            let out = self.pipeline.copy_rows()?;
            let fields = self.window.fields(row);
            let written = match columns {
                None => crate::encode::Encoder::write_row(fields, row.row(), format, out),
                Some(columns) => write_numbered(fields, columns, number as i32, row.row(), format, out),
            };
            if let Err((column, problem)) = written {
                self.pipeline.copy_fail()?;
                return Err(self.window.value_error(table, column, problem, row));
            }
        }
        if binary {
            self.pipeline.copy_rows()?.extend_from_slice(BINARY_TRAILER);
        }
        self.pipeline.copy_end()
    }
}

/// A row of staging: its number, then some columns.
fn write_numbered(
    fields: &[Field<'_>],
    columns: &[usize],
    number: i32,
    row: usize,
    format: RowFormat,
    out: &mut Vec<u8>,
) -> Result<(), (usize, ValueProblem)> {
    match format {
        RowFormat::CopyBinary => {
            out.extend_from_slice(&(columns.len() as i16 + 1).to_be_bytes());
            out.extend_from_slice(&4i32.to_be_bytes());
            out.extend_from_slice(&number.to_be_bytes());
            for &column in columns {
                fields[column].write_binary(row, out).map_err(|problem| (column, problem))?;
            }
        }
        RowFormat::CopyText => {
            out.extend_from_slice(number.to_string().as_bytes());
            for &column in columns {
                out.push(b'\t');
                fields[column].write_copy_text(row, out).map_err(|problem| (column, problem))?;
            }
            out.push(b'\n');
        }
    }
    Ok(())
}
