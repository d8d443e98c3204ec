//! Copies the log back into the database in the background, so that no append waits for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::{LedgerError, is_failed_flush};
use crate::schema;

/// Commits between two sweeps: some megabytes of log, so that a sweep takes milliseconds.
const COMMITS_PER_SWEEP: u32 = 500;

/// Set once a flush has failed: the kernel may have dropped what it could not write, so no later flush can be believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopped(Arc<AtomicBool>);

impl Stopped {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Sets it if `error` is a failed flush.
    pub(crate) fn note(&self, error: &rusqlite::Error) {
        if is_failed_flush(error) {
            self.0.store(true, Ordering::Release);
        }
    }
}

/// What the thread is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Sweep,
    Close,
}

/// The thread that copies back; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Sweeper {
    orders: SyncSender<Order>,
    thread: Option<JoinHandle<()>>,
}

/// Tells the sweeper of commits.
#[derive(Debug)]
pub(crate) struct Nudge {
    orders: SyncSender<Order>,
    commits: u32,
}

impl Nudge {
    /// Counts a commit, and wakes the sweeper when there are enough.
    pub(crate) fn committed(&mut self) {
        self.commits += 1;
        if self.commits >= COMMITS_PER_SWEEP {
            self.commits = 0;
            // A full channel means that a sweep is due already; a closed one that the ledger is closing.
            let _ = self.orders.try_send(Order::Sweep);
        }
    }
}

impl Sweeper {
    pub(crate) fn start(path: &Path, stopped: Stopped) -> Result<(Self, Nudge), LedgerError> {
        let conn = schema::open_writer(path)?;
        let (orders, received) = sync_channel(1);
        let owned = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("ledger-sweeper".to_owned())
            .spawn(move || sweep_until_closed(&owned, &conn, &received, &stopped))
            .map_err(|error| LedgerError::io(path, &error))?;
        let nudge = Nudge { orders: orders.clone(), commits: 0 };
        Ok((Self { orders, thread: Some(thread) }, nudge))
    }
}

fn sweep_until_closed(path: &Path, conn: &Connection, orders: &Receiver<Order>, stopped: &Stopped) {
    while orders.recv() == Ok(Order::Sweep) {
        if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            stopped.note(&error);
            // The log keeps what was not copied back, so nothing is lost; it only grows.
            let error = LedgerError::sqlite(path, error);
            tracing::warn!(%error, "the ledger's log was not copied back");
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        // Fails only if the thread has ended already.
        let _ = self.orders.send(Order::Close);
        if let Some(thread) = self.thread.take() {
            // A panic there has nothing left to damage.
            let _ = thread.join();
        }
    }
}
