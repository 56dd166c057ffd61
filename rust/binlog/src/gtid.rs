use std::fmt;
use std::str::FromStr;

use crate::PositionError;

/// A server's UUID: what stands before the first colon of a MySQL GTID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub [u8; 16]);

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for SourceId {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let bad = || PositionError(format!("{text:?} is not a server UUID"));
        let mut id = [0u8; 16];
        let mut nibbles = 0usize;
        for c in text.trim().chars().filter(|c| *c != '-') {
            let digit = c.to_digit(16).ok_or_else(bad)? as u8;
            let byte = id.get_mut(nibbles / 2).ok_or_else(bad)?;
            *byte = *byte << 4 | digit;
            nibbles += 1;
        }
        if nibbles == 32 { Ok(Self(id)) } else { Err(bad()) }
    }
}

/// The tag of a MySQL GTID (8.3 and newer), lower case; empty for GTIDs without one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Tag(String);

impl Tag {
    /// Most characters of a tag (MySQL manual, "GTID Format and Storage").
    pub const LENGTH_MAX: usize = 32;

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let text = text.trim().to_ascii_lowercase();
        let head = text.bytes().next().is_none_or(|b| b == b'_' || b.is_ascii_lowercase());
        let rest = text.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
        if head && rest && text.len() <= Self::LENGTH_MAX {
            Ok(Self(text))
        } else {
            Err(PositionError(format!("{text:?} is not the tag of a GTID")))
        }
    }
}

/// A MySQL transaction: `uuid:number` or `uuid:tag:number`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtid {
    /// Server that committed it first.
    pub source: SourceId,
    /// Tag, or empty.
    pub tag: Tag,
    /// Number, from 1.
    pub number: u64,
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tag.is_empty() {
            write!(f, "{}:{}", self.source, self.number)
        } else {
            write!(f, "{}:{}:{}", self.source, self.tag.as_str(), self.number)
        }
    }
}

impl FromStr for Gtid {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let bad = || PositionError(format!("{text:?} is not a GTID"));
        let mut parts = text.split(':');
        let source = parts.next().ok_or_else(bad)?.parse()?;
        let (second, third) = (parts.next().ok_or_else(bad)?, parts.next());
        let (tag, number) = match third {
            Some(number) => (second.parse()?, number),
            None => (Tag::default(), second),
        };
        let number = number.trim().parse().map_err(|_| bad())?;
        if parts.next().is_some() || number == 0 {
            return Err(bad());
        }
        Ok(Self { source, tag, number })
    }
}

/// A MariaDB transaction: `domain-server-sequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MariadbGtid {
    /// Replication domain.
    pub domain: u32,
    /// Server that committed it first.
    pub server: u32,
    /// Number within the domain.
    pub sequence: u64,
}

impl fmt::Display for MariadbGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.sequence)
    }
}

impl FromStr for MariadbGtid {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let bad = || PositionError(format!("{text:?} is not a MariaDB GTID"));
        let mut parts = text.trim().split('-');
        let domain = parts.next().and_then(|p| p.parse().ok()).ok_or_else(bad)?;
        let server = parts.next().and_then(|p| p.parse().ok()).ok_or_else(bad)?;
        let sequence = parts.next().and_then(|p| p.parse().ok()).ok_or_else(bad)?;
        if parts.next().is_some() {
            return Err(bad());
        }
        Ok(Self { domain, server, sequence })
    }
}
