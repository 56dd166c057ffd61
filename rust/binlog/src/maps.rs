//! Table maps seen so far, each with what it means for us.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use opendrs_columns::TableName;

use crate::rows::Layout;

/// What becomes of the rows of a table map.
pub(crate) enum Target {
    /// Not selected.
    Ignored,
    /// Selected, but the snapshot has the rows of this transaction.
    Skipped,
    Table {
        handle: usize,
        layout: Layout,
    },
    Sequence(TableName),
}

pub(crate) struct Entry {
    /// The whole body: a map with the same bytes means the same.
    body: Vec<u8>,
    /// Number of the registrations that it was made under.
    epoch: u64,
    /// Transaction in which it was seen last.
    pub group: u64,
    pub target: Target,
}

/// Maps by table id.
#[derive(Default)]
pub(crate) struct Maps {
    entries: HashMap<u64, Entry, BuildHasherDefault<IdHasher>>,
    pub epoch: u64,
}

/// Table ids are numbered by the server one by one: spreading them is all a hash has to do.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = (self.0 ^ id).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }
}

/// A server gives a table a new id whenever it is opened anew.
const ENTRIES_MAX: usize = 4096;

impl Maps {
    /// Marks a known map as seen in a group; false if it is new, or means something else now.
    #[inline]
    pub fn seen(&mut self, id: u64, body: &[u8], group: u64) -> bool {
        match self.entries.get_mut(&id) {
            Some(entry) if entry.epoch == self.epoch && entry.body == body => {
                entry.group = group;
                true
            }
            _ => false,
        }
    }

    /// Keeps a map; `lasting` unless it means something else in the next group.
    pub fn put(&mut self, id: u64, body: &[u8], group: u64, target: Target, lasting: bool) {
        if self.entries.len() >= ENTRIES_MAX {
            self.entries.retain(|_, entry| entry.group == group);
        }
        let epoch = if lasting { self.epoch } else { u64::MAX };
        self.entries.insert(id, Entry { body: body.to_vec(), epoch, group, target });
    }

    #[inline]
    pub fn get(&self, id: u64) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// Forgets what maps mean: tables were registered, forgotten or selected.
    pub fn invalidate(&mut self) {
        self.epoch += 1;
    }
}
