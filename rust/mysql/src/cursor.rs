use crate::error::{MysqlError, Result};

/// Reads the parts of a packet; asking for more than is there is an error value.
/// Integers are little-endian (MySQL Internals, "Protocol Basics: Data Types").
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

#[cold]
fn short() -> MysqlError {
    MysqlError::protocol("a packet of the server ends too early")
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        match self.rest.split_at_checked(count) {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(head)
            }
            None => Err(short()),
        }
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(*head)
            }
            None => Err(short()),
        }
    }

    #[inline]
    pub fn skip(&mut self, count: usize) -> Result<()> {
        self.bytes(count).map(|_| ())
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
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Length-encoded integer. 0xFB (NULL) and 0xFF are no integers.
    #[inline(always)]
    pub fn lenenc(&mut self) -> Result<u64> {
        match self.rest.split_first() {
            Some((small @ 0..=0xFA, rest)) => {
                self.rest = rest;
                Ok(u64::from(*small))
            }
            _ => self.long_lenenc(),
        }
    }

    fn long_lenenc(&mut self) -> Result<u64> {
        match self.u8()? {
            0xFC => Ok(u64::from(self.u16()?)),
            0xFD => {
                let [a, b, c] = self.array()?;
                Ok(u64::from(u32::from_le_bytes([a, b, c, 0])))
            }
            0xFE => self.u64(),
            other => Err(MysqlError::protocol(format!("a length begins with {other:#04x}"))),
        }
    }

    /// Length-encoded string.
    #[inline]
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.lenenc()?;
        match usize::try_from(length) {
            Ok(length) => self.bytes(length),
            Err(_) => Err(short()),
        }
    }

    /// A string up to a zero byte, or up to the end if there is none.
    pub fn until_nul(&mut self) -> &'a [u8] {
        match self.rest.iter().position(|&byte| byte == 0) {
            Some(at) => {
                let (head, rest) = self.rest.split_at(at);
                self.rest = rest.get(1..).unwrap_or_default();
                head
            }
            None => std::mem::take(&mut self.rest),
        }
    }
}

/// Appends a length-encoded integer.
pub(crate) fn put_lenenc(out: &mut Vec<u8>, value: u64) {
    match value {
        0..=0xFA => out.push(value as u8),
        0xFB..=0xFFFF => {
            out.push(0xFC);
            out.extend_from_slice(&(value as u16).to_le_bytes());
        }
        0x1_0000..=0xFF_FFFF => {
            out.push(0xFD);
            out.extend_from_slice(&(value as u32).to_le_bytes()[..3]);
        }
        _ => {
            out.push(0xFE);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Appends a length-encoded string.
pub(crate) fn put_lenenc_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_lenenc(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn lengths_go_there_and_back() {
        for value in [0, 1, 250, 251, 255, 256, 65_535, 65_536, 0xFF_FFFF, 0x100_0000, u64::MAX] {
            let mut out = Vec::new();
            put_lenenc(&mut out, value);
            let mut cursor = Cursor::new(&out);
            assert_eq!(cursor.lenenc().unwrap(), value);
            assert!(cursor.is_empty());
        }
    }

    #[test]
    fn short_packets_are_errors() {
        for bytes in [&[][..], &[0xFC, 1], &[0xFD, 1, 2], &[0xFE, 0, 0], &[0xFB], &[0xFF]] {
            assert_eq!(Cursor::new(bytes).lenenc().unwrap_err().kind(), ErrorKind::Protocol, "{bytes:?}");
        }
        assert!(Cursor::new(&[5, b'a']).lenenc_bytes().is_err());
        let huge = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        assert!(Cursor::new(&huge).lenenc_bytes().is_err());
        assert_eq!(Cursor::new(b"abc").until_nul(), b"abc");
        let mut cursor = Cursor::new(b"abc\0d");
        assert_eq!((cursor.until_nul(), cursor.rest()), (&b"abc"[..], &b"d"[..]));
    }
}
