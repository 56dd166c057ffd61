use std::sync::Arc;

use opendrs_binlog::Position;

use crate::error::{MysqlError, Result};
use crate::tracker::{HEADER, Tracker};

/// A block that has this many bytes ends before the next transaction.
pub(crate) const BLOCK_BYTES: usize = 256 << 10;
/// A block that has this many bytes ends before the next event.
const BLOCK_BYTES_MAX: usize = 1 << 20;

/// The first place of a block from which the log can be read without what came before: the begin
/// of a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// Bytes of the block before that place.
    pub offset: usize,
    /// Everything before that place.
    pub position: Position,
    /// The events a decoder must see first: the last ROTATE and FORMAT_DESCRIPTION; empty where they
    /// come now.
    pub context: (Arc<[u8]>, Arc<[u8]>),
}

/// Whole events, one after the other, in log order.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub bytes: Vec<u8>,
    pub start: Option<Arc<Start>>,
}

impl Block {
    /// The event that begins at `offset`, or None at the end.
    pub fn event(&self, offset: usize) -> Result<Option<&[u8]>> {
        event_at(&self.bytes, offset)
    }
}

/// The event that begins at `offset` of a block's bytes, or None at the end.
pub(crate) fn event_at(bytes: &[u8], offset: usize) -> Result<Option<&[u8]>> {
    let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) else { return Ok(None) };
    let length = rest.get(9..HEADER).and_then(|tail| tail.first_chunk::<4>()).map(|bytes| u32::from_le_bytes(*bytes));
    let event = length.and_then(|length| rest.get(..length as usize)).filter(|event| event.len() >= HEADER);
    event.map(Some).ok_or_else(|| MysqlError::protocol("a block of events is torn"))
}

/// Collects events into blocks.
#[derive(Debug, Default)]
pub(crate) struct BlockBuilder {
    bytes: Vec<u8>,
    start: Option<Arc<Start>>,
}

impl BlockBuilder {
    /// Whether the block should be handed over before an event is added. `begins`: the event begins
    /// a transaction.
    pub fn is_due(&self, begins: bool) -> bool {
        self.bytes.len() >= if begins { BLOCK_BYTES } else { BLOCK_BYTES_MAX }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Notes that everything before the event that comes next is whole.
    pub fn begin(&mut self, tracker: &Tracker) {
        if self.start.is_none() {
            let (offset, context) = (self.bytes.len(), tracker.context());
            self.start = Some(Arc::new(Start { offset, position: tracker.position(), context }));
        }
    }

    pub fn push(&mut self, event: &[u8]) {
        self.bytes.extend_from_slice(event);
    }

    /// The block so far; the builder is empty afterwards.
    pub fn take(&mut self) -> Block {
        Block { bytes: std::mem::take(&mut self.bytes), start: self.start.take() }
    }
}
