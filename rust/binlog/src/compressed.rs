//! zlib as MariaDB uses it within events and columns.

use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};

use crate::cursor::Cursor;
use crate::error::{ErrorKind, Fault, Result};

/// Bytes of the length that [`column`] puts before a value.
pub(crate) const LENGTH_BYTES: usize = 4;
/// Largest value of a column (LONGTEXT is limited by max_allowed_packet, at most 1 GiB).
const COLUMN_MAX: usize = 1 << 30;

/// The rows or the statement of a compressed event: a byte with the algorithm (0: zlib) in bits 4 to 6
/// and the number of length bytes in bits 0 to 2, the length in big-endian bytes, then the zlib
/// stream (MariaDB, sql/log_event.cc, `binlog_buf_compress`).
pub(crate) fn event(bytes: &[u8], limit: usize) -> Result<Vec<u8>> {
    let mut cursor = Cursor::new(bytes);
    let head = cursor.u8()?;
    if head >> 4 & 7 != 0 || head & 0x80 == 0 {
        return Err(Fault::new(ErrorKind::Unsupported, format!("compression {:#x} of an event", head)));
    }
    let length = cursor.uint_be(usize::from(head & 7))? as usize;
    if length > limit {
        return Err(Fault::new(ErrorKind::TooLarge, format!("an event of {length} bytes after decompression")));
    }
    let plain = decompress_to_vec_zlib_with_limit(cursor.rest(), length)
        .map_err(|_| Fault::corrupt("a compressed event that cannot be decompressed"))?;
    exact(plain, length)
}

/// The value of a compressed column behind its length in [`LENGTH_BYTES`] little-endian bytes.
///
/// The first byte holds the method in bits 4 to 7 (0: none, 8: zlib), whether a zlib header is
/// *missing* in bit 3, and the number of length bytes in bits 0 to 2 (MariaDB, sql/field_comp.cc).
/// No bytes at all are the empty value.
pub(crate) fn column(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut cursor = Cursor::new(bytes);
    let plain = match cursor.rest().first() {
        None => Vec::new(),
        Some(0) => cursor.rest()[1..].to_vec(),
        Some(head) if head >> 4 == 8 => {
            cursor.u8()?;
            let length = cursor.uint_be(usize::from(head & 7))? as usize;
            if length > COLUMN_MAX {
                return Err(Fault::new(ErrorKind::TooLarge, format!("a compressed column of {length} bytes")));
            }
            let inflate = if head & 8 == 0 { decompress_to_vec_zlib_with_limit } else { decompress_to_vec_with_limit };
            let plain = inflate(cursor.rest(), length)
                .map_err(|_| Fault::corrupt("a compressed column that cannot be decompressed"))?;
            exact(plain, length)?
        }
        Some(head) => return Err(Fault::new(ErrorKind::Unsupported, format!("compression {head:#x} of a column"))),
    };
    let length = u32::try_from(plain.len()).map_err(|_| Fault::corrupt("a compressed column beyond 4 GiB"))?;
    let mut value = length.to_le_bytes().to_vec();
    value.extend_from_slice(&plain);
    Ok(value)
}

fn exact(plain: Vec<u8>, length: usize) -> Result<Vec<u8>> {
    if plain.len() == length {
        Ok(plain)
    } else {
        Err(Fault::corrupt(format!("{} bytes where the compression promised {length}", plain.len())))
    }
}
