//! PARTIAL_ROW_DATA: pieces of a rows event that is too large for one packet (MariaDB 12.3 and newer,
//! MDEV-32570).

use crate::cursor::Cursor;
use crate::error::{ErrorKind, Fault, Result};

/// The pieces of one event so far.
#[derive(Default)]
pub(crate) struct Fragments {
    event: Vec<u8>,
    /// Pieces joined, and to be joined.
    joined: u32,
    total: u32,
    /// The number of the piece comes before their count.
    number_first: bool,
    promised: Option<u64>,
}

/// The first piece: it tells the size of the whole event.
const FLAG_ORIGINAL_SIZE: u8 = 1;

impl Fragments {
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub fn bytes(&self) -> usize {
        self.event.capacity()
    }

    /// Takes the next piece; gives the whole event, its header included, once it is there.
    ///
    /// MariaDB's documentation and its source (sql/log_event.h, `Partial_rows_log_event`) disagree on
    /// which of number and count comes first; the first piece, which has the number 1, tells.
    pub fn push(&mut self, body: &[u8], event_bytes_max: usize) -> Result<Option<Vec<u8>>> {
        let mut cursor = Cursor::new(body);
        let (a, b, flags) = (cursor.u32()?, cursor.u32()?, cursor.u8()?);
        if flags & FLAG_ORIGINAL_SIZE != 0 {
            if !self.is_empty() {
                return Err(Fault::corrupt("a rows event in pieces begins before the last one ended"));
            }
            self.promised = Some(cursor.u64()?);
            self.number_first = a == 1;
            self.total = if self.number_first { b } else { a };
        }
        let (number, total) = if self.number_first { (a, b) } else { (b, a) };
        if number != self.joined + 1 || total != self.total || number > total {
            let what = format!("piece {number} of {total} where {} of {} was due", self.joined + 1, self.total);
            return Err(Fault::corrupt(what));
        }
        if self.event.len() + cursor.len() > event_bytes_max {
            return Err(Fault::new(ErrorKind::TooLarge, format!("a rows event of more than {event_bytes_max} bytes")));
        }
        self.event.extend_from_slice(cursor.rest());
        self.joined = number;
        if number < total {
            return Ok(None);
        }
        let whole = std::mem::take(self);
        match whole.promised {
            Some(size) if size != whole.event.len() as u64 => {
                Err(Fault::corrupt(format!("pieces of {} bytes where {size} were promised", whole.event.len())))
            }
            _ => Ok(Some(whole.event)),
        }
    }
}
