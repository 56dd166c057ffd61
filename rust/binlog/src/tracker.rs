//! Where the log stands.

use crate::error::{ErrorKind, Fault, Result};
use crate::query::Xid;
use crate::{Coordinate, FilePosition, Gtid, GtidList, MariadbGtid, MariadbRestart, Position, TransactionId};

/// Keeps the position behind the last complete transaction, and what is needed to begin again.
pub(crate) struct Tracker {
    server: String,
    at: At,
    /// File of the current event, and its end.
    pub file: String,
    pub pos: u64,
    /// The same behind the last complete transaction.
    settled: FilePosition,
    open: Vec<OpenXa>,
}

enum At {
    Gtid(crate::GtidSet),
    /// Transactions that begin before this place were applied before the decoder was made.
    File {
        applied: FilePosition,
    },
    Mariadb {
        applied: GtidList,
        /// While transactions are read again: how far.
        again: Option<GtidList>,
    },
}

/// A prepared XA transaction: from where its rows can be read again.
struct OpenXa {
    xid: Xid,
    gtid: Option<Gtid>,
    file: FilePosition,
    list: GtidList,
}

impl Tracker {
    pub fn new(start: Position) -> Self {
        let (at, settled) = match start.at {
            Coordinate::MysqlGtid { mut applied, open, file } => {
                // Open XA transactions come again.
                open.iter().for_each(|gtid| applied.remove(gtid));
                (At::Gtid(applied), file.unwrap_or_default())
            }
            Coordinate::MysqlFile { applied, restart } => {
                let begin = restart.unwrap_or_else(|| applied.clone());
                (At::File { applied }, begin)
            }
            Coordinate::MariadbGtid { applied, file, restart } => {
                let begin = restart.as_ref().map_or(&file, |restart| &restart.file).clone().unwrap_or_default();
                (At::Mariadb { applied, again: restart.map(|restart| restart.gtid) }, begin)
            }
        };
        let (file, pos) = (settled.file.clone(), settled.pos);
        Self { server: start.server, at, file, pos, settled, open: Vec::new() }
    }

    /// Identifies a transaction that begins now; None without a name where GTIDs are needed.
    pub fn identify(&self, mysql: Option<Gtid>, mariadb: Option<MariadbGtid>) -> Result<TransactionId> {
        match (&self.at, mysql, mariadb) {
            (At::Gtid(_), Some(gtid), _) => Ok(TransactionId::Mysql(gtid)),
            (At::Mariadb { .. }, _, Some(gtid)) => Ok(TransactionId::Mariadb(gtid)),
            (At::File { .. }, ..) => Ok(TransactionId::File(FilePosition { file: self.file.clone(), pos: self.pos })),
            _ => Err(Fault::new(
                ErrorKind::Unsupported,
                "a transaction without GTID in a log that is followed by GTID: set gtid_mode=ON on the source, or \
                 follow it by file and position",
            )),
        }
    }

    /// Whether a transaction was applied before.
    #[inline]
    pub fn contains(&self, id: &TransactionId) -> bool {
        match (&self.at, id) {
            (At::Gtid(applied), TransactionId::Mysql(gtid)) => applied.contains(gtid),
            (At::Mariadb { applied, .. }, TransactionId::Mariadb(gtid)) => applied.contains(gtid),
            (At::File { applied }, TransactionId::File(begin)) => applied.reaches(begin) && applied != begin,
            _ => false,
        }
    }

    /// A transaction is complete, and with it everything up to the current event.
    #[inline]
    pub fn settle(&mut self, id: &TransactionId) {
        match (&mut self.at, id) {
            (At::Gtid(applied), TransactionId::Mysql(gtid)) => applied.add(gtid),
            (At::Mariadb { applied, again }, TransactionId::Mariadb(gtid)) => {
                if !applied.contains(gtid) {
                    applied.set(*gtid);
                }
                if let Some(list) = again {
                    list.set(*gtid);
                    if list.covers(applied) {
                        *again = None;
                    }
                }
            }
            _ => {}
        }
        self.settle_file();
    }

    /// Moves the file position where no transaction is open.
    #[inline]
    pub fn settle_file(&mut self) {
        if self.settled.file != self.file {
            self.settled.file.clone_from(&self.file);
        }
        self.settled.pos = self.pos;
    }

    /// An XA transaction is prepared. To be called before [`Self::settle`].
    pub fn open_xa(&mut self, xid: Xid, id: &TransactionId) {
        let gtid = if let TransactionId::Mysql(gtid) = id { Some(gtid.clone()) } else { None };
        let list = match &self.at {
            At::Mariadb { applied, again } => again.as_ref().unwrap_or(applied).clone(),
            _ => GtidList::default(),
        };
        let file = self.settled.clone();
        self.open.retain(|open| open.xid != xid);
        self.open.push(OpenXa { xid, gtid, file, list });
    }

    /// An XA transaction is decided.
    pub fn close_xa(&mut self, xid: &Xid) {
        self.open.retain(|open| open.xid != *xid);
    }

    /// The position behind the last complete transaction.
    pub fn position(&self) -> Position {
        let settled = Some(&self.settled).filter(|place| !place.file.is_empty()).cloned();
        let oldest = self.open.first();
        let at = match &self.at {
            At::Gtid(applied) => Coordinate::MysqlGtid {
                applied: applied.clone(),
                open: self.open.iter().filter_map(|open| open.gtid.clone()).collect(),
                file: settled,
            },
            At::File { applied } => {
                // While transactions are read again, those applied before stay applied, and open ones
                // may still come.
                let again = !self.settled.reaches(applied);
                Coordinate::MysqlFile {
                    applied: if again { applied.clone() } else { self.settled.clone() },
                    restart: oldest.map(|open| open.file.clone()).or_else(|| again.then(|| self.settled.clone())),
                }
            }
            At::Mariadb { applied, again } => {
                let place = |file: &FilePosition| Some(file.clone()).filter(|place| !place.file.is_empty());
                let oldest = oldest.map(|open| MariadbRestart { gtid: open.list.clone(), file: place(&open.file) });
                let again = again.clone().map(|gtid| MariadbRestart { gtid, file: place(&self.settled) });
                Coordinate::MariadbGtid { applied: applied.clone(), file: settled, restart: oldest.or(again) }
            }
        };
        Position { server: self.server.clone(), at }
    }
}
