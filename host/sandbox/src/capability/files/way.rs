//! From the root that guests see to the mounts below it.
//!
//! Some guests begin every path at the root instead of at the mount that it lies in. What they reach is the mount
//! itself, or what is asked of the mount's own folder, with the same checks. Nothing is looked up here.

/// Where a path leads that is relative to a folder on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// To a folder that has mounts below it: its absolute path.
    Way(String),
    /// Into a mount: which one, and the path below it; `.` for the mount itself.
    Mount(usize, String),
}

/// Where `path` leads from the folder `way`, past the mounts at `guests`; nothing where it leads to neither. A path
/// that goes up or begins at the root is none that leads anywhere: it could turn around behind a mount's check.
pub(super) fn leads<'g>(way: &str, path: &str, guests: impl Iterator<Item = &'g str> + Clone) -> Option<Leads> {
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return None;
    }
    let parts: Vec<&str> = parts(way).chain(parts(path)).collect();
    let inside = |guest: &str| -> Option<usize> {
        let guest: Vec<&str> = self::parts(guest).collect();
        parts.starts_with(&guest).then_some(guest.len())
    };
    // The longest mount has the path, as for guests that choose it themselves.
    let longest = guests.clone().enumerate().filter_map(|(at, guest)| Some((inside(guest)?, at))).max();
    if let Some((length, at)) = longest {
        return Some(Leads::Mount(at, below(&parts[length..], path)));
    }
    let absolute = format!("/{}", parts.join("/"));
    let before = |guest: &str| self::parts(guest).collect::<Vec<_>>().starts_with(&parts);
    (parts.is_empty() || guests.clone().any(before)).then_some(Leads::Way(absolute))
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

/// The path below a mount. A slash at the end says that a folder is meant, and stays.
fn below(parts: &[&str], path: &str) -> String {
    let folder = path.ends_with('/') || path.ends_with("/.");
    match (parts, folder) {
        ([], _) => ".".to_owned(),
        (parts, true) => parts.join("/") + "/",
        (parts, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Leads, leads};

    const GUESTS: [&str; 3] = ["/data/in", "/data/in/deep", "/x"];

    fn from(way: &str, path: &str) -> Option<Leads> {
        leads(way, path, GUESTS.into_iter())
    }

    fn mount(at: usize, below: &str) -> Option<Leads> {
        Some(Leads::Mount(at, below.to_owned()))
    }

    #[test]
    fn a_mount_is_reached_from_the_root_and_from_every_folder_on_the_way() {
        for path in ["x", "x/", "./x", "x/.", ".//x//."] {
            assert_eq!(from("/", path), mount(2, "."), "{path}");
        }
        assert_eq!(from("/data", "in"), mount(0, "."));
        assert_eq!(from("/", "x/a/b.txt"), mount(2, "a/b.txt"));
        assert_eq!(from("/", "x/a/"), mount(2, "a/"));
        assert_eq!(from("/", "data/in/deep/a"), mount(1, "a"), "the longest has it");
        assert_eq!(from("/", "data/in/deeper"), mount(0, "deeper"));
    }

    #[test]
    fn what_lies_on_the_way_stays_a_way() {
        for path in ["", ".", "./"] {
            assert_eq!(from("/", path), Some(Leads::Way("/".to_owned())), "{path}");
        }
        assert_eq!(from("/", "data/"), Some(Leads::Way("/data".to_owned())));
        assert_eq!(leads("/", ".", [].into_iter()), Some(Leads::Way("/".to_owned())), "a root without mounts is empty");
    }

    #[test]
    fn nothing_else_leads_anywhere() {
        for path in
            ["..", "x/..", "x/../y", "x/../../etc/passwd", "x/a/../b", "/x", "//x", "/", "y", "xy", "dat", "data/i"]
        {
            assert_eq!(from("/", path), None, "{path}");
        }
        assert_eq!(from("/data", "../x"), None);
        assert_eq!(from("/data", "x"), None);
    }
}
