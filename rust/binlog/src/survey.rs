//! A log read for its places: where transactions begin, when they were committed, what came before them. No row is
//! looked at, so that what a table is like need not be known.

use crate::cursor::{self, Cursor};
use crate::error::{DecodeError, Result};
use crate::format::{Flavour, Format};
use crate::gtid_event::{MariadbGtidEvent, MysqlGtidEvent};
use crate::header::{self, CHECKSUM_BYTES, HEADER_BYTES, Header, types};
use crate::payload::Payload;
use crate::query::{self, Statement, Xid};
use crate::query_event::QueryEvent;
use crate::{Coordinate, FilePosition, Gtid, GtidList, GtidSet, MariadbGtid, MariadbRestart, Position, TransactionId};

const MICROS: i64 = 1_000_000;
/// The first event of a file stands behind its four magic bytes.
const FIRST: u64 = 4;

/// When a transaction was committed, as the log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970.
    pub us: i64,
    /// Whether it is the commit, to the microsecond (MySQL 8.0 and newer). Else it is the second in which the
    /// statement began that committed.
    pub exact: bool,
}

impl Moment {
    fn second(timestamp: u32) -> Self {
        Self { us: i64::from(timestamp) * MICROS, exact: false }
    }

    /// Whether it is at or after a time. Of a whole second nobody knows where in it: it counts as its end.
    pub fn reaches(self, us: i64) -> bool {
        if self.exact { self.us >= us } else { self.us >= us.div_euclid(MICROS) * MICROS }
    }
}

/// What an event is to whoever looks for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A transaction begins with it.
    Begins,
    /// It belongs to the transaction under way.
    Inside,
    /// It is about the log itself, between transactions.
    Between,
    /// The file is at its end, and the log goes on in the one of that name: see [`Survey::enter`].
    Ends(String),
}

/// How a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileBegin {
    /// When, in seconds since 1970: when the *statement* began whose end began the file.
    pub at_s: u32,
    /// The server was started, and began it: then the time is exact.
    pub started: bool,
}

/// The places of one log, from the begin of a file on.
pub struct Survey {
    format: Option<Format>,
    file: String,
    /// Begin and end of the event that was fed last.
    begin: u64,
    pos: u64,
    /// Behind the last event that is not about the file's end.
    settled: u64,
    known: Known,
    under_way: Option<UnderWay>,
    open: Vec<OpenXa>,
    met_xa: bool,
    file_begin: Option<FileBegin>,
    checkpoints: u64,
    clock_s: Option<u32>,
    transactions: u64,
    latest: Option<Moment>,
    event_bytes_max: usize,
}

/// Transactions before the one under way.
enum Known {
    Nothing,
    Mysql(GtidSet),
    Mariadb(GtidList),
}

enum Name {
    None,
    Mysql(Gtid),
    Mariadb(MariadbGtid),
}

struct UnderWay {
    begin: u64,
    name: Name,
    moment: Moment,
    xa: Role,
    /// A statement was seen; XA is said by the first one.
    said: bool,
}

/// What a transaction does to an XA transaction.
enum Role {
    None,
    Prepares(Xid),
    Decides(Xid),
}

/// A prepared XA transaction: from where its rows are read again.
struct OpenXa {
    xid: Xid,
    gtid: Option<Gtid>,
    file: FilePosition,
    before: GtidList,
}

impl Survey {
    /// For a log that is asked for from the begin of a file on.
    pub fn new(event_bytes_max: usize) -> Self {
        Self {
            format: None,
            file: String::new(),
            begin: 0,
            pos: 0,
            settled: 0,
            known: Known::Nothing,
            under_way: None,
            open: Vec::new(),
            met_xa: false,
            file_begin: None,
            checkpoints: 0,
            clock_s: None,
            transactions: 0,
            latest: None,
            event_bytes_max,
        }
    }

    /// Takes one whole event, header included.
    ///
    /// Errors: the bytes are no event, or one of those that name transactions cannot be read.
    pub fn feed(&mut self, event: &[u8]) -> std::result::Result<Step, DecodeError> {
        self.take(event).map_err(|fault| fault.at(&self.file, self.pos))
    }

    fn take(&mut self, event: &[u8]) -> Result<Step> {
        let header = Header::parse(event)?;
        match header.kind {
            types::ROTATE => {
                self.advance(&header);
                return self.rotate(header::checked_if_present(event));
            }
            types::HEARTBEAT | types::HEARTBEAT_V2 => return Ok(Step::Between),
            _ => {}
        }
        self.advance(&header);
        let body = self.body(event);
        match header.kind {
            types::FORMAT_DESCRIPTION => {
                self.format = Some(Format::parse(event)?);
                self.file_begin = Some(file_begin(&header, event)?);
                self.between()
            }
            types::PREVIOUS_GTIDS => {
                self.known = Known::Mysql(GtidSet::decode(body)?);
                self.between()
            }
            types::GTID_LIST => {
                self.known = Known::Mariadb(gtid_list(body)?);
                self.between()
            }
            types::STOP => Ok(Step::Between),
            types::BINLOG_CHECKPOINT => {
                self.checkpoint(header.timestamp);
                self.between()
            }
            types::START_ENCRYPTION => self.between(),
            types::GTID | types::ANONYMOUS_GTID | types::GTID_TAGGED => {
                let event = match header.kind {
                    types::GTID_TAGGED => MysqlGtidEvent::parse_tagged(body)?,
                    kind => MysqlGtidEvent::parse(body, kind == types::ANONYMOUS_GTID)?,
                };
                let exact = Moment { us: event.commit_us, exact: true };
                let moment = if event.commit_us > 0 { exact } else { Moment::second(header.timestamp) };
                self.begin(event.gtid.map_or(Name::None, Name::Mysql), moment, Role::None)
            }
            types::MARIADB_GTID => {
                let event = MariadbGtidEvent::parse(body)?;
                let prepares = event.flags & MariadbGtidEvent::PREPARED_XA != 0;
                let name = Name::Mariadb(event.gtid(header.server_id));
                let xa = match event.xid {
                    Some(xid) if prepares => Role::Prepares(xid),
                    Some(xid) => Role::Decides(xid),
                    None => Role::None,
                };
                self.begin(name, Moment::second(header.timestamp), xa)
            }
            kind => self.inside(kind, body),
        }
    }

    /// Without its checksum, which is not looked at: most events are only skipped.
    fn body<'a>(&self, event: &'a [u8]) -> &'a [u8] {
        let checksums = self.format.as_ref().is_some_and(|format| format.checksums);
        let end = if checksums { event.len().saturating_sub(CHECKSUM_BYTES) } else { event.len() };
        event.get(HEADER_BYTES..end).unwrap_or_default()
    }

    fn advance(&mut self, header: &Header) {
        if header.is_artificial() {
            return;
        }
        // The header has 32 bits of the end, and none where the server did not know it yet.
        let expected = self.pos.saturating_add(u64::from(header.size));
        let said = header.end != 0 && expected as u32 != header.end;
        self.pos = if said { u64::from(header.end) } else { expected };
        self.begin = self.pos.saturating_sub(u64::from(header.size));
    }

    fn rotate(&mut self, event: &[u8]) -> Result<Step> {
        let mut cursor = Cursor::new(event.get(HEADER_BYTES..).unwrap_or_default());
        let pos = cursor.u64()?;
        let file = cursor::name(cursor.rest())?.to_owned();
        if self.file.is_empty() || self.file == file {
            self.enter(file);
            self.pos = pos;
            return Ok(Step::Between);
        }
        self.finish();
        Ok(Step::Ends(file))
    }

    /// Goes on in the next file.
    pub fn enter(&mut self, file: String) {
        self.file = file;
        (self.begin, self.pos, self.settled) = (FIRST, FIRST, FIRST);
        (self.file_begin, self.transactions, self.latest) = (None, 0, None);
        (self.checkpoints, self.clock_s) = (0, None);
    }

    /// The first one of a file has the file's own time. Others the server writes of itself, with its clock (seen on
    /// MariaDB 10.11 and 11.8, whatever the time of the statement whose end began the file).
    fn checkpoint(&mut self, at_s: u32) {
        self.checkpoints += 1;
        if self.checkpoints > 1 {
            self.clock_s = self.clock_s.max(Some(at_s));
        }
    }

    fn between(&mut self) -> Result<Step> {
        self.finish();
        self.settled = self.pos;
        Ok(Step::Between)
    }

    fn begin(&mut self, name: Name, moment: Moment, xa: Role) -> Result<Step> {
        self.finish();
        self.met_xa |= !matches!(xa, Role::None);
        self.transactions += 1;
        if self.latest.is_none_or(|latest| latest.us < moment.us) {
            self.latest = Some(moment);
        }
        self.settled = self.pos;
        self.under_way = Some(UnderWay { begin: self.begin, name, moment, xa, said: false });
        Ok(Step::Begins)
    }

    fn inside(&mut self, kind: u8, body: &[u8]) -> Result<Step> {
        let mysql = self.format.as_ref().is_none_or(|format| format.flavour == Flavour::Mysql);
        let most = self.event_bytes_max;
        self.settled = self.pos;
        // Before MySQL 5.7 nothing names a transaction, and no place of such a log is known here.
        let Some(group) = self.under_way.as_mut() else { return Ok(Step::Inside) };
        if mysql && !group.said {
            group.said = kind == types::QUERY;
            let xa = match kind {
                types::QUERY => said(body)?,
                types::TRANSACTION_PAYLOAD => compressed(body, most)?,
                _ => None,
            };
            if let Some(xa) = xa {
                group.xa = xa;
                self.met_xa = true;
            }
        }
        if mysql && kind == types::XA_PREPARE {
            group.xa = prepared(body)?;
            self.met_xa = true;
        }
        Ok(Step::Inside)
    }

    /// The log is at its end for now: the transaction under way is whole.
    pub fn finish(&mut self) {
        let Some(group) = self.under_way.take() else { return };
        let before = match &self.known {
            Known::Mariadb(list) => list.clone(),
            _ => GtidList::default(),
        };
        let gtid = if let Name::Mysql(gtid) = &group.name { Some(gtid.clone()) } else { None };
        match (&mut self.known, group.name) {
            (Known::Mysql(set), Name::Mysql(gtid)) => set.add(&gtid),
            (Known::Mariadb(list), Name::Mariadb(gtid)) => list.set(gtid),
            (known, Name::Mysql(gtid)) => {
                let mut set = GtidSet::default();
                set.add(&gtid);
                *known = Known::Mysql(set);
            }
            (known, Name::Mariadb(gtid)) => {
                let mut list = GtidList::default();
                list.set(gtid);
                *known = Known::Mariadb(list);
            }
            (_, Name::None) => {}
        }
        match group.xa {
            Role::Prepares(xid) => {
                let file = FilePosition { file: self.file.clone(), pos: group.begin };
                self.open.retain(|open| open.xid != xid);
                self.open.push(OpenXa { xid, gtid, file, before });
            }
            Role::Decides(xid) => self.open.retain(|open| open.xid != xid),
            Role::None => {}
        }
    }

    /// Where the log stands: in front of the transaction under way, or behind the last one.
    pub fn place(&self) -> FilePosition {
        let pos = self.under_way.as_ref().map_or(self.settled, |group| group.begin);
        FilePosition { file: self.file.clone(), pos }
    }

    /// Where the event that was fed last begins, and where it ends.
    pub fn event(&self) -> (u64, u64) {
        (self.begin, self.pos)
    }

    /// The file that is read.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// When the transaction under way was committed.
    pub fn moment(&self) -> Option<Moment> {
        self.under_way.as_ref().map(|group| group.moment)
    }

    /// The transaction under way: its GTID, or the place where it begins.
    pub fn transaction(&self) -> Option<TransactionId> {
        self.under_way.as_ref().map(|group| match &group.name {
            Name::Mysql(gtid) => TransactionId::Mysql(gtid.clone()),
            Name::Mariadb(gtid) => TransactionId::Mariadb(*gtid),
            Name::None => TransactionId::File(self.place()),
        })
    }

    /// How the file begins; None before its first event.
    pub fn file_begin(&self) -> Option<FileBegin> {
        self.file_begin
    }

    /// What the server's clock said behind the begin of the file, in seconds since 1970, if that was written so far.
    pub fn clock_s(&self) -> Option<u32> {
        self.clock_s
    }

    /// Transactions of the file that have begun so far, and the latest moment of them.
    pub fn seen(&self) -> (u64, Option<Moment>) {
        (self.transactions, self.latest)
    }

    /// Whether any transaction was one of XA.
    pub fn met_xa(&self) -> bool {
        self.met_xa
    }

    /// The position of a place at which the log stands.
    ///
    /// `by_gtid`: of MySQL, whether every transaction has one; `purged` are those of which no file is left.
    pub fn position(&self, server: &str, by_gtid: bool, purged: &GtidSet, place: FilePosition) -> Position {
        let oldest = self.open.first();
        let at = match &self.known {
            Known::Mariadb(list) => Coordinate::MariadbGtid {
                applied: list.clone(),
                file: Some(place),
                restart: oldest.map(|open| MariadbRestart { gtid: open.before.clone(), file: Some(open.file.clone()) }),
            },
            known if by_gtid => {
                let mut applied = purged.clone();
                if let Known::Mysql(set) = known {
                    applied.union(set);
                }
                let open = self.open.iter().filter_map(|open| open.gtid.clone()).collect();
                Coordinate::MysqlGtid { applied, open, file: Some(place) }
            }
            _ => Coordinate::MysqlFile { applied: place, restart: oldest.map(|open| open.file.clone()) },
        };
        Position { server: server.to_owned(), at }
    }
}

/// Version, the server's own and the time of its start: that of the server, if it began the file by starting.
fn file_begin(header: &Header, event: &[u8]) -> Result<FileBegin> {
    let mut cursor = Cursor::new(event.get(HEADER_BYTES..).unwrap_or_default());
    cursor.take(2 + 50)?;
    Ok(FileBegin { at_s: header.timestamp, started: cursor.u32()? != 0 })
}

/// Count (in 28 bits), then domain, server and number of each. Within a domain the last one is the newest
/// (MariaDB documentation, "GTID_LIST_EVENT").
fn gtid_list(body: &[u8]) -> Result<GtidList> {
    const COUNT: u32 = (1 << 28) - 1;
    let mut cursor = Cursor::new(body);
    let mut list = GtidList::default();
    for _ in 0..cursor.u32()? & COUNT {
        let (domain, server, sequence) = (cursor.u32()?, cursor.u32()?, cursor.u64()?);
        list.set(MariadbGtid { domain, server, sequence });
    }
    Ok(list)
}

/// What a group's first statement says of XA. MySQL writes these statements itself.
fn said(body: &[u8]) -> Result<Option<Role>> {
    let event = QueryEvent::parse(body)?;
    if !event.sql.starts_with(b"XA ") {
        return Ok(None);
    }
    Ok(match query::classify(event.sql, 0) {
        Statement::XaCommit { xid, one_phase: false } | Statement::XaRollback(xid) => Some(Role::Decides(xid)),
        _ => None,
    })
}

/// XA PREPARE: whether in one phase, format, two lengths and both parts of the name.
fn prepared(body: &[u8]) -> Result<Role> {
    let mut cursor = Cursor::new(body);
    let one_phase = cursor.u8()? != 0;
    let format = i64::from(cursor.u32()? as i32);
    let (gtrid, bqual) = (cursor.u32()? as usize, cursor.u32()? as usize);
    let (gtrid, bqual) = (cursor.take(gtrid)?.to_vec(), cursor.take(bqual)?.to_vec());
    Ok(if one_phase { Role::None } else { Role::Prepares(Xid { format, gtrid, bqual }) })
}

/// The same of a compressed transaction. Only one that begins as XA is looked at to its end.
fn compressed(body: &[u8], event_bytes_max: usize) -> Result<Option<Role>> {
    let mut payload = Payload::parse(body, event_bytes_max)?;
    let mut first = true;
    while let Some(event) = payload.next()? {
        let header = Header::parse(event)?;
        let inner = event.get(HEADER_BYTES..).unwrap_or_default();
        if std::mem::replace(&mut first, false)
            && !(header.kind == types::QUERY && QueryEvent::parse(inner)?.sql.starts_with(b"XA "))
        {
            return Ok(None);
        }
        if header.kind == types::XA_PREPARE {
            return prepared(inner).map(Some);
        }
    }
    Ok(None) // committed in one phase
}
