use std::time::Duration;

use opendrs_net::{NetErrorKind, ReadBuffer, Stream};

use crate::error::{PgError, Result};
use crate::wire::MESSAGE_BYTES_MAX;

/// Shortest wait that a socket can be told; see [`Transport::poll`].
const POLL: Duration = Duration::from_millis(1);

/// A stream of messages: framing and nothing else.
pub(crate) struct Transport {
    stream: Stream,
    input: ReadBuffer,
    /// Bytes of the message that [`Self::body`] shows; dropped when the next one is asked for.
    current: usize,
    read_timeout: Option<Duration>,
    /// Bytes written to the server since the connection was made.
    pub sent: u64,
}

impl Transport {
    pub fn new(stream: Stream) -> Self {
        Self { stream, input: ReadBuffer::new(), current: 0, read_timeout: None, sent: 0 }
    }

    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)?;
        self.sent += bytes.len() as u64;
        Ok(())
    }

    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        self.read_timeout = timeout;
        Ok(self.stream.set_read_timeout(timeout)?)
    }

    /// Waits for the next message; returns its tag. [`Self::body`] then shows its body.
    pub fn receive(&mut self) -> Result<u8> {
        self.input.consume(std::mem::take(&mut self.current));
        self.input.fill(&mut self.stream, 5)?;
        let (tag, length) = header(self.input.unread())?;
        self.input.fill(&mut self.stream, length)?;
        self.current = length;
        Ok(tag)
    }

    /// Whether a message can be taken without waiting; if none is there, waits the shortest time a
    /// socket can be told. (The stream blocks and has no way to ask: so ask seldom.)
    pub fn poll(&mut self) -> Result<bool> {
        self.input.consume(std::mem::take(&mut self.current));
        if self.has_message()? {
            return Ok(true);
        }
        self.stream.set_read_timeout(Some(POLL))?;
        let read = self.input.read_more(&mut self.stream, 5);
        self.stream.set_read_timeout(self.read_timeout)?;
        match read {
            Ok(0) => Err(opendrs_net::NetError::closed().into()),
            Ok(_) => self.has_message(),
            Err(error) if error.kind == NetErrorKind::Timeout => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The tag of the next message, which is there.
    pub fn peek(&self) -> Result<u8> {
        Ok(header(self.input.unread())?.0)
    }

    fn has_message(&self) -> Result<bool> {
        let unread = self.input.unread();
        Ok(unread.len() >= 5 && unread.len() >= header(unread)?.1)
    }

    /// The body of the message received last.
    pub fn body(&self) -> &[u8] {
        self.input.unread().get(5..self.current).unwrap_or_default()
    }
}

/// Tag and whole length of the message that begins `bytes`, which hold at least 5.
fn header(bytes: &[u8]) -> Result<(u8, usize)> {
    let (Some(tag), Some(length)) = (bytes.first(), bytes.get(1..5).and_then(|b| <[u8; 4]>::try_from(b).ok())) else {
        return Err(PgError::protocol("a message without a header"));
    };
    // The length counts itself but not the tag.
    match usize::try_from(i32::from_be_bytes(length)) {
        Ok(length) if (4..=MESSAGE_BYTES_MAX).contains(&length) => Ok((*tag, length + 1)),
        _ => Err(PgError::protocol("a message with an impossible length; is this a PostgreSQL server?")),
    }
}
