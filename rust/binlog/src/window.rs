//! Collects rows until a window is cut: whole transactions, or a part of one.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int8Array, RecordBatch, UInt8Array, UInt32Array};
use arrow_schema::SchemaRef;
use opendrs_columns::{ColumnBuilder, TableName, TableSpec};

use crate::error::{ErrorKind, Fault, Result};
use crate::event::{Control, SequenceState, Window, leading_fields};
use crate::origins::{Origin, Origins};
use crate::rows::FOREIGN_KEYS_OFF;

/// The kinds of row in the column `op`.
pub(crate) mod op {
    pub const INSERT: i8 = 1;
    pub const BEFORE: i8 = 2;
    pub const AFTER: i8 = 3;
    pub const DELETE: i8 = 4;
}

/// Rows of one table.
pub(crate) struct TableRows {
    pub spec: TableSpec,
    pub transactional: bool,
    pub columns: Vec<ColumnBuilder>,
    schema: SchemaRef,
    op: Vec<i8>,
    seq: Vec<u32>,
    txn: Vec<u32>,
    flags: Vec<u8>,
    /// Number of the group that [`Self::mark`] is of.
    group: u64,
    /// Rows when that group began.
    mark: usize,
    /// Ranges of rows that were undone.
    dead: Vec<(usize, usize)>,
    /// Bytes of the builders when last asked.
    bytes: usize,
    /// Whether the table stands in [`Rows::order`].
    listed: bool,
}

/// Rows of all tables.
pub(crate) struct Rows {
    tables: Vec<Option<TableRows>>,
    /// Tables with rows, in the order of their first row.
    order: Vec<usize>,
    /// Number of the open group; ascends for ever.
    group: u64,
    /// Ordinal of the next change.
    seq: u32,
    /// Ordinal of the first change of the open group.
    group_seq: u32,
    /// What complete groups amount to.
    done: Totals,
    /// What the open group amounts to.
    open: Totals,
    pub sequences: Vec<SequenceState>,
    /// Rows of the open statement that say they are not checked for foreign keys: table, first, end.
    unchecked: Vec<(usize, usize, usize)>,
    /// Whether other rows of that statement are.
    checked: bool,
    first_commit_us: i64,
    last_commit_us: i64,
    /// Of complete groups.
    origins: Origins,
    deleting: bool,
}

#[derive(Default, Clone, Copy)]
struct Totals {
    transactions: u32,
    changes: u64,
    /// Bytes of decoded values.
    values: usize,
    /// Bytes of the log.
    log: u64,
}

/// How many rows each touched table had at a savepoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mark(Vec<(usize, usize)>);

impl TableRows {
    fn new(spec: TableSpec, transactional: bool) -> Self {
        let schema = spec.schema(&leading_fields());
        let columns = spec.columns.iter().map(ColumnBuilder::new).collect();
        Self {
            spec,
            transactional,
            columns,
            schema,
            op: Vec::new(),
            seq: Vec::new(),
            txn: Vec::new(),
            flags: Vec::new(),
            group: 0,
            mark: 0,
            dead: Vec::new(),
            bytes: 0,
            listed: false,
        }
    }

    /// Appends what every row has; the caller has pushed to every column, or is about to.
    #[inline]
    pub fn lead(&mut self, op: i8, seq: u32, txn: u32, flags: u8) {
        self.op.push(op);
        self.seq.push(seq);
        self.txn.push(txn);
        self.flags.push(flags);
    }

    pub fn rows(&self) -> usize {
        self.op.len()
    }

    /// The row appended last does not count.
    pub fn leave_out_last(&mut self) {
        self.leave_out(self.rows().saturating_sub(1));
    }

    /// What is left of the update appended last, of whose images those that are past do not count: itself, a
    /// deletion, an insertion or nothing. False for nothing.
    pub fn now_and_then(&mut self, before_is_past: bool, after_is_past: bool) -> bool {
        if !(before_is_past || after_is_past) {
            return true;
        }
        let after = self.rows().saturating_sub(1);
        let before = after.saturating_sub(1);
        if before_is_past {
            self.leave_out(before);
            self.op[after] = op::INSERT;
        }
        if after_is_past {
            self.op[before] = op::DELETE;
            self.leave_out(after);
        }
        !(before_is_past && after_is_past)
    }

    fn leave_out(&mut self, row: usize) {
        match self.dead.last_mut() {
            Some(last) if last.1 == row => last.1 = row + 1,
            _ => self.dead.push((row, row + 1)),
        }
    }

    /// Rows that belong to complete groups, if `group` is open.
    fn complete(&self, group: u64) -> usize {
        if self.group == group { self.mark } else { self.rows() }
    }

    /// Marks rows as undone; returns how many changes that undoes.
    fn undo(&mut self, from: usize) -> u64 {
        let end = self.rows();
        if from >= end {
            return 0;
        }
        let dead = |row: usize| self.dead.iter().any(|range| (range.0..range.1).contains(&row));
        let undone = (from..end).filter(|row| self.op[*row] != op::AFTER && !dead(*row)).count();
        self.dead.retain(|range| range.0 < from);
        if let Some(last) = self.dead.last_mut().filter(|last| last.1 >= from) {
            last.1 = end;
        } else {
            self.dead.push((from, end));
        }
        undone as u64
    }

    /// Ranges of rows within `from..end` that were not undone.
    fn alive(&self, from: usize, end: usize) -> Vec<(usize, usize)> {
        let mut alive = Vec::new();
        let mut at = from;
        for &(dead, dead_end) in &self.dead {
            if dead > at {
                alive.push((at, dead.min(end)));
            }
            at = at.max(dead_end);
        }
        if at < end {
            alive.push((at, end));
        }
        alive.retain(|range| range.0 < range.1);
        alive
    }

    /// The first `rows` rows as a batch, None if none of them is left; the others stay, their `seq`
    /// less by `seq_base` and their `txn` less by `txn_base`.
    fn cut(&mut self, rows: usize, seq_base: u32, txn_base: u32) -> Result<Option<RecordBatch>> {
        let (head, tail) = (self.alive(0, rows), self.alive(rows, self.rows()));
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let (op, seq) = (std::mem::take(&mut self.op), std::mem::take(&mut self.seq));
        let (txn, flags) = (std::mem::take(&mut self.txn), std::mem::take(&mut self.flags));
        for &(from, end) in &tail {
            for (column, array) in self.columns.iter_mut().zip(&arrays) {
                column.append_rows(array, from, end)?;
            }
            self.op.extend_from_slice(&op[from..end]);
            self.seq.extend(seq[from..end].iter().map(|seq| seq.saturating_sub(seq_base)));
            self.txn.extend(txn[from..end].iter().map(|txn| txn.saturating_sub(txn_base)));
            self.flags.extend_from_slice(&flags[from..end]);
        }
        self.mark = 0;
        self.dead.clear();
        self.bytes = self.columns.iter().map(ColumnBuilder::bytes).sum();
        if head.is_empty() {
            return Ok(None);
        }
        // After an error within a row some columns are longer than others.
        if head == [(0, op.len())] && arrays.iter().all(|array| array.len() == op.len()) {
            return self.batch(op, seq, txn, flags, arrays).map(Some);
        }
        let rows: Vec<usize> = head.iter().flat_map(|range| range.0..range.1).collect();
        let mut parts = Vec::with_capacity(arrays.len());
        for (spec, array) in self.spec.columns.iter().zip(&arrays) {
            let mut builder = ColumnBuilder::new(spec);
            for &(from, end) in &head {
                builder.append_rows(array, from, end)?;
            }
            parts.push(builder.finish());
        }
        let (op, flags) = (rows.iter().map(|i| op[*i]).collect(), rows.iter().map(|i| flags[*i]).collect());
        let (seq, txn) = (rows.iter().map(|i| seq[*i]).collect(), rows.iter().map(|i| txn[*i]).collect());
        self.batch(op, seq, txn, flags, parts).map(Some)
    }

    fn batch(
        &self,
        op: Vec<i8>,
        seq: Vec<u32>,
        txn: Vec<u32>,
        flags: Vec<u8>,
        arrays: Vec<ArrayRef>,
    ) -> Result<RecordBatch> {
        let leading: [ArrayRef; 4] = [
            Arc::new(Int8Array::from(op)),
            Arc::new(UInt32Array::from(seq)),
            Arc::new(UInt32Array::from(txn)),
            Arc::new(UInt8Array::from(flags)),
        ];
        let arrays = leading.into_iter().chain(arrays).collect();
        RecordBatch::try_new(self.schema.clone(), arrays)
            .map_err(|error| Fault::new(ErrorKind::Misuse, error.to_string()))
    }
}

impl Rows {
    pub fn new() -> Self {
        Self {
            tables: Vec::new(),
            order: Vec::new(),
            // Tables begin with group 0, which is never open.
            group: 1,
            seq: 0,
            group_seq: 0,
            done: Totals::default(),
            open: Totals::default(),
            sequences: Vec::new(),
            unchecked: Vec::new(),
            checked: false,
            first_commit_us: 0,
            last_commit_us: 0,
            origins: Origins::default(),
            deleting: false,
        }
    }

    /// Makes room for a table; returns its handle.
    pub fn add_table(&mut self, spec: TableSpec, transactional: bool) -> usize {
        self.tables.push(Some(TableRows::new(spec, transactional)));
        self.tables.len() - 1
    }

    /// Forgets a table; rows that it has still come with the next window.
    pub fn retire_table(&mut self, handle: usize) {
        if let Some(slot) = self.tables.get_mut(handle)
            && slot.as_ref().is_none_or(|table| table.rows() == 0)
        {
            *slot = None;
            self.order.retain(|own| *own != handle);
        }
    }

    pub fn table(&self, handle: usize) -> Option<&TableRows> {
        self.tables.get(handle).and_then(Option::as_ref)
    }

    /// The table, about to take rows of the open group; with it the ordinals of the next change and
    /// of the transaction.
    #[inline]
    pub fn open_table(&mut self, handle: usize) -> Option<(&mut TableRows, u32, u32)> {
        let table = self.tables.get_mut(handle)?.as_mut()?;
        if table.group != self.group {
            table.group = self.group;
            table.mark = table.rows();
        }
        if !table.listed {
            table.listed = true;
            self.order.push(handle);
        }
        Some((table, self.seq, self.done.transactions))
    }

    /// Counts changes that were appended to a table.
    #[inline]
    pub fn count(&mut self, handle: usize, changes: u32) -> Result<()> {
        let too_many = || Fault::new(ErrorKind::TooLarge, "more than 2^32 changes in one window");
        self.seq = self.seq.checked_add(changes).ok_or_else(too_many)?;
        self.open.changes += u64::from(changes);
        if let Some(Some(table)) = self.tables.get_mut(handle) {
            // 10 bytes a row are the leading columns.
            let bytes = table.columns.iter().map(ColumnBuilder::bytes).sum::<usize>() + 10 * table.rows();
            self.open.values += bytes.saturating_sub(table.bytes);
            table.bytes = bytes;
        }
        Ok(())
    }

    /// Rows of a table from `first` on say that they are not checked for foreign keys.
    pub fn unchecked(&mut self, handle: usize, first: usize) {
        let end = self.table(handle).map_or(first, TableRows::rows);
        self.unchecked.push((handle, first, end));
    }

    /// Takes notice of a rows event of the open statement. At the statement's end it is known what rows that
    /// are not checked are: in a statement with others, they are what a foreign key did.
    pub fn statement(&mut self, checked: bool, ends: bool) {
        self.checked |= checked;
        if !ends {
            return;
        }
        let unchecked = std::mem::take(&mut self.unchecked);
        if std::mem::take(&mut self.checked) {
            for (handle, first, end) in unchecked {
                let table = self.tables.get_mut(handle).and_then(Option::as_mut);
                let flags = table.and_then(|table| table.flags.get_mut(first..end));
                flags.into_iter().flatten().for_each(|flags| *flags &= !FOREIGN_KEYS_OFF);
            }
        }
    }

    pub fn count_log(&mut self, bytes: usize) {
        self.open.log += bytes as u64;
    }

    /// Bytes of decoded values of complete groups, and of the open one.
    pub fn bytes(&self) -> (usize, usize) {
        (self.done.values, self.open.values)
    }

    pub fn transactions(&self) -> u32 {
        self.done.transactions
    }

    /// Changes of the open group since the last cut.
    pub fn open_changes(&self) -> u64 {
        self.open.changes
    }

    /// Whether the change before this place was a deletion of which the log carries the cascades.
    pub fn ends_deleting(&self) -> bool {
        self.deleting
    }

    pub fn set_deleting(&mut self, deleting: bool) {
        self.deleting = deleting;
    }

    /// Whether complete groups have anything to hand over.
    pub fn has_complete(&self) -> bool {
        // Rows that were all left out must go as well.
        self.done.changes > 0 || self.done.values > 0 || !self.sequences.is_empty()
    }

    /// Ordinal that the next change gets.
    pub fn next_seq(&self) -> u32 {
        self.seq
    }

    pub fn mark(&self) -> Mark {
        let touched = self.order.iter().filter_map(|handle| {
            let table = self.table(*handle)?;
            (table.group == self.group).then(|| (*handle, table.rows()))
        });
        Mark(touched.collect())
    }

    /// Undoes the changes of the open group since a mark, or since its begin; in transactional
    /// tables only, unless `all`.
    pub fn undo(&mut self, mark: Option<&Mark>, all: bool) {
        for handle in &self.order {
            let Some(Some(table)) = self.tables.get_mut(*handle) else { continue };
            if table.group != self.group || !(table.transactional || all) {
                continue;
            }
            let marked = mark.and_then(|mark| mark.0.iter().find(|entry| entry.0 == *handle));
            let undone = table.undo(marked.map_or(table.mark, |entry| entry.1));
            self.open.changes = self.open.changes.saturating_sub(undone);
        }
    }

    /// The open group is complete.
    pub fn close_group(&mut self, commit_us: i64, origin: Origin, file: &str) {
        if self.done.transactions == 0 {
            self.first_commit_us = commit_us;
        }
        self.last_commit_us = commit_us;
        self.origins.push(origin, file);
        self.done.transactions = self.done.transactions.saturating_add(1);
        self.done.changes += self.open.changes;
        self.done.values += self.open.values;
        self.done.log += self.open.log;
        self.drop_group();
    }

    /// The open group is forgotten: it was undone, or all of it was handed over.
    pub fn drop_group(&mut self) {
        self.open = Totals::default();
        self.group += 1;
        self.group_seq = self.seq;
    }

    /// Cuts the complete groups; the open one begins the next window.
    pub fn cut_complete(&mut self) -> Result<Window> {
        let (group, seq_base, txn_base) = (self.group, self.group_seq, self.done.transactions);
        let tables = self.cut_tables(|table| table.complete(group), seq_base, txn_base)?;
        let totals = std::mem::take(&mut self.done);
        self.seq = self.seq.saturating_sub(seq_base);
        self.group_seq = 0;
        Ok(self.window(tables, totals, false, Vec::new(), seq_base))
    }

    /// The open group comes from there: its rows are cut before it is complete.
    pub fn begin_part(&mut self, origin: Origin, file: &str) {
        self.origins.push(origin, file);
    }

    /// Cuts the open group, of which more may come; complete groups must have been cut before.
    pub fn cut_part(&mut self, controls: Vec<(u32, Control)>) -> Result<Window> {
        let tables = self.cut_tables(TableRows::rows, 0, 0)?;
        let mut totals = std::mem::take(&mut self.open);
        totals.changes += self.done.changes;
        totals.log += self.done.log;
        totals.transactions = std::mem::take(&mut self.done).transactions;
        let ordinals = std::mem::take(&mut self.seq);
        self.group_seq = 0;
        Ok(self.window(tables, totals, true, controls, ordinals))
    }

    fn window(
        &mut self,
        tables: Vec<(TableName, RecordBatch)>,
        totals: Totals,
        part: bool,
        controls: Vec<(u32, Control)>,
        ordinals: u32,
    ) -> Window {
        Window {
            tables,
            position: None,
            part,
            controls,
            transactions: totals.transactions,
            changes: totals.changes,
            ordinals,
            bytes: totals.log,
            first_commit_us: std::mem::take(&mut self.first_commit_us),
            last_commit_us: std::mem::take(&mut self.last_commit_us),
            sequences: std::mem::take(&mut self.sequences),
            origins: std::mem::take(&mut self.origins),
        }
    }

    fn cut_tables(
        &mut self,
        rows: impl Fn(&TableRows) -> usize,
        seq_base: u32,
        txn_base: u32,
    ) -> Result<Vec<(TableName, RecordBatch)>> {
        let mut batches = Vec::new();
        // Of a statement that does not end in this window nothing can be said later.
        self.unchecked.clear();
        for handle in std::mem::take(&mut self.order) {
            let Some(Some(table)) = self.tables.get_mut(handle) else { continue };
            let count = rows(table);
            if let Some(batch) = table.cut(count, seq_base, txn_base)? {
                batches.push((table.spec.name.clone(), batch));
            }
            table.listed = table.rows() > 0;
            if table.listed {
                self.order.push(handle);
            }
        }
        Ok(batches)
    }
}
