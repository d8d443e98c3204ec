//! Lines of grants: what reads at all prints to a text that reads as the same.
#![no_main]

use std::fmt::{Debug, Display};
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use toolcrib_policy::{
    FileGrant, FileRequest, HttpGrant, HttpPattern, NamePattern, OperatorFile, ToolPattern, parse_duration,
};

fn round<T: Display + Debug + PartialEq, E: Debug>(line: &str, parse: impl Fn(&str) -> Result<T, E>) {
    let Ok(read) = parse(line) else { return };
    let printed = read.to_string();
    match parse(&printed) {
        Ok(again) => assert_eq!(again, read, "{line:?} {printed:?}"),
        Err(error) => panic!("{line:?} {printed:?}: {error:?}"),
    }
}

fuzz_target!(|data: &str| {
    let base = Path::new("/work");
    round(data, HttpPattern::parse);
    round(data, HttpGrant::parse);
    round(data, FileRequest::parse);
    round(data, |line| FileGrant::parse(line, base));
    round(data, ToolPattern::parse);
    round(data, NamePattern::parse);
    let _ = parse_duration(data);
    // As on the command line, capability by capability.
    let plugin = "a".parse().expect("a name");
    for capability in ["http", "credentials", "files", "env", "config", "tools", "ask", "model"] {
        let mut file = OperatorFile::empty(base);
        if file.add_grant(&plugin, capability, data).is_err() {
            assert!(file.grants(&plugin).is_empty(), "a wrong line changes nothing");
            continue;
        }
        let lines = file.grants(&plugin);
        let mut again = OperatorFile::empty(base);
        for (capability, line) in &lines {
            again.add_grant(&plugin, capability, line).unwrap_or_else(|error| panic!("{data:?} {line:?}: {error}"));
        }
        assert_eq!(again.grants(&plugin), lines, "{data:?}");
    }
});
