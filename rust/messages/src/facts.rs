//! What is known of a transaction, and how the messages of a format say it.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int64Type, UInt64Type};
use arrow_array::{Array, PrimitiveArray, RecordBatch, StringArray};

use crate::error::{MessageError, Result};

/// Where rows are from: a transaction of the log, or a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts<'a> {
    /// When the transaction was committed or the snapshot taken, in microseconds since 1970 UTC; 0: unknown.
    pub moment_us: i64,
    /// The transaction's global id, or the set of those that the snapshot holds.
    pub gtid: Option<&'a str>,
    /// The log file.
    pub file: Option<&'a str>,
    /// The end of the transaction in that file, in bytes.
    pub pos: u64,
}

impl Facts<'_> {
    /// Milliseconds since 1970 UTC; 0: unknown.
    pub(crate) fn moment_ms(&self) -> i64 {
        self.moment_us.div_euclid(1000)
    }
}

/// The facts of each transaction of a window.
pub(crate) struct Transactions {
    moments: PrimitiveArray<Int64Type>,
    gtids: StringArray,
    files: StringArray,
    positions: PrimitiveArray<UInt64Type>,
}

impl Transactions {
    /// One row a transaction: commit_us (int64), gtid (utf8), file (utf8), pos (uint64); the texts may be null.
    pub fn new(batch: &RecordBatch) -> Result<Self> {
        Ok(Self {
            moments: numbers(batch, "commit_us")?,
            gtids: texts(batch, "gtid")?,
            files: texts(batch, "file")?,
            positions: numbers(batch, "pos")?,
        })
    }

    pub fn one(facts: &Facts<'_>) -> Self {
        Self {
            moments: PrimitiveArray::from(vec![facts.moment_us]),
            gtids: StringArray::from(vec![facts.gtid]),
            files: StringArray::from(vec![facts.file]),
            positions: PrimitiveArray::from(vec![facts.pos]),
        }
    }

    pub fn len(&self) -> usize {
        self.moments.len()
    }

    /// The facts of a transaction, whose number is below [`Self::len`].
    pub fn facts(&self, number: usize) -> Facts<'_> {
        Facts {
            moment_us: self.moments.value(number),
            gtid: self.gtids.is_valid(number).then(|| self.gtids.value(number)),
            file: self.files.is_valid(number).then(|| self.files.value(number)),
            pos: self.positions.value(number),
        }
    }
}

fn numbers<T: ArrowPrimitiveType>(batch: &RecordBatch, name: &str) -> Result<PrimitiveArray<T>> {
    let array = batch.column_by_name(name).and_then(|array| array.as_primitive_opt::<T>());
    let whole = array.filter(|array| array.null_count() == 0).cloned();
    whole.ok_or_else(|| wrong(name, &format!("{} without nulls", T::DATA_TYPE)))
}

fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    let array = batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>());
    array.cloned().ok_or_else(|| wrong(name, "Utf8"))
}

fn wrong(name: &str, expected: &str) -> MessageError {
    MessageError::Batch(format!("the batch of transactions must have a column {name} of {expected}"))
}
