//! Walks the chain of heads, and compares it with the runs and with a checkpoint.

use rusqlite::Row;

use super::{Check, Field, Place, Problem, Verdict};
use crate::checkpoint::Checkpoint;
use crate::id::{RunId, Seq};
use crate::proof::{Digest, HeadLink, heads_genesis};
use crate::stamp::UnixMicros;

/// One row of `head`, with the chain of the event that it names.
struct Head {
    n: u64,
    at: UnixMicros,
    cause: String,
    run: RunId,
    seq: Seq,
    run_head: Digest,
    chain: Digest,
    event_chain: Option<Digest>,
}

impl Head {
    fn read(row: &Row<'_>, n: u64) -> rusqlite::Result<Self> {
        Ok(Self {
            n,
            at: UnixMicros::new(row.get(1)?),
            cause: row.get(2)?,
            run: crate::read::run_id(row, 3)?,
            seq: crate::read::seq(row, 4)?,
            run_head: Digest(row.get(5)?),
            chain: Digest(row.get(6)?),
            event_chain: row.get::<_, Option<[u8; 32]>>(7).unwrap_or(Some([0; 32])).map(Digest),
        })
    }

    fn chain_after(&self, before: &Digest) -> Digest {
        let Self { n, at, ref cause, run, seq, run_head, .. } = *self;
        HeadLink { n, at, cause, run, seq, run_head }.chain(before)
    }
}

/// What is known of the link before.
enum Before {
    /// It stands as it was written, as far as is known.
    Stands(Digest),
    /// It does not link: either its content was changed, or its chain, which should be `expected`.
    Suspect { n: u64, stored: Digest, expected: Digest },
    /// It is missing.
    Unknown,
}

impl Check<'_> {
    pub(super) fn heads(&mut self, checkpoint: Option<&Checkpoint>) -> rusqlite::Result<()> {
        let genesis = heads_genesis(self.identity.id, self.identity.created_at);
        let mut before = Before::Stands(genesis);
        let (mut last, mut at_checkpoint) = (0, None);
        if checkpoint.is_some_and(|checkpoint| checkpoint.n == 0) {
            at_checkpoint = Some(genesis);
        }
        let sql = "SELECT h.n, h.at, h.cause, h.run, h.seq, h.run_head, h.chain, e.chain FROM head h
                   LEFT JOIN event e ON e.run = h.run AND e.seq = h.seq ORDER BY h.n";
        let mut query = self.conn.prepare(sql)?;
        let mut rows = query.query([])?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(error) => {
                    self.report.find(Problem::Unreadable, Field::Head, Place::head(last + 1), error.to_string());
                    break;
                }
            };
            let number: i64 = row.get(0)?;
            let Ok(n @ 1..) = u64::try_from(number) else {
                let detail = format!("its place is {number}");
                self.report.find(Problem::Unexpected, Field::Head, Place::default(), detail);
                continue;
            };
            if n > last + 1 {
                let detail = if n == last + 2 { String::new() } else { format!("and all up to head {}", n - 1) };
                self.report.find(Problem::Missing, Field::Head, Place::head(last + 1), detail);
                self.settle(before, None);
                before = Before::Unknown;
            }
            last = n;
            self.report.heads += 1;
            before = match Head::read(row, n) {
                Ok(head) => {
                    if checkpoint.is_some_and(|checkpoint| checkpoint.n == n) {
                        at_checkpoint = Some(head.chain);
                    }
                    self.head(before, &head)
                }
                Err(error) => {
                    let detail = format!("it cannot be decoded: {error}");
                    self.report.find(Problem::Changed, Field::Content, Place::head(n), detail);
                    self.settle(before, None);
                    Before::Unknown
                }
            };
        }
        self.settle(before, None);
        self.report.checkpoint = checkpoint.map(|checkpoint| {
            if checkpoint.ledger != self.identity.id {
                Verdict::OtherLedger { expected: checkpoint.ledger }
            } else if at_checkpoint == Some(checkpoint.chain) {
                Verdict::Holds
            } else if checkpoint.n > last {
                Verdict::Cut { last, expected: checkpoint.n }
            } else {
                Verdict::Rewritten { at: checkpoint.n }
            }
        });
        Ok(())
    }

    /// Checks one head against the one before it and against its run.
    fn head(&mut self, before: Before, head: &Head) -> Before {
        let links_to = |chain: &Digest| head.chain_after(chain) == head.chain;
        let (links, stored) = match &before {
            Before::Stands(chain) => (links_to(chain), *chain),
            Before::Suspect { stored, expected, .. } => (links_to(stored) || links_to(expected), *stored),
            Before::Unknown => {
                self.compare(head);
                return Before::Stands(head.chain);
            }
        };
        self.settle(before, Some(head));
        if links {
            self.compare(head);
            return Before::Stands(head.chain);
        }
        Before::Suspect { n: head.n, stored: head.chain, expected: head.chain_after(&stored) }
    }

    /// Reports on a head that does not link, by what the next one builds on.
    fn settle(&mut self, before: Before, next: Option<&Head>) {
        let Before::Suspect { n, stored, expected } = before else {
            return;
        };
        let next_builds_on = |chain: &Digest| next.is_some_and(|next| next.chain_after(chain) == next.chain);
        let hint = if n == 1 { ", or the id of the ledger is" } else { "" };
        let (field, detail) = if next_builds_on(&stored) {
            (Field::Content, format!("its time, cause, run or run head is not what was chained{hint}"))
        } else if next_builds_on(&expected) {
            (Field::Chain, "what follows builds on another one".to_owned())
        } else {
            let detail = format!("it or its chain is not what was written, and nothing that follows tells which{hint}");
            (Field::Content, detail)
        };
        self.report.find(Problem::Changed, field, Place::head(n), detail);
    }

    /// Compares a head with its run.
    fn compare(&mut self, head: &Head) {
        let place = Place { head: Some(head.n), ..Place::event(head.run, head.seq) };
        match head.event_chain {
            Some(chain) if chain == head.run_head => {}
            _ if self.report.blames(head.run, head.seq) => {}
            Some(_) => {
                let detail = "the run was written anew: its head was another one";
                self.report.find(Problem::Changed, Field::Chain, place, detail);
            }
            None => {
                let detail = "the run went this far, so its end was cut off";
                self.report.find(Problem::Missing, Field::Event, place, detail);
            }
        }
    }
}
