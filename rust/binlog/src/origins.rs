//! Where each transaction of a window comes from. Cheap to collect, made into a batch only when asked.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};

use crate::TransactionId;

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub id: TransactionId,
    /// Commit, or where the log does not tell, the begin; in microseconds since 1970 (0: unknown).
    pub moment_us: i64,
    /// Place behind the event that begins it.
    pub pos: u64,
}

/// The transactions of a window, in order: those that `txn` counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    transactions: Vec<Origin>,
    /// (ordinal, file): from that transaction on.
    files: Vec<(usize, String)>,
}

impl Origins {
    pub(crate) fn push(&mut self, origin: Origin, file: &str) {
        if self.files.last().is_none_or(|last| last.1 != file) {
            self.files.push((self.transactions.len(), file.to_owned()));
        }
        self.transactions.push(origin);
    }

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// One row a transaction:
    ///
    /// - `commit_us` Int64: commit, or where the log does not tell, the begin; in microseconds since 1970, 0 if
    ///   unknown;
    /// - `gtid` Utf8: as the server prints it, null if the log is followed by file and position;
    /// - `file` Utf8, `pos` UInt64: place behind the event that begins the transaction.
    pub fn batch(&self) -> Result<RecordBatch, ArrowError> {
        let schema = Schema::new(vec![
            Field::new("commit_us", DataType::Int64, false),
            Field::new("gtid", DataType::Utf8, true),
            Field::new("file", DataType::Utf8, false),
            Field::new("pos", DataType::UInt64, false),
        ]);
        let moments: Int64Array = self.transactions.iter().map(|origin| Some(origin.moment_us)).collect();
        let places: UInt64Array = self.transactions.iter().map(|origin| Some(origin.pos)).collect();
        let columns: [ArrayRef; 4] =
            [Arc::new(moments), Arc::new(self.gtids().finish()), Arc::new(self.names().finish()), Arc::new(places)];
        RecordBatch::try_new(Arc::new(schema), columns.into())
    }

    fn gtids(&self) -> StringBuilder {
        let mut gtids = StringBuilder::new();
        for origin in &self.transactions {
            match &origin.id {
                TransactionId::Mysql(gtid) => gtids.append_value(gtid.to_string()),
                TransactionId::Mariadb(gtid) => gtids.append_value(gtid.to_string()),
                TransactionId::File(_) => gtids.append_null(),
            }
        }
        gtids
    }

    fn names(&self) -> StringBuilder {
        let mut names = StringBuilder::new();
        let mut files = self.files.iter().peekable();
        let mut file = "";
        for ordinal in 0..self.transactions.len() {
            while let Some((_, next)) = files.next_if(|next| next.0 <= ordinal) {
                file = next;
            }
            names.append_value(file);
        }
        names
    }
}
