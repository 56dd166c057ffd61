//! Which changes there are, in which order.

use arrow_array::RecordBatch;
use opendrs_columns::changes::{Changes, Op};

use crate::error::{MessageError, Result};
use crate::record::Kind;

/// One change of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub kind: Kind,
    /// Ordinal within the window; of a row of a snapshot, within its batch.
    pub seq: u32,
    /// Ordinal of the source transaction within the window.
    pub txn: u32,
    /// Ordinal of the change within what the window holds of its transaction.
    pub ordinal: u32,
    /// Number of the batch.
    pub part: u32,
    /// The row of the batch; of an update the image before, which the image after follows.
    pub row: u32,
}

impl Change {
    pub fn before(&self) -> Option<usize> {
        matches!(self.kind, Kind::Update | Kind::Delete).then_some(self.row as usize)
    }

    pub fn after(&self) -> Option<usize> {
        match self.kind {
            Kind::Insert | Kind::Init => Some(self.row as usize),
            Kind::Update => Some(self.row as usize + 1),
            Kind::Delete => None,
        }
    }
}

/// What is to be written.
pub(crate) enum Order {
    /// Changes of a window.
    Log(Vec<Change>),
    /// So many rows of the one batch of a snapshot.
    Snapshot(u32),
}

impl Order {
    /// The changes of all batches whose seq is not below `from`, in the order of the log.
    ///
    /// An error, with the number of the batch, if leading columns make no sense, if two changes have the same seq,
    /// if transactions are interleaved, or if a change belongs to none of the `transactions`.
    pub fn of_window<'b>(
        batches: impl Iterator<Item = &'b RecordBatch>,
        transactions: usize,
        from: u32,
        begun: u32,
    ) -> Result<Self, (usize, String)> {
        let mut changes = Vec::new();
        for (part, batch) in batches.enumerate() {
            read(batch, part as u32, transactions, &mut changes).map_err(|reason| (part, reason))?;
        }
        // Each batch ascends: a sort that finds runs merges them.
        changes.sort_by_key(|change| change.seq);
        number(&mut changes, begun)?;
        changes.drain(..changes.partition_point(|change| change.seq < from));
        Ok(Self::Log(changes))
    }

    pub fn of_snapshot(batch: &RecordBatch) -> Result<Self> {
        let rows = u32::try_from(batch.num_rows());
        rows.map(Self::Snapshot).map_err(|_| MessageError::Usage("a batch of more than 2^32 rows".to_owned()))
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Log(changes) => changes.len(),
            Self::Snapshot(rows) => *rows as usize,
        }
    }

    #[inline]
    pub fn get(&self, at: usize) -> Option<Change> {
        match self {
            Self::Log(changes) => changes.get(at).copied(),
            Self::Snapshot(rows) => (at < *rows as usize).then_some(Change {
                kind: Kind::Init,
                seq: at as u32,
                txn: 0,
                ordinal: 0,
                part: 0,
                row: at as u32,
            }),
        }
    }

    /// The change with an ordinal.
    pub fn find(&self, seq: u32) -> Option<Change> {
        match self {
            Self::Log(changes) => changes.binary_search_by_key(&seq, |change| change.seq).ok().map(|at| changes[at]),
            Self::Snapshot(_) => self.get(seq as usize),
        }
    }
}

fn read(batch: &RecordBatch, part: u32, transactions: usize, changes: &mut Vec<Change>) -> Result<(), String> {
    let read = Changes::new(batch)?;
    changes.reserve(read.rows());
    for change in read {
        let change = change?;
        if change.txn as usize >= transactions {
            return Err(format!("row {} is of transaction {}, of {transactions}", change.row, change.txn));
        }
        let kind = match change.op {
            Op::Insert => Kind::Insert,
            Op::Update => Kind::Update,
            Op::Delete => Kind::Delete,
        };
        changes.push(Change { kind, seq: change.seq, txn: change.txn, ordinal: 0, part, row: change.row });
    }
    Ok(())
}

/// Counts the changes within their transactions, of which the first had `begun` changes before.
fn number(changes: &mut [Change], begun: u32) -> Result<(), (usize, String)> {
    let mut last: Option<Change> = None;
    for change in changes {
        change.ordinal = if change.txn == 0 { begun } else { 0 };
        if let Some(last) = last {
            if last.seq == change.seq {
                return Err((change.part as usize, format!("seq {} is there twice", last.seq)));
            }
            if last.txn > change.txn {
                return Err((change.part as usize, format!("transaction {} comes after {}", change.txn, last.txn)));
            }
            if last.txn == change.txn {
                change.ordinal = last.ordinal + 1;
            }
        }
        last = Some(*change);
    }
    Ok(())
}
