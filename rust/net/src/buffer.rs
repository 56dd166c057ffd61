use crate::{NetError, Stream};

/// Bytes asked of the kernel at once. Large enough that a system call costs little per byte, small
/// enough that what was read is still in the processor's second-level cache when it is parsed.
const READ_BYTES: usize = 256 << 10;

/// Bytes that came from a [`Stream`] and were not parsed yet.
///
/// The kernel copies into this buffer and the protocol is parsed in place: `fill` until enough is
/// there, look at `unread`, `consume` what was parsed. Only an incomplete message at the end of
/// the buffer is ever moved.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    data: Vec<u8>,
    start: usize,
    end: usize,
}

impl ReadBuffer {
    /// An empty buffer; memory is taken at the first `fill`.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was read and not consumed.
    #[inline]
    pub fn unread(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    /// Number of bytes read and not consumed.
    #[inline]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether everything read was consumed. Check it before [`Stream::upgrade`]: bytes that came
    /// before the encryption must not be taken for bytes that came through it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Drops the first `count` unread bytes (all, if there are fewer).
    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.start += count.min(self.len());
    }

    /// Reads until at least `wanted` bytes are unread. An error of kind `Closed` if the stream ends
    /// before; what came until then stays.
    #[inline]
    pub fn fill(&mut self, stream: &mut Stream, wanted: usize) -> Result<(), NetError> {
        while self.len() < wanted {
            if self.read_more(stream, wanted)? == 0 {
                return Err(NetError::closed());
            }
        }
        Ok(())
    }

    /// One read of the stream, however much it gives: 0 at its end. `wanted` is how many unread
    /// bytes the caller hopes to have.
    pub fn read_more(&mut self, stream: &mut Stream, wanted: usize) -> Result<usize, NetError> {
        self.make_room(wanted);
        let count = stream.read(&mut self.data[self.end..])?;
        self.end += count;
        Ok(count)
    }

    fn make_room(&mut self, wanted: usize) {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
            if self.data.len() > 4 * READ_BYTES && wanted <= READ_BYTES {
                // One huge message must not keep its memory for the life of the connection.
                self.data = Vec::new();
            }
        }
        let capacity = wanted.max(READ_BYTES);
        if self.start + capacity > self.data.len() {
            self.data.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.data.len() < capacity {
            self.data.resize(capacity.next_power_of_two(), 0);
        }
    }
}
