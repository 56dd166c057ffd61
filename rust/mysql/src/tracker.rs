//! Follows the raw log as far as it must to take it up again behind a break: which transactions
//! came whole, which one was under way, and how much of it had come.
//!
//! What the events mean is the decoder's business. Here it is enough that every transaction (group)
//! begins with an event that names it (GTID, ANONYMOUS_GTID: MySQL 5.7 and newer; MariaDB 10.0 and
//! newer), so everything before such an event is whole.

use std::sync::Arc;

use opendrs_binlog::{FilePosition, Gtid, MariadbGtid, Position, Restart, SourceId, Tag, TransactionId};

use crate::cursor::Cursor;
use crate::error::{MysqlError, Result};

/// Bytes of an event's header (format version 4).
pub(crate) const HEADER: usize = 19;

mod event_type {
    pub const STOP: u8 = 3;
    pub const ROTATE: u8 = 4;
    pub const FORMAT_DESCRIPTION: u8 = 15;
    pub const HEARTBEAT: u8 = 27;
    pub const GTID: u8 = 33;
    pub const ANONYMOUS_GTID: u8 = 34;
    pub const PREVIOUS_GTIDS: u8 = 35;
    pub const HEARTBEAT_V2: u8 = 41;
    pub const GTID_TAGGED: u8 = 42;
    pub const MARIADB_CHECKPOINT: u8 = 161;
    pub const MARIADB_GTID: u8 = 162;
    pub const MARIADB_GTID_LIST: u8 = 163;
    pub const MARIADB_START_ENCRYPTION: u8 = 164;
}

/// A transaction under way: its name and a fingerprint of the events that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub id: TransactionId,
    /// Events that came, the naming one included.
    pub events: u64,
    /// Over their lengths and last bytes (the checksums, where there are any).
    pub fingerprint: u64,
}

/// What an event is to the tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Begins a transaction: everything before it is whole.
    Begin,
    /// Belongs to the transaction under way.
    Inside,
    /// About the log itself: may come again when the log is taken up anew.
    Control,
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Tracker {
    server: String,
    /// Transactions before the one under way.
    whole: Restart,
    group: Option<Group>,
    /// Last ROTATE and FORMAT_DESCRIPTION event: what a reader must see first.
    rotate: Arc<[u8]>,
    format: Arc<[u8]>,
    file: String,
    pos: u64,
}

impl Tracker {
    /// A tracker at the place that the log is asked for from.
    pub fn new(server: &str, start: Restart) -> Self {
        let (file, pos) = match &start {
            Restart::MysqlFile(at) => (at.file.clone(), at.pos),
            _ => (String::new(), 0),
        };
        let nothing: Arc<[u8]> = Arc::from([]);
        Self {
            server: server.to_owned(),
            whole: start,
            group: None,
            rotate: nothing.clone(),
            format: nothing,
            file,
            pos,
        }
    }

    /// Where the log is to be asked for: before the transaction under way.
    pub fn restart(&self) -> &Restart {
        &self.whole
    }

    /// Whether other servers of the same replication know the place too.
    pub fn has_gtids(&self) -> bool {
        !matches!(self.whole, Restart::MysqlFile(_))
    }

    /// The same as a position.
    pub fn position(&self) -> Position {
        position_of(&self.server, &self.whole)
    }

    /// The transaction that came last, if it may be incomplete.
    pub fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// Last ROTATE and FORMAT_DESCRIPTION event; empty before the first.
    pub fn context(&self) -> (Arc<[u8]>, Arc<[u8]>) {
        (self.rotate.clone(), self.format.clone())
    }

    /// Where the last event ended.
    pub fn place(&self) -> (&str, u64) {
        (&self.file, self.pos)
    }

    /// Takes note of one whole event.
    pub fn observe(&mut self, event: &[u8]) -> Result<Role> {
        let header = Header::parse(event)?;
        match header.kind {
            event_type::ROTATE => {
                self.rotated(event)?;
                return Ok(Role::Control);
            }
            event_type::FORMAT_DESCRIPTION => self.format = Arc::from(event),
            _ => {}
        }
        if header.is_control() {
            self.moved(&header);
            return Ok(Role::Control);
        }
        let named = self.named(event, &header)?;
        self.moved(&header);
        match named {
            Some(id) => {
                self.end_group();
                self.group = Some(Group { id, events: 1, fingerprint: fold(0, event) });
                Ok(Role::Begin)
            }
            None => {
                if let Some(group) = &mut self.group {
                    group.events += 1;
                    group.fingerprint = fold(group.fingerprint, event);
                }
                Ok(Role::Inside)
            }
        }
    }

    /// The group that came last is whole: it goes to the others.
    fn end_group(&mut self) {
        let Some(group) = self.group.take() else { return };
        match (&mut self.whole, group.id) {
            (Restart::MysqlGtid(set), TransactionId::Mysql(gtid)) => set.add(&gtid),
            (Restart::MariadbGtid(list), TransactionId::Mariadb(gtid)) => list.set(gtid),
            // `whole` is the begin of the next group then, which `named` has set.
            _ => {}
        }
    }

    /// The transaction that an event names, if it is one that does.
    fn named(&mut self, event: &[u8], header: &Header) -> Result<Option<TransactionId>> {
        let body = event.get(HEADER..).unwrap_or_default();
        Ok(Some(match (header.kind, &mut self.whole) {
            (event_type::GTID, Restart::MysqlGtid(_)) => TransactionId::Mysql(plain_gtid(body)?),
            (event_type::GTID_TAGGED, Restart::MysqlGtid(_)) => TransactionId::Mysql(tagged_gtid(body)?),
            (event_type::MARIADB_GTID, _) => TransactionId::Mariadb(mariadb_gtid(body, header.server)?),
            // GTIDs may be on while the position is one of file and offset, and off for a while
            // (gtid_mode=ON_PERMISSIVE) while it is not; such transactions have only a place.
            (event_type::GTID | event_type::GTID_TAGGED | event_type::ANONYMOUS_GTID, whole) => {
                let begin = FilePosition {
                    file: self.file.clone(),
                    pos: u64::from(header.end).saturating_sub(u64::from(header.length)),
                };
                if let Restart::MysqlFile(at) = whole {
                    // This transaction's begin is where everything before it ends.
                    *at = begin.clone();
                }
                TransactionId::File(begin)
            }
            _ => return Ok(None),
        }))
    }

    fn moved(&mut self, header: &Header) {
        // MariaDB 11.4 and newer write 0 inside transactions; artificial events have 0 as well.
        if header.end != 0 {
            self.pos = u64::from(header.end);
        }
    }

    fn rotated(&mut self, event: &[u8]) -> Result<()> {
        let body = without_checksum(event).get(HEADER..).unwrap_or_default();
        let mut cursor = Cursor::new(body);
        self.pos = cursor.u64()?;
        self.file = String::from_utf8_lossy(cursor.until_nul()).into_owned();
        self.rotate = Arc::from(event);
        Ok(())
    }
}

/// A position for what a dump begins with.
pub(crate) fn position_of(server: &str, restart: &Restart) -> Position {
    match restart.clone() {
        Restart::MysqlGtid(set) => Position::mysql_gtid(server, set),
        Restart::MysqlFile(at) => Position::mysql_file(server, at),
        Restart::MariadbGtid(list) => Position::mariadb(server, list, None),
    }
}

/// The event without the CRC32 at its end, if it has one: that of artificial events depends on
/// settings that nobody has told us yet, so the bytes decide.
fn without_checksum(event: &[u8]) -> &[u8] {
    match event.split_last_chunk::<4>() {
        Some((rest, sum)) if crc32fast::hash(rest) == u32::from_le_bytes(*sum) => rest,
        _ => event,
    }
}

/// Mixes in length and last four bytes (the checksum, where there is one): enough to tell one event
/// from another, and cheap.
#[inline]
fn fold(before: u64, event: &[u8]) -> u64 {
    let tail = event.last_chunk::<4>().map_or(0, |tail| u32::from_le_bytes(*tail));
    let mixed = before.rotate_left(29) ^ (event.len() as u64) << 32 ^ u64::from(tail);
    // An odd multiplier keeps every bit; this one is 2^64 divided by the golden ratio.
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

struct Header {
    kind: u8,
    server: u32,
    length: u32,
    end: u32,
}

impl Header {
    fn parse(event: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(event);
        let _time = cursor.u32()?;
        let header = Self { kind: cursor.u8()?, server: cursor.u32()?, length: cursor.u32()?, end: cursor.u32()? };
        cursor.u16()?;
        if header.length as usize == event.len() {
            Ok(header)
        } else {
            let text = format!("an event of {} bytes says it has {}", event.len(), header.length);
            Err(MysqlError::protocol(text))
        }
    }

    fn is_control(&self) -> bool {
        matches!(
            self.kind,
            event_type::STOP
                | event_type::ROTATE
                | event_type::FORMAT_DESCRIPTION
                | event_type::HEARTBEAT
                | event_type::HEARTBEAT_V2
                | event_type::PREVIOUS_GTIDS
                | event_type::MARIADB_CHECKPOINT
                | event_type::MARIADB_GTID_LIST
                | event_type::MARIADB_START_ENCRYPTION
        )
    }
}

/// Whether the event is artificial in the sense that the server made it up for this connection:
/// rotation and heartbeats have no place in the file.
pub(crate) fn is_real(event: &[u8]) -> bool {
    Header::parse(event).is_ok_and(|header| !header.is_control())
}

/// Flags, server UUID, number (libbinlogevents, `class Gtid_event`).
fn plain_gtid(body: &[u8]) -> Result<Gtid> {
    let mut cursor = Cursor::new(body);
    cursor.skip(1)?;
    let source = SourceId(cursor.array()?);
    Ok(Gtid { source, tag: Tag::default(), number: cursor.u64()? })
}

/// Fields 0 (flags), 1 (server UUID), 2 (number) and 3 (tag) of a mysql::serialization message,
/// which come in this order (MySQL server documentation, "PageLibsMysqlSerialization").
fn tagged_gtid(body: &[u8]) -> Result<Gtid> {
    let mut cursor = Cursor::new(body);
    for _ in ["version", "size", "last field that must be known"] {
        varint(&mut cursor)?;
    }
    let (mut source, mut number) = (None, None);
    loop {
        match varint(&mut cursor)? {
            0 => {
                varint(&mut cursor)?;
            }
            1 => {
                let mut id = [0; 16];
                for byte in &mut id {
                    *byte = varint(&mut cursor)? as u8;
                }
                source = Some(SourceId(id));
            }
            // Signed: the lowest bit is the sign.
            2 => number = Some(varint(&mut cursor)? >> 1),
            3 => {
                let length = usize::try_from(varint(&mut cursor)?).unwrap_or(usize::MAX);
                let tag = String::from_utf8_lossy(cursor.bytes(length)?).parse();
                return match (source, number, tag) {
                    (Some(source), Some(number), Ok(tag)) => Ok(Gtid { source, tag, number }),
                    _ => Err(MysqlError::protocol("a tagged GTID that cannot be read")),
                };
            }
            field => return Err(MysqlError::protocol(format!("field {field} of a tagged GTID comes before its tag"))),
        }
    }
}

/// 1 to 9 bytes: as many trailing one bits in the first as bytes follow, then the number.
fn varint(cursor: &mut Cursor<'_>) -> Result<u64> {
    let first = cursor.rest().first().copied().unwrap_or_default();
    let bytes = first.trailing_ones() as usize + 1;
    let value = cursor.bytes(bytes)?.iter().rev().fold(0u128, |all, byte| all << 8 | u128::from(*byte));
    Ok((value >> bytes.min(8)) as u64)
}

/// Number and domain; the server is in the header (MariaDB documentation, "GTID_EVENT").
fn mariadb_gtid(body: &[u8], server: u32) -> Result<MariadbGtid> {
    let mut cursor = Cursor::new(body);
    let (sequence, domain) = (cursor.u64()?, cursor.u32()?);
    Ok(MariadbGtid { domain, server, sequence })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use opendrs_binlog::{GtidList, GtidSet};

    /// An event with a header and no checksum.
    pub fn event(kind: u8, server: u32, end: u32, body: &[u8]) -> Vec<u8> {
        let mut out = vec![0; 4];
        out.push(kind);
        out.extend_from_slice(&server.to_le_bytes());
        out.extend_from_slice(&((HEADER + body.len()) as u32).to_le_bytes());
        out.extend_from_slice(&end.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(body);
        out
    }

    pub fn mariadb_begin(domain: u32, server: u32, sequence: u64) -> Vec<u8> {
        let body = [&sequence.to_le_bytes()[..], &domain.to_le_bytes(), &[0; 7]].concat();
        event(event_type::MARIADB_GTID, server, 0, &body)
    }

    pub fn rotate(file: &str, checksum: bool) -> Vec<u8> {
        let body = [&4u64.to_le_bytes()[..], file.as_bytes(), if checksum { &[0; 4] } else { &[] }].concat();
        let mut out = event(event_type::ROTATE, 1, 0, &body);
        if checksum {
            let length = out.len() - 4;
            let sum = crc32fast::hash(&out[..length]);
            out[length..].copy_from_slice(&sum.to_le_bytes());
        }
        out
    }

    #[test]
    fn mariadb_groups_are_whole_when_the_next_one_begins() {
        let mut tracker = Tracker::new("", Restart::MariadbGtid("0-1-5".parse().unwrap()));
        for checksum in [false, true] {
            assert_eq!(tracker.observe(&rotate("bin.000002", checksum)).unwrap(), Role::Control);
            assert_eq!(tracker.place(), ("bin.000002", 4));
        }
        assert_eq!(tracker.observe(&mariadb_begin(0, 1, 6)).unwrap(), Role::Begin);
        assert_eq!(tracker.observe(&event(30, 1, 900, b"rows")).unwrap(), Role::Inside);
        assert_eq!(tracker.restart(), &Restart::MariadbGtid("0-1-5".parse().unwrap()), "6 may be incomplete");
        assert_eq!(tracker.group().unwrap().events, 2);
        assert_eq!(tracker.place().1, 900);
        let before = tracker.group().unwrap().fingerprint;
        assert_eq!(tracker.observe(&event(event_type::HEARTBEAT, 1, 0, b"")).unwrap(), Role::Control);
        assert_eq!(tracker.group().unwrap().fingerprint, before);
        tracker.observe(&mariadb_begin(7, 2, 1)).unwrap();
        let mut list: GtidList = "0-1-6".parse().unwrap();
        assert_eq!(tracker.restart(), &Restart::MariadbGtid(list.clone()));
        tracker.observe(&mariadb_begin(0, 1, 7)).unwrap();
        list.set(MariadbGtid { domain: 7, server: 2, sequence: 1 });
        assert_eq!(tracker.restart(), &Restart::MariadbGtid(list));
    }

    #[test]
    fn mysql_gtids_are_read_with_and_without_tags() {
        let mut tracker = Tracker::new("", Restart::MysqlGtid(GtidSet::default()));
        let plain = [&[1][..], &[0xAB; 16], &7u64.to_le_bytes(), &[2; 20]].concat();
        tracker.observe(&event(event_type::GTID, 1, 100, &plain)).unwrap();
        // version 1, size, last needed 0; flags; UUID; number 5; tag "ab"; what follows is not read
        let mut tagged = vec![1 << 1, 60 << 1, 0, 0, 0, 1 << 1];
        tagged.extend([0xCDu8].iter().cycle().take(16).flat_map(|b| {
            // two bytes: one trailing one bit, then the value above two bits
            let value = u16::from(*b) << 2 | 0b01;
            value.to_le_bytes()
        }));
        tagged.extend_from_slice(&[2 << 1, (5 << 1) << 1, 3 << 1, 2 << 1, b'a', b'b', 4 << 1, 0]);
        tracker.observe(&event(event_type::GTID_TAGGED, 1, 200, &tagged)).unwrap();
        let group = tracker.group().unwrap().clone();
        assert_eq!(group.id, TransactionId::Mysql("cdcdcdcd-cdcd-cdcd-cdcd-cdcdcdcdcdcd:ab:5".parse().unwrap()));
        assert_eq!(tracker.restart(), &Restart::MysqlGtid("abababab-abab-abab-abab-abababababab:7".parse().unwrap()));
        for cut in 0..tagged.len() - 2 {
            assert!(tagged_gtid(&tagged[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn without_gtids_the_place_counts() {
        let start = FilePosition { file: "bin.000001".into(), pos: 4 };
        let mut tracker = Tracker::new("uuid", Restart::MysqlFile(start));
        tracker.observe(&rotate("bin.000001", false)).unwrap();
        let begin = event(event_type::ANONYMOUS_GTID, 1, 300, &[0; 42]);
        tracker.observe(&begin).unwrap();
        let at = 300 - begin.len() as u64;
        assert_eq!(tracker.restart(), &Restart::MysqlFile(FilePosition { file: "bin.000001".into(), pos: at }));
    }

    #[test]
    fn a_length_that_lies_is_an_error() {
        let mut bad = event(30, 1, 0, b"x");
        bad.push(0);
        let mut tracker = Tracker::new("", Restart::MysqlGtid(GtidSet::default()));
        assert!(tracker.observe(&bad).is_err());
        assert!(tracker.observe(&[0; 5]).is_err());
    }
}
