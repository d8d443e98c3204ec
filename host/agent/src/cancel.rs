//! A signal that something should end soon.

use std::sync::Arc;

use tokio::sync::watch;

/// A signal that can be raised once and waited for. Clones are the same signal.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// A signal that is not raised.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Raises it. It stays raised.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether it is raised.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is raised.
    pub async fn cancelled(&self) {
        // The sender is held by `self`, so the channel cannot close before the signal comes.
        let _ = self.0.subscribe().wait_for(|raised| *raised).await;
    }
}
