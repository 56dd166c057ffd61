//! Damaged logs are errors or decode to something; they never panic, and never take much memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod show;

use opendrs_binlog::{DecodeError, LogFile};
use show::{Case, folders};

/// xorshift64*: seeded, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }
}

/// Changes a few bytes, or cuts or doubles the event, and makes length and checksum right again so that
/// the damage gets past them.
fn damage(event: &mut Vec<u8>, random: &mut Random) {
    match random.below(8) {
        0 => event.truncate(19 + random.below(event.len() - 18)),
        1 => event.extend_from_within(19..),
        _ => {
            for _ in 0..=random.below(3) {
                // Mostly in the body; sometimes the type and flags.
                let at = if random.below(10) == 0 {
                    4
                } else {
                    19.min(event.len() - 1) + random.below(event.len().saturating_sub(19).max(1))
                };
                let at = at.min(event.len() - 1);
                event[at] = match random.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => event[at] ^ 1 << random.below(8),
                    _ => random.below(256) as u8,
                };
            }
        }
    }
    if event.len() >= 23 {
        let size = event.len() as u32;
        event[9..13].copy_from_slice(&size.to_le_bytes());
        let body = event.len() - 4;
        let sum = crc32fast::hash(&event[..body]);
        event[body..].copy_from_slice(&sum.to_le_bytes());
    }
}

#[test]
fn damaged_events_never_panic() {
    let rounds = std::env::var("OPENDRS_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(60usize);
    let mut random = Random(0x0D15_EA5E);
    let (mut refused, mut accepted) = (0, 0);
    for folder in folders() {
        let bytes = std::fs::read(folder.join("events.bin")).unwrap();
        if bytes.len() > 1 << 20 {
            continue;
        }
        let case = Case::read(&folder);
        let events: Vec<Vec<u8>> = LogFile::new(&bytes).unwrap().filter_map(|e| e.ok().map(<[u8]>::to_vec)).collect();
        for _ in 0..rounds {
            let mut damaged = events.clone();
            for _ in 0..=random.below(2) {
                let victim = random.below(damaged.len());
                damage(&mut damaged[victim], &mut random);
            }
            if random.below(6) == 0 {
                let (a, b) = (random.below(damaged.len()), random.below(damaged.len()));
                damaged.swap(a, b);
            }
            let fed = damaged.iter().map(|event| Ok::<&[u8], DecodeError>(event.as_slice()));
            let cut = random.below(2) == 0;
            match case.replay(fed, || cut, |_| ()) {
                Ok(decoder) => {
                    assert!(decoder.buffered_bytes() < 64 << 20);
                    accepted += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > accepted / 100, "{refused} refused, {accepted} accepted: the damage does not get through");
}

#[test]
fn a_damaged_checksum_is_found() {
    for folder in folders() {
        let bytes = std::fs::read(folder.join("events.bin")).unwrap();
        let case = Case::read(&folder);
        let mut events: Vec<Vec<u8>> =
            LogFile::new(&bytes).unwrap().filter_map(|e| e.ok().map(<[u8]>::to_vec)).collect();
        if events.len() < 3 || events[0].get(events[0].len() - 5) != Some(&1) {
            continue;
        }
        let event = &mut events[2];
        let last = event.len() - 6;
        event[last] ^= 1;
        let error = case.replay(events.iter().map(|e| Ok(e.as_slice())), || false, |_| ()).map(drop).unwrap_err();
        assert_eq!(error.kind.name(), "checksum", "{}", folder.display());
    }
}
