use crate::cursor::{self, Cursor};
use crate::error::{ErrorKind, Fault, Result};
use crate::header::{CHECKSUM_BYTES, FLAG_IN_USE, HEADER_BYTES, types};

/// Which of the two families a server belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// MySQL, and what calls itself neither.
    Mysql,
    /// MariaDB.
    Mariadb,
}

impl Flavour {
    /// "mysql" or "mariadb".
    pub fn name(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
        }
    }
}

/// What a FORMAT_DESCRIPTION says of the events behind it.
#[derive(Debug, Clone)]
pub(crate) struct Format {
    pub flavour: Flavour,
    /// As the server prints it ("10.11.6-MariaDB-log").
    pub server_version: String,
    pub checksums: bool,
    /// Bytes of a table id in TABLE_MAP and rows events.
    pub table_id_bytes: usize,
}

/// Servers before these versions write no checksum algorithm (MySQL 5.6.1, MariaDB 5.3).
const ALGORITHM_SINCE_MYSQL: (u32, u32, u32) = (5, 6, 1);
const ALGORITHM_SINCE_MARIADB: (u32, u32, u32) = (5, 3, 0);

impl Format {
    /// Reads the whole event, which carries a checksum whatever the algorithm.
    pub fn parse(event: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(event.get(HEADER_BYTES..).unwrap_or_default());
        let binlog_version = cursor.u16()?;
        if binlog_version != 4 {
            return Err(Fault::new(ErrorKind::Unsupported, format!("binary log version {binlog_version}")));
        }
        let version = cursor.take(50)?;
        let version = version.split(|byte| *byte == 0).next().unwrap_or_default();
        let server_version = cursor::name(version)?.to_owned();
        let _created = cursor.u32()?;
        if usize::from(cursor.u8()?) != HEADER_BYTES {
            return Err(Fault::new(ErrorKind::Unsupported, "event headers that are not 19 bytes long"));
        }
        // MariaDB's versions may begin with "5.5.5-", put there for old replicas.
        let mariadb = server_version.to_ascii_lowercase().contains("mariadb");
        let bare = server_version.strip_prefix("5.5.5-").filter(|_| mariadb).unwrap_or(&server_version);
        let since = if mariadb { ALGORITHM_SINCE_MARIADB } else { ALGORITHM_SINCE_MYSQL };
        let mut lengths = cursor.rest();
        let mut checksums = false;
        if numbers(bare) >= since {
            let tail = lengths.len().checked_sub(1 + CHECKSUM_BYTES);
            let tail = tail.ok_or_else(|| Fault::corrupt("a format description without its checksum"))?;
            checksums = match lengths[tail] {
                // A server that sends its log without checksums changes this event and leaves its old one.
                0 => false,
                1 => {
                    verify(event)?;
                    true
                }
                other => return Err(Fault::new(ErrorKind::Unsupported, format!("checksum algorithm {other}"))),
            };
            lengths = &lengths[..tail];
        }
        let table_map_header = lengths.get(usize::from(types::TABLE_MAP) - 1).copied().unwrap_or(8);
        Ok(Self {
            flavour: if mariadb { Flavour::Mariadb } else { Flavour::Mysql },
            server_version,
            checksums,
            // 6 bytes of post-header mean the 4-byte table ids of MySQL 5.1 (libbinlogevents, rows_event.cpp).
            table_id_bytes: if table_map_header == 6 { 4 } else { 6 },
        })
    }
}

/// The flag that the file is open is cleared in place, after the checksum was made.
fn verify(event: &[u8]) -> Result<()> {
    let mut copy = event.to_vec();
    if let Some(flags) = copy.get_mut(17) {
        *flags &= !(FLAG_IN_USE as u8);
    }
    crate::header::checked(&copy).map(|_| ())
}

fn numbers(version: &str) -> (u32, u32, u32) {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}
