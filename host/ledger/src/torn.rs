//! Looks at the log that a host left behind, before SQLite does.
//!
//! SQLite reads its log up to the first page that does not fit its checksum, and silently forgets the rest. That is right for
//! a tail that was torn by a loss of power, and it is the same for a bit that flipped in the middle of acknowledged
//! events; so the rest is looked at here, told, and kept. The format is described at <https://sqlite.org/fileformat2.html#walformat>.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const MAGIC_LITTLE: u32 = 0x377f_0682;
const MAGIC_BIG: u32 = 0x377f_0683;
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 512..=65_536;

/// What could not be read of the log when the ledger was opened; from [`Ledger::recovery`](crate::Ledger::recovery).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// Commits that are gone, which are calls of `append` and its like. After a loss of power these are the newest with
    /// [`Durability::Process`](crate::Durability::Process); anything else means that the disk or somebody damaged the log.
    pub lost_commits: u64,
    /// A copy of the log as it was found, if there was space for one.
    pub copy: Option<PathBuf>,
}

/// Looks at the log beside the database `db`, and keeps a copy of it if commits in it will be forgotten.
pub(crate) fn inspect(db: &Path) -> Option<Recovery> {
    let mut log = db.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    let lost_commits = match File::open(&log).and_then(|file| lost_commits(BufReader::new(file))) {
        Ok(0) => return None,
        Ok(lost) => lost,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(path = %log.display(), %error, "the log of the ledger could not be looked at");
            return None;
        }
    };
    let mut kept = log.as_os_str().to_owned();
    kept.push(".damaged");
    let kept = PathBuf::from(kept);
    let copy = match fs::copy(&log, &kept) {
        Ok(_) => {
            tracing::error!(lost_commits, copy = %kept.display(), "the end of the ledger's log cannot be read; a copy is kept");
            Some(kept)
        }
        Err(error) => {
            tracing::error!(lost_commits, path = %kept.display(), %error, "the end of the ledger's log cannot be read, and no copy could be kept");
            None
        }
    };
    Some(Recovery { lost_commits, copy })
}

/// Counts the commits after the first page that does not fit its checksum.
fn lost_commits(mut log: impl Read) -> io::Result<u64> {
    let mut header = [0; HEADER];
    if fill(&mut log, &mut header)? < HEADER {
        return Ok(0);
    }
    let page_size = usize::try_from(word(&header, 8, true)).unwrap_or(0);
    if !PAGE_SIZES.contains(&page_size) || !page_size.is_power_of_two() {
        return Ok(0);
    }
    let magic = word(&header, 0, true);
    let big = magic == MAGIC_BIG;
    let mut sum = checksum((0, 0), &header[..24], big);
    let mut intact = (big || magic == MAGIC_LITTLE) && sum == (word(&header, 24, true), word(&header, 28, true));
    let mut salts = intact.then(|| header[16..24].to_vec());
    let mut frame = vec![0; FRAME_HEADER + page_size];
    let mut lost = 0;
    loop {
        frame.fill(0);
        let read = fill(&mut log, &mut frame)?;
        if read < FRAME_HEADER {
            return Ok(lost);
        }
        // Pages of an earlier round through the file have other salts, and end the log in good order.
        let ours = frame[8..16] == *salts.get_or_insert_with(|| frame[8..16].to_vec());
        if intact {
            sum = checksum(checksum(sum, &frame[..8], big), &frame[FRAME_HEADER..], big);
            let fits = sum == (word(&frame, 16, true), word(&frame, 20, true));
            intact = ours && fits && read == frame.len();
        }
        let commits = word(&frame, 4, true) != 0;
        lost += u64::from(!intact && ours && commits);
    }
}

/// SQLite's checksum over pairs of words, in the byte order that the log names.
fn checksum(start: (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    bytes.chunks_exact(8).fold(start, |(one, two), pair| {
        let one = one.wrapping_add(word(pair, 0, big)).wrapping_add(two);
        (one, two.wrapping_add(word(pair, 4, big)).wrapping_add(one))
    })
}

fn word(bytes: &[u8], at: usize, big: bool) -> u32 {
    let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
}

/// Reads until the buffer is full or the file ends, and says how much.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match log.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_size_that_there_is_not_is_no_reason_to_panic() {
        for size in [0_u32, 1, 3, 511, 1 << 17, u32::MAX] {
            let mut bytes = vec![0; 4096];
            bytes[8..12].copy_from_slice(&size.to_be_bytes());
            assert_eq!(lost_commits(&bytes[..]).unwrap(), 0);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let _ = lost_commits(&bytes[..]);
            if bytes.len() > HEADER {
                bytes[..4].copy_from_slice(&MAGIC_BIG.to_be_bytes());
                bytes[8..12].copy_from_slice(&512_u32.to_be_bytes());
                let _ = lost_commits(&bytes[..]);
            }
        }
    }
}
