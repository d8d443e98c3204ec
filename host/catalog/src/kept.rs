//! Bytes that a watching catalog keeps, so that a version that was good can be loaded after its file was broken.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::plugin::Plugin;

/// Components in memory, each checked against its digest before it came in. The oldest leave first.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Most bytes to keep; zero until somebody watches.
    limit: usize,
    bytes: usize,
    entries: VecDeque<(Arc<Plugin>, Bytes)>,
}

impl Kept {
    /// Keeps up to `limit` bytes from now on.
    pub(crate) fn enable(&self, limit: usize) {
        self.with(|inner| inner.limit = limit);
    }

    /// Keeps the bytes of `plugin`, which the caller has just hashed.
    pub(crate) fn keep(&self, plugin: &Arc<Plugin>, bytes: &Bytes) {
        self.with(|inner| {
            if bytes.len() > inner.limit {
                return;
            }
            inner.remove(plugin);
            inner.bytes += bytes.len();
            inner.entries.push_back((Arc::clone(plugin), bytes.clone()));
            while inner.bytes > inner.limit {
                let Some((_, oldest)) = inner.entries.pop_front() else { break };
                inner.bytes -= oldest.len();
            }
        });
    }

    /// The bytes of exactly this plugin.
    pub(crate) fn get(&self, plugin: &Plugin) -> Option<Bytes> {
        self.with(|inner| inner.position(plugin).and_then(|at| inner.entries.get(at)).map(|(_, bytes)| bytes.clone()))
    }

    /// Whether more bytes would push others out.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.with(|inner| inner.bytes.saturating_add(bytes) <= inner.limit)
    }

    /// Lets go of what none of `plugins` needs.
    pub(crate) fn retain<'a>(&self, plugins: impl Iterator<Item = &'a Arc<Plugin>>) {
        let wanted: std::collections::HashSet<_> = plugins.map(|plugin| *plugin.digest()).collect();
        self.with(|inner| {
            inner.entries.retain(|(plugin, _)| wanted.contains(plugin.digest()));
            inner.bytes = inner.entries.iter().map(|(_, bytes)| bytes.len()).sum();
        });
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn position(&self, plugin: &Plugin) -> Option<usize> {
        let same = |kept: &Plugin| {
            kept.name == plugin.name && kept.digest == plugin.digest && kept.manifest == plugin.manifest
        };
        self.entries.iter().position(|(kept, _)| same(kept))
    }

    fn remove(&mut self, plugin: &Plugin) {
        if let Some((_, bytes)) = self.position(plugin).and_then(|at| self.entries.remove(at)) {
            self.bytes -= bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use toolcrib_policy::PluginName;

    use super::*;
    use crate::plugin::tests::empty;
    use crate::source::Rank;

    fn plugin(name: &str) -> Arc<Plugin> {
        Arc::new(empty(&PluginName::try_from(name).unwrap(), Rank::User, "/u/x.wasm"))
    }

    #[test]
    fn nothing_is_kept_until_somebody_watches_and_then_no_more_than_the_limit() {
        let (kept, bytes) = (Kept::default(), Bytes::from_static(&[0; 40]));
        let [a, b, c] = ["a", "b", "c"].map(plugin);
        kept.keep(&a, &bytes);
        assert_eq!(kept.get(&a), None);
        kept.enable(100);
        for plugin in [&a, &b, &b, &c] {
            kept.keep(plugin, &bytes);
        }
        assert_eq!([&a, &b, &c].map(|plugin| kept.get(plugin).is_some()), [false, true, true]);
        assert!(kept.has_room(20) && !kept.has_room(21));
        kept.keep(&a, &Bytes::from_static(&[0; 101]));
        assert_eq!(kept.get(&a), None);
        kept.retain([].into_iter());
        assert!(kept.get(&b).is_none() && kept.has_room(100));
    }
}
