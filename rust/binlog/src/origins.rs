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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int64Type, UInt64Type};

    use super::{Origin, Origins};
    use crate::{FilePosition, TransactionId};

    fn origin(id: TransactionId, number: u64) -> Origin {
        Origin { id, moment_us: number as i64 * 1000, pos: number * 10 }
    }

    fn file(number: u64) -> TransactionId {
        TransactionId::File(FilePosition { file: "x".to_owned(), pos: number })
    }

    /// (moment, gtid, file, place) of each transaction.
    fn rows(origins: &Origins) -> Vec<(i64, Option<String>, String, u64)> {
        let batch = origins.batch().unwrap();
        let (gtids, files) = (batch.column(1).as_string::<i32>(), batch.column(2).as_string::<i32>());
        let moments = batch.column(0).as_primitive::<Int64Type>();
        let places = batch.column(3).as_primitive::<UInt64Type>();
        let gtid = |row: usize| gtids.is_valid(row).then(|| gtids.value(row).to_owned());
        let one = |row: usize| (moments.value(row), gtid(row), files.value(row).to_owned(), places.value(row));
        (0..batch.num_rows()).map(one).collect()
    }

    #[test]
    fn a_file_that_ends_within_a_window() {
        let mut origins = Origins::default();
        for (number, name) in (1..).zip(["a.1", "a.1", "a.2", "a.2", "a.3", "a.1"]) {
            origins.push(origin(file(number), number), name);
        }
        let files: Vec<String> = rows(&origins).into_iter().map(|row| row.2).collect();
        assert_eq!(files, ["a.1", "a.1", "a.2", "a.2", "a.3", "a.1"]);
        // A name is kept once as long as it stays.
        assert_eq!(origins.files.len(), 4);
        assert_eq!(origins.len(), 6);
    }

    #[test]
    fn each_kind_of_id_is_printed_as_its_server_does() {
        let mut origins = Origins::default();
        origins.push(origin(TransactionId::Mariadb("0-1-5".parse().unwrap()), 1), "f");
        let gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:7";
        origins.push(origin(TransactionId::Mysql(gtid.parse().unwrap()), 2), "f");
        origins.push(origin(file(9), 3), "f");
        let expected = [
            (1000, Some("0-1-5".to_owned()), "f".to_owned(), 10),
            (2000, Some(gtid.to_owned()), "f".to_owned(), 20),
            (3000, None, "f".to_owned(), 30),
        ];
        assert_eq!(rows(&origins), expected);
    }

    #[test]
    fn a_window_without_transactions() {
        let origins = Origins::default();
        assert!(origins.is_empty() && origins.batch().unwrap().num_rows() == 0);
        assert_eq!(origins.batch().unwrap().num_columns(), 4);
    }

    #[test]
    fn what_the_log_does_not_tell() {
        let mut origins = Origins::default();
        origins.push(Origin { id: file(0), moment_us: 0, pos: 0 }, "");
        assert_eq!(rows(&origins), [(0, None, String::new(), 0)]);
    }
}
