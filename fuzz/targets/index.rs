//! The index of plugins, as somebody could write it who can write the user's cache: it is read or made anew.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toolcrib_catalog::fuzzing::index;

fuzz_target!(|data: &[u8]| {
    index(data.to_vec());
});
