use crate::error::{DecodeError, Fault};
use crate::header::HEADER_BYTES;

/// What a binary log file begins with.
const MAGIC: &[u8; 4] = b"\xfebin";

/// The events of a binary log file in memory, for tests and benchmarks.
pub struct LogFile<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> LogFile<'a> {
    /// Reads a whole file.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.starts_with(MAGIC) {
            Ok(Self { bytes, at: MAGIC.len() })
        } else {
            Err(Fault::corrupt("a file that is no binary log: its first four bytes are others").at("", 0))
        }
    }
}

impl<'a> Iterator for LogFile<'a> {
    type Item = Result<&'a [u8], DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let size = rest.get(9..13).map(|size| u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize);
        match size.filter(|size| *size >= HEADER_BYTES).and_then(|size| rest.get(..size)) {
            Some(event) => {
                self.at += event.len();
                Some(Ok(event))
            }
            None => {
                let error = Fault::corrupt("a file that ends within an event").at("", self.at as u64);
                self.at = self.bytes.len();
                Some(Err(error))
            }
        }
    }
}
