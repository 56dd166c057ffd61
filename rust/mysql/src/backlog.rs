//! What was pulled and not yet decoded: in memory, and on disk when the reader lags for long.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opendrs_binlog::Position;
use opendrs_net::NetErrorKind;

use crate::block::Block;
use crate::error::{ErrorKind, MysqlError, Result};
use crate::spool::{Packed, Spool, as_block};

/// How long a waiting thread sleeps at most before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A queue of blocks between the thread that pulls and the one that decodes.
#[derive(Debug)]
pub(crate) struct Backlog {
    state: Mutex<State>,
    changed: Condvar,
    memory_bytes_max: usize,
    /// How long the puller must have lagged behind the server before blocks go to disk.
    spool_after: Duration,
}

#[derive(Debug)]
struct State {
    memory: VecDeque<Block>,
    memory_bytes: usize,
    spool: Option<Spool>,
    /// New blocks go to disk, because older ones are there.
    spooling: bool,
    spool_full: bool,
    ended: Option<MysqlError>,
    stopped: bool,
}

/// How much is waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub memory_bytes: usize,
    pub disk_bytes: u64,
    pub spool_full: bool,
    pub spooling: bool,
}

impl Backlog {
    pub fn new(memory_bytes_max: usize, spool: Option<Spool>, spool_after: Duration) -> Self {
        let state = State {
            memory: VecDeque::new(),
            memory_bytes: 0,
            spool,
            spooling: false,
            spool_full: false,
            ended: None,
            stopped: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), memory_bytes_max, spool_after }
    }

    /// Begins with what an earlier process left on disk.
    pub fn recovered(&self, context: Vec<u8>) {
        let mut state = self.lock();
        state.memory_bytes += context.len();
        state.memory.push_back(Block { bytes: context, start: None });
        state.spooling = true;
        if let Some(spool) = &mut state.spool {
            spool.go_on();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, timeout: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Adds a block; waits until there is room. `caught_up`: when the puller last had nothing to do.
    /// Returns how long it waited for room.
    pub fn push(&self, block: Block, caught_up: Instant) -> Result<Duration> {
        let begin = Instant::now();
        let mut packed = None;
        loop {
            let mut state = self.lock();
            if state.stopped {
                return Err(stopped());
            }
            if !state.spooling {
                let room = state.memory.is_empty() || state.memory_bytes + block.bytes.len() <= self.memory_bytes_max;
                if room {
                    state.memory_bytes += block.bytes.len();
                    state.memory.push_back(block);
                    self.changed.notify_all();
                    return Ok(begin.elapsed());
                }
                if state.spool.is_some() && caught_up.elapsed() >= self.spool_after {
                    state.spill()?;
                } else {
                    drop(self.wait(state, LOOK_AGAIN));
                    continue;
                }
            }
            let Some(ready) = &packed else {
                drop(state);
                packed = Some(Packed::new(&block.bytes)?);
                continue;
            };
            if !state.spooling {
                // The reader has caught up while we were compressing.
                continue;
            }
            if state.append(ready, &block)? {
                self.changed.notify_all();
                return Ok(begin.elapsed());
            }
            drop(self.wait(state, LOOK_AGAIN));
        }
    }

    /// Whether nothing waits to be taken.
    pub fn is_empty(&self) -> bool {
        let state = self.lock();
        state.memory.is_empty() && !state.spooling
    }

    /// Takes the oldest block; waits for one up to the timeout. The error that ended the pulling
    /// comes when everything before it was taken.
    pub fn pop(&self, timeout: Duration) -> Result<Option<Block>> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Err(stopped());
            }
            if let Some(block) = state.memory.pop_front() {
                state.memory_bytes = state.memory_bytes.saturating_sub(block.bytes.len());
                self.changed.notify_all();
                return Ok(Some(block));
            }
            if let Some(packed) = state.read_disk()? {
                self.changed.notify_all();
                drop(state);
                return as_block(&packed).map(Some).inspect_err(|_| self.forget_disk());
            }
            if let Some(error) = &state.ended {
                return Err(error.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            state = self.wait(state, left);
        }
    }

    /// A damaged spool would be met again and again: it goes, and the server is asked anew.
    pub fn forget_disk(&self) {
        if let Some(spool) = &mut self.lock().spool {
            let _ = spool.clear();
        }
    }

    /// Pulling has ended; what is there can still be taken.
    pub fn end(&self, error: MysqlError) {
        self.lock().ended = Some(error);
        self.changed.notify_all();
    }

    /// Both sides end at once.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Sleeps until the backlog is stopped, or the time has passed.
    pub fn sleep(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut state = self.lock();
        while !state.stopped && Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            state = self.wait(state, left);
        }
    }

    /// What is durable in the target need not be kept for a process that comes after us.
    pub fn acknowledge(&self, position: &Position) -> Result<()> {
        match &mut self.lock().spool {
            Some(spool) => spool.acknowledge(position),
            None => Ok(()),
        }
    }

    pub fn waiting(&self) -> Waiting {
        let state = self.lock();
        Waiting {
            memory_bytes: state.memory_bytes,
            disk_bytes: state.spool.as_ref().map_or(0, Spool::bytes),
            spool_full: state.spool_full,
            spooling: state.spooling,
        }
    }
}

impl State {
    /// Begins to write to disk: first a copy of what is in memory, so that the files reach back to
    /// what the reader takes next. (Behind the middle of a transaction nothing can begin: blocks
    /// before the next whole one are left out.)
    fn spill(&mut self) -> Result<()> {
        let Some(spool) = &mut self.spool else { return Ok(()) };
        spool.begin()?;
        let from = self.memory.iter().position(|block| block.start.is_some()).unwrap_or(self.memory.len());
        for block in self.memory.iter().skip(from) {
            if !spool.append(&Packed::new(&block.bytes)?, block.start.as_deref())? {
                // A budget smaller than the memory: the files begin with the next block.
                spool.begin()?;
                break;
            }
        }
        spool.skip_to_end();
        self.spooling = true;
        Ok(())
    }

    /// False if the budget does not allow the block.
    fn append(&mut self, packed: &Packed, block: &Block) -> Result<bool> {
        let Some(spool) = &mut self.spool else { return Ok(false) };
        let done = spool.append(packed, block.start.as_deref());
        self.spool_full = matches!(done, Ok(false));
        done
    }

    /// The next block from disk. When there is none, new blocks stay in memory again.
    fn read_disk(&mut self) -> Result<Option<Packed>> {
        if !self.spooling {
            return Ok(None);
        }
        let Some(spool) = &mut self.spool else { return Ok(None) };
        match spool.next() {
            Ok(None) => {
                self.spooling = false;
                self.spool_full = false;
                spool.end()?;
                Ok(None)
            }
            Ok(found) => Ok(found),
            Err(error) => {
                let _ = spool.clear();
                Err(error)
            }
        }
    }
}

fn stopped() -> MysqlError {
    MysqlError::new(ErrorKind::Net(NetErrorKind::Interrupted), "interrupted: the log stream was stopped")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use opendrs_binlog::Restart;

    use super::*;
    use crate::block::{BlockBuilder, event_at};
    use crate::tracker::Tracker;
    use crate::tracker::tests::{event, mariadb_begin, rotate};

    const NOW: Duration = Duration::ZERO;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("opendrs-backlog-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    fn spool(folder: &std::path::Path, bytes_max: u64) -> Spool {
        Spool::open(folder, "id", bytes_max).unwrap().expect("nobody else has the folder")
    }

    fn position(list: &str) -> Position {
        Position::mariadb("", list.parse().unwrap(), None)
    }

    /// A log of transactions 1 to `count`, one block each, with what the tracker says of them.
    struct Log {
        tracker: Tracker,
        next: u64,
    }

    impl Log {
        fn new() -> Self {
            let mut tracker = Tracker::new("", Restart::MariadbGtid("0-1-0".parse().unwrap()));
            tracker.observe(&rotate("bin.000001", true)).unwrap();
            Self { tracker, next: 1 }
        }

        fn block(&mut self) -> Block {
            let mut builder = BlockBuilder::default();
            // What is left of the transaction before: blocks end anywhere.
            if self.next > 1 {
                let rest = event(30, 1, 1000, b"rest");
                self.tracker.observe(&rest).unwrap();
                builder.push(&rest);
            }
            let begin = mariadb_begin(0, 1, self.next);
            self.tracker.observe(&begin).unwrap();
            builder.begin(&self.tracker);
            builder.push(&begin);
            // Random (xorshift64*), so that it does not compress and budgets are used up.
            let mut seed = self.next.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut random = || {
                seed ^= seed >> 12;
                seed ^= seed << 25;
                seed ^= seed >> 27;
                (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
            };
            let body: Vec<u8> = (0..40_000).map(|_| random()).collect();
            let rows = event(30, 1, 1000, &body);
            self.tracker.observe(&rows).unwrap();
            builder.push(&rows);
            self.next += 1;
            builder.take()
        }

        fn push_to(&mut self, backlog: &Backlog, blocks: usize) {
            for _ in 0..blocks {
                backlog.push(self.block(), long_ago()).unwrap();
            }
        }
    }

    /// Number of the transaction that begins in a block.
    fn number(block: &Block) -> u64 {
        let mut at = 0;
        while let Some(event) = event_at(&block.bytes, at).unwrap() {
            if event[4] == mariadb_begin(0, 1, 1)[4] {
                return u64::from_le_bytes(*event[19..].first_chunk().unwrap());
            }
            at += event.len();
        }
        panic!("no transaction begins in the block")
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(Duration::from_secs(100)).unwrap_or_else(Instant::now)
    }

    #[test]
    fn order_is_kept_through_memory_and_disk() {
        let folder = folder("order");
        let backlog = Backlog::new(100_000, Some(spool(&folder, 1 << 30)), NOW);
        let mut log = Log::new();
        log.push_to(&backlog, 20);
        assert!(backlog.waiting().spooling && backlog.waiting().memory_bytes <= 100_000);
        for expected in 1..=15 {
            assert_eq!(number(&backlog.pop(NOW).unwrap().unwrap()), expected);
        }
        backlog.push(log.block(), long_ago()).unwrap();
        for expected in 16..=21 {
            assert_eq!(number(&backlog.pop(NOW).unwrap().unwrap()), expected);
        }
        assert!(backlog.pop(NOW).unwrap().is_none());
        assert!(!backlog.waiting().spooling, "memory serves again");
        assert_eq!(backlog.waiting().disk_bytes, 0, "nobody acknowledges, so what was read is gone");
        backlog.push(log.block(), long_ago()).unwrap();
        assert_eq!(number(&backlog.pop(NOW).unwrap().unwrap()), 22);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_full_budget_stops_the_puller_until_the_reader_has_read() {
        let folder = folder("full");
        let backlog = Arc::new(Backlog::new(50_000, Some(spool(&folder, 3 << 20)), NOW));
        let pushing = backlog.clone();
        let thread = std::thread::spawn(move || {
            let mut log = Log::new();
            log.push_to(&pushing, 200);
        });
        while !backlog.waiting().spool_full && !thread.is_finished() {
            std::thread::yield_now();
        }
        assert!(backlog.waiting().disk_bytes <= 3 << 20);
        for expected in 1..=200 {
            let block = backlog.pop(Duration::from_secs(60)).unwrap().expect("a block");
            assert_eq!(number(&block), expected);
            assert!(backlog.waiting().disk_bytes <= 3 << 20);
        }
        thread.join().unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_process_that_comes_after_reads_on_where_it_must() {
        let folder = folder("after");
        let mut log = Log::new();
        let backlog = Backlog::new(100_000, Some(spool(&folder, 1 << 30)), NOW);
        backlog.acknowledge(&position("0-1-0")).unwrap();
        log.push_to(&backlog, 100);
        assert!(Spool::open(&folder, "id", 1 << 30).unwrap().is_none(), "the folder is taken");
        drop(backlog);
        // Behind 0-1-7: everything from 0-1-8 on, or from before.
        let mut again = spool(&folder, 1 << 30);
        let found = again.recover("", &position("0-1-7")).unwrap().expect("usable");
        assert_eq!(found.tracker.position(), position("0-1-99"), "100 may be incomplete");
        assert_eq!(found.tracker.group(), log.tracker.group());
        assert_eq!(found.context, rotate("bin.000001", true));
        let backlog = Backlog::new(100_000, Some(again), NOW);
        backlog.recovered(found.context);
        backlog.push(log.block(), long_ago()).unwrap();
        assert_eq!(backlog.pop(NOW).unwrap().unwrap().bytes, rotate("bin.000001", true));
        let first = backlog.pop(NOW).unwrap().unwrap();
        assert_eq!(first.bytes[4], mariadb_begin(0, 1, 1)[4], "begins with a transaction, not with the rest of one");
        let begin = number(&first);
        let numbers: Vec<u64> = std::iter::from_fn(|| backlog.pop(NOW).unwrap()).map(|block| number(&block)).collect();
        assert!(begin <= 8 && numbers[0] == begin + 1 && numbers.last() == Some(&101));
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_cannot_be_used_is_deleted() {
        let folder = folder("useless");
        let fill = || {
            let backlog = Backlog::new(100_000, Some(spool(&folder, 1 << 30)), NOW);
            let mut log = Log::new();
            log.push_to(&backlog, 10);
        };
        let files = || std::fs::read_dir(&folder).unwrap().count() - 1;
        for (identity, wanted) in [("other", "0-1-5"), ("id", "0-1-9"), ("id", "3-1-5")] {
            fill();
            assert!(files() > 0);
            let mut spool = Spool::open(&folder, identity, 1 << 30).unwrap().unwrap();
            assert!(spool.recover("", &position(wanted)).unwrap().is_none(), "{identity} {wanted}");
            assert_eq!(files(), 0);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn damage_is_noticed_and_a_torn_tail_is_cut() {
        let folder = folder("torn");
        let backlog = Backlog::new(100_000, Some(spool(&folder, 1 << 30)), NOW);
        let mut log = Log::new();
        log.push_to(&backlog, 10);
        drop(backlog);
        let path = folder.join("0000000001.spool");
        let bytes = std::fs::read(&path).unwrap();
        // Cut anywhere, or with a flipped bit: what is before the damage can be used.
        let mut flipped = bytes.clone();
        let at = bytes.len() - 100;
        flipped[at] ^= 1;
        for damaged in [&bytes[..bytes.len() - 1], &bytes[..bytes.len() - 30_000], &flipped] {
            std::fs::write(&path, damaged).unwrap();
            let mut again = spool(&folder, 1 << 30);
            let found = again.recover("", &position("0-1-2")).unwrap().expect("usable");
            assert_eq!(found.tracker.position(), position("0-1-8"), "10 is gone, 9 may be incomplete");
        }
        let mut middle = bytes.clone();
        middle[bytes.len() / 2] ^= 1;
        std::fs::write(&path, &middle).unwrap();
        let found = spool(&folder, 1 << 30).recover("", &position("0-1-2")).unwrap().expect("usable");
        assert!(position("0-1-6").covers(&found.tracker.position()));
        for cut in 0..60 {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            assert!(spool(&folder, 1 << 30).recover("", &position("0-1-2")).unwrap().is_none());
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_error_that_ended_the_pulling_comes_last() {
        let backlog = Backlog::new(1 << 20, None, NOW);
        backlog.push(Log::new().block(), Instant::now()).unwrap();
        backlog.end(MysqlError::new(ErrorKind::LogPurged, "gone"));
        assert!(backlog.pop(NOW).unwrap().is_some());
        assert_eq!(backlog.pop(NOW).unwrap_err().kind(), ErrorKind::LogPurged);
        backlog.stop();
        assert_eq!(backlog.pop(NOW).unwrap_err().kind(), ErrorKind::Net(NetErrorKind::Interrupted));
        assert!(backlog.push(Log::new().block(), Instant::now()).is_err());
    }
}
