use opendrs_net::{Endpoint, ReadBuffer, Stream, TlsOptions};

use crate::error::{ErrorKind, MysqlError, Result};

/// A packet of this length is followed by another one that continues it
/// (MySQL Internals, "MySQL Packets: Sending More Than 16Mb").
const FRAME_MAX: usize = 0xFF_FFFF;

/// The packets of one connection.
///
/// A packet is parsed where the kernel put it. Only one of 16 MiB and more, which comes in several
/// frames, is joined in a buffer of its own.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    buffer: ReadBuffer,
    /// Bytes at the front of `buffer` that the caller has seen.
    seen: usize,
    sequence: u8,
    joined: Vec<u8>,
    bytes_max: usize,
    out: Vec<u8>,
}

impl Wire {
    pub fn new(stream: Stream, bytes_max: usize) -> Self {
        Self { stream, buffer: ReadBuffer::new(), seen: 0, sequence: 0, joined: Vec::new(), bytes_max, out: Vec::new() }
    }

    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    pub fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Largest packet that is accepted from now on.
    pub fn set_bytes_max(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    pub fn upgrade(self, options: &TlsOptions, endpoint: &Endpoint) -> Result<Self> {
        let mut wire = self;
        wire.buffer.consume(wire.seen);
        wire.seen = 0;
        if !wire.buffer.is_empty() {
            return Err(MysqlError::protocol("the server went on talking before the encryption began"));
        }
        wire.stream = wire.stream.upgrade(options, endpoint)?;
        Ok(wire)
    }

    /// Whether the next packet can be had without waiting.
    pub fn has_buffered_packet(&self) -> bool {
        let bytes = self.buffer.unread().get(self.seen..).unwrap_or_default();
        match bytes {
            [a, b, c, _, payload @ ..] => payload.len() >= u32::from_le_bytes([*a, *b, *c, 0]) as usize,
            _ => false,
        }
    }

    /// The next packet's payload, valid until the next call.
    #[inline]
    pub fn next(&mut self) -> Result<&[u8]> {
        let length = self.frame()?;
        if length == FRAME_MAX {
            return self.join();
        }
        if length > self.bytes_max {
            return Err(self.too_large(length));
        }
        self.buffer.fill(&mut self.stream, 4 + length)?;
        self.seen = 4 + length;
        self.buffer.unread().get(4..4 + length).ok_or_else(unread)
    }

    /// The packet that [`Self::next`] returned last.
    #[inline]
    pub fn current(&self) -> &[u8] {
        if self.seen == 0 { &self.joined } else { self.buffer.unread().get(4..self.seen).unwrap_or_default() }
    }

    /// Drops what was seen and reads the next frame's header; returns the frame's length.
    #[inline]
    fn frame(&mut self) -> Result<usize> {
        self.buffer.consume(self.seen);
        self.seen = 0;
        self.buffer.fill(&mut self.stream, 4)?;
        let Some(&[a, b, c, sequence]) = self.buffer.unread().first_chunk::<4>() else {
            return Err(unread());
        };
        if sequence != self.sequence {
            return Err(MysqlError::protocol(format!(
                "packets are out of order: {sequence} came where {} was due",
                self.sequence
            )));
        }
        self.sequence = self.sequence.wrapping_add(1);
        Ok(u32::from_le_bytes([a, b, c, 0]) as usize)
    }

    /// Joins the frames of a packet of 16 MiB or more; the first frame's header was read.
    #[cold]
    fn join(&mut self) -> Result<&[u8]> {
        self.joined = Vec::new();
        let mut length = FRAME_MAX;
        loop {
            if self.joined.len() + length > self.bytes_max {
                return Err(self.too_large(self.joined.len() + length));
            }
            self.joined.reserve(length);
            self.buffer.consume(4);
            let mut left = length;
            while left > 0 {
                if self.buffer.is_empty() {
                    self.buffer.fill(&mut self.stream, 1)?;
                }
                let bytes = self.buffer.unread();
                let count = left.min(bytes.len());
                self.joined.extend_from_slice(&bytes[..count]);
                self.buffer.consume(count);
                left -= count;
            }
            if length < FRAME_MAX {
                return Ok(&self.joined);
            }
            length = self.frame()?;
        }
    }

    /// Gives the memory of a joined packet back; for when it was consumed.
    pub fn forget_joined(&mut self) {
        if self.joined.capacity() > 0 {
            self.joined = Vec::new();
        }
    }

    #[cold]
    fn too_large(&self, bytes: usize) -> MysqlError {
        MysqlError::new(
            ErrorKind::TooLarge,
            format!("the server sends a packet of {bytes} bytes or more, and {} are allowed", self.bytes_max),
        )
    }

    /// Begins a new command: sequence numbers start again at zero.
    pub fn begin_command(&mut self) {
        self.sequence = 0;
    }

    /// Sends one packet, in as many frames as it needs.
    pub fn send(&mut self, payload: &[u8]) -> Result<()> {
        self.out.clear();
        let mut rest = payload;
        loop {
            let (frame, behind) = rest.split_at(rest.len().min(FRAME_MAX));
            self.out.extend_from_slice(&(frame.len() as u32).to_le_bytes()[..3]);
            self.out.push(self.sequence);
            self.out.extend_from_slice(frame);
            self.sequence = self.sequence.wrapping_add(1);
            if frame.len() < FRAME_MAX {
                break;
            }
            rest = behind;
        }
        self.stream.write_all(&self.out)?;
        // Secrets pass through here too; large statements need not keep their memory.
        self.out.fill(0);
        self.out = Vec::new();
        Ok(())
    }
}

#[cold]
fn unread() -> MysqlError {
    MysqlError::protocol("the read buffer lost a packet")
}
