use crate::error::{Fault, Result};

/// Reads little-endian values from bytes that may end anywhere: every read is checked.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        match self.rest.split_at_checked(length) {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(head)
            }
            None => Err(short(length, self.rest.len())),
        }
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(*head)
            }
            None => Err(short(N, self.rest.len())),
        }
    }

    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    #[inline]
    pub fn u24(&mut self) -> Result<u32> {
        let [a, b, c] = self.array()?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    #[inline]
    pub fn u56(&mut self) -> Result<u64> {
        let [a, b, c, d, e, f, g] = self.array()?;
        Ok(u64::from_le_bytes([a, b, c, d, e, f, g, 0]))
    }

    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A little-endian number of 1 to 8 bytes.
    #[inline]
    pub fn uint(&mut self, length: usize) -> Result<u64> {
        match length {
            1 => self.u8().map(u64::from),
            2 => self.u16().map(u64::from),
            3 => self.u24().map(u64::from),
            4 => self.u32().map(u64::from),
            6 => {
                let [a, b, c, d, e, f] = self.array()?;
                Ok(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
            }
            8 => self.u64(),
            _ => Ok(self.take(length)?.iter().rev().take(8).fold(0u64, |all, byte| all << 8 | u64::from(*byte))),
        }
    }

    /// A big-endian number of 0 to 8 bytes.
    #[inline]
    pub fn uint_be(&mut self, length: usize) -> Result<u64> {
        Ok(self.take(length)?.iter().take(8).fold(0u64, |all, byte| all << 8 | u64::from(*byte)))
    }

    /// A length-encoded integer (MySQL internals manual, "Protocol::LengthEncodedInteger").
    #[inline]
    pub fn lenenc(&mut self) -> Result<u64> {
        match self.u8()? {
            byte @ 0..=250 => Ok(u64::from(byte)),
            252 => self.u16().map(u64::from),
            253 => self.u24().map(u64::from),
            254 => self.u64(),
            byte => Err(Fault::corrupt(format!("{byte:#04x} does not begin a length"))),
        }
    }

    /// A length-encoded integer that counts things which need at least one byte each.
    pub fn lenenc_size(&mut self) -> Result<usize> {
        let size = self.lenenc()?;
        usize::try_from(size).map_err(|_| Fault::corrupt(format!("a length of {size} bytes")))
    }

    /// A byte string with a length-encoded length.
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.lenenc_size()?;
        self.take(length)
    }

    /// Bytes up to a zero byte, which is consumed.
    pub fn until_zero(&mut self) -> Result<&'a [u8]> {
        let Some(end) = self.rest.iter().position(|byte| *byte == 0) else {
            return Err(Fault::corrupt("a text without its closing zero byte"));
        };
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }
}

#[cold]
fn short(wanted: usize, had: usize) -> Fault {
    Fault::corrupt(format!("the event ends too early: {wanted} bytes wanted, {had} left"))
}

/// Names of databases, tables and columns are UTF-8 in every log.
pub(crate) fn name(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Fault::corrupt("a name that is not UTF-8"))
}
