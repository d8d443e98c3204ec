//! [`Ledger`]: opens the folder and hands each call to the writer or to a reader.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::LedgerError;
use crate::event::{Checked, Durability, MAX_TITLE_BYTES, NewEvent, Recorded, RunMeta};
use crate::folder::{Folder, FolderLock};
use crate::id::{LedgerId, RunId};
use crate::read::Readers;
use crate::schema::{self, Identity};
use crate::stamp::UnixMicros;
use crate::torn::{self, Recovery};
use crate::wal::{Stopped, Sweeper};
use crate::write::{Clock, Writer, first_event};

/// The ledger of one data folder: an append-only log of the events of all runs.
///
/// Shared by reference between threads; writes wait for each other, reads wait for nobody.
pub struct Ledger {
    // In the order in which they must be dropped: the writer closes last, and copies the log back; then the lock goes.
    readers: Readers,
    hand: Hand,
    folder: Folder,
    identity: Identity,
    recovery: Option<Recovery>,
}

/// What a ledger may do.
enum Hand {
    Reads,
    Writes(Box<Desk>),
}

struct Desk {
    _sweeper: Sweeper,
    writer: Mutex<Writer>,
    _lock: FolderLock,
}

impl Ledger {
    /// Opens the ledger of the folder `dir` for reading and writing, and makes folder and ledger if there are none.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] if another host writes there, [`LedgerError::NotALedger`], [`LedgerError::FutureVersion`]
    /// or [`LedgerError::Corrupt`] if the file cannot be used (it is then left as it is), and what the system says.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Self::open_with_clock(dir.as_ref(), Box::new(UnixMicros::now))
    }

    pub(crate) fn open_with_clock(dir: &Path, clock: Clock) -> Result<Self, LedgerError> {
        let folder = Folder::new(dir);
        folder.make()?;
        let lock = folder.lock()?;
        if !schema::exists(&folder.db)? {
            schema::create(&folder, Identity::new(clock())?)?;
        }
        let recovery = torn::inspect(&folder.db);
        let conn = schema::open_writer(&folder.db)?;
        let identity = schema::identity(&folder.db, &conn)?;
        let stopped = Stopped::default();
        let (sweeper, nudge) = Sweeper::start(&folder.db, stopped.clone())?;
        let writer = Writer::new(conn, &folder.db, identity, clock, stopped, nudge)?;
        let desk = Desk { _sweeper: sweeper, writer: Mutex::new(writer), _lock: lock };
        let readers = Readers::new(&folder.db);
        Ok(Self { hand: Hand::Writes(Box::new(desk)), readers, folder, identity, recovery })
    }

    /// Opens the ledger of the folder `dir` for reading only, also while another process writes to it.
    ///
    /// # Errors
    /// [`LedgerError::NoLedger`] if there is none, and otherwise as [`Ledger::open`].
    pub fn open_read_only(dir: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let folder = Folder::new(dir.as_ref());
        if !schema::exists(&folder.db)? {
            return Err(LedgerError::NoLedger { path: folder.dir });
        }
        let readers = Readers::new(&folder.db);
        let identity = readers.with(|conn| schema::identity(&folder.db, conn))?;
        Ok(Self { hand: Hand::Reads, readers, folder, identity, recovery: None })
    }

    /// Whether some host writes to the ledger now. Where none does, a run that is open was cut off.
    pub fn has_writer(&self) -> bool {
        matches!(self.hand, Hand::Writes(_)) || self.folder.is_locked()
    }

    /// The random name of this ledger.
    pub fn id(&self) -> LedgerId {
        self.identity.id
    }

    /// What could not be read of the log when this ledger was opened for writing; `None` if all could be read.
    ///
    /// Tell the person: events that were acknowledged may be gone.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.recovery.as_ref()
    }

    /// Begins a run. Its event 0 has the kind `ledger.begun` and the payload `{"title": …, "details": …}`.
    ///
    /// Written with [`Durability::Process`]; the run's first append with `Power` makes it durable too.
    ///
    /// # Errors
    /// If the title or the status is not allowed, and what [`Ledger::append`] says.
    pub fn begin_run(&self, meta: &RunMeta) -> Result<RunId, LedgerError> {
        let len = meta.title.len();
        if len > MAX_TITLE_BYTES {
            return Err(LedgerError::TitleTooLong { len });
        }
        let first = first_event(meta).check_own()?;
        self.writer()?.transact(Durability::Process, |draft| draft.begin(meta, first))
    }

    /// Appends one event. When this returns, the event has the durability that was asked for.
    ///
    /// # Errors
    /// If the event is not allowed, if the run does not exist, [`LedgerError::DiskFull`] or what else the system says; the
    /// event was then not acknowledged and is not in the run.
    pub fn append(&self, run: RunId, event: NewEvent, durability: Durability) -> Result<Recorded, LedgerError> {
        let event = event.check()?;
        self.writer()?.transact(durability, |draft| draft.push(run, &event))
    }

    /// Appends several events, all or none.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append_all(
        &self,
        run: RunId,
        events: Vec<NewEvent>,
        durability: Durability,
    ) -> Result<Vec<Recorded>, LedgerError> {
        let events: Vec<Checked> = events.into_iter().map(NewEvent::check).collect::<Result<_, _>>()?;
        self.writer()?.transact(durability, |draft| events.iter().map(|event| draft.push(run, event)).collect())
    }

    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>, LedgerError> {
        match &self.hand {
            // After a panic the writer is whole: the next transaction rolls back what was not committed.
            Hand::Writes(desk) => Ok(desk.writer.lock().unwrap_or_else(PoisonError::into_inner)),
            Hand::Reads => Err(LedgerError::ReadOnly { path: self.folder.dir.clone() }),
        }
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.folder.dir
    }

    pub(crate) fn db_path(&self) -> &Path {
        &self.folder.db
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("dir", &self.folder.dir).field("id", &self.identity.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use serde_json::json;

    use super::*;
    use crate::event::RunFilter;
    use crate::id::Seq;

    fn step() -> NewEvent {
        NewEvent::new("step", json!({ "text": "z".repeat(3000) }))
    }

    #[test]
    fn events_keep_their_order_when_the_clock_goes_back_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(1_790_000_000_000_000));
        let hand = Arc::clone(&clock);
        let clock: Clock = Box::new(move || UnixMicros::new(clock.load(Ordering::Relaxed)));
        let ledger = Ledger::open_with_clock(dir.path(), clock).unwrap();
        let before = ledger.begin_run(&RunMeta::new("before", "running")).unwrap();
        ledger.append(before, step(), Durability::Process).unwrap();
        hand.fetch_sub(86_400_000_000, Ordering::Relaxed);
        let late = ledger.append(before, step(), Durability::Process).unwrap();
        let after = ledger.begin_run(&RunMeta::new("after", "running")).unwrap();

        let events = ledger.tail(before, None, 9).unwrap();
        assert_eq!(events.iter().map(|event| event.seq.get()).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((events[2].seq, events[2].at), (Seq::new(2), late.at));
        assert!(events[2].at < events[1].at);
        let listed = ledger.runs(&RunFilter::default(), 9).unwrap();
        assert_eq!(listed.iter().map(|run| run.run).collect::<Vec<_>>(), [after, before]);
        assert!(ledger.verify(|_| ()).unwrap().is_sound());
    }

    #[test]
    fn a_database_that_cannot_grow_is_a_full_disk_until_it_can() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let run = ledger.begin_run(&RunMeta::new("a", "running")).unwrap();
        let limit = |pages: &str| {
            let writer = ledger.writer().unwrap();
            let sql = format!("PRAGMA max_page_count = {pages}");
            writer.connection().query_row(&sql, [], |_| Ok(())).unwrap();
        };
        limit("20");
        let mut written = 0;
        let refused = loop {
            match ledger.append(run, step(), Durability::Process) {
                Ok(_) => written += 1,
                Err(error) => break error,
            }
            assert!(written < 100);
        };
        assert!(refused.is_disk_full(), "{refused:?}");
        assert_eq!(ledger.run(run).unwrap().last_seq, Seq::new(written));
        limit("1000000");
        let next = ledger.append(run, step(), Durability::Power).unwrap();
        assert_eq!(next.seq, Seq::new(written + 1));
        assert!(ledger.verify(|_| ()).unwrap().is_sound());
    }

    #[test]
    fn a_panic_in_a_transaction_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let run = ledger.begin_run(&RunMeta::new("a", "running")).unwrap();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut writer = ledger.writer().unwrap();
            let _ = writer.transact(Durability::Process, |draft| {
                draft.push(run, &step().check()?)?;
                panic!("in the middle")
            }) as Result<(), _>;
        }));
        assert!(panicked.is_err());
        let next = ledger.append(run, step(), Durability::Process).unwrap();
        assert_eq!(next.seq, Seq::new(1));
        assert!(ledger.verify(|_| ()).unwrap().is_sound());
    }
}
