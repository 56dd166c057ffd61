use std::collections::{HashMap, HashSet};

use opendrs_columns::{TableName, TableSpec};

use crate::column::Scratch;
use crate::error::{DecodeError, ErrorKind, Fault, Result};
use crate::event::{Control, Event, Heartbeat, SchemaChange};
use crate::format::Format;
use crate::fragments::Fragments;
use crate::group::Group;
use crate::header::{self, HEADER_BYTES, Header, types};
use crate::held::Held;
use crate::maps::Maps;
use crate::payload::Payload;
use crate::query::Xid;
use crate::tracker::Tracker;
use crate::window::Rows;
use crate::{Config, Coordinate, Position, Selection, TableOptions};

/// Decodes one server's log from a position on. See the crate's documentation for the loop.
///
/// After an error the decoder hands over what was complete before it, then the error again and
/// again. A lost connection is followed by a new decoder from the last position, or by
/// [`Self::disconnect`].
pub struct Decoder {
    pub(crate) config: Config,
    pub(crate) selection: Selection,
    pub(crate) tables: HashMap<TableName, Registered>,
    pub(crate) sequences: HashSet<TableName>,
    pub(crate) maps: Maps,
    pub(crate) rows: Rows,
    pub(crate) scratch: Scratch,
    pub(crate) tracker: Tracker,
    pub(crate) format: Option<Format>,
    pub(crate) group: Option<Group>,
    /// Ascends with each group, so that a table map of another group is told apart.
    pub(crate) group_number: u64,
    /// Variables of a statement were seen, which must follow.
    pub(crate) context: bool,
    pub(crate) fragments: Fragments,
    /// Prepared XA transactions.
    pub(crate) held: HashMap<Xid, Held>,
    /// What waits for room; the last one goes on first.
    pub(crate) pending: Vec<Pending>,
    pub(crate) barrier: Barrier,
    /// Position behind the rows that stand before a barrier.
    pub(crate) before_barrier: Option<Position>,
    /// The last part of a transaction in parts, to be handed over with a position.
    pub(crate) closing: Option<Vec<(u32, Control)>>,
    /// The position moved, or a heartbeat came, since the last event was taken.
    pub(crate) beat: bool,
    /// Time of the last event in microseconds since 1970.
    pub(crate) time_us: i64,
    failed: Option<DecodeError>,
}

/// A table that was made known.
pub(crate) struct Registered {
    pub handle: usize,
    pub options: TableOptions,
}

/// Events that were fed and wait for room.
pub(crate) enum Pending {
    Payload(Payload),
    /// An XA transaction that is being committed; the time of its commit.
    Held(Held, u32),
}

/// Whether a schema change waits.
pub(crate) enum Barrier {
    None,
    /// To be taken once the rows before it have been.
    Due(Box<SchemaChange>),
    /// Taken; nothing goes on before [`Decoder::resume`].
    Taken,
}

impl Decoder {
    /// A decoder that expects the log from [`Position::restart`] of `start` on.
    pub fn new(config: Config, start: Position) -> Self {
        Self {
            config,
            selection: Selection::default(),
            tables: HashMap::new(),
            sequences: HashSet::new(),
            maps: Maps::default(),
            rows: Rows::new(),
            scratch: Scratch::default(),
            tracker: Tracker::new(start),
            format: None,
            group: None,
            group_number: 1,
            context: false,
            fragments: Fragments::default(),
            held: HashMap::new(),
            pending: Vec::new(),
            barrier: Barrier::None,
            before_barrier: None,
            closing: None,
            beat: false,
            time_us: 0,
            failed: None,
        }
    }

    /// Changes which tables are decoded, from the next table map on.
    pub fn select(&mut self, selection: Selection) {
        self.selection = selection;
        self.maps.invalidate();
    }

    /// Makes a table known, or replaces what is known of it, from the next table map on.
    ///
    /// Errors: [`ErrorKind::Misuse`] if `skip_through` is of another kind than the decoder's position,
    /// so that it could not tell which transactions it covers.
    pub fn register(&mut self, table: TableSpec, options: TableOptions) -> std::result::Result<(), DecodeError> {
        if let Some(skip) = &options.skip_through
            && !same_kind(skip, &self.position())
        {
            let what = "rows can only be skipped through a position of the same kind as the decoder's";
            return Err(self.place(Fault::new(ErrorKind::Misuse, what).of_table(&table.name)));
        }
        self.forget(&table.name.clone());
        let (name, transactional) = (table.name.clone(), options.transactional);
        let handle = self.rows.add_table(table, transactional);
        self.tables.insert(name, Registered { handle, options });
        Ok(())
    }

    /// Makes a MariaDB sequence known: its rows are reported in [`crate::Window::sequences`].
    pub fn register_sequence(&mut self, name: TableName) {
        self.sequences.insert(name);
        self.maps.invalidate();
    }

    /// Forgets a table or sequence, from the next table map on.
    pub fn forget(&mut self, name: &TableName) {
        if let Some(old) = self.tables.remove(name) {
            self.rows.retire_table(old.handle);
        }
        self.sequences.remove(name);
        self.maps.invalidate();
    }

    /// Decodes one whole event, header included, without the packet's leading OK byte.
    ///
    /// Errors: what is wrong with the event; [`ErrorKind::Misuse`] while a schema change, the end of
    /// a transaction in parts or a compressed transaction waits for [`Self::take`].
    pub fn feed(&mut self, event: &[u8]) -> std::result::Result<(), DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if !matches!(self.barrier, Barrier::None) || self.closing.is_some() || !self.pending.is_empty() {
            let what = "an event was fed before what waits was taken, or before resume()";
            return Err(self.place(Fault::new(ErrorKind::Misuse, what)));
        }
        self.receive(event).and_then(|()| self.pump()).map_err(|fault| self.fail(fault))
    }

    /// Whether no transaction is under way.
    pub fn at_boundary(&self) -> bool {
        self.group.is_none() && self.pending.is_empty()
    }

    /// Bytes of decoded values and held transactions in memory.
    pub fn buffered_bytes(&self) -> usize {
        let (complete, open) = self.rows.bytes();
        let open_held = self.group.as_ref().and_then(|group| group.xa.as_ref()).map_or(0, |xa| xa.1.bytes());
        let held: usize = self.held.values().map(Held::bytes).sum();
        complete + open + held + open_held + self.fragments.bytes()
    }

    /// Whether [`Self::take`] should be called before the next event is fed: more is buffered than
    /// [`Config::part_bytes`], or something waits that must be taken.
    #[inline]
    pub fn must_take(&self) -> bool {
        !matches!(self.barrier, Barrier::None) || self.closing.is_some() || !self.pending.is_empty() || self.full()
    }

    #[inline]
    fn full(&self) -> bool {
        let (complete, open) = self.rows.bytes();
        complete > self.config.part_bytes || open > self.config.part_bytes
    }

    /// Cuts here: everything that is complete so far; None if nothing is.
    ///
    /// Errors: the error that [`Self::feed`] met, once all that was complete before it is taken.
    pub fn take(&mut self) -> std::result::Result<Option<Event>, DecodeError> {
        loop {
            match self.next_event() {
                Ok(Some(event)) => {
                    // What was fed goes on where there is room again; an error keeps for later.
                    if self.failed.is_none()
                        && let Err(fault) = self.pump()
                    {
                        self.fail(fault);
                    }
                    return Ok(Some(event));
                }
                Ok(None) if self.failed.is_some() => return self.failed.clone().map_or(Ok(None), Err),
                Ok(None) if !self.pending.is_empty() && matches!(self.barrier, Barrier::None) => {
                    self.pump().map_err(|fault| self.fail(fault))?;
                    if !self.pending.is_empty() && !self.full() {
                        continue;
                    }
                }
                Ok(None) => return Ok(None),
                Err(fault) => return Err(self.fail(fault)),
            }
        }
    }

    /// Goes on behind a schema change that was taken.
    ///
    /// Errors: as [`Self::feed`], for what was fed before and waited; [`ErrorKind::Misuse`] if none was taken.
    pub fn resume(&mut self) -> std::result::Result<(), DecodeError> {
        if !matches!(self.barrier, Barrier::Taken) {
            return Err(self.place(Fault::new(ErrorKind::Misuse, "resume() without a schema change that was taken")));
        }
        self.barrier = Barrier::None;
        self.pump().map_err(|fault| self.fail(fault))
    }

    /// Where the log stands behind the last complete transaction.
    pub fn position(&self) -> Position {
        self.tracker.position()
    }

    /// The connection was lost: forgets the transaction under way, and expects the log from
    /// [`Position::restart`] of [`Self::position`] on. To be called with nothing left to take; parts
    /// of the transaction that were taken come again.
    pub fn disconnect(&mut self) {
        let position = self.position();
        self.rows.undo(None, true);
        self.rows.drop_group();
        self.tracker = Tracker::new(position);
        self.group = None;
        self.group_number += 1;
        self.format = None;
        self.context = false;
        self.fragments = Fragments::default();
        self.held.clear();
        self.pending.clear();
    }

    /// The error with its place; the decoder goes no further.
    #[cold]
    fn fail(&mut self, fault: Fault) -> DecodeError {
        let error = self.place(fault);
        self.failed = Some(error.clone());
        error
    }

    #[cold]
    fn place(&self, fault: Fault) -> DecodeError {
        fault.at(&self.tracker.file, self.tracker.pos)
    }

    /// Header, checksum and position of an event as it came; then what it says.
    fn receive(&mut self, event: &[u8]) -> Result<()> {
        let header = Header::parse(event)?;
        if event.len() > self.config.event_bytes_max {
            return Err(Fault::new(ErrorKind::TooLarge, format!("an event of {} bytes", event.len())));
        }
        match header.kind {
            types::FORMAT_DESCRIPTION => {
                self.advance(&header, true);
                return self.format_description(event);
            }
            types::ROTATE => return self.rotate(&header, header::checked_if_present(event)),
            _ => {}
        }
        let checksums = self.format.as_ref().map(|format| format.checksums);
        let plain = match checksums {
            Some(true) => header::checked(event).inspect_err(|_| self.advance(&header, false))?,
            Some(false) => event,
            // A heartbeat may come before the log's format does.
            None if matches!(header.kind, types::HEARTBEAT | types::HEARTBEAT_V2) => header::checked_if_present(event),
            None => return Err(Fault::corrupt("an event before the format description")),
        };
        self.advance(&header, false);
        self.rows.count_log(event.len());
        self.dispatch(&header, plain.get(HEADER_BYTES..).unwrap_or_default())
    }

    /// Moves the position to the end of an event that stands in the file.
    #[inline]
    fn advance(&mut self, header: &Header, format: bool) {
        if header.is_artificial() || matches!(header.kind, types::HEARTBEAT | types::HEARTBEAT_V2) {
            return;
        }
        if header.timestamp != 0 {
            self.time_us = i64::from(header.timestamp) * 1_000_000;
        }
        if header.end == 0 {
            // A format description without its end is a copy sent to begin in the middle of a file.
            if !format {
                self.tracker.pos = self.tracker.pos.saturating_add(u64::from(header.size));
            }
            return;
        }
        // The header has 32 bits of the position; logs with one huge transaction are longer.
        let expected = self.tracker.pos.saturating_add(u64::from(header.size));
        self.tracker.pos = if expected as u32 == header.end { expected } else { u64::from(header.end) };
    }

    /// Goes on with events that wait, until there is something to take.
    fn pump(&mut self) -> Result<()> {
        while let Some(pending) = self.pending.pop() {
            if self.full() || !matches!(self.barrier, Barrier::None) || self.closing.is_some() {
                self.pending.push(pending);
                return Ok(());
            }
            let below = self.pending.len();
            match pending {
                Pending::Payload(mut payload) => {
                    if let Some(event) = payload.next()? {
                        let header = Header::parse(event)?;
                        self.nested(&header, event.get(HEADER_BYTES..).unwrap_or_default())?;
                        // The event may have brought an XA transaction that goes first.
                        self.pending.insert(below, Pending::Payload(payload));
                    }
                }
                Pending::Held(mut held, timestamp) => match held.pop()? {
                    Some((kind, body)) => {
                        let header = Header { timestamp, kind, server_id: 0, size: 0, end: 0, flags: 0 };
                        self.dispatch(&header, &body)?;
                        self.pending.push(Pending::Held(held, timestamp));
                    }
                    None => self.commit(timestamp)?,
                },
            }
        }
        Ok(())
    }

    /// An event within a compressed transaction.
    fn nested(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        match header.kind {
            types::TRANSACTION_PAYLOAD | types::FORMAT_DESCRIPTION | types::ROTATE | types::STOP => {
                Err(Fault::corrupt(format!("an event of type {} within a compressed transaction", header.kind)))
            }
            _ => self.dispatch(header, body),
        }
    }

    /// What a REPLACE deletes stays with what it inserts, unless there is too much of it.
    fn part_is_full(&self) -> bool {
        let (bytes, room) = (self.rows.bytes().1, self.config.part_bytes);
        bytes > room && (!self.rows.ends_deleting() || bytes > room.saturating_mul(2))
    }

    fn next_event(&mut self) -> Result<Option<Event>> {
        if let Some(controls) = self.closing.take() {
            let mut window = self.rows.cut_part(controls)?;
            window.position = Some(self.position());
            self.beat = false;
            return Ok(Some(Event::Window(window)));
        }
        if self.rows.transactions() > 0 || self.rows.has_complete() {
            return self.complete_event().map(Some);
        }
        let due = matches!(self.barrier, Barrier::Due(_));
        let full = self.part_is_full();
        if let Some(group) = &mut self.group
            && self.failed.is_none()
            && (full || (due && self.rows.open_changes() > 0))
        {
            let controls = group.take_controls();
            self.rows.begin_part(group.origin(), &self.tracker.file);
            return self.rows.cut_part(controls).map(|window| Some(Event::Window(window)));
        }
        if due && let Barrier::Due(change) = std::mem::replace(&mut self.barrier, Barrier::Taken) {
            self.beat = false;
            return Ok(Some(Event::SchemaChange(*change)));
        }
        if std::mem::take(&mut self.beat) {
            return Ok(Some(Event::Heartbeat(Heartbeat { position: self.position(), time_us: self.time_us })));
        }
        Ok(None)
    }

    /// All complete transactions: a window if they have rows for us, else the position alone.
    fn complete_event(&mut self) -> Result<Event> {
        let mut window = self.rows.cut_complete()?;
        let position = self.before_barrier.take().unwrap_or_else(|| self.tracker.position());
        self.beat = false;
        if window.tables.is_empty() && window.sequences.is_empty() {
            let time_us = window.last_commit_us;
            return Ok(Event::Heartbeat(Heartbeat { position, time_us }));
        }
        window.position = Some(position);
        Ok(Event::Window(window))
    }
}

fn same_kind(a: &Position, b: &Position) -> bool {
    matches!(
        (&a.at, &b.at),
        (Coordinate::MysqlGtid { .. }, Coordinate::MysqlGtid { .. })
            | (Coordinate::MysqlFile { .. }, Coordinate::MysqlFile { .. })
            | (Coordinate::MariadbGtid { .. }, Coordinate::MariadbGtid { .. })
    )
}
