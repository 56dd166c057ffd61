use crate::cursor::Cursor;
use crate::error::{ErrorKind, Fault, Result};

/// Bytes of the header that every event has since MySQL 5.0.
pub(crate) const HEADER_BYTES: usize = 19;
/// Bytes of the CRC32 behind an event.
pub(crate) const CHECKSUM_BYTES: usize = 4;

/// Event types, as MySQL (libbinlogevents, `enum Log_event_type`) and MariaDB (sql/log_event.h) number them.
pub(crate) mod types {
    pub const START_V3: u8 = 1;
    pub const QUERY: u8 = 2;
    pub const STOP: u8 = 3;
    pub const ROTATE: u8 = 4;
    pub const INTVAR: u8 = 5;
    pub const LOAD: u8 = 6;
    pub const CREATE_FILE: u8 = 8;
    pub const APPEND_BLOCK: u8 = 9;
    pub const EXEC_LOAD: u8 = 10;
    pub const DELETE_FILE: u8 = 11;
    pub const NEW_LOAD: u8 = 12;
    pub const RAND: u8 = 13;
    pub const USER_VAR: u8 = 14;
    pub const FORMAT_DESCRIPTION: u8 = 15;
    pub const XID: u8 = 16;
    pub const BEGIN_LOAD_QUERY: u8 = 17;
    pub const EXECUTE_LOAD_QUERY: u8 = 18;
    pub const TABLE_MAP: u8 = 19;
    pub const PRE_GA_WRITE_ROWS: u8 = 20;
    pub const PRE_GA_DELETE_ROWS: u8 = 22;
    pub const WRITE_ROWS_V1: u8 = 23;
    pub const UPDATE_ROWS_V1: u8 = 24;
    pub const DELETE_ROWS_V1: u8 = 25;
    pub const INCIDENT: u8 = 26;
    pub const HEARTBEAT: u8 = 27;
    pub const IGNORABLE: u8 = 28;
    pub const ROWS_QUERY: u8 = 29;
    pub const WRITE_ROWS_V2: u8 = 30;
    pub const UPDATE_ROWS_V2: u8 = 31;
    pub const DELETE_ROWS_V2: u8 = 32;
    pub const GTID: u8 = 33;
    pub const ANONYMOUS_GTID: u8 = 34;
    pub const PREVIOUS_GTIDS: u8 = 35;
    pub const TRANSACTION_CONTEXT: u8 = 36;
    pub const VIEW_CHANGE: u8 = 37;
    pub const XA_PREPARE: u8 = 38;
    pub const PARTIAL_UPDATE_ROWS: u8 = 39;
    pub const TRANSACTION_PAYLOAD: u8 = 40;
    pub const HEARTBEAT_V2: u8 = 41;
    pub const GTID_TAGGED: u8 = 42;
    pub const ANNOTATE_ROWS: u8 = 160;
    pub const BINLOG_CHECKPOINT: u8 = 161;
    pub const MARIADB_GTID: u8 = 162;
    pub const GTID_LIST: u8 = 163;
    pub const START_ENCRYPTION: u8 = 164;
    pub const QUERY_COMPRESSED: u8 = 165;
    pub const WRITE_ROWS_COMPRESSED_V1: u8 = 166;
    pub const UPDATE_ROWS_COMPRESSED_V1: u8 = 167;
    pub const DELETE_ROWS_COMPRESSED_V1: u8 = 168;
    pub const WRITE_ROWS_COMPRESSED: u8 = 169;
    pub const UPDATE_ROWS_COMPRESSED: u8 = 170;
    pub const DELETE_ROWS_COMPRESSED: u8 = 171;
    pub const PARTIAL_ROW_DATA: u8 = 172;
}

/// The log file was not closed when the FORMAT_DESCRIPTION was written; cleared later in place.
pub(crate) const FLAG_IN_USE: u16 = 0x1;
/// The event was made for the dump and stands in no file.
pub(crate) const FLAG_ARTIFICIAL: u16 = 0x20;
/// A reader that does not know the type may skip the event.
pub(crate) const FLAG_IGNORABLE: u16 = 0x80;

/// The header of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    /// Seconds since 1970.
    pub timestamp: u32,
    pub kind: u8,
    pub server_id: u32,
    pub size: u32,
    /// End of the event in its file, modulo 2^32; 0 in artificial events, within transactions of
    /// MariaDB 11.4 and newer, and within compressed transactions.
    pub end: u32,
    pub flags: u16,
}

impl Header {
    /// The header of an event whose length is that of the bytes.
    #[inline]
    pub fn parse(event: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(event);
        let (timestamp, kind, server_id) = (cursor.u32()?, cursor.u8()?, cursor.u32()?);
        let (size, end, flags) = (cursor.u32()?, cursor.u32()?, cursor.u16()?);
        if u64::from(size) != event.len() as u64 {
            return Err(Fault::corrupt(format!("an event of {size} bytes came as {} bytes", event.len())));
        }
        Ok(Self { timestamp, kind, server_id, size, end, flags })
    }

    pub fn is_artificial(&self) -> bool {
        self.flags & FLAG_ARTIFICIAL != 0
    }
}

/// The event without its checksum, which is verified.
#[inline]
pub(crate) fn checked(event: &[u8]) -> Result<&[u8]> {
    let Some((body, sum)) = event.split_last_chunk::<CHECKSUM_BYTES>() else {
        return Err(Fault::corrupt("an event without its checksum"));
    };
    let (stored, computed) = (u32::from_le_bytes(*sum), crc32fast::hash(body));
    if stored != computed {
        return Err(mismatch(stored, computed));
    }
    Ok(body)
}

#[cold]
fn mismatch(stored: u32, computed: u32) -> Fault {
    Fault::new(
        ErrorKind::Checksum,
        format!(
            "the checksum of the event is {stored:08x}, its bytes give {computed:08x}: damaged on its way or on disk"
        ),
    )
}

/// As [`checked`] for events whose checksum may be missing: a dump's first, artificial ROTATE comes
/// before anything has said whether there are checksums.
pub(crate) fn checked_if_present(event: &[u8]) -> &[u8] {
    checked(event).unwrap_or(event)
}
