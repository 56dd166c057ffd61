//! Events that name transactions: GTID, tagged GTID, MariaDB's GTID, and their lists.

use crate::cursor::{self, Cursor};
use crate::error::{ErrorKind, Fault, Result};
use crate::query::Xid;
use crate::{Gtid, MariadbGtid, SourceId, Tag};

/// What a MySQL GTID event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MysqlGtidEvent {
    /// None in an ANONYMOUS_GTID.
    pub gtid: Option<Gtid>,
    /// Commit on this server in microseconds since 1970; 0 before MySQL 8.0.1.
    pub commit_us: i64,
}

impl MysqlGtidEvent {
    /// GTID and ANONYMOUS_GTID (libbinlogevents, control_events.h, `class Gtid_event`).
    pub fn parse(body: &[u8], anonymous: bool) -> Result<Self> {
        let mut cursor = Cursor::new(body);
        let _flags = cursor.u8()?;
        let source = SourceId(cursor.array()?);
        let number = cursor.u64()?;
        let gtid = if anonymous { None } else { Some(numbered(source, Tag::default(), number)?) };
        let mut commit_us = 0;
        // MySQL 5.7 appends the logical clock, 8.0.1 the commit times.
        const LOGICAL_CLOCK: u8 = 2;
        if !cursor.is_empty() && cursor.u8()? == LOGICAL_CLOCK {
            cursor.take(16)?;
            if cursor.len() >= 7 {
                // The highest of the 56 bits says that the original time follows.
                commit_us = micros(cursor.u56()? & !(1 << 55));
            }
        }
        Ok(Self { gtid, commit_us })
    }

    /// GTID_TAGGED: a message of mysql::serialization (MySQL server documentation,
    /// "PageLibsMysqlSerialization"): version, size, last field that must be known, then fields.
    pub fn parse_tagged(body: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(body);
        let version = varint(&mut cursor)?;
        if version != 1 && version != 0 {
            return Err(Fault::new(
                ErrorKind::Unsupported,
                format!("serialisation version {version} of a tagged GTID"),
            ));
        }
        let _size = varint(&mut cursor)?;
        let needed = varint(&mut cursor)?;
        let (mut source, mut number, mut tag, mut commit_us) = (None, None, Tag::default(), 0);
        while !cursor.is_empty() {
            match varint(&mut cursor)? {
                1 => {
                    let mut id = [0u8; 16];
                    for byte in &mut id {
                        *byte = u8::try_from(varint(&mut cursor)?)
                            .map_err(|_| Fault::corrupt("a server UUID with a byte above 255"))?;
                    }
                    source = Some(SourceId(id));
                }
                2 => number = u64::try_from(signed_varint(&mut cursor)?).ok(),
                3 => {
                    let length = varint(&mut cursor)?;
                    let text = cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?;
                    tag = cursor::name(text)?.parse().map_err(|e: crate::PositionError| Fault::corrupt(e.0))?;
                }
                6 => commit_us = micros(varint(&mut cursor)?),
                // Flags, commit times, length and server versions: varints of no use here.
                0 | 4 | 5 | 7..=11 => {
                    varint(&mut cursor)?;
                }
                id if id <= needed => {
                    return Err(Fault::new(ErrorKind::Unsupported, format!("field {id} of a tagged GTID")));
                }
                // Fields above are declared ignorable; their lengths are not known.
                _ => break,
            }
        }
        match (source, number) {
            (Some(source), Some(number)) => Ok(Self { gtid: Some(numbered(source, tag, number)?), commit_us }),
            _ => Err(Fault::corrupt("a tagged GTID without server or number")),
        }
    }
}

fn numbered(source: SourceId, tag: Tag, number: u64) -> Result<Gtid> {
    if number == 0 || number >= (1 << 63) - 1 {
        return Err(Fault::corrupt(format!("a GTID with the number {number}")));
    }
    Ok(Gtid { source, tag, number })
}

fn micros(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(0)
}

/// 1 to 9 bytes: as many trailing one bits in the first byte as bytes follow, then the number.
fn varint(cursor: &mut Cursor<'_>) -> Result<u64> {
    let first = *cursor.rest().first().ok_or_else(|| Fault::corrupt("a tagged GTID that ends early"))?;
    let bytes = first.trailing_ones() as usize + 1;
    let raw = cursor.take(bytes)?;
    let value = raw.iter().rev().fold(0u128, |all, byte| all << 8 | u128::from(*byte));
    // The mark takes as many bits as there are bytes, but only eight of nine.
    Ok((value >> bytes.min(8)) as u64)
}

/// The lowest bit is the sign; negative numbers are stored as their complement.
fn signed_varint(cursor: &mut Cursor<'_>) -> Result<i64> {
    let value = varint(cursor)?;
    let magnitude = (value >> 1) as i64;
    Ok(if value & 1 == 1 { !magnitude } else { magnitude })
}

/// What a MariaDB GTID event says (MariaDB documentation, "GTID_EVENT"; sql/log_event.h).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MariadbGtidEvent {
    pub domain: u32,
    pub sequence: u64,
    pub flags: u8,
    pub flags_extra: u8,
    /// Of an XA transaction that is prepared or decided.
    pub xid: Option<Xid>,
}

impl MariadbGtidEvent {
    /// The group is one statement without BEGIN and COMMIT.
    pub const STANDALONE: u8 = 1;
    const COMMIT_ID: u8 = 2;
    pub const PREPARED_XA: u8 = 64;
    const COMPLETED_XA: u8 = 128;
    const EXTRA_ENGINES: u8 = 1;
    pub const START_ALTER: u8 = 2;
    pub const ROLLBACK_ALTER: u8 = 8;

    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(body);
        let (sequence, domain, flags) = (cursor.u64()?, cursor.u32()?, cursor.u8()?);
        if flags & Self::COMMIT_ID != 0 {
            cursor.u64()?;
        }
        let mut xid = None;
        if flags & (Self::PREPARED_XA | Self::COMPLETED_XA) != 0 {
            let format = i64::from(cursor.u32()? as i32);
            let (gtrid, bqual) = (usize::from(cursor.u8()?), usize::from(cursor.u8()?));
            let (gtrid, bqual) = (cursor.take(gtrid)?.to_vec(), cursor.take(bqual)?.to_vec());
            xid = Some(Xid { format, gtrid, bqual });
        }
        // Shorter events are filled with zeros, which read as no extra flags.
        let flags_extra = if cursor.is_empty() { 0 } else { cursor.u8()? };
        if flags_extra & Self::EXTRA_ENGINES != 0 {
            cursor.u8()?;
        }
        Ok(Self { domain, sequence, flags, flags_extra, xid })
    }

    pub fn gtid(&self, server: u32) -> MariadbGtid {
        MariadbGtid { domain: self.domain, server, sequence: self.sequence }
    }
}
