use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Gtid, GtidList, GtidSet, MariadbGtid};

/// Version of the JSON form that [`Position`] writes.
const VERSION: u32 = 1;

/// Why a text is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PositionError(pub String);

/// A place in the log of one server: behind an event that ends at `pos`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePosition {
    /// Name of the log file.
    pub file: String,
    /// Bytes from the file's begin.
    pub pos: u64,
}

impl FilePosition {
    /// Whether this place is at or behind another in the same series of files (`binlog.000001` is
    /// followed by `binlog.000002`); false for files of different series.
    pub fn reaches(&self, other: &Self) -> bool {
        if self.file == other.file {
            return self.pos >= other.pos;
        }
        match (series(&self.file), series(&other.file)) {
            (Some((base, number)), Some((other_base, other_number))) => base == other_base && number > other_number,
            _ => false,
        }
    }
}

fn series(file: &str) -> Option<(&str, u64)> {
    let (base, number) = file.rsplit_once('.')?;
    Some((base, number.parse().ok()?))
}

impl fmt::Display for FilePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.pos)
    }
}

/// How a position names what has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coordinate {
    /// MySQL with GTIDs: the set of all transactions, every gap kept.
    MysqlGtid {
        /// Transactions that were read, those in `open` included.
        applied: GtidSet,
        /// Of these the XA transactions that are prepared and not yet decided. Their rows are held
        /// in memory only, so they are read again after a restart.
        open: Vec<Gtid>,
        /// The same place as a file position, where known: for people and logs only.
        file: Option<FilePosition>,
    },
    /// MySQL without GTIDs.
    MysqlFile {
        /// Everything up to here was read.
        applied: FilePosition,
        /// Where reading begins after a restart, if an XA transaction is open.
        restart: Option<FilePosition>,
    },
    /// MariaDB: the last transaction of each domain.
    MariadbGtid {
        /// Everything up to here was read.
        applied: GtidList,
        /// The same place as a file position, where known.
        file: Option<FilePosition>,
        /// Where reading begins after a restart, if an XA transaction is open.
        restart: Option<MariadbRestart>,
    },
}

/// Where a MariaDB log is read again from: before the oldest open XA transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MariadbRestart {
    /// As GTIDs.
    pub gtid: GtidList,
    /// As a file position, where known.
    pub file: Option<FilePosition>,
}

/// Where to ask the server to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restart {
    /// COM_BINLOG_DUMP_GTID with this set.
    MysqlGtid(GtidSet),
    /// COM_BINLOG_DUMP at this place.
    MysqlFile(FilePosition),
    /// `@slave_connect_state` with this list.
    MariadbGtid(GtidList),
}

/// Names one transaction for [`Position::contains`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TransactionId {
    /// MySQL with GTIDs.
    Mysql(Gtid),
    /// MariaDB.
    Mariadb(MariadbGtid),
    /// By the place where the transaction *begins*.
    File(FilePosition),
}

/// Where a source stands: behind whole transactions, on one server's log.
///
/// Two faces: *applied* is how far the log has been understood, *restart* is from where it must be
/// read again. They differ while an XA transaction is prepared, whose rows come before its
/// decision: after a restart transactions in *applied* are dropped and open XA transactions are
/// held again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Identity of the server as the caller knows it (`server_uuid`; MariaDB has no such thing).
    pub server: String,
    /// What has been read.
    pub at: Coordinate,
}

impl Position {
    /// MySQL with GTIDs, nothing open.
    pub fn mysql_gtid(server: impl Into<String>, applied: GtidSet) -> Self {
        Self { server: server.into(), at: Coordinate::MysqlGtid { applied, open: Vec::new(), file: None } }
    }

    /// MySQL without GTIDs, nothing open.
    pub fn mysql_file(server: impl Into<String>, applied: FilePosition) -> Self {
        Self { server: server.into(), at: Coordinate::MysqlFile { applied, restart: None } }
    }

    /// MariaDB, nothing open.
    pub fn mariadb(server: impl Into<String>, applied: GtidList, file: Option<FilePosition>) -> Self {
        Self { server: server.into(), at: Coordinate::MariadbGtid { applied, file, restart: None } }
    }

    /// Where to ask the server to begin.
    pub fn restart(&self) -> Restart {
        match &self.at {
            Coordinate::MysqlGtid { .. } => Restart::MysqlGtid(self.settled().unwrap_or_default()),
            Coordinate::MysqlFile { applied, restart } => {
                Restart::MysqlFile(restart.as_ref().unwrap_or(applied).clone())
            }
            Coordinate::MariadbGtid { applied, restart, .. } => {
                Restart::MariadbGtid(restart.as_ref().map_or(applied, |r| &r.gtid).clone())
            }
        }
    }

    /// The same place in the log of another server of the same replication: GTIDs are the same there, files are
    /// not. A position without GTIDs has no such place, and stays as it is.
    pub fn on(mut self, server: &str) -> Self {
        if self.server == server {
            return self;
        }
        match &mut self.at {
            Coordinate::MysqlGtid { file, .. } => *file = None,
            Coordinate::MariadbGtid { file, restart, .. } => {
                *file = None;
                if let Some(restart) = restart {
                    restart.file = None;
                }
            }
            Coordinate::MysqlFile { .. } => return self,
        }
        self.server = server.to_owned();
        self
    }

    /// MySQL with GTIDs: the applied set without the open XA transactions.
    fn settled(&self) -> Option<GtidSet> {
        let Coordinate::MysqlGtid { applied, open, .. } = &self.at else { return None };
        let mut set = applied.clone();
        for gtid in open {
            set.remove(gtid);
        }
        Some(set)
    }

    /// The place as file and position, where known.
    pub fn file(&self) -> Option<&FilePosition> {
        match &self.at {
            Coordinate::MysqlGtid { file, .. } | Coordinate::MariadbGtid { file, .. } => file.as_ref(),
            Coordinate::MysqlFile { applied, .. } => Some(applied),
        }
    }

    /// Whether everything that another position has read, this one has too. A partial order: false
    /// both ways where two positions cannot be compared.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.at, &other.at) {
            (Coordinate::MysqlGtid { .. }, Coordinate::MysqlGtid { .. }) => match (self.settled(), other.settled()) {
                (Some(own), Some(others)) => own.covers(&others),
                _ => false,
            },
            (Coordinate::MysqlFile { applied: own, .. }, Coordinate::MysqlFile { applied: others, .. }) => {
                self.server == other.server && own.reaches(others)
            }
            (Coordinate::MariadbGtid { applied: own, .. }, Coordinate::MariadbGtid { applied: others, .. }) => {
                own.covers(others)
            }
            _ => false,
        }
    }

    /// Whether a transaction has been read. Of an XA transaction it is the decision that counts.
    pub fn contains(&self, transaction: &TransactionId) -> bool {
        match (&self.at, transaction) {
            (Coordinate::MysqlGtid { applied, open, .. }, TransactionId::Mysql(gtid)) => {
                applied.contains(gtid) && !open.contains(gtid)
            }
            (Coordinate::MariadbGtid { applied, .. }, TransactionId::Mariadb(gtid)) => applied.contains(gtid),
            (Coordinate::MysqlFile { applied, .. }, TransactionId::File(begin)) => {
                applied.reaches(begin) && applied != begin
            }
            _ => false,
        }
    }

    /// The versioned JSON form; [`Position::from_str`] reads it.
    pub fn to_json(&self) -> String {
        let mut form = Form { version: VERSION, server: self.server.clone(), ..Form::default() };
        match &self.at {
            Coordinate::MysqlGtid { applied, open, file } => {
                form.kind = "mysql-gtid".to_owned();
                form.gtid = Some(applied.to_string());
                form.open = open.iter().map(ToString::to_string).collect();
                form.file = file.clone();
            }
            Coordinate::MysqlFile { applied, restart } => {
                form.kind = "mysql-file".to_owned();
                form.file = Some(applied.clone());
                form.restart = restart.clone().map(|file| RestartForm { gtid: None, file: Some(file) });
            }
            Coordinate::MariadbGtid { applied, file, restart } => {
                form.kind = "mariadb-gtid".to_owned();
                form.gtid = Some(applied.to_string());
                form.file = file.clone();
                form.restart = restart.clone().map(|r| RestartForm { gtid: Some(r.gtid.to_string()), file: r.file });
            }
        }
        serde_json::to_string(&form).unwrap_or_default()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Form {
    version: u32,
    kind: String,
    server: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gtid: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<FilePosition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restart: Option<RestartForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RestartForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gtid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<FilePosition>,
}

/// Only the version, which decides how the rest is read.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let malformed = |e: serde_json::Error| PositionError(format!("not a binary log position: {e}"));
        let versioned: Versioned = serde_json::from_str(text).map_err(malformed)?;
        if versioned.version != VERSION {
            return Err(PositionError(format!(
                "a binary log position of version {}, of which this release knows {VERSION}",
                versioned.version
            )));
        }
        let form: Form = serde_json::from_str(text).map_err(malformed)?;
        let missing = |what: &str| PositionError(format!("the binary log position lacks {what:?}"));
        let at = match form.kind.as_str() {
            "mysql-gtid" => Coordinate::MysqlGtid {
                applied: form.gtid.ok_or_else(|| missing("gtid"))?.parse()?,
                open: form.open.iter().map(|gtid| gtid.parse()).collect::<Result<_, _>>()?,
                file: form.file,
            },
            "mysql-file" => Coordinate::MysqlFile {
                applied: form.file.ok_or_else(|| missing("file"))?,
                restart: form.restart.map(|r| r.file.ok_or_else(|| missing("restart.file"))).transpose()?,
            },
            "mariadb-gtid" => Coordinate::MariadbGtid {
                applied: form.gtid.ok_or_else(|| missing("gtid"))?.parse()?,
                file: form.file,
                restart: form.restart.map(mariadb_restart).transpose()?,
            },
            other => return Err(PositionError(format!("a binary log position of unknown kind {other:?}"))),
        };
        Ok(Self { server: form.server, at })
    }
}

fn mariadb_restart(form: RestartForm) -> Result<MariadbRestart, PositionError> {
    let gtid = form.gtid.ok_or_else(|| PositionError("the binary log position lacks \"restart.gtid\"".to_owned()))?;
    Ok(MariadbRestart { gtid: gtid.parse()?, file: form.file })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn golden() -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/binlog/positions-v1.jsonl");
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    /// The form is persisted by jobs: version 1 is read for ever, and written as it was.
    #[test]
    fn version_1_is_read_and_written_as_ever() {
        let lines = golden();
        assert_eq!(lines.len(), 8);
        for line in lines {
            let position: Position = line.parse().unwrap();
            assert_eq!(position.to_json(), line);
            assert_eq!(position.to_json().parse::<Position>().unwrap(), position);
            assert!(position.covers(&position));
        }
    }

    #[test]
    fn what_is_no_position_is_an_error() {
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"version":2,"kind":"mysql-gtid","server":"","gtid":""}"#,
            r#"{"version":1,"kind":"oracle","server":""}"#,
            r#"{"version":1,"kind":"mysql-gtid","server":""}"#,
            r#"{"version":1,"kind":"mysql-file","server":"","gtid":"x"}"#,
            r#"{"version":1,"kind":"mariadb-gtid","server":"","gtid":"0-1"}"#,
            r#"{"version":1,"kind":"mysql-gtid","server":"","gtid":"","more":1}"#,
        ] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }

    fn mysql(set: &str, open: &[&str]) -> Position {
        let applied = if set.is_empty() { String::new() } else { format!("{UUID}:{set}") };
        let open = open.iter().map(|number| format!("{UUID}:{number}").parse().unwrap()).collect();
        let at = Coordinate::MysqlGtid { applied: applied.parse().unwrap(), open, file: None };
        Position { server: "s".to_owned(), at }
    }

    #[test]
    fn an_open_xa_transaction_is_not_covered_yet() {
        let (open, decided) = (mysql("1-10", &["8"]), mysql("1-10", &[]));
        assert!(decided.covers(&open) && !open.covers(&decided));
        assert_eq!(open.restart(), mysql("1-7:9-10", &[]).restart());
        let eight = TransactionId::Mysql(format!("{UUID}:8").parse().unwrap());
        assert!(decided.contains(&eight) && !open.contains(&eight));
        assert!(!mysql("1-7:9-10", &[]).contains(&eight), "a gap is a gap");
    }

    #[test]
    fn file_positions_compare_within_one_servers_series() {
        let at =
            |server: &str, file: &str, pos| Position::mysql_file(server, FilePosition { file: file.to_owned(), pos });
        assert!(at("s", "log.000010", 4).covers(&at("s", "log.000009", 900)));
        assert!(at("s", "log.1000000", 4).covers(&at("s", "log.999999", 900)));
        assert!(!at("s", "log.000009", 4).covers(&at("s", "log.000009", 5)));
        assert!(!at("s", "log.000010", 4).covers(&at("other", "log.000009", 4)));
        assert!(!at("s", "log.000010", 4).covers(&at("s", "bin.000009", 4)));
        let begin = |pos| TransactionId::File(FilePosition { file: "log.000009".to_owned(), pos });
        assert!(at("s", "log.000009", 100).contains(&begin(99)) && !at("s", "log.000009", 100).contains(&begin(100)));
        assert!(!at("s", "log.000009", 100).covers(&mysql("1-5", &[])), "kinds do not compare");
    }
}
