//! The columns that stand before a table's own in the batch of a window: `docs/explanation/windows.md`.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, UInt8Type, UInt32Type};
use arrow_array::{Array, RecordBatch};

/// How many they are: op, seq, txn, flags.
pub const LEADING: usize = 4;

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// It came.
    Insert,
    /// It was before, and is after.
    Update,
    /// It went.
    Delete,
}

impl Op {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One change of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowChange {
    /// What happened.
    pub op: Op,
    /// Ordinal of the change over all tables of the window.
    pub seq: u32,
    /// Ordinal of the source transaction within the window.
    pub txn: u32,
    /// The bits of the column `flags`.
    pub flags: u8,
    /// The row of the batch that was inserted or deleted, or is the image before an update.
    pub row: u32,
}

impl RowChange {
    /// The row of the batch that is the image that the change leaves.
    #[inline]
    pub fn after(&self) -> u32 {
        self.row + u32::from(self.op == Op::Update)
    }
}

/// The changes of a batch, row by row; an `Err` says which row makes no sense.
pub struct Changes<'a> {
    ops: &'a [i8],
    seqs: &'a [u32],
    txns: &'a [u32],
    flags: &'a [u8],
    row: usize,
}

impl<'a> Changes<'a> {
    /// Finds the leading columns. An error if they are not there, have other types, or hold nulls.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, String> {
        let column = |at: usize, name: &str| {
            let named = batch.schema_ref().fields().get(at).is_some_and(|field| field.name() == name);
            let array = batch.columns().get(at).filter(|array| named && array.null_count() == 0);
            array.ok_or_else(|| format!("column {at} must be {name}, without nulls"))
        };
        let wrong = |name: &str| format!("column {name} has the wrong type");
        Ok(Self {
            ops: column(0, "op")?.as_primitive_opt::<Int8Type>().ok_or_else(|| wrong("op"))?.values(),
            seqs: column(1, "seq")?.as_primitive_opt::<UInt32Type>().ok_or_else(|| wrong("seq"))?.values(),
            txns: column(2, "txn")?.as_primitive_opt::<UInt32Type>().ok_or_else(|| wrong("txn"))?.values(),
            flags: column(3, "flags")?.as_primitive_opt::<UInt8Type>().ok_or_else(|| wrong("flags"))?.values(),
            row: 0,
        })
    }

    /// Rows that were not read yet: at least as many as changes.
    pub fn rows(&self) -> usize {
        self.ops.len() - self.row
    }

    #[inline]
    fn read(&self, row: usize) -> Result<RowChange, String> {
        let op = match self.ops[row] {
            1 => Op::Insert,
            2 => Op::Update,
            4 => Op::Delete,
            other => return Err(format!("row {row} has op {other}, which begins no change")),
        };
        if op == Op::Update && (self.ops.get(row + 1) != Some(&3) || self.seqs.get(row + 1) != Some(&self.seqs[row])) {
            return Err(format!("the before image in row {row} is not followed by its after image"));
        }
        Ok(RowChange { op, seq: self.seqs[row], txn: self.txns[row], flags: self.flags[row], row: row as u32 })
    }
}

impl Iterator for Changes<'_> {
    type Item = Result<RowChange, String>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.row >= self.ops.len() {
            return None;
        }
        let change = self.read(self.row);
        self.row = change.as_ref().map_or(self.ops.len(), |change| change.after() as usize + 1);
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int8Array, Int32Array, UInt8Array, UInt32Array};

    use super::*;

    fn batch(ops: &[i8], seqs: &[u32]) -> RecordBatch {
        let columns: [(&str, ArrayRef); 4] = [
            ("op", Arc::new(Int8Array::from(ops.to_vec()))),
            ("seq", Arc::new(UInt32Array::from(seqs.to_vec()))),
            ("txn", Arc::new(UInt32Array::from(vec![7; ops.len()]))),
            ("flags", Arc::new(UInt8Array::from(vec![1; ops.len()]))),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    #[test]
    fn an_update_is_two_rows() {
        let batch = batch(&[1, 2, 3, 4], &[0, 3, 3, 9]);
        let read: Vec<RowChange> = Changes::new(&batch).expect("leads").collect::<Result<_, _>>().expect("in order");
        let change = |op, seq, row| RowChange { op, seq, txn: 7, flags: 1, row };
        assert_eq!(read, [change(Op::Insert, 0, 0), change(Op::Update, 3, 1), change(Op::Delete, 9, 3)]);
        assert_eq!(read.iter().map(RowChange::after).collect::<Vec<_>>(), [0, 2, 3]);
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for (ops, seqs) in
            [(&[2, 4][..], &[0, 0][..]), (&[2], &[0]), (&[2, 3], &[0, 1]), (&[3], &[0]), (&[0], &[0]), (&[-1], &[0])]
        {
            let batch = batch(ops, seqs);
            let mut changes = Changes::new(&batch).expect("leads");
            assert!(changes.next().is_some_and(|change| change.is_err()), "{ops:?}");
            assert!(changes.next().is_none(), "nothing is read behind it");
        }
        let wrong: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        let wrong = RecordBatch::try_from_iter([("op", wrong)]).expect("one column");
        assert!(Changes::new(&wrong).is_err());
        assert!(Changes::new(&batch(&[], &[]).project(&[1, 0, 2, 3]).expect("all there")).is_err());
    }
}
