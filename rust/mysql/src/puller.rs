//! The thread that reads the log from the server and puts it into the backlog, as fast as it comes.
//! A broken connection is made anew and the log taken up where it broke, unseen by the reader.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opendrs_net::{Canceller, NetErrorKind};

use crate::backlog::Backlog;
use crate::block::BlockBuilder;
use crate::connection::Connection;
use crate::dump::{Dump, Identity, Limits};
use crate::error::{ErrorKind, MysqlError, Result};
use crate::options::ConnectionOptions;
use crate::replica::{SourceFacts, check_server_id, check_start};
use crate::tracker::{Group, Role, Tracker};

/// A wait of this length for the next event means that the server has nothing more to send.
const IDLE: Duration = Duration::from_millis(20);
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Errors of a server that is on its way down or up, or that an administrator told to end the
/// connection: as passing as those of the network.
const PASSING: [u16; 10] = [
    1040, // too many connections
    1053, // shutdown in progress
    1077, 1079, // normal shutdown, shutdown complete
    1158, 1159, 1160, 1161, // the server's own network errors
    1317, // interrupted
    1927, // MariaDB: connection was killed
];

/// Whether trying again may help.
pub(crate) fn is_passing(error: &MysqlError) -> bool {
    match error.kind() {
        ErrorKind::Net(kind) => !matches!(kind, NetErrorKind::Interrupted | NetErrorKind::Tls),
        _ => PASSING.contains(&error.code()),
    }
}

/// What the puller has done, for whoever asks.
#[derive(Debug)]
pub(crate) struct Progress {
    begin: Instant,
    pub bytes: AtomicU64,
    pub events: AtomicU64,
    pub reconnects: AtomicU64,
    pub connected: AtomicBool,
    last_packet_ms: AtomicU64,
    place: Mutex<(String, u64)>,
    last_error: Mutex<Option<String>>,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            begin: Instant::now(),
            bytes: AtomicU64::new(0),
            events: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            connected: AtomicBool::new(true),
            last_packet_ms: AtomicU64::new(0),
            place: Mutex::new((String::new(), 0)),
            last_error: Mutex::new(None),
        }
    }

    fn packet(&self, bytes: usize) {
        // One thread writes, so that plain loads and stores will do.
        self.bytes.store(self.bytes.load(Ordering::Relaxed) + bytes as u64, Ordering::Relaxed);
        self.events.store(self.events.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    fn heard(&self) {
        self.last_packet_ms.store(self.begin.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Time since the last packet of the server.
    pub fn silence(&self) -> Duration {
        self.begin.elapsed().saturating_sub(Duration::from_millis(self.last_packet_ms.load(Ordering::Relaxed)))
    }

    /// File and offset of the last event that was pulled.
    pub fn place(&self) -> (String, u64) {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_place(&self, (file, pos): (&str, u64)) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.0 != file {
            place.0 = file.to_owned();
        }
        place.1 = pos;
    }

    /// The last error of the network, if the connection is broken.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_error(&self, error: Option<&MysqlError>) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error.map(ToString::to_string);
    }
}

/// How a dump is begun, the first time and again.
#[derive(Debug, Clone)]
pub(crate) struct Dialler {
    pub connection: ConnectionOptions,
    pub identity: Identity,
    pub limits: Limits,
    pub canceller: Canceller,
}

impl Dialler {
    pub fn connect(&self) -> Result<(Connection, SourceFacts)> {
        let mut connection = Connection::open(&self.connection, &self.canceller)?;
        let facts = SourceFacts::ask(&mut connection)?;
        Ok((connection, facts))
    }

    /// Checks that the log can be had from the tracker's place on, and asks for it.
    pub fn dump(
        &self,
        mut connection: Connection,
        facts: &SourceFacts,
        expected: &str,
        tracker: &Tracker,
    ) -> Result<Dump> {
        check_start(&mut connection, facts, expected, tracker.restart())?;
        let Identity { server_id, uuid, host } = &self.identity;
        check_server_id(&mut connection, facts, *server_id, uuid, host)?;
        Dump::start(connection, tracker.restart(), &self.identity, self.limits)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Puller {
    pub dialler: Dialler,
    /// The server that the position was taken on.
    pub expected: String,
    /// The server that the first dump is of.
    pub identity: String,
    pub backlog: Arc<Backlog>,
    pub progress: Arc<Progress>,
    pub tracker: Tracker,
    /// How long a broken connection is tried again before the reader hears of it.
    pub reconnect_for: Duration,
}

impl Puller {
    /// Pulls until the backlog is stopped or an error will not pass.
    pub fn run(mut self, first: Dump) {
        let mut dump = first;
        loop {
            let Err(error) = self.pull(dump);
            self.progress.connected.store(false, Ordering::Relaxed);
            match self.reconnect(error) {
                Ok(next) => dump = next,
                Err(error) => return self.backlog.end(error),
            }
            self.progress.reconnects.fetch_add(1, Ordering::Relaxed);
            self.progress.connected.store(true, Ordering::Relaxed);
            self.progress.set_error(None);
        }
    }

    fn reconnect(&self, error: MysqlError) -> Result<Dump> {
        let begin = Instant::now();
        let (mut error, mut pause) = (error, RETRY_FIRST);
        loop {
            if !is_passing(&error) || begin.elapsed() >= self.reconnect_for || self.backlog.is_stopped() {
                return Err(error);
            }
            self.progress.set_error(Some(&error));
            self.backlog.sleep(pause.min(self.reconnect_for.saturating_sub(begin.elapsed())));
            pause = (pause * 2).min(RETRY_MAX);
            match self.dialler.connect() {
                // A failover. The positions that the reader makes name the server and its files: it begins anew.
                Ok((_, facts)) if facts.identity() != self.identity && self.tracker.has_gtids() => return Err(error),
                Ok((connection, facts)) => match self.dialler.dump(connection, &facts, &self.expected, &self.tracker) {
                    Ok(dump) => return Ok(dump),
                    Err(next) => error = next,
                },
                Err(next) => error = next,
            }
        }
    }

    /// Reads one dump until it ends, which is always an error of some kind.
    fn pull(&mut self, mut dump: Dump) -> Result<std::convert::Infallible> {
        let mut builder = BlockBuilder::default();
        match self.tracker.group().cloned() {
            Some(group) => self.skip(&mut dump, &group)?,
            None => builder.begin(&self.tracker),
        }
        let mut caught_up = Instant::now();
        loop {
            let buffered = dump.has_buffered();
            if !buffered {
                // Whatever is there goes on its way before we wait.
                self.hand_over(&mut builder, caught_up)?;
                dump.forget_large();
            }
            let asked = (!buffered).then(Instant::now);
            let event = match dump.next() {
                Ok(event) => event,
                Err(error) => {
                    // The tracker has seen these events, so they must not be lost.
                    self.hand_over(&mut builder, caught_up)?;
                    return Err(error);
                }
            };
            if let Some(asked) = asked {
                self.progress.heard();
                if asked.elapsed() >= IDLE {
                    caught_up = Instant::now();
                }
            }
            self.progress.packet(event.len());
            let role = self.tracker.observe(event)?;
            if builder.is_due(role == Role::Begin) {
                self.hand_over(&mut builder, caught_up)?;
            }
            if role == Role::Begin {
                builder.begin(&self.tracker);
            }
            builder.push(event);
        }
    }

    fn hand_over(&self, builder: &mut BlockBuilder, caught_up: Instant) -> Result<()> {
        if builder.is_empty() {
            return Ok(());
        }
        self.backlog.push(builder.take(), caught_up)?;
        self.progress.set_place(self.tracker.place());
        Ok(())
    }

    /// Reads again, and drops, what had come of the transaction in which the connection broke. The
    /// server must send exactly the same.
    fn skip(&mut self, dump: &mut Dump, group: &Group) -> Result<()> {
        let mut again = Tracker::new("", self.tracker.restart().clone());
        loop {
            if let Some(seen) = again.group()
                && seen.events == group.events
            {
                return if seen == group { Ok(()) } else { Err(differs(&self.backlog)) };
            }
            let event = dump.next()?;
            self.progress.heard();
            let role = again.observe(event)?;
            let wrong_name = role == Role::Begin && again.group().is_some_and(|seen| seen.id != group.id);
            if wrong_name {
                return Err(differs(&self.backlog));
            }
        }
    }
}

/// What was read before is worth nothing then.
fn differs(backlog: &Backlog) -> MysqlError {
    backlog.forget_disk();
    MysqlError::new(
        ErrorKind::OtherServer,
        "the server's log differs from what was read of it before: another server answers, or its log was begun anew",
    )
}
