//! TRANSACTION_PAYLOAD: the events of a transaction in one zstd stream (MySQL 8.0.20 and newer,
//! `binlog_transaction_compression`).

use std::io::{Cursor as IoCursor, Read};

use crate::cursor::Cursor;
use crate::error::{ErrorKind, Fault, Result};
use crate::header::HEADER_BYTES;

/// Largest window a stream may ask for, as a power of two: the decoder's own default limit.
const WINDOW_LOG_MAX: u32 = 27;

/// Decompresses and hands out one event at a time.
pub(crate) struct Payload {
    stream: Stream,
    event_bytes_max: usize,
    event: Vec<u8>,
}

enum Stream {
    Zstd(Box<zstd::Decoder<'static, IoCursor<Vec<u8>>>>),
    Plain(IoCursor<Vec<u8>>),
}

impl Payload {
    /// The header is a list of type, length, value (libbinlogevents, payload_event_body_codec):
    /// 1 size, 2 algorithm (0 zstd, 255 none), 3 uncompressed size, 0 ends it; the payload follows.
    pub fn parse(body: &[u8], event_bytes_max: usize) -> Result<Self> {
        let mut cursor = Cursor::new(body);
        let (mut size, mut algorithm) = (None, None);
        loop {
            let field = cursor.lenenc()?;
            if field == 0 {
                break;
            }
            let mut value = Cursor::new(cursor.lenenc_bytes()?);
            match field {
                1 => size = Some(value.lenenc_size()?),
                2 => algorithm = Some(value.lenenc()?),
                3 => drop(value.lenenc()?),
                other => {
                    return Err(Fault::new(
                        ErrorKind::Unsupported,
                        format!("field {other} of a compressed transaction"),
                    ));
                }
            }
        }
        let bytes = match size {
            Some(size) => cursor.take(size)?,
            None => cursor.rest(),
        };
        let bytes = IoCursor::new(bytes.to_vec());
        let stream = match algorithm {
            Some(0) => {
                let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(|error| broken(&error))?;
                decoder.window_log_max(WINDOW_LOG_MAX).map_err(|error| broken(&error))?;
                Stream::Zstd(Box::new(decoder))
            }
            Some(255) => Stream::Plain(bytes),
            other => {
                return Err(Fault::new(ErrorKind::Unsupported, format!("compression {other:?} of a transaction")));
            }
        };
        Ok(Self { stream, event_bytes_max, event: Vec::new() })
    }

    /// The next event, header included; it has no checksum.
    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        let mut head = [0u8; HEADER_BYTES];
        if self.fill(&mut head, true)? == 0 {
            return Ok(None);
        }
        let size = u32::from_le_bytes([head[9], head[10], head[11], head[12]]) as usize;
        if size < HEADER_BYTES || size > self.event_bytes_max {
            return Err(Fault::new(
                ErrorKind::TooLarge,
                format!("an event of {size} bytes in a compressed transaction"),
            ));
        }
        self.event.clear();
        self.event.extend_from_slice(&head);
        // Grown as bytes come: the size is only a promise until then.
        let rest = (size - HEADER_BYTES) as u64;
        let read = match &mut self.stream {
            Stream::Zstd(decoder) => decoder.by_ref().take(rest).read_to_end(&mut self.event),
            Stream::Plain(bytes) => bytes.by_ref().take(rest).read_to_end(&mut self.event),
        };
        let read = read.map_err(|error| broken(&error))?;
        if read as u64 != rest {
            return Err(Fault::corrupt("a compressed transaction that ends within an event"));
        }
        Ok(Some(&self.event))
    }

    fn fill(&mut self, buffer: &mut [u8], may_end: bool) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let read = match &mut self.stream {
                Stream::Zstd(decoder) => decoder.read(&mut buffer[filled..]),
                Stream::Plain(bytes) => bytes.read(&mut buffer[filled..]),
            };
            match read.map_err(|error| broken(&error))? {
                0 if filled == 0 && may_end => return Ok(0),
                0 => return Err(Fault::corrupt("a compressed transaction that ends within an event")),
                read => filled += read,
            }
        }
        Ok(filled)
    }
}

#[cold]
fn broken(error: &std::io::Error) -> Fault {
    Fault::corrupt(format!("a compressed transaction: {error}"))
}
