//! What is kept elsewhere, so that a cut tail shows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::LedgerError;
use crate::event::Durability;
use crate::id::{LedgerId, RunId};
use crate::proof::{Digest, checksum, from_hex};
use crate::store::Ledger;
use crate::write::{CAUSE_CHECKPOINT, read_heads_tail};

const PREFIX: &str = "toolcrib-checkpoint:1";

/// A place in the chain of heads, in one line of text: `toolcrib-checkpoint:1:<ledger>:<n>:<digest>:<checksum>`.
///
/// Kept where the writer of the ledger cannot reach it (printed, mailed, in another system), it proves that nothing up to it
/// was changed, removed or put in later. It tells nothing of what the ledger holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// The ledger.
    pub ledger: LedgerId,
    /// The place in its chain of heads; 0 for a ledger without runs.
    pub n: u64,
    /// The chain there.
    pub chain: Digest,
}

/// Why a text is not a [`Checkpoint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a checkpoint: {why}")]
pub struct CheckpointError {
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format!("{PREFIX}:{}:{}:{}", self.ledger, self.n, self.chain);
        let sum = u32::from_be_bytes(checksum(&body));
        write!(f, "{body}:{sum:08x}")
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let fail = |why| CheckpointError { why };
        let text = text.trim().to_ascii_lowercase();
        let rest = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_prefix(':'))
            .ok_or_else(|| fail("it does not begin with `toolcrib-checkpoint:1:`"))?;
        let parts: Vec<&str> = rest.split(':').collect();
        let [ledger, n, chain, _] = parts[..] else {
            return Err(fail("it has not the four parts ledger, number, digest and checksum"));
        };
        let ledger = from_hex(ledger).map(LedgerId).ok_or_else(|| fail("its ledger is not 32 hexadecimal digits"))?;
        let n = n.parse().map_err(|_| fail("its number is not a number"))?;
        let chain = Digest::from_hex(chain).ok_or_else(|| fail("its digest is not 64 hexadecimal digits"))?;
        let checkpoint = Self { ledger, n, chain };
        if checkpoint.to_string() != text {
            return Err(fail("its checksum does not fit, so it was mistyped or cut"));
        }
        Ok(checkpoint)
    }
}

impl Serialize for Checkpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checkpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The runs that went on since their last head.
const BEHIND: &str = "SELECT r.id FROM run r WHERE (SELECT max(seq) FROM event WHERE run = r.id)
                   > (SELECT coalesce(max(seq), -1) FROM head WHERE run = r.id) ORDER BY r.id";

impl Ledger {
    /// The end of the chain of heads as it stands, and how many runs went on since: nothing is written, so that a ledger
    /// that is open for reading, or that another process writes, has it too.
    ///
    /// # Errors
    /// Only if the ledger cannot be read.
    pub fn standing_checkpoint(&self) -> Result<(Checkpoint, u64), LedgerError> {
        self.readers().with(|conn| {
            let read = conn.unchecked_transaction().and_then(|snapshot| {
                let heads = read_heads_tail(&snapshot, self.identity())?;
                let sql = format!("SELECT count(*) FROM ({BEHIND})");
                let behind = snapshot.query_row(&sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs();
                Ok((Checkpoint { ledger: self.id(), n: heads.n, chain: heads.chain }, behind))
            });
            read.map_err(|error| LedgerError::sqlite(self.db_path(), error))
        })
    }

    /// Chains the heads of all runs that went on since their last head, and gives the place in the chain: from then on it
    /// holds everything in the ledger.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn checkpoint(&self) -> Result<Checkpoint, LedgerError> {
        self.writer()?.transact(Durability::Power, |draft| {
            let behind = draft.conn.prepare(BEHIND).and_then(|mut query| {
                let rows = query.query_map([], |row| crate::read::run_id(row, 0))?;
                rows.collect::<rusqlite::Result<Vec<RunId>>>()
            });
            for run in behind.map_err(|error| draft.fail(error))? {
                draft.chain_head(run, CAUSE_CHECKPOINT)?;
            }
            let heads = draft.heads();
            Ok(Checkpoint { ledger: self.id(), n: heads.n, chain: heads.chain })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_checkpoint_comes_back_from_its_text(id in any::<[u8; 16]>(), n in any::<u64>(), chain in any::<[u8; 32]>()) {
            let checkpoint = Checkpoint { ledger: LedgerId(id), n, chain: Digest(chain) };
            let text = checkpoint.to_string();
            prop_assert_eq!(format!(" {}\n", text.to_uppercase()).parse::<Checkpoint>(), Ok(checkpoint));
            prop_assert!(text[..text.len() - 1].parse::<Checkpoint>().is_err());
        }

        #[test]
        fn one_wrong_character_is_found(place in 0..150usize, with in "[0-9a-f:]") {
            let checkpoint = Checkpoint { ledger: LedgerId([9; 16]), n: 12, chain: Digest([1; 32]) };
            let mut text = checkpoint.to_string();
            let place = place % text.len();
            let same = text[place..=place] == with;
            text.replace_range(place..=place, &with);
            prop_assert_eq!(text.parse::<Checkpoint>().is_ok(), same);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}") {
            let _ = text.parse::<Checkpoint>();
        }
    }
}
