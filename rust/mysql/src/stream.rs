//! The log as a stream of windows: a thread pulls, the caller's thread decodes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opendrs_binlog::{Config, Decoder, Event, Position, Selection, TableOptions};
use opendrs_columns::{TableName, TableSpec};
use opendrs_net::Canceller;
use serde::{Deserialize, Serialize};

use crate::backlog::Backlog;
use crate::block::Block;
use crate::dump::{Identity, Limits};
use crate::error::{ErrorKind, MysqlError, Result};
use crate::options::{ConnectionOptions, seconds};
use crate::puller::{Dialler, Progress, Puller};
use crate::replica::SourceFacts;
use crate::spool::Spool;
use crate::tracker::{Tracker, position_of};

/// How long a window may grow at the end of the log.
const LINGER: Duration = Duration::from_millis(3);

/// Where the backlog goes when it outgrows the memory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpoolOptions {
    /// Folder of this stream alone; made if need be.
    pub folder: PathBuf,
    /// Most bytes on disk. When they are used up, pulling stops until the reader has caught up.
    #[serde(default = "spool_bytes_max")]
    pub bytes_max: u64,
    /// Seconds for which the puller must have lagged behind the server, with the memory full,
    /// before blocks go to disk. A reader that is merely a little slower holds the server up
    /// instead, which costs nothing.
    #[serde(default = "spool_after_s")]
    pub after_s: f64,
}

fn spool_bytes_max() -> u64 {
    10 << 30
}

fn spool_after_s() -> f64 {
    10.0
}

/// How a log is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogOptions {
    /// The server.
    pub connection: ConnectionOptions,
    /// Our number among the source's replicas: of the whole replication topology nobody else's.
    pub server_id: u32,
    /// Our UUID among the source's replicas; tells our jobs apart.
    pub uuid: String,
    /// The host name that SHOW REPLICAS shows. On MariaDB, which knows no UUIDs of replicas, it
    /// tells our jobs apart.
    pub host: String,
    /// The server's sign of life while it has nothing to send, in seconds.
    #[serde(default = "heartbeat_s")]
    pub heartbeat_s: f64,
    /// Silence after which the connection counts as dead, in seconds.
    #[serde(default = "dead_after_s")]
    pub dead_after_s: f64,
    /// How long a broken connection is tried again before [`LogStream::next`] reports it, in seconds.
    #[serde(default = "reconnect_for_s")]
    pub reconnect_for_s: f64,
    /// Pulled events that wait in memory, in bytes.
    #[serde(default = "memory_bytes")]
    pub memory_bytes: usize,
    /// Where more of them wait.
    #[serde(default)]
    pub spool: Option<SpoolOptions>,
    /// A window ends with the transaction that reaches this many bytes of values.
    #[serde(default = "window_bytes")]
    pub window_bytes: usize,
    /// Transactions larger than this come in parts of about this size.
    #[serde(default = "part_bytes")]
    pub part_bytes: usize,
    /// Prepared XA transactions held in memory, in bytes; above it they go to a file.
    #[serde(default = "part_bytes")]
    pub held_bytes_max: usize,
    /// Folder for that file; None: the system's.
    #[serde(default)]
    pub spill_folder: Option<PathBuf>,
    /// Which tables are decoded; can be changed later.
    #[serde(default)]
    pub selection: Selection,
}

fn heartbeat_s() -> f64 {
    1.0
}

fn dead_after_s() -> f64 {
    10.0
}

fn reconnect_for_s() -> f64 {
    30.0
}

fn memory_bytes() -> usize {
    16 << 20
}

fn window_bytes() -> usize {
    8 << 20
}

fn part_bytes() -> usize {
    16 << 20
}

impl LogOptions {
    /// Reads the JSON form: an object of the fields above; unknown ones are an error.
    pub fn from_json(text: &str) -> Result<Self> {
        // As in `ConnectionOptions`: serde_json would quote the value, which may be the password.
        serde_json::from_str(text).map_err(|e| {
            let text =
                format!("the log options are not valid: {:?} at line {} column {}", e.classify(), e.line(), e.column());
            MysqlError::new(ErrorKind::Misuse, text)
        })
    }

    fn dialler(&self, canceller: Canceller, event_bytes_max: usize) -> Result<Dialler> {
        let heartbeat = seconds(self.heartbeat_s)?;
        let patience = seconds(self.dead_after_s)?;
        if heartbeat.is_zero() || patience < heartbeat * 2 {
            let text = "heartbeat_s must be above 0, and dead_after_s at least twice that";
            return Err(MysqlError::new(ErrorKind::Misuse, text));
        }
        let mut connection = self.connection.clone();
        // A server that stalls while it is asked things must not hold us for ever.
        connection.read_timeout_s.get_or_insert(30.0);
        let identity = Identity { server_id: self.server_id, uuid: self.uuid.clone(), host: self.host.clone() };
        // One byte in front of each event.
        let limits = Limits { heartbeat, patience, event_bytes_max: event_bytes_max.saturating_add(1) };
        Ok(Dialler { connection, identity, limits, canceller })
    }

    fn decoder(&self) -> Config {
        let default = Config::default();
        Config {
            part_bytes: self.part_bytes,
            held_bytes_max: self.held_bytes_max,
            spill_folder: self.spill_folder.clone().unwrap_or_else(|| default.spill_folder.clone()),
            ..default
        }
    }
}

/// Figures of a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Bytes of events pulled from the server.
    pub bytes: u64,
    /// Events pulled, heartbeats included.
    pub events: u64,
    /// Bytes that wait in memory to be decoded.
    pub memory_bytes: usize,
    /// Bytes on disk (compressed), those that were read and not yet acknowledged included.
    pub disk_bytes: u64,
    /// Whether new blocks go to disk.
    pub spooling: bool,
    /// Whether pulling stands still because the disk budget is used up.
    pub spool_full: bool,
    /// Whether a spool folder was given and is ours.
    pub has_spool: bool,
    /// Whether a spool of an earlier process was taken over.
    pub spool_recovered: bool,
    /// Seconds since the server's last packet.
    pub silence_s: f64,
    /// Whether there is a connection.
    pub connected: bool,
    /// Connections made anew.
    pub reconnects: u64,
    /// Why there is no connection.
    pub last_error: Option<String>,
    /// Log file of the last event pulled.
    pub pulled_file: String,
    /// End of the last event pulled, in that file.
    pub pulled_pos: u64,
}

/// What other threads may do with a stream.
#[derive(Debug, Clone)]
pub struct StreamHandle {
    backlog: Arc<Backlog>,
    progress: Arc<Progress>,
    canceller: Canceller,
    has_spool: bool,
    spool_recovered: bool,
}

impl StreamHandle {
    /// Ends the stream: pulling stops, and a [`LogStream::next`] under way fails with `interrupted`.
    pub fn stop(&self) {
        self.backlog.stop();
        self.canceller.cancel();
    }

    /// Lets go of spooled events that lie before a position known to be durable in the target.
    /// Without it a spool is deleted as soon as it was read.
    pub fn acknowledge(&self, position: &Position) -> Result<()> {
        self.backlog.acknowledge(position)
    }

    /// Figures as of now.
    pub fn stats(&self) -> Stats {
        let waiting = self.backlog.waiting();
        let (pulled_file, pulled_pos) = self.progress.place();
        Stats {
            bytes: self.progress.bytes.load(Ordering::Relaxed),
            events: self.progress.events.load(Ordering::Relaxed),
            memory_bytes: waiting.memory_bytes,
            disk_bytes: waiting.disk_bytes,
            spooling: waiting.spooling,
            spool_full: waiting.spool_full,
            has_spool: self.has_spool,
            spool_recovered: self.spool_recovered,
            silence_s: self.progress.silence().as_secs_f64(),
            connected: self.progress.connected.load(Ordering::Relaxed),
            reconnects: self.progress.reconnects.load(Ordering::Relaxed),
            last_error: self.progress.last_error(),
            pulled_file,
            pulled_pos,
        }
    }
}

/// The log of one server from a position on.
pub struct LogStream {
    decoder: Decoder,
    handle: StreamHandle,
    window_bytes: usize,
    /// The block that is being decoded, and where in it.
    block: Option<Block>,
    offset: usize,
    stop_at: Option<Position>,
    /// Where tables begin to be followed: a window ends exactly there.
    begins: Vec<Position>,
    thread: Option<JoinHandle<()>>,
}

impl LogStream {
    /// Connects, checks that the server has the log from `start` on, and begins to pull.
    ///
    /// A spool that an earlier process left in the folder is used if it is of the same server and
    /// reaches from `start` or before to behind it; else it is deleted.
    ///
    /// Errors: `LogPurged`, `AheadOfSource`, `OtherServer`, `ServerIdCollision`, and those of
    /// connecting.
    pub fn open(options: &LogOptions, start: &Position) -> Result<Self> {
        let config = options.decoder();
        let canceller = Canceller::new();
        let dialler = options.dialler(canceller.clone(), config.event_bytes_max)?;
        let (connection, facts) = dialler.connect()?;
        let restart = start.restart();
        let mut recovered = None;
        let spool = match &options.spool {
            None => None,
            Some(spool) => Spool::open(&spool.folder, &facts.identity(), spool.bytes_max)?,
        };
        let mut spool = spool;
        if let Some(spool) = &mut spool {
            recovered = spool.recover(&start.server, &position_of(&start.server, &restart))?;
        }
        let (tracker, context) = match recovered {
            Some(found) => (found.tracker, Some(found.context)),
            None => (Tracker::new(&start.server, restart), None),
        };
        let dump = dialler.dump(connection, &facts, &start.server, &tracker)?;
        let handle = Self::handle(options, spool, context, canceller)?;
        let puller = Puller {
            dialler,
            expected: expected(start, &facts),
            identity: facts.identity(),
            backlog: handle.backlog.clone(),
            progress: handle.progress.clone(),
            tracker,
            reconnect_for: seconds(options.reconnect_for_s)?,
        };
        let thread = std::thread::Builder::new().name("mysql-log".to_owned()).spawn(move || puller.run(dump));
        let thread =
            thread.map_err(|e| MysqlError::new(ErrorKind::Misuse, format!("no thread for the log stream: {e}")))?;
        let mut decoder = Decoder::new(config, start.clone().on(&facts.identity()));
        decoder.select(options.selection.clone());
        Ok(Self {
            decoder,
            handle,
            window_bytes: options.window_bytes,
            block: None,
            offset: 0,
            stop_at: None,
            begins: Vec::new(),
            thread: Some(thread),
        })
    }

    fn handle(
        options: &LogOptions,
        spool: Option<Spool>,
        context: Option<Vec<u8>>,
        canceller: Canceller,
    ) -> Result<StreamHandle> {
        let after = options.spool.as_ref().map_or(Ok(Duration::ZERO), |spool| seconds(spool.after_s))?;
        let (has_spool, spool_recovered) = (spool.is_some(), context.is_some());
        let backlog = Backlog::new(options.memory_bytes, spool, after);
        if let Some(context) = context {
            backlog.recovered(context);
        }
        let progress = Arc::new(Progress::new());
        Ok(StreamHandle { backlog: Arc::new(backlog), progress, canceller, has_spool, spool_recovered })
    }

    /// What other threads may do with the stream.
    pub fn handle_for_others(&self) -> StreamHandle {
        self.handle.clone()
    }

    /// The next window, schema change or heartbeat; None if none came within the time.
    ///
    /// A window ends with the transaction that reaches the limit, or as soon as nothing more is
    /// waiting. After a schema change [`LogStream::resume`] must come first. After an error the
    /// stream is at its end; what it had read and not handed over is read again by the next one,
    /// which begins at the last position handed over.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Event>> {
        let deadline = Instant::now() + timeout;
        let mut begun = None; // when the first block of the window was there
        loop {
            if let Some(event) = self.decode_block()? {
                return Ok(Some(event));
            }
            // Transactions that come one by one, each just before we ask whether there is another, would
            // else make a window that does not end for a long time.
            if begun.is_some_and(|begun: Instant| begun.elapsed() >= LINGER)
                && self.decoder.at_boundary()
                && self.handle.backlog.is_empty()
                && let Some(event) = self.decoder.take()?
            {
                return Ok(Some(event));
            }
            let waiting = self.handle.backlog.pop(Duration::ZERO);
            if let Ok(Some(block)) = waiting {
                begun = begun.or_else(|| Some(Instant::now()));
                self.begin(block);
                continue;
            }
            // Nothing is waiting, or pulling has ended: hand over what there is.
            if let Some(event) = self.decoder.take()? {
                return Ok(Some(event));
            }
            waiting?;
            match self.handle.backlog.pop(deadline.saturating_duration_since(Instant::now()))? {
                Some(block) => {
                    begun = Some(Instant::now());
                    self.begin(block);
                }
                None => return Ok(None),
            }
        }
    }

    fn begin(&mut self, block: Block) {
        self.block = Some(block);
        self.offset = 0;
    }

    /// Feeds the block's events until something must be handed over, or the block is used up.
    fn decode_block(&mut self) -> Result<Option<Event>> {
        loop {
            if self.must_cut()
                && let Some(event) = self.decoder.take()?
            {
                return Ok(Some(event));
            }
            let Some(block) = &self.block else { return Ok(None) };
            let Some(event) = block.event(self.offset)? else {
                self.block = None;
                return Ok(None);
            };
            self.decoder.feed(event)?;
            self.offset += event.len();
        }
    }

    fn must_cut(&mut self) -> bool {
        if self.decoder.must_take() {
            return true;
        }
        if !self.decoder.at_boundary() {
            return false;
        }
        if self.stop_at.is_some() || !self.begins.is_empty() {
            let (at, waiting) = (self.decoder.position(), self.begins.len());
            self.begins.retain(|begin| !at.covers(begin));
            let stopped = self.stop_at.take_if(|stop| at.covers(stop));
            if stopped.is_some() || self.begins.len() < waiting {
                return true;
            }
        }
        self.decoder.buffered_bytes() >= self.window_bytes
    }

    /// Has a window end exactly at a position: the first one that reaches it ends there, even if it
    /// is small. None: no such position any more.
    pub fn stop_at(&mut self, position: Option<Position>) {
        self.stop_at = position;
    }

    /// Changes which tables are decoded.
    pub fn select(&mut self, selection: Selection) {
        self.decoder.select(selection);
    }

    /// Makes a table known, or replaces what is known of it. A window ends where the table begins to be
    /// followed (`skip_through`).
    pub fn register(&mut self, table: TableSpec, options: TableOptions) -> Result<()> {
        if let Some(begin) = &options.skip_through
            && !self.decoder.position().covers(begin)
            && !self.begins.contains(begin)
        {
            self.begins.push(begin.clone());
        }
        Ok(self.decoder.register(table, options)?)
    }

    /// Makes a MariaDB sequence known.
    pub fn register_sequence(&mut self, name: TableName) {
        self.decoder.register_sequence(name);
    }

    /// Forgets a table or sequence.
    pub fn forget(&mut self, name: &TableName) {
        self.decoder.forget(name);
    }

    /// Goes on behind a schema change.
    pub fn resume(&mut self) -> Result<()> {
        Ok(self.decoder.resume()?)
    }

    /// Where the log stands behind the last whole transaction that was decoded.
    pub fn position(&self) -> Position {
        self.decoder.position()
    }
}

impl Drop for LogStream {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been told of already, and there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

/// The server to find behind a broken connection: the one we have begun with.
fn expected(start: &Position, facts: &SourceFacts) -> String {
    if facts.server_uuid.is_empty() { start.server.clone() } else { facts.server_uuid.clone() }
}
