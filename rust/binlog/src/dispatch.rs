//! What each event does to the decoder: the grammar of the log.

use crate::compressed;
use crate::cursor::{self, Cursor};
use crate::decoder::{Decoder, Pending};
use crate::error::{ErrorKind, Fault, Result};
use crate::format::{Flavour, Format};
use crate::group::{Alter, Group};
use crate::gtid_event::{MariadbGtidEvent, MysqlGtidEvent};
use crate::header::{FLAG_IGNORABLE, HEADER_BYTES, Header, types};
use crate::held::Held;
use crate::payload::Payload;
use crate::query::Xid;
use crate::rows::Kind;
use crate::{FilePosition, TransactionId};

impl Decoder {
    pub(crate) fn flavour(&self) -> Flavour {
        self.format.as_ref().map_or(Flavour::Mysql, |format| format.flavour)
    }

    pub(crate) fn table_id_bytes(&self) -> usize {
        self.format.as_ref().map_or(6, |format| format.table_id_bytes)
    }

    /// An event whose position and checksum are dealt with.
    #[inline]
    pub(crate) fn dispatch(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        if let Some(kind) = Kind::of(header.kind) {
            return self.rows_event(kind, header.kind, body);
        }
        match header.kind {
            types::TABLE_MAP => self.table_map(body),
            types::XID => self.end_commit(header),
            types::QUERY => self.query(header, body),
            types::GTID | types::ANONYMOUS_GTID | types::GTID_TAGGED => self.mysql_gtid(header, body),
            types::MARIADB_GTID => self.mariadb_gtid(header, body),
            _ => self.dispatch_rare(header, body),
        }
    }

    fn dispatch_rare(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        match header.kind {
            types::QUERY_COMPRESSED => {
                let plain = self.decompressed_query(body)?;
                self.query(header, &plain)
            }
            types::XA_PREPARE => self.xa_prepare(header, body),
            types::TRANSACTION_PAYLOAD => {
                self.pending.push(Pending::Payload(Payload::parse(body, self.config.event_bytes_max)?));
                Ok(())
            }
            types::PARTIAL_ROW_DATA => self.fragment(body),
            types::HEARTBEAT | types::HEARTBEAT_V2 => self.heartbeat(header, body),
            types::STOP => self.interrupt(),
            types::INTVAR | types::RAND | types::USER_VAR => {
                self.context = true;
                Ok(())
            }
            types::INCIDENT => Err(incident(body)),
            // START_ENCRYPTION tells how the file is encrypted, while the server sends it decrypted.
            types::PREVIOUS_GTIDS | types::GTID_LIST | types::BINLOG_CHECKPOINT | types::START_ENCRYPTION => {
                self.note(header);
                Ok(())
            }
            // Notes of the servers to people and to others of their kind.
            types::ANNOTATE_ROWS
            | types::ROWS_QUERY
            | types::TRANSACTION_CONTEXT
            | types::VIEW_CHANGE
            | types::IGNORABLE
            // Pieces of a file that a LOAD DATA statement refers to, which comes behind them.
            | types::BEGIN_LOAD_QUERY
            | types::APPEND_BLOCK
            | types::DELETE_FILE => Ok(()),
            types::EXECUTE_LOAD_QUERY => self.execute_load(body),
            types::LOAD | types::NEW_LOAD | types::CREATE_FILE | types::EXEC_LOAD => Err(Fault::new(
                ErrorKind::StatementLogged,
                "LOAD DATA was logged as a statement, in the form of MySQL 4: set binlog_format=ROW on the source",
            )),
            types::START_V3 | types::PRE_GA_WRITE_ROWS..=types::PRE_GA_DELETE_ROWS => {
                let what = format!("event type {} of a server before MySQL 5.1", header.kind);
                Err(Fault::new(ErrorKind::Unsupported, what))
            }
            _ if header.flags & FLAG_IGNORABLE != 0 => Ok(()),
            other => Err(Fault::new(ErrorKind::UnknownEvent, format!("event type {other} is not known"))),
        }
    }

    /// The type byte of a QUERY_COMPRESSED is followed by the same fields as in QUERY; the statement is compressed.
    fn decompressed_query(&self, body: &[u8]) -> Result<Vec<u8>> {
        let mut cursor = Cursor::new(body);
        cursor.take(8)?;
        let database = usize::from(cursor.u8()?);
        cursor.take(2)?;
        let variables = usize::from(cursor.u16()?);
        cursor.take(variables + database + 1)?;
        let fixed = body.len() - cursor.len();
        let mut plain = body[..fixed].to_vec();
        plain.extend_from_slice(&compressed::event(cursor.rest(), self.config.event_bytes_max)?);
        Ok(plain)
    }

    pub(crate) fn format_description(&mut self, event: &[u8]) -> Result<()> {
        // A server that was killed while it wrote a transaction begins a new file; its recovery cuts
        // the transaction off the old one.
        self.interrupt()?;
        self.format = Some(Format::parse(event)?);
        Ok(())
    }

    pub(crate) fn rotate(&mut self, header: &Header, event: &[u8]) -> Result<()> {
        let mut cursor = Cursor::new(event.get(HEADER_BYTES..).unwrap_or_default());
        let pos = cursor.u64()?;
        let file = cursor::name(cursor.rest())?;
        if file.is_empty() || file.bytes().any(|byte| byte < b' ') {
            return Err(Fault::corrupt("a rotation to a file without a proper name"));
        }
        self.interrupt()?;
        if self.tracker.file != file {
            self.tracker.file = file.to_owned();
            self.beat |= !header.is_artificial();
        }
        self.tracker.pos = pos;
        self.tracker.settle_file();
        Ok(())
    }

    /// The log ends or begins anew: a transaction without its end never happened.
    fn interrupt(&mut self) -> Result<()> {
        self.fragments = Default::default();
        self.context = false;
        let Some(mut group) = self.group.take() else { return Ok(()) };
        self.group_number += 1;
        self.rows.undo(None, true);
        if group.parts > 0 {
            group.rollback(self.rows.next_seq());
            self.closing = Some(group.take_controls());
        } else {
            self.rows.drop_group();
        }
        Ok(())
    }

    /// A note of the server to itself, between transactions. It ends the log for now, perhaps for long, and whoever
    /// waits for the end that the server's status shows must hear of it: MariaDB writes its checkpoints whenever it
    /// comes to it.
    fn note(&mut self, header: &Header) {
        if self.group.is_none() && !header.is_artificial() {
            self.tracker.settle_file();
            self.beat = true;
        }
    }

    fn heartbeat(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        let place = if header.kind == types::HEARTBEAT {
            Some(FilePosition { file: cursor::name(body)?.to_owned(), pos: u64::from(header.end) })
        } else {
            heartbeat_v2(body)?
        };
        self.beat = true;
        // Transactions that the server left out, for we have them already, move the position too, and so do events
        // that nobody has to know.
        if let Some(place) = place
            && self.group.is_none()
            && place.file == self.tracker.file
            && place.pos >= self.tracker.pos
        {
            self.tracker.pos = place.pos;
            self.tracker.settle_file();
        }
        Ok(())
    }

    fn mysql_gtid(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        let event = match header.kind {
            types::GTID_TAGGED => MysqlGtidEvent::parse_tagged(body)?,
            kind => MysqlGtidEvent::parse(body, kind == types::ANONYMOUS_GTID)?,
        };
        let id = self.tracker.identify(event.gtid, None)?;
        self.begin_group(id)?.commit_us = event.commit_us;
        Ok(())
    }

    fn mariadb_gtid(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        let event = MariadbGtidEvent::parse(body)?;
        let id = self.tracker.identify(None, Some(event.gtid(header.server_id)))?;
        let group = self.begin_group(id)?;
        group.began = event.flags & MariadbGtidEvent::STANDALONE == 0;
        // MariaDB logs no XA START: the GTID names the transaction.
        if event.flags & MariadbGtidEvent::PREPARED_XA != 0 {
            group.xa = event.xid.map(|xid| Box::new((xid, Held::default())));
        }
        if event.flags_extra & (MariadbGtidEvent::START_ALTER | MariadbGtidEvent::ROLLBACK_ALTER) != 0 {
            group.alter = Alter::Void;
        }
        Ok(())
    }

    pub(crate) fn begin_group(&mut self, id: TransactionId) -> Result<&mut Group> {
        if self.group.is_some() {
            return Err(Fault::corrupt("a transaction begins before the last one ended"));
        }
        let applied = self.tracker.contains(&id);
        Ok(self.group.insert(Group::new(id, applied, self.time_us, self.tracker.pos)))
    }

    /// The transaction under way.
    pub(crate) fn open_group(&mut self) -> Result<&mut Group> {
        match &mut self.group {
            Some(group) if group.began => Ok(group),
            _ => Err(Fault::corrupt("an event of a transaction outside of any")),
        }
    }

    /// A commit: by XID, COMMIT, or the end of an XA transaction that comes in one phase.
    pub(crate) fn end_commit(&mut self, header: &Header) -> Result<()> {
        self.no_context()?;
        let group = self.open_group()?;
        if let Some(xa) = group.xa.take() {
            let mut held = xa.1;
            // One phase: what was held is committed at once.
            held.rewind()?;
            self.pending.push(Pending::Held(held, header.timestamp));
            return Ok(());
        }
        self.commit(header.timestamp)
    }

    /// The group's rows stand.
    pub(crate) fn commit(&mut self, timestamp: u32) -> Result<()> {
        self.whole_events()?;
        let Some(mut group) = self.group.take() else {
            return Err(Fault::corrupt("a commit outside of a transaction"));
        };
        self.group_number += 1;
        let commit_us = if group.commit_us > 0 { group.commit_us } else { i64::from(timestamp) * 1_000_000 };
        self.rows.close_group(commit_us, group.origin(), &self.tracker.file);
        if let Some(xid) = &group.decides {
            self.tracker.close_xa(xid);
        }
        self.tracker.settle(&group.id);
        if group.parts > 0 {
            self.closing = Some(group.take_controls());
        }
        Ok(())
    }

    /// The group's rows are undone, but for tables without transactions.
    pub(crate) fn rollback(&mut self, timestamp: u32) -> Result<()> {
        self.rows.undo(None, false);
        let seq = self.rows.next_seq();
        let group = self.open_group()?;
        group.rollback(seq);
        group.xa = None;
        self.commit(timestamp)
    }

    /// A statement of its own is over: only the position has moved.
    pub(crate) fn settle_group(&mut self) {
        if let Some(group) = self.group.take() {
            self.group_number += 1;
            self.rows.drop_group();
            self.tracker.settle(&group.id);
            self.beat = true;
        }
    }

    fn xa_prepare(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        let mut cursor = Cursor::new(body);
        let one_phase = cursor.u8()? != 0;
        let format = i64::from(cursor.u32()? as i32);
        let (gtrid, bqual) = (cursor.u32()? as usize, cursor.u32()? as usize);
        let (gtrid, bqual) = (cursor.take(gtrid)?.to_vec(), cursor.take(bqual)?.to_vec());
        let xid = Xid { format, gtrid, bqual };
        if one_phase {
            return self.end_commit(header);
        }
        self.whole_events()?;
        let Some((started, held)) = self.open_group()?.xa.take().map(|xa| *xa) else {
            return Err(Fault::corrupt("XA PREPARE of a transaction that did not begin with XA START"));
        };
        if started != xid {
            return Err(Fault::corrupt("XA PREPARE of another transaction than XA START"));
        }
        if let Some(group) = self.group.take() {
            self.group_number += 1;
            self.rows.drop_group();
            self.tracker.open_xa(xid.clone(), &group.id);
            self.tracker.settle(&group.id);
            self.held.insert(xid, held);
            self.beat = true;
        }
        Ok(())
    }

    /// The decision on a prepared transaction, in a group of its own.
    pub(crate) fn xa_decision(&mut self, header: &Header, xid: &Xid, commit: bool) -> Result<()> {
        let applied = self.statement_group()?.applied;
        match self.held.remove(xid) {
            Some(mut held) if commit && !applied => {
                held.rewind()?;
                if let Some(group) = &mut self.group {
                    group.began = true;
                    // A position that is asked for before its rows are through still needs them.
                    group.decides = Some(xid.clone());
                }
                self.pending.push(Pending::Held(held, header.timestamp));
                Ok(())
            }
            None if commit && !applied => Err(Fault::new(
                ErrorKind::Unsupported,
                "XA COMMIT of a transaction that was prepared before the position from which the log is read: its rows \
                 are not known. Start when XA RECOVER is empty",
            )),
            _ => {
                self.tracker.close_xa(xid);
                self.settle_group();
                Ok(())
            }
        }
    }

    pub(crate) fn whole_events(&self) -> Result<()> {
        if self.fragments.is_empty() {
            Ok(())
        } else {
            Err(Fault::corrupt("a rows event in pieces without its last piece"))
        }
    }

    /// Variables of a statement must be followed by that statement.
    pub(crate) fn no_context(&self) -> Result<()> {
        if self.context {
            return Err(Fault::corrupt("variables of a statement that are not followed by one"));
        }
        Ok(())
    }
}

/// HEARTBEAT_V2: type, length and value of file name (1) and position (2), ended by 0
/// (libbinlogevents, codecs/binary.cpp).
fn heartbeat_v2(body: &[u8]) -> Result<Option<FilePosition>> {
    let mut cursor = Cursor::new(body);
    let (mut file, mut pos) = (None, None);
    while !cursor.is_empty() {
        let field = cursor.lenenc()?;
        if field == 0 {
            break;
        }
        let mut value = Cursor::new(cursor.lenenc_bytes()?);
        match field {
            1 => file = Some(cursor::name(value.rest())?.to_owned()),
            2 => pos = Some(value.lenenc()?),
            _ => {}
        }
    }
    Ok(file.zip(pos).map(|(file, pos)| FilePosition { file, pos }))
}

#[cold]
fn incident(body: &[u8]) -> Fault {
    let message = body.get(3..).map(String::from_utf8_lossy).unwrap_or_default();
    let what = format!("the source reports that events were lost ({message}): the tables must be loaded again");
    Fault::new(ErrorKind::Incident, what)
}
