//! Lines that are kept elsewhere, and names on the command line: what reads prints as the same, and none is genuine that
//! nobody signed.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use toolcrib_ledger::{Checkpoint, KeptCheckpoint, PublicKey, RunId, SignedCheckpoint};
use toolcrib_policy::{Digest, PluginName, SecretName, Template, ToolName};

fn round<T: FromStr + Display>(text: &str)
where
    T::Err: Debug,
{
    if let Ok(read) = text.parse::<T>() {
        let printed = read.to_string();
        let again = printed.parse::<T>().unwrap_or_else(|error| panic!("{text:?} {printed:?}: {error:?}"));
        assert_eq!(again.to_string(), printed, "{text:?}");
    }
}

fuzz_target!(|data: &str| {
    round::<Checkpoint>(data);
    round::<SignedCheckpoint>(data);
    round::<PublicKey>(data);
    round::<RunId>(data);
    round::<Digest>(data);
    round::<PluginName>(data);
    round::<ToolName>(data);
    round::<SecretName>(data);
    round::<Template>(data);
    if let Ok(kept) = data.parse::<KeptCheckpoint>() {
        let _ = kept.trust(None);
    }
});
