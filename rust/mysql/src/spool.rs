//! Blocks of the log on disk: a cache of what the server has sent, which survives this process.
//!
//! A folder of numbered segment files. Each begins with a header (JSON) that says from which place
//! on it can be read, and holds compressed blocks with length and checksum. The folder belongs to
//! one process at a time. Nothing is forced to the disk: what is lost is read from the server again.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use opendrs_binlog::Position;
use serde::{Deserialize, Serialize};

use crate::block::{Block, Start, event_at};
use crate::error::{ErrorKind, MysqlError, Result};
use crate::tracker::Tracker;

const MAGIC: &[u8; 8] = b"ODRSSPL1";
const BLOCK_HEADER: usize = 16;
const BLOCK_MAGIC: u32 = u32::from_le_bytes(*b"OBLK");
const SEGMENT_BYTES: u64 = 64 << 20;
const SUFFIX: &str = "spool";

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    identity: String,
    /// None: the segment begins in the middle of a transaction, and only what comes before makes sense of it.
    position: Option<String>,
    /// Bytes of the first block before that place.
    skip: usize,
    rotate: Vec<u8>,
    format: Vec<u8>,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    path: PathBuf,
    file: Arc<File>,
    start: Option<Start>,
    /// Where the first block is.
    blocks_at: u64,
    bytes: u64,
}

impl Segment {
    /// Whether everything before the segment is covered by the position.
    fn begins_within(&self, position: &Position) -> bool {
        self.start.as_ref().is_some_and(|start| position.covers(&start.position))
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    identity: String,
    bytes_max: u64,
    _lock: File,
    /// Oldest first; the last one is written to while `writing`.
    segments: VecDeque<Segment>,
    writing: bool,
    next_number: u64,
    /// Number of the segment that is read, and where in it.
    reading: (u64, u64),
    /// Bytes to leave out of the block that is read next.
    skip: usize,
    acknowledging: bool,
}

/// A block as it lies on disk.
#[derive(Debug)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
    /// Bytes of the content that are not to be read: what a recovered series does not begin with.
    skip: usize,
}

/// What a spool of an earlier process offers.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The events to feed before its blocks.
    pub context: Vec<u8>,
    /// State of the log at its end: where pulling goes on.
    pub tracker: Tracker,
}

fn failed(what: &str, path: &Path) -> impl Fn(std::io::Error) -> MysqlError {
    let text = format!("spool: {what} {}", path.display());
    move |error| MysqlError::new(ErrorKind::Spool, format!("{text}: {error}"))
}

impl Packed {
    /// Compresses a block; the costly part, which needs no lock.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let mut out = vec![0; BLOCK_HEADER];
        out.resize(BLOCK_HEADER + lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
        let length = lz4_flex::block::compress_into(bytes, &mut out[BLOCK_HEADER..])
            .map_err(|e| MysqlError::new(ErrorKind::Spool, format!("spool: compressing: {e}")))?;
        out.truncate(BLOCK_HEADER + length);
        let too_long = |_| MysqlError::new(ErrorKind::Spool, "spool: a block of 4 GiB");
        let raw = u32::try_from(bytes.len()).map_err(too_long)?.to_le_bytes();
        let stored = u32::try_from(length).map_err(too_long)?.to_le_bytes();
        out[..4].copy_from_slice(&BLOCK_MAGIC.to_le_bytes());
        out[4..8].copy_from_slice(&raw);
        out[8..12].copy_from_slice(&stored);
        let sum = checksum(&out);
        out[12..16].copy_from_slice(&sum.to_le_bytes());
        Ok(Self { bytes: out, skip: 0 })
    }

    /// The block again, checked.
    pub fn unpack(&self) -> Result<Vec<u8>> {
        let damaged = || MysqlError::new(ErrorKind::Spool, "spool: a block on disk is damaged");
        let head = BlockHeader::parse(&self.bytes).ok_or_else(damaged)?;
        if head.sum != checksum(&self.bytes) {
            return Err(damaged());
        }
        let stored = self.bytes.get(BLOCK_HEADER..).ok_or_else(damaged)?;
        // The checksum vouches for the length; LZ4 cannot do better than 1 to 255 in any case.
        let length = head.raw.min(stored.len().saturating_mul(256));
        let mut bytes = lz4_flex::block::decompress(stored, length).map_err(|_| damaged())?;
        bytes.drain(..self.skip.min(bytes.len()));
        Ok(bytes)
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Over the lengths and the content.
fn checksum(packed: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(packed.get(4..12).unwrap_or_default());
    hasher.update(packed.get(BLOCK_HEADER..).unwrap_or_default());
    hasher.finalize()
}

struct BlockHeader {
    raw: usize,
    stored: usize,
    sum: u32,
}

impl BlockHeader {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk::<4>()?));
        (word(0)? == BLOCK_MAGIC).then_some(())?;
        Some(Self { raw: word(4)? as usize, stored: word(8)? as usize, sum: word(12)? })
    }
}

impl Spool {
    /// Takes the folder, which is made if need be. None if another process holds it.
    pub fn open(folder: &Path, identity: &str, bytes_max: u64) -> Result<Option<Self>> {
        fs::create_dir_all(folder).map_err(failed("making", folder))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed("opening", &path))?;
        // SAFETY: the descriptor is open, and flock touches no memory.
        if unsafe { libc::flock(lock.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
            return Ok(None);
        }
        Ok(Some(Self {
            folder: folder.to_owned(),
            identity: identity.to_owned(),
            bytes_max,
            _lock: lock,
            segments: VecDeque::new(),
            writing: false,
            next_number: 1,
            reading: (0, 0),
            skip: 0,
            acknowledging: false,
        }))
    }

    /// Looks at what an earlier process has left. Kept is what can be read from the position on:
    /// the files must begin at or before it, be of the same server, and reach further. All else is
    /// deleted.
    pub fn recover(&mut self, server: &str, wanted: &Position) -> Result<Option<Recovered>> {
        let found = self.load();
        let usable = match found {
            Ok(()) => self.choose(server, wanted)?,
            Err(_) => None,
        };
        if usable.is_none() {
            self.clear()?;
        }
        Ok(usable)
    }

    /// Reads the headers of all segments; the newest unbroken series of numbers stays.
    fn load(&mut self) -> Result<()> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed("listing", &self.folder))? {
            let name = entry.map_err(failed("listing", &self.folder))?.file_name();
            let number =
                name.to_str().and_then(|name| name.strip_suffix(SUFFIX)?.strip_suffix('.')?.parse::<u64>().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        self.next_number = numbers.last().map_or(1, |last| last + 1);
        for number in numbers {
            let path = self.path(number);
            let segment = self.load_segment(number, &path);
            let follows = self.segments.back().is_none_or(|last| last.number + 1 == number);
            if !follows || segment.is_err() {
                for broken in self.segments.drain(..) {
                    fs::remove_file(&broken.path).map_err(failed("deleting", &broken.path))?;
                }
            }
            match segment {
                Ok(segment) => self.segments.push_back(segment),
                Err(_) => fs::remove_file(&path).map_err(failed("deleting", &path))?,
            }
        }
        Ok(())
    }

    fn load_segment(&self, number: u64, path: &Path) -> Result<Segment> {
        let damaged = || MysqlError::new(ErrorKind::Spool, "spool: a damaged header");
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(failed("opening", path))?;
        let bytes = file.metadata().map_err(failed("reading", path))?.len();
        let mut fixed = [0; 16];
        file.read_exact_at(&mut fixed, 0).map_err(failed("reading", path))?;
        let word = |at: usize| fixed.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|b| u32::from_le_bytes(*b));
        let (Some(length), Some(sum)) = (word(8), word(12)) else { return Err(damaged()) };
        let blocks_at = 16 + u64::from(length);
        if !fixed.starts_with(MAGIC) || blocks_at > bytes {
            return Err(damaged());
        }
        let mut json = vec![0; length as usize];
        file.read_exact_at(&mut json, 16).map_err(failed("reading", path))?;
        if crc32fast::hash(&json) != sum {
            return Err(damaged());
        }
        let header: Header = serde_json::from_slice(&json).map_err(|_| damaged())?;
        if header.version != 1 || header.identity != self.identity {
            return Err(damaged());
        }
        let start = match header.position {
            Some(text) => Some(Start {
                offset: header.skip,
                position: text.parse().map_err(|_| damaged())?,
                context: (Arc::from(header.rotate), Arc::from(header.format)),
            }),
            None => None,
        };
        Ok(Segment { number, path: path.to_owned(), file: Arc::new(file), start, blocks_at, bytes })
    }

    fn choose(&mut self, server: &str, wanted: &Position) -> Result<Option<Recovered>> {
        let Some(first) = self.segments.iter().rposition(|segment| segment.begins_within(wanted)) else {
            return Ok(None);
        };
        for old in self.segments.drain(..first) {
            fs::remove_file(&old.path).map_err(failed("deleting", &old.path))?;
        }
        let Some(tracker) = self.scan_last(server)? else { return Ok(None) };
        if wanted.covers(&tracker.position()) {
            // Everything that is whole in there was read already.
            return Ok(None);
        }
        let Some(segment) = self.segments.front() else { return Ok(None) };
        let Some(start) = &segment.start else { return Ok(None) };
        self.reading = (segment.number, segment.blocks_at);
        self.skip = start.offset;
        self.writing = false;
        let context = [&*start.context.0, &*start.context.1].concat();
        Ok(Some(Recovered { context, tracker }))
    }

    /// Reads the last segment to its end, cuts a torn tail off, and returns the state there.
    fn scan_last(&mut self, server: &str) -> Result<Option<Tracker>> {
        let Some(segment) = self.segments.back_mut() else { return Ok(None) };
        let Some(start) = &segment.start else { return Ok(None) };
        let mut tracker = Tracker::new(server, start.position.restart());
        for event in [&start.context.0, &start.context.1] {
            if !event.is_empty() && tracker.observe(event).is_err() {
                return Ok(None);
            }
        }
        let (mut at, mut skip) = (segment.blocks_at, start.offset);
        while let Some(mut block) = read_packed(&segment.file, at, segment.bytes) {
            block.skip = std::mem::take(&mut skip);
            let before = tracker.clone();
            if observe_all(&block, &mut tracker).is_err() {
                tracker = before;
                break;
            }
            at += block.len();
        }
        if at < segment.bytes {
            segment.file.set_len(at).map_err(failed("cutting", &segment.path))?;
            segment.bytes = at;
        }
        Ok(Some(tracker))
    }

    /// Ends what an earlier series holds, and makes ready for a new one.
    pub fn begin(&mut self) -> Result<()> {
        self.clear()
    }

    /// Goes on behind what was recovered.
    pub fn go_on(&mut self) {
        self.writing = true;
    }

    /// Writes a block behind the others. False if the budget does not allow it. A new segment begins
    /// where a block says where it begins; the first one wherever it must.
    pub fn append(&mut self, packed: &Packed, start: Option<&Start>) -> Result<bool> {
        let limit = SEGMENT_BYTES.min(self.bytes_max / 8).max(1 << 20);
        let fits = self.writing && self.segments.back().is_some_and(|segment| segment.bytes < limit);
        if !self.make_room(packed.len()) {
            return Ok(false);
        }
        if !fits && (start.is_some() || !self.writing) {
            self.add_segment(start)?;
        }
        let Some(segment) = self.segments.back_mut() else { return Ok(false) };
        (&*segment.file).write_all(&packed.bytes).map_err(failed("writing", &segment.path))?;
        segment.bytes += packed.len();
        Ok(true)
    }

    fn add_segment(&mut self, start: Option<&Start>) -> Result<()> {
        let header = Header {
            version: 1,
            identity: self.identity.clone(),
            position: start.map(|start| start.position.to_json()),
            skip: start.map_or(0, |start| start.offset),
            rotate: start.map(|start| start.context.0.to_vec()).unwrap_or_default(),
            format: start.map(|start| start.context.1.to_vec()).unwrap_or_default(),
        };
        let json = serde_json::to_vec(&header).map_err(|e| MysqlError::new(ErrorKind::Spool, e.to_string()))?;
        let path = self.path(self.next_number);
        let file =
            OpenOptions::new().create_new(true).read(true).append(true).open(&path).map_err(failed("making", &path))?;
        let head =
            [&MAGIC[..], &(json.len() as u32).to_le_bytes(), &crc32fast::hash(&json).to_le_bytes(), &json].concat();
        (&file).write_all(&head).map_err(failed("writing", &path))?;
        let bytes = head.len() as u64;
        let number = self.next_number;
        self.next_number += 1;
        if self.segments.is_empty() {
            self.reading = (number, bytes);
        }
        let file = Arc::new(file);
        self.segments.push_back(Segment { number, path, file, start: start.cloned(), blocks_at: bytes, bytes });
        self.writing = true;
        Ok(())
    }

    /// The next block to read, in the order of writing; None if all were read.
    pub fn next(&mut self) -> Result<Option<Packed>> {
        loop {
            let (number, at) = self.reading;
            let Some(index) = self.segments.iter().position(|segment| segment.number == number) else {
                return Ok(None);
            };
            let Some(segment) = self.segments.get(index) else { return Ok(None) };
            if at < segment.bytes {
                let mut block = read_packed(&segment.file, at, segment.bytes).ok_or_else(|| {
                    MysqlError::new(ErrorKind::Spool, format!("spool: {} is damaged at {at}", segment.path.display()))
                })?;
                block.skip = std::mem::take(&mut self.skip);
                self.reading.1 = at + block.len();
                return Ok(Some(block));
            }
            match self.segments.get(index + 1) {
                Some(following) => self.reading = (following.number, following.blocks_at),
                None => return Ok(None),
            }
        }
    }

    /// Reading begins behind everything written so far: those blocks are still in memory.
    pub fn skip_to_end(&mut self) {
        if let Some(last) = self.segments.back() {
            self.reading = (last.number, last.bytes);
        }
    }

    /// Everything was read and the next blocks stay in memory: the series ends here. Files stay
    /// until they are acknowledged, for a process that comes after us, if anybody acknowledges.
    pub fn end(&mut self) -> Result<()> {
        self.writing = false;
        if self.acknowledging { Ok(()) } else { self.clear() }
    }

    /// Deletes the segments that are behind a position known to be durable in the target.
    pub fn acknowledge(&mut self, position: &Position) -> Result<()> {
        self.acknowledging = true;
        while let [first, second] = [self.segments.front(), self.segments.get(1)]
            && let (Some(first), Some(second)) = (first, second)
            && first.number < self.reading.0
            && second.begins_within(position)
        {
            fs::remove_file(&first.path).map_err(failed("deleting", &first.path))?;
            self.segments.pop_front();
        }
        Ok(())
    }

    /// Whether there is room for so many bytes; segments that were read go first.
    fn make_room(&mut self, bytes: u64) -> bool {
        while self.bytes() + bytes > self.bytes_max {
            match self.segments.front() {
                Some(first) if first.number < self.reading.0 => {
                    if fs::remove_file(&first.path).is_err() {
                        return false;
                    }
                    self.segments.pop_front();
                }
                _ => return false,
            }
        }
        true
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Deletes everything.
    pub fn clear(&mut self) -> Result<()> {
        self.writing = false;
        self.skip = 0;
        self.segments.clear();
        for entry in fs::read_dir(&self.folder).map_err(failed("listing", &self.folder))? {
            let path = entry.map_err(failed("listing", &self.folder))?.path();
            if path.extension().is_some_and(|extension| extension == SUFFIX) {
                fs::remove_file(&path).map_err(failed("deleting", &path))?;
            }
        }
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:010}.{SUFFIX}"))
    }
}

/// The block at an offset, if it is whole; its content is not checked yet.
fn read_packed(file: &File, at: u64, end: u64) -> Option<Packed> {
    let mut head = [0; BLOCK_HEADER];
    file.read_exact_at(&mut head, at).ok()?;
    let length = BLOCK_HEADER.checked_add(BlockHeader::parse(&head)?.stored)?;
    if at.checked_add(length as u64)? > end {
        return None;
    }
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).ok()?;
    Some(Packed { bytes, skip: 0 })
}

fn observe_all(block: &Packed, tracker: &mut Tracker) -> Result<()> {
    let bytes = block.unpack()?;
    let mut at = 0;
    while let Some(event) = event_at(&bytes, at)? {
        tracker.observe(event)?;
        at += event.len();
    }
    Ok(())
}

/// A block that came from disk: where it begins is no longer of interest.
pub(crate) fn as_block(packed: &Packed) -> Result<Block> {
    Ok(Block { bytes: packed.unpack()?, start: None })
}
