//! Rows of XA transactions, held from XA PREPARE until their decision.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::{ErrorKind, Fault, Result};

/// Events of one transaction in order: in memory, or beyond a bound in an unlinked file.
#[derive(Default)]
pub(crate) struct Held {
    memory: Vec<u8>,
    file: Option<File>,
    /// Where reading goes on.
    at: usize,
    spilled: u64,
}

#[cold]
fn failed(error: &std::io::Error) -> Fault {
    Fault::new(ErrorKind::Spill, format!("the file for prepared XA transactions: {error}"))
}

impl Held {
    /// Appends an event: its type and body.
    pub fn push(&mut self, kind: u8, body: &[u8], memory_max: usize, folder: &Path) -> Result<()> {
        self.memory.push(kind);
        self.memory.extend_from_slice(&(body.len() as u64).to_le_bytes());
        self.memory.extend_from_slice(body);
        if self.memory.len() > memory_max {
            self.spill(folder)?;
        }
        Ok(())
    }

    fn spill(&mut self, folder: &Path) -> Result<()> {
        if self.file.is_none() {
            self.file = Some(unlinked(folder).map_err(|error| failed(&error))?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.memory).map_err(|error| failed(&error))?;
            self.spilled += self.memory.len() as u64;
        }
        self.memory = Vec::new();
        Ok(())
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.memory.capacity()
    }

    /// Makes reading begin at the first event.
    pub fn rewind(&mut self) -> Result<()> {
        self.at = 0;
        if let Some(file) = &mut self.file {
            // What is still in memory belongs behind what is in the file.
            file.write_all(&self.memory).map_err(|error| failed(&error))?;
            self.spilled += self.memory.len() as u64;
            self.memory = Vec::new();
            file.seek(SeekFrom::Start(0)).map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// The next event: its type and body.
    pub fn pop(&mut self) -> Result<Option<(u8, Vec<u8>)>> {
        const HEAD: usize = 9;
        let mut head = [0u8; HEAD];
        if let Some(file) = &mut self.file {
            if self.spilled == 0 {
                return Ok(None);
            }
            file.read_exact(&mut head).map_err(|error| failed(&error))?;
            let (kind, length) = parse(head);
            let mut body = vec![0u8; length];
            file.read_exact(&mut body).map_err(|error| failed(&error))?;
            self.spilled = self.spilled.saturating_sub((HEAD + length) as u64);
            return Ok(Some((kind, body)));
        }
        let Some(rest) = self.memory.get(self.at..).filter(|rest| rest.len() >= HEAD) else { return Ok(None) };
        head.copy_from_slice(&rest[..HEAD]);
        let (kind, length) = parse(head);
        let body = rest.get(HEAD..HEAD + length).ok_or_else(|| Fault::corrupt("a held event that is cut short"))?;
        self.at += HEAD + length;
        Ok(Some((kind, body.to_vec())))
    }
}

fn parse(head: [u8; 9]) -> (u8, usize) {
    let [kind, length @ ..] = head;
    (kind, u64::from_le_bytes(length) as usize)
}

/// A file without a name: it is gone with the process, however that ends.
fn unlinked(folder: &Path) -> std::io::Result<File> {
    for attempt in 0..100u32 {
        let path = folder.join(format!("opendrs-xa-{}-{attempt}", std::process::id()));
        match File::options().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => return std::fs::remove_file(&path).map(|()| file),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_back_in_order_from_memory_and_from_the_file() {
        for memory_max in [1 << 20, 40, 0] {
            let mut held = Held::default();
            let bodies: Vec<Vec<u8>> = (0..20u8).map(|i| vec![i; usize::from(i)]).collect();
            for (i, body) in bodies.iter().enumerate() {
                held.push(i as u8, body, memory_max, &std::env::temp_dir()).unwrap();
                assert!(held.memory.len() <= memory_max + 30);
            }
            held.rewind().unwrap();
            for (i, body) in bodies.iter().enumerate() {
                assert_eq!(held.pop().unwrap(), Some((i as u8, body.clone())));
            }
            assert_eq!(held.pop().unwrap(), None);
        }
        let mut held = Held::default();
        let fault = held.push(1, b"x", 0, Path::new("/nonexistent")).unwrap_err();
        assert_eq!(fault.kind(), ErrorKind::Spill);
    }
}
