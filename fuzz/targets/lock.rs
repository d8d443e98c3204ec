//! Lock files: what reads prints to a text that reads as the same; no difference is missed, and none is made up.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toolcrib_catalog::Pinned;
use toolcrib_catalog::fuzzing::{lock, lock_text};

/// What is compared: not who signed, and what is asked for in any order.
fn said(pinned: &Pinned) -> Pinned {
    let mut said = Pinned { signed_by: None, ..pinned.clone() };
    said.requests.sort();
    said.requests.dedup();
    said
}

fuzz_target!(|data: &[u8]| {
    let Ok(read) = lock(data) else { return };
    let text = lock_text(&read);
    let again = lock(&text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&text)));
    assert_eq!(again, read);
    let all: Vec<&Pinned> = read.names().filter_map(|name| read.get(name)).take(8).collect();
    for was in &all {
        assert!(!was.everything().is_empty());
        for is in &all {
            let differences = was.differences(is);
            assert_eq!(differences.is_empty(), said(was) == said(is), "{was:?} {is:?}: {differences:?}");
            assert!(!(was.is_downgrade_to(is) && is.is_downgrade_to(was)));
        }
    }
});
