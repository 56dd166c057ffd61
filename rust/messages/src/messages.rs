use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use opendrs_columns::values::Column;

use crate::error::{MessageError, Refused, Result, RowName};
use crate::facts::Transactions;
use crate::options::Format;
use crate::order::{Change, Order};
use crate::record::{Kind, Record, Stamp};
use crate::table::Table;

/// One message; its bytes are in the [`Portion`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The caller's number of the topic.
    pub topic: u32,
    /// The partition.
    pub partition: i32,
    /// Where the key is; None: it has none.
    pub key: Option<Range<u32>>,
    /// Where the value is.
    pub value: Range<u32>,
    /// The ordinal of its change: in the window, or of the row in the batch of a snapshot.
    pub seq: u32,
}

/// Messages, and the one piece of memory that holds their bytes. It can be filled again and again.
#[derive(Debug, Default)]
pub struct Portion {
    bytes: Vec<u8>,
    messages: Vec<Message>,
}

impl Portion {
    /// The messages in order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// All keys and values, as the ranges of messages mean them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A message's key.
    pub fn key(&self, message: &Message) -> Option<&[u8]> {
        message.key.as_ref().map(|range| self.part(range))
    }

    /// A message's value.
    pub fn value(&self, message: &Message) -> &[u8] {
        self.part(&message.value)
    }

    fn part(&self, range: &Range<u32>) -> &[u8] {
        self.bytes.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// Empties it; gives memory back that only an unusually large row needed.
    fn clear(&mut self, bytes_max: usize) {
        self.messages.clear();
        self.bytes.clear();
        if self.bytes.capacity() / 4 > bytes_max {
            self.bytes.shrink_to(bytes_max);
        }
    }
}

/// A batch, and where the columns of its table are.
pub(crate) struct Part {
    pub table: Arc<Table>,
    pub batch: RecordBatch,
    pub places: Vec<usize>,
}

impl Part {
    fn columns(&self) -> Result<Vec<Column<'_>>> {
        self.table.columns(&self.batch, &self.places)
    }
}

/// The messages of a window or of a chunk of a snapshot, to be written portion by portion.
pub struct Messages {
    format: Format,
    parts: Vec<Part>,
    transactions: Transactions,
    order: Order,
    /// How many changes were written.
    done: usize,
    next_id: u64,
}

impl Messages {
    pub(crate) fn new(
        format: Format,
        parts: Vec<Part>,
        transactions: Transactions,
        order: Order,
        next_id: u64,
    ) -> Self {
        Self { format, parts, transactions, order, done: 0, next_id }
    }

    /// The id that the next message will have; behind the last one, that of the next window's first.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// The ordinal of the change that is written next; None: all are.
    pub fn next_seq(&self) -> Option<u32> {
        self.order.get(self.done).map(|change| change.seq)
    }

    /// How many changes are not written yet; an update that changes a key may become two messages.
    pub fn changes_left(&self) -> usize {
        self.order.len() - self.done
    }

    /// Writes the next messages into an emptied `portion` until it has `bytes_max` bytes or `messages_max`
    /// messages, which the last change may exceed: its messages are never parted. `now_ms` is their `ts`, in
    /// milliseconds since 1970 UTC. False: these were the last.
    ///
    /// After an error the portion holds what came before the row that is in it, and the next call ends there again.
    pub fn fill(&mut self, portion: &mut Portion, now_ms: i64, bytes_max: usize, messages_max: usize) -> Result<bool> {
        portion.clear(bytes_max);
        let mut stamp = Stamp::new(self.format, now_ms);
        let mut columns: Vec<Vec<Column<'_>>> = Vec::new();
        columns.resize_with(self.parts.len(), Vec::new);
        while let Some(change) = self.order.get(self.done) {
            let number = change.part as usize;
            let part = &self.parts[number];
            if columns[number].is_empty() {
                columns[number] = part.columns()?;
            }
            stamp.turn_to(self.format, change.txn, || self.transactions.facts(change.txn as usize));
            let mut writer = Writer { table: &part.table, columns: &columns[number], stamp: &stamp, portion };
            self.next_id += writer.change(&change, self.next_id)?;
            self.done += 1;
            if portion.bytes.len() >= bytes_max || portion.messages.len() >= messages_max {
                break;
            }
        }
        Ok(self.done < self.order.len())
    }

    /// The row of a message, for people. None: the message is not of these.
    pub fn row_name(&self, message: &Message) -> Option<RowName> {
        let change = self.order.find(message.seq)?;
        let part = self.parts.get(change.part as usize)?;
        let row = change.after().or(change.before())?;
        part.columns().ok().map(|columns| part.table.row_name(&columns, row))
    }
}

/// Writes the messages of one change.
struct Writer<'a, 'b> {
    table: &'a Table,
    columns: &'a [Column<'b>],
    stamp: &'a Stamp,
    portion: &'a mut Portion,
}

/// Why a row has no message.
enum Stop {
    Value(usize, Refused),
    TooLarge(usize),
}

impl Writer<'_, '_> {
    /// Returns how many they are: one, or two. With an error none is left in the portion.
    #[inline]
    fn change(&mut self, change: &Change, id: u64) -> Result<u64> {
        let (bytes, messages) = (self.portion.bytes.len(), self.portion.messages.len());
        let written = match (change.before(), change.after()) {
            (Some(before), Some(after)) if self.table.keys.splits && !self.same_key(before, after) => self
                .message(change, Kind::Delete, id, Some(before), None)
                .and_then(|()| self.message(change, Kind::Insert, id + 1, None, Some(after)))
                .map(|()| 2),
            (before, after) => self.message(change, change.kind, id, before, after).map(|()| 1),
        };
        written.map_err(|stop| {
            self.portion.bytes.truncate(bytes);
            self.portion.messages.truncate(messages);
            self.error(stop)
        })
    }

    #[cold]
    fn error(&self, stop: Stop) -> MessageError {
        match stop {
            Stop::Value(row, refused) => self.table.value_error(self.columns, row, refused),
            Stop::TooLarge(row) => MessageError::TooLarge(Box::new(self.table.row_name(self.columns, row))),
        }
    }

    fn same_key(&self, before: usize, after: usize) -> bool {
        self.table.key.iter().all(|&number| self.columns[number].same(before, &self.columns[number], after))
    }

    #[inline]
    fn message(
        &mut self,
        change: &Change,
        kind: Kind,
        id: u64,
        before: Option<usize>,
        after: Option<usize>,
    ) -> Result<(), Stop> {
        let row = after.or(before).unwrap_or_default();
        let refuse = |refused| Stop::Value(row, refused);
        let Portion { bytes, messages } = &mut *self.portion;
        let start = bytes.len();
        let (has_key, partition) = self.table.keys.write(self.columns, &self.table.key, row, bytes).map_err(refuse)?;
        let middle = bytes.len();
        let Change { ordinal, seq, .. } = *change;
        let record = Record { kind, id, ordinal, stamp: self.stamp, columns: self.columns, before, after };
        self.table.layout.write(&record, bytes).map_err(refuse)?;
        let place = |at: usize| u32::try_from(at).map_err(|_| Stop::TooLarge(row));
        let (start, middle, end) = (place(start)?, place(middle)?, place(bytes.len())?);
        let key = has_key.then_some(start..middle);
        messages.push(Message { topic: self.table.topic, partition, key, value: middle..end, seq });
        Ok(())
    }
}
