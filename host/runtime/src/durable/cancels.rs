//! The wish to cancel a run, on its way to the process that drives it: an empty file with the run's name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinHandle;
use toolcrib_agent::Cancel;
use toolcrib_ledger::RunId;

/// How often the process that drives a run looks: soon enough for a person who waits, and no work for the disk.
const LOOK: Duration = Duration::from_millis(200);

/// The folder of wishes, in the data folder, which belongs to the operator alone.
#[derive(Clone, Debug)]
pub(crate) struct Cancels(PathBuf);

/// Looks for the wish as long as it lives.
pub(crate) struct Watch {
    task: JoinHandle<()>,
    place: PathBuf,
}

impl Cancels {
    pub(crate) fn in_data(data: &Path) -> Self {
        Self(data.join("cancels"))
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.0.clone()
    }

    /// Leaves the wish.
    pub(crate) fn ask(&self, run: RunId) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.0)?;
        std::fs::write(self.place(run), b"")
    }

    /// Raises `cancel` once the wish is there. One that an earlier process left behind does not count.
    pub(crate) fn watch(&self, run: RunId, cancel: Cancel) -> Watch {
        let place = self.place(run);
        let _ = std::fs::remove_file(&place);
        let looked = place.clone();
        let task = tokio::spawn(async move {
            while !looked.exists() {
                tokio::time::sleep(LOOK).await;
            }
            cancel.cancel();
        });
        Watch { task, place }
    }

    fn place(&self, run: RunId) -> PathBuf {
        self.0.join(run.to_string())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.place);
    }
}
