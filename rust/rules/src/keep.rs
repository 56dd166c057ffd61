//! Parts of the batch of a window.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_array::{BooleanArray, Int8Array, RecordBatch};
use arrow_select::filter::filter_record_batch;

use crate::{FilterError, Result};

/// The values of the column `op` that belong to updates; the image after follows that before.
const UPDATE_BEFORE: i8 = 2;
const UPDATE_AFTER: i8 = 3;
const INSERT: i8 = 1;
const DELETE: i8 = 4;

/// The batch of a window without the images that are not to be kept, one word a row. What is left of an update of which
/// one image goes is an insertion or a deletion.
pub fn keep(batch: &RecordBatch, kept: Vec<bool>) -> Result<RecordBatch> {
    let ops = ops(batch)?;
    if kept.len() != ops.len() {
        return Err(FilterError::Batch(format!("{} words for {} rows", kept.len(), ops.len())));
    }
    if kept.iter().all(|word| *word) {
        return Ok(batch.clone());
    }
    let both = |row: usize| kept.get(row) == Some(&true) && kept.get(row + 1) == Some(&true);
    let left = ops.iter().enumerate().map(|(row, op)| match *op {
        UPDATE_BEFORE if !both(row) => DELETE,
        UPDATE_AFTER if row > 0 && !both(row - 1) => INSERT,
        op => op,
    });
    let mut columns = batch.columns().to_vec();
    columns[0] = Arc::new(Int8Array::from_iter_values(left));
    let failed = |error: arrow_schema::ArrowError| FilterError::Batch(error.to_string());
    let batch = RecordBatch::try_new(batch.schema(), columns).map_err(failed)?;
    filter_record_batch(&batch, &BooleanArray::from(kept)).map_err(failed)
}

/// The first column, which `keep` relies on.
fn ops(batch: &RecordBatch) -> Result<&[i8]> {
    let named = batch.schema_ref().fields().first().is_some_and(|field| field.name() == "op");
    let ops = batch.columns().first().filter(|_| named).and_then(|column| column.as_primitive_opt::<Int8Type>());
    ops.map(|ops| &ops.values()[..]).ok_or_else(|| FilterError::Batch("it is not one of a window".to_owned()))
}

/// Which changes of rows are carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dml {
    /// Rows that come.
    pub inserts: bool,
    /// Rows that change.
    pub updates: bool,
    /// Rows that go.
    pub deletes: bool,
}

impl Dml {
    /// Letters of these: `i`, `u`, `d`.
    pub fn new(letters: &str) -> Self {
        let has = |letter| letters.contains(letter);
        Self { inserts: has('i'), updates: has('u'), deletes: has('d') }
    }

    /// The batch of a window without changes of other kinds.
    pub fn only(self, batch: &RecordBatch) -> Result<RecordBatch> {
        let wanted = |op: &i8| match *op {
            INSERT => self.inserts,
            UPDATE_BEFORE | UPDATE_AFTER => self.updates,
            DELETE => self.deletes,
            _ => true,
        };
        let kept = ops(batch)?.iter().map(wanted).collect();
        keep(batch, kept)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int32Array};

    use super::*;

    fn batch(ops: &[i8]) -> RecordBatch {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values(0..ops.len() as i32));
        let ops: ArrayRef = Arc::new(Int8Array::from(ops.to_vec()));
        RecordBatch::try_from_iter([("op", ops), ("v", values)]).expect("columns of one length")
    }

    fn rows(batch: &RecordBatch) -> Vec<(i8, i32)> {
        let values = batch.column(1).as_primitive::<arrow_array::types::Int32Type>().values();
        ops(batch).expect("ops").iter().copied().zip(values.iter().copied()).collect()
    }

    #[test]
    fn half_of_an_update_is_another_change() {
        let all = batch(&[1, 2, 3, 4, 2, 3, 2, 3]);
        let kept = keep(&all, vec![true, true, false, false, false, true, true, true]).expect("fits");
        assert_eq!(rows(&kept), [(1, 0), (4, 1), (1, 5), (2, 6), (3, 7)]);
        assert_eq!(rows(&keep(&all, vec![false; 8]).expect("fits")), []);
        assert!(keep(&all, vec![true]).is_err());
        let other = RecordBatch::try_from_iter([("v", all.column(1).clone())]).expect("a column");
        assert!(keep(&other, vec![true; 8]).is_err());
    }

    #[test]
    fn kinds_of_changes_that_are_not_wanted_go() {
        let all = batch(&[1, 2, 3, 4]);
        assert_eq!(rows(&Dml::new("iud").only(&all).expect("fits")), rows(&all));
        assert_eq!(rows(&Dml::new("u").only(&all).expect("fits")), [(2, 1), (3, 2)]);
        assert_eq!(rows(&Dml::new("id").only(&all).expect("fits")), [(1, 0), (4, 3)]);
        assert_eq!(rows(&Dml::new("").only(&all).expect("fits")), []);
    }
}
