//! The connection that brings the log: we register as a replica and ask for it.

use std::time::Duration;

use opendrs_binlog::{FilePosition, Flavour, GtidSet, Restart};
use opendrs_net::NetErrorKind;

use crate::connection::{Connection, command};
use crate::error::{ErrorKind, MysqlError, Result};
use crate::replica::announce;
use crate::survey::announcement;
use crate::tracker::is_real;

/// Answers to commands before the log flows.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30);
/// The server may have to search its files for the place before it says the first word.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(120);
/// Who we are among the server's replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub server_id: u32,
    pub uuid: String,
    pub host: String,
}

/// How long and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How often the server shows that it lives while it has nothing to send.
    pub heartbeat: Duration,
    /// Silence after which the connection counts as dead.
    pub patience: Duration,
    /// Largest event, with the byte in front of it.
    pub event_bytes_max: usize,
}

/// A dump under way.
#[derive(Debug)]
pub(crate) struct Dump {
    connection: Connection,
    patience: Duration,
    searching: bool,
}

impl Dump {
    /// Asks for the log from `start` on. The connection is used up.
    pub fn start(mut connection: Connection, start: &Restart, identity: &Identity, limits: Limits) -> Result<Self> {
        connection.wire().stream_mut().set_read_timeout(Some(SETUP_TIMEOUT))?;
        announce(&mut connection, start, &identity.uuid, limits.heartbeat)?;
        register(&mut connection, identity)?;
        connection.command(&request(start, identity.server_id)?)?;
        connection.wire().set_bytes_max(limits.event_bytes_max);
        connection.wire().stream_mut().set_read_timeout(Some(SEARCH_TIMEOUT))?;
        Ok(Self { connection, patience: limits.patience, searching: true })
    }

    /// The next event, header included. Heartbeats come while the server has nothing to send.
    pub fn next(&mut self) -> Result<&[u8]> {
        let searching = self.searching;
        let packet = self.connection.packet().map_err(|error| classify(error, searching))?;
        match packet {
            [0, event @ ..] => {
                if searching && is_real(event) {
                    self.searching = false;
                    self.connection.wire().stream_mut().set_read_timeout(Some(self.patience))?;
                }
                self.connection.wire().current().get(1..).ok_or_else(|| MysqlError::protocol("an empty event"))
            }
            // The server ends the stream in an orderly way: it shuts down.
            [0xFE, ..] => Err(MysqlError::new(
                ErrorKind::Net(NetErrorKind::Closed),
                "the server ended the log stream (it is shutting down)",
            )),
            _ => Err(MysqlError::protocol("a packet of the log stream that is neither event nor end")),
        }
    }

    /// Whether the next event can be had without waiting.
    pub fn has_buffered(&mut self) -> bool {
        self.connection.wire().has_buffered_packet()
    }

    /// Gives the memory of a large event back.
    pub fn forget_large(&mut self) {
        self.connection.wire().forget_joined();
    }
}

/// The log from the begin of a file on, to where it ends now.
#[derive(Debug)]
pub(crate) struct FileDump {
    connection: Connection,
}

impl FileDump {
    /// Asks for it. The connection is used up. Without an id we are no replica: nobody else's dump is ended.
    pub fn start(mut connection: Connection, file: &str, event_bytes_max: usize) -> Result<Self> {
        connection.execute(&announcement(connection.flavour()))?;
        let begin = FilePosition { file: file.to_owned(), pos: 4 };
        // Every event of the file, so that it is known where each stands.
        let whole = if connection.flavour() == Flavour::Mariadb { WITH_STATEMENTS } else { 0 };
        connection.command(&dump_file(&begin, 0, NON_BLOCK | whole)?)?;
        // One byte in front of each event.
        connection.wire().set_bytes_max(event_bytes_max.saturating_add(1));
        Ok(Self { connection })
    }

    /// The next event, header included; None at the end.
    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        match self.connection.packet().map_err(|error| classify(error, true))? {
            [0, ..] => {
                self.connection.wire().current().get(1..).map(Some).ok_or_else(|| MysqlError::protocol("no event"))
            }
            [0xFE, ..] => Ok(None),
            _ => Err(MysqlError::protocol("a packet of the log that is neither event nor end")),
        }
    }
}

/// COM_REGISTER_SLAVE, so that SHOW REPLICAS shows us.
fn register(connection: &mut Connection, identity: &Identity) -> Result<()> {
    let mut payload = vec![command::REGISTER_SLAVE];
    payload.extend_from_slice(&identity.server_id.to_le_bytes());
    // Host, user, password: only the first is shown. The server takes 60 bytes (HOSTNAME_LENGTH).
    let host = identity.host.as_bytes();
    let host = &host[..host.len().min(60)];
    payload.push(host.len() as u8);
    payload.extend_from_slice(host);
    payload.extend_from_slice(&[0, 0]);
    // Port, rank, and the source's id, which the server fills in itself.
    payload.extend_from_slice(&[0; 10]);
    connection.command(&payload)?;
    connection.done().map(|_| ()).map_err(|error| error.within("registering as a replica"))
}

fn request(start: &Restart, server_id: u32) -> Result<Vec<u8>> {
    match start {
        Restart::MysqlGtid(set) => Ok(dump_gtid(set, server_id)),
        // Without flags: the statements behind row events tell the decoder nothing.
        Restart::MysqlFile(at) => dump_file(at, server_id, 0),
        // The place is in @slave_connect_state.
        Restart::MariadbGtid(_) => dump_file(&FilePosition { file: String::new(), pos: 4 }, server_id, 0),
    }
}

/// Ends the dump where the log ends, instead of waiting for more (BINLOG_DUMP_NON_BLOCK).
const NON_BLOCK: u16 = 1;
/// Asks MariaDB for the statements behind row events, too (BINLOG_SEND_ANNOTATE_ROWS_EVENT).
const WITH_STATEMENTS: u16 = 2;

/// COM_BINLOG_DUMP.
fn dump_file(at: &FilePosition, server_id: u32, flags: u16) -> Result<Vec<u8>> {
    let Ok(pos) = u32::try_from(at.pos) else {
        let text = format!("{at} lies beyond 4 GiB, which only a server with GTIDs can be asked for; switch them on");
        return Err(MysqlError::new(ErrorKind::Unsupported, text));
    };
    let mut payload = vec![command::BINLOG_DUMP];
    payload.extend_from_slice(&pos.to_le_bytes());
    payload.extend_from_slice(&flags.to_le_bytes());
    payload.extend_from_slice(&server_id.to_le_bytes());
    payload.extend_from_slice(at.file.as_bytes());
    Ok(payload)
}

/// COM_BINLOG_DUMP_GTID: no file name, position 4, and the set that we have.
fn dump_gtid(set: &GtidSet, server_id: u32) -> Vec<u8> {
    const THROUGH_GTID: u16 = 4;
    let encoded = encode_gtid_set(set);
    let mut payload = vec![command::BINLOG_DUMP_GTID];
    payload.extend_from_slice(&THROUGH_GTID.to_le_bytes());
    payload.extend_from_slice(&server_id.to_le_bytes());
    payload.extend_from_slice(&0u32.to_le_bytes());
    payload.extend_from_slice(&4u64.to_le_bytes());
    payload.extend_from_slice(&(encoded.len() as u32).to_le_bytes());
    payload.extend_from_slice(&encoded);
    payload
}

/// The set as the server reads it (`Gtid_set::add_gtid_encoding` in sql/rpl_gtid_set.cc): with tags
/// (8.3 and newer) the count of entries carries a mark, and each entry its tag.
fn encode_gtid_set(set: &GtidSet) -> Vec<u8> {
    let entries: Vec<_> = set.iter().collect();
    let tagged = entries.iter().any(|(_, tag, _)| !tag.is_empty());
    let count = entries.len() as u64;
    let head = if tagged { 1 << 56 | count << 8 | 1 } else { count };
    let mut out = head.to_le_bytes().to_vec();
    for (source, tag, intervals) in entries {
        out.extend_from_slice(&source.0);
        if tagged {
            // A number of mysql::serialization; a tag has at most 32 bytes, so one byte is enough.
            out.push((tag.as_str().len() as u8) << 1);
            out.extend_from_slice(tag.as_str().as_bytes());
        }
        out.extend_from_slice(&(intervals.len() as u64).to_le_bytes());
        for (first, last) in intervals {
            out.extend_from_slice(&first.to_le_bytes());
            // The server's intervals end behind their last number.
            out.extend_from_slice(&last.saturating_add(1).to_le_bytes());
        }
    }
    out
}

/// Gives the server's answers to a dump their meaning. Most come under one code, 1236
/// (ER_MASTER_FATAL_ERROR_READING_BINLOG), and the codes of the others differ between versions
/// (the same server id: 1236 on MySQL, 4052 on MariaDB 10.11), so the text must tell.
fn classify(error: MysqlError, searching: bool) -> MysqlError {
    if !searching && error.kind() == ErrorKind::Net(NetErrorKind::Timeout) {
        let text = "the server sent neither events nor heartbeats: the connection is dead".to_owned();
        return error.into_kind(ErrorKind::Net(NetErrorKind::Timeout), text);
    }
    if error.kind() != ErrorKind::Server {
        return error;
    }
    let text = error.message().to_ascii_lowercase();
    let kind = match () {
        () if text.contains("with the same server") => ErrorKind::ServerIdCollision,
        () if text.contains("purged")
            || text.contains("could not find gtid state requested by slave in any binlog files")
            || text.contains("could not find first log file name") =>
        {
            ErrorKind::LogPurged
        }
        () if text.contains("more gtids than")
            || text.contains("impossible position")
            || text.contains("past the end of file") =>
        {
            ErrorKind::AheadOfSource
        }
        () if text.contains("which is not in the master's binlog") || text.contains("is missing the gtid") => {
            ErrorKind::OtherServer
        }
        () => ErrorKind::Server,
    };
    let message = error.message().to_owned();
    error.into_kind(kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gtid_sets_are_encoded_as_the_server_reads_them() {
        let plain: GtidSet = "00000000-0000-0000-0000-000000000001:1-5:7".parse().unwrap();
        let mut expected = 1u64.to_le_bytes().to_vec();
        expected.extend_from_slice(&[0; 15]);
        expected.push(1);
        for number in [2u64, 1, 6, 7, 8] {
            expected.extend_from_slice(&number.to_le_bytes());
        }
        assert_eq!(encode_gtid_set(&plain), expected);
        let tagged: GtidSet = "00000000-0000-0000-0000-000000000001:1:ab:2".parse().unwrap();
        let out = encode_gtid_set(&tagged);
        assert_eq!(out[..8], [1, 2, 0, 0, 0, 0, 0, 1], "two entries, marked at both ends");
        assert_eq!(out.len(), 8 + 2 * (16 + 8 + 16) + 1 + 3);
        assert!(out.windows(3).any(|bytes| bytes == [4, b'a', b'b']));
        assert_eq!(encode_gtid_set(&GtidSet::default()), 0u64.to_le_bytes());
    }

    #[test]
    fn the_servers_refusals_have_meanings() {
        let kind = |code, text: &str| classify(MysqlError::server(code, "HY000", text.into()), false).kind();
        assert_eq!(
            kind(
                1236,
                "A replica with the same server_uuid/server_id as this replica has connected to the source; ..."
            ),
            ErrorKind::ServerIdCollision
        );
        assert_eq!(
            kind(1236, "Cannot replicate because the source purged required binary logs. Replicate the missing..."),
            ErrorKind::LogPurged
        );
        assert_eq!(
            kind(4052, "A slave with the same server_id is already connected; the first event '.' at 4"),
            ErrorKind::ServerIdCollision
        );
        assert_eq!(kind(1236, "Could not find first log file name in binary log index file"), ErrorKind::LogPurged);
        assert_eq!(
            kind(
                1236,
                "Error: connecting slave requested to start from GTID 0-1-9, which is not in the master's binlog"
            ),
            ErrorKind::OtherServer
        );
        assert_eq!(kind(1236, "Replica has more GTIDs than the source has, using ..."), ErrorKind::AheadOfSource);
        assert_eq!(kind(1236, "something else"), ErrorKind::Server);
        assert_eq!(kind(1045, "purged"), ErrorKind::AccessDenied);
    }

    #[test]
    fn a_place_beyond_the_protocol_is_refused() {
        let at = FilePosition { file: "bin.000001".into(), pos: 1 << 33 };
        assert_eq!(dump_file(&at, 1, 0).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
