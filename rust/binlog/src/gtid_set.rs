use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::cursor::{self, Cursor};
use crate::error::{Fault, Result as Decoded};
use crate::{Gtid, MariadbGtid, PositionError, SourceId, Tag};

/// Largest number of a GTID (MySQL manual, "GTID Format and Storage"): 2^63 - 2.
const NUMBER_MAX: u64 = (1 << 63) - 2;

/// Numbers as disjoint, non-adjacent, ascending intervals; both ends belong to them.
type Intervals = Vec<(u64, u64)>;

/// A set of MySQL transactions: per server and tag, intervals of numbers with every gap kept.
#[derive(Debug, Clone, Default)]
pub struct GtidSet {
    /// Sorted by server and tag; no entry is empty.
    entries: Vec<(SourceId, Tag, Intervals)>,
    /// Entry found last: consecutive transactions mostly come from one server.
    last: usize,
}

impl PartialEq for GtidSet {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Eq for GtidSet {}

impl GtidSet {
    /// Whether no transaction is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a transaction is in it.
    pub fn contains(&self, gtid: &Gtid) -> bool {
        match self.find(&gtid.source, &gtid.tag) {
            Ok(index) => holds(&self.entries[index].2, gtid.number),
            Err(_) => false,
        }
    }

    /// Adds a transaction; constant time where it follows the last one of its server.
    pub fn add(&mut self, gtid: &Gtid) {
        self.add_interval(&gtid.source, &gtid.tag, gtid.number, gtid.number);
    }

    /// Takes a transaction out.
    pub fn remove(&mut self, gtid: &Gtid) {
        if let Ok(index) = self.find(&gtid.source, &gtid.tag) {
            let rest = subtracted(&self.entries[index].2, &[(gtid.number, gtid.number)]);
            self.replace(index, rest);
        }
    }

    /// Adds the numbers `first` to `end`, both included; nothing if the interval is empty.
    pub fn add_interval(&mut self, source: &SourceId, tag: &Tag, first: u64, end: u64) {
        if first > end {
            return;
        }
        match self.find(source, tag) {
            Ok(index) => {
                self.last = index;
                insert(&mut self.entries[index].2, first, end);
            }
            Err(index) => {
                self.last = index;
                self.entries.insert(index, (*source, tag.clone(), vec![(first, end)]));
            }
        }
    }

    /// Adds every transaction of another set.
    pub fn union(&mut self, other: &Self) {
        for (source, tag, intervals) in &other.entries {
            for &(first, end) in intervals {
                self.add_interval(source, tag, first, end);
            }
        }
    }

    /// Takes every transaction of another set out.
    pub fn subtract(&mut self, other: &Self) {
        for (source, tag, intervals) in &other.entries {
            if let Ok(index) = self.find(source, tag) {
                let rest = subtracted(&self.entries[index].2, intervals);
                self.replace(index, rest);
            }
        }
    }

    /// Whether every transaction of another set is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        other.entries.iter().all(|(source, tag, intervals)| match self.find(source, tag) {
            Ok(index) => subtracted(intervals, &self.entries[index].2).is_empty(),
            Err(_) => false,
        })
    }

    /// Per server and tag the intervals, ends included: what a dump command sends.
    pub fn iter(&self) -> impl Iterator<Item = (&SourceId, &Tag, &[(u64, u64)])> {
        self.entries.iter().map(|(source, tag, intervals)| (source, tag, intervals.as_slice()))
    }

    /// Reads the form of PREVIOUS_GTIDS (`Gtid_set::encode` in sql/rpl_gtid_set.cc): the count of entries; of each the
    /// server, with tags (8.3 and newer) the tag, and its intervals, which end behind their last number.
    pub(crate) fn decode(bytes: &[u8]) -> Decoded<Self> {
        let mut cursor = Cursor::new(bytes);
        let head = cursor.u64()?;
        // With tags the count stands between two marks.
        let tagged = head >> 56 == 1;
        let count = if tagged { head << 8 >> 16 } else { head };
        let mut set = Self::default();
        for _ in 0..count {
            let source = SourceId(cursor.array()?);
            let tag = if tagged { tag(&mut cursor)? } else { Tag::default() };
            for _ in 0..cursor.u64()? {
                let (first, behind) = (cursor.u64()?, cursor.u64()?);
                if first == 0 || behind <= first || behind > NUMBER_MAX + 1 {
                    return Err(Fault::corrupt(format!("an interval of GTIDs from {first} to {behind}")));
                }
                set.add_interval(&source, &tag, first, behind - 1);
            }
        }
        Ok(set)
    }

    fn replace(&mut self, index: usize, rest: Intervals) {
        if rest.is_empty() {
            self.entries.remove(index);
            self.last = 0;
        } else {
            self.entries[index].2 = rest;
        }
    }

    fn find(&self, source: &SourceId, tag: &Tag) -> Result<usize, usize> {
        if let Some(entry) = self.entries.get(self.last)
            && entry.0 == *source
            && entry.1 == *tag
        {
            return Ok(self.last);
        }
        self.entries.binary_search_by(|entry| (&entry.0, &entry.1).cmp(&(source, tag)))
    }
}

/// A length of mysql::serialization (one byte, for a tag has at most 32), then the text.
fn tag(cursor: &mut Cursor<'_>) -> Decoded<Tag> {
    let length = usize::from(cursor.u8()? >> 1);
    cursor::name(cursor.take(length)?)?.parse().map_err(|e: PositionError| Fault::corrupt(e.0))
}

fn holds(intervals: &Intervals, number: u64) -> bool {
    if intervals.last().is_some_and(|last| number > last.1) {
        return false;
    }
    let index = intervals.partition_point(|interval| interval.1 < number);
    intervals.get(index).is_some_and(|interval| interval.0 <= number)
}

fn insert(intervals: &mut Intervals, first: u64, end: u64) {
    match intervals.last_mut() {
        Some(last) if first == last.1.saturating_add(1) => {
            last.1 = end;
            return;
        }
        Some(last) if first > last.1 => {
            intervals.push((first, end));
            return;
        }
        _ => {}
    }
    // All intervals that overlap or touch the new one become one with it.
    let from = intervals.partition_point(|interval| interval.1.saturating_add(1) < first);
    let until = intervals.partition_point(|interval| interval.0 <= end.saturating_add(1));
    let merged = intervals[from..until].iter().fold((first, end), |all, one| (all.0.min(one.0), all.1.max(one.1)));
    intervals.splice(from..until, [merged]);
}

fn subtracted(from: &[(u64, u64)], what: &[(u64, u64)]) -> Intervals {
    let mut rest = Vec::new();
    let mut index = 0;
    for &(mut first, end) in from {
        while what.get(index).is_some_and(|gone| gone.1 < first) {
            index += 1;
        }
        let mut at = index;
        while let Some(&(gone, gone_end)) = what.get(at) {
            if gone > end {
                break;
            }
            if gone > first {
                rest.push((first, gone - 1));
            }
            first = gone_end.saturating_add(1);
            at += 1;
        }
        if first <= end {
            rest.push((first, end));
        }
    }
    rest
}

impl fmt::Display for GtidSet {
    /// As `@@gtid_executed` prints it, without line breaks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<&SourceId> = None;
        for (source, tag, intervals) in &self.entries {
            if before != Some(source) {
                write!(f, "{}{source}", if before.is_some() { "," } else { "" })?;
                before = Some(source);
            }
            if !tag.is_empty() {
                write!(f, ":{}", tag.as_str())?;
            }
            for (first, end) in intervals {
                if first == end { write!(f, ":{first}")? } else { write!(f, ":{first}-{end}")? }
            }
        }
        Ok(())
    }
}

impl FromStr for GtidSet {
    type Err = PositionError;

    /// Reads what the server prints; blanks and line breaks may stand around every part.
    fn from_str(text: &str) -> Result<Self, PositionError> {
        let mut set = Self::default();
        for group in text.split(',').map(str::trim).filter(|group| !group.is_empty()) {
            let mut parts = group.split(':').map(str::trim);
            let source: SourceId = parts.next().unwrap_or_default().parse()?;
            let mut tag = Tag::default();
            let mut bare = true;
            for part in parts {
                if part.starts_with(|c: char| c.is_ascii_digit()) {
                    let (first, end) = interval(part)?;
                    set.add_interval(&source, &tag, first, end);
                    bare = false;
                } else {
                    tag = part.parse()?;
                    bare = tag.is_empty();
                    if bare {
                        break;
                    }
                    bare = true;
                }
            }
            if bare {
                return Err(PositionError(format!("{group:?} names no transactions")));
            }
        }
        Ok(set)
    }
}

fn interval(text: &str) -> Result<(u64, u64), PositionError> {
    let (first, end) = text.split_once('-').unwrap_or((text, text));
    let number = |part: &str| part.trim().parse::<u64>().ok().filter(|n| (1..=NUMBER_MAX).contains(n));
    match (number(first), number(end)) {
        (Some(first), Some(end)) if first <= end => Ok((first, end)),
        _ => Err(PositionError(format!("{text:?} is not an interval of GTIDs"))),
    }
}

/// MariaDB's position: the last transaction of each domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GtidList {
    domains: BTreeMap<u32, (u32, u64)>,
}

impl GtidList {
    /// Whether no domain is in it.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Makes a transaction the last one of its domain.
    pub fn set(&mut self, gtid: MariadbGtid) {
        self.domains.insert(gtid.domain, (gtid.server, gtid.sequence));
    }

    /// Whether a transaction is at or before the last one of its domain.
    ///
    /// Numbers ascend within a domain; that is what `gtid_strict_mode` guarantees and what makes
    /// MariaDB's own replication work.
    pub fn contains(&self, gtid: &MariadbGtid) -> bool {
        self.domains.get(&gtid.domain).is_some_and(|last| gtid.sequence <= last.1)
    }

    /// Whether every domain of another list is here, at or behind the other's transaction.
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|gtid| self.contains(&gtid))
    }

    /// The last transactions, by domain.
    pub fn iter(&self) -> impl Iterator<Item = MariadbGtid> + '_ {
        self.domains.iter().map(|(&domain, &(server, sequence))| MariadbGtid { domain, server, sequence })
    }
}

impl fmt::Display for GtidList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, gtid) in self.iter().enumerate() {
            write!(f, "{}{gtid}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for GtidList {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let mut list = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let gtid: MariadbGtid = part.parse()?;
            if list.domains.insert(gtid.domain, (gtid.server, gtid.sequence)).is_some() {
                return Err(PositionError(format!("domain {} stands twice in {text:?}", gtid.domain)));
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    /// xorshift64*: seeded, so that a failure can be repeated.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
        }
    }

    type Naive = BTreeSet<(usize, usize, u64)>;
    const TAGS: [&str; 3] = ["", "blue", "red_1"];

    fn gtid(one: &(usize, usize, u64)) -> Gtid {
        Gtid { source: [A, B][one.0].parse().unwrap(), tag: TAGS[one.1].parse().unwrap(), number: one.2 }
    }

    fn random(random: &mut Random) -> (Naive, GtidSet) {
        let (mut naive, mut set) = (Naive::new(), GtidSet::default());
        for _ in 0..random.below(60) {
            let one = (random.below(2) as usize, random.below(3) as usize, 1 + random.below(25));
            if random.below(4) == 0 {
                naive.remove(&one);
                set.remove(&gtid(&one));
            } else {
                naive.insert(one);
                set.add(&gtid(&one));
            }
        }
        (naive, set)
    }

    fn assert_same(naive: &Naive, set: &GtidSet) {
        for source in 0..2 {
            for tag in 0..3 {
                for number in 1..30 {
                    let one = (source, tag, number);
                    assert_eq!(set.contains(&gtid(&one)), naive.contains(&one), "{one:?} in {set}");
                }
            }
        }
        for (_, _, intervals) in set.iter() {
            assert!(!intervals.is_empty());
            assert!(intervals.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{set}");
        }
        assert_eq!(set.to_string().parse::<GtidSet>().unwrap(), *set);
    }

    #[test]
    fn algebra_agrees_with_naive_sets() {
        let mut seed = Random(0x5EED);
        for _ in 0..400 {
            let (naive_a, a) = random(&mut seed);
            let (naive_b, b) = random(&mut seed);
            assert_same(&naive_a, &a);
            let mut union = a.clone();
            union.union(&b);
            assert_same(&naive_a.union(&naive_b).copied().collect(), &union);
            let mut difference = a.clone();
            difference.subtract(&b);
            assert_same(&naive_a.difference(&naive_b).copied().collect(), &difference);
            assert_eq!(a.covers(&b), naive_a.is_superset(&naive_b));
            assert!(union.covers(&a) && union.covers(&b));
            assert_eq!(a == b, naive_a == naive_b);
        }
    }

    /// The bytes of PREVIOUS_GTIDS for 1-5:7 of one server: two intervals, each with the number behind its last one.
    #[test]
    fn previous_gtids_are_read() {
        let mut plain = 1u64.to_le_bytes().to_vec();
        plain.extend_from_slice(&[0; 15]);
        plain.push(1);
        for number in [2u64, 1, 6, 7, 8] {
            plain.extend_from_slice(&number.to_le_bytes());
        }
        let one = "00000000-0000-0000-0000-000000000001";
        assert_eq!(GtidSet::decode(&plain).unwrap().to_string(), format!("{one}:1-5:7"));
        for cut in 0..plain.len() {
            assert!(GtidSet::decode(&plain[..cut]).is_err(), "cut at {cut}");
        }
        let mut tagged = (1u64 << 56 | 1 << 8 | 1).to_le_bytes().to_vec();
        tagged.extend_from_slice(&plain[8..24]);
        tagged.extend_from_slice(&[2 << 1, b'a', b'b']);
        for number in [1u64, 3, 4] {
            tagged.extend_from_slice(&number.to_le_bytes());
        }
        assert_eq!(GtidSet::decode(&tagged).unwrap().to_string(), format!("{one}:ab:3"));
        assert!(GtidSet::decode(&0u64.to_le_bytes()).unwrap().is_empty());
        let end = plain.len();
        plain[end - 8..].copy_from_slice(&7u64.to_le_bytes());
        assert!(GtidSet::decode(&plain).is_err(), "an interval without numbers");
    }

    #[test]
    fn text_is_the_servers() {
        let printed = format!("{A}:1-3:5:blue:7-9:red_1:1,\n{B}:1");
        let set: GtidSet = printed.parse().unwrap();
        assert_eq!(set.to_string(), printed.replace('\n', ""));
        assert!(set.contains(&format!("{A}:blue:8").parse().unwrap()));
        assert!(!set.contains(&format!("{A}:4").parse().unwrap()));
        assert_eq!(format!("{A}:7-9:1-6:10").parse::<GtidSet>().unwrap().to_string(), format!("{A}:1-10"));
        assert!("".parse::<GtidSet>().unwrap().is_empty());
        for bad in ["x", A, &format!("{A}:"), &format!("{A}:0"), &format!("{A}:5-4"), &format!("{A}:blue")] {
            assert!(bad.parse::<GtidSet>().is_err(), "{bad}");
        }
        assert!(format!("{A}:9223372036854775807").parse::<GtidSet>().is_err());
    }

    #[test]
    fn a_list_holds_one_transaction_a_domain() {
        let mut list: GtidList = "1-2-3, 0-1-100".parse().unwrap();
        assert_eq!(list.to_string(), "0-1-100,1-2-3");
        assert!(list.contains(&"0-9-100".parse().unwrap()));
        assert!(!list.contains(&"0-1-101".parse().unwrap()) && !list.contains(&"2-1-1".parse().unwrap()));
        let before = list.clone();
        list.set("0-3-101".parse().unwrap());
        assert!(list.covers(&before) && !before.covers(&list));
        assert!("0-1-1,0-1-2".parse::<GtidList>().is_err());
    }
}
