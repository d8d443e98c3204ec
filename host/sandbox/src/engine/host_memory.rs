//! What this machine's memory allows: whether resident guest pages may be found by `PAGEMAP_SCAN`.

use std::path::Path;

/// Whether the machine has swap switched on.
///
/// `PAGEMAP_SCAN` tells which pages are resident; a page that was written and then swapped out is not, would not be
/// reset, and would show one call's bytes to the next. An unreadable list counts as swap.
pub(crate) fn has_swap() -> bool {
    match std::fs::read_to_string(Path::new("/proc/swaps")) {
        Ok(swaps) => lists_a_device(&swaps),
        Err(_) => true,
    }
}

/// The first line of `/proc/swaps` is a heading; each further one is a device or file in use.
fn lists_a_device(swaps: &str) -> bool {
    swaps.lines().skip(1).any(|line| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::lists_a_device;

    #[test]
    fn a_heading_alone_is_no_swap() {
        assert!(!lists_a_device("Filename\tType\tSize\tUsed\tPriority\n"));
        assert!(!lists_a_device(""));
    }

    #[test]
    fn a_device_is_swap() {
        assert!(lists_a_device("Filename\tType\n/dev/dm-1 partition 8388604 0 -2\n"));
    }
}
