//! Manifests and operators' files: errors point into the file, and what is granted stays below the ceiling.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use toolcrib_policy::{Manifest, OperatorFile, PolicyError, Requests};

fn points_into(error: &PolicyError, text: &str) {
    // A file that ends with a line's end has one line more, which is empty.
    let lines = text.matches('\n').count() + 1;
    assert!(error.at.line <= lines, "{error} {text:?}");
    assert!(!error.to_string().contains('\n'), "{error:?}");
}

fuzz_target!(|data: &str| {
    if let Err(error) = Manifest::parse(data, "plugin.toml") {
        points_into(&error, data);
    }
    let file = match OperatorFile::parse(data, "toolcrib.toml", Path::new("/work")) {
        Ok(file) => file,
        Err(error) => return points_into(&error, data),
    };
    let plugins: Vec<_> = file.plugins().cloned().collect();
    for plugin in &plugins {
        let authority = file.authority(plugin, &Requests::everything(), None);
        let nothing = file.authority(plugin, &Requests::nothing(), None);
        assert!(nothing.is_nothing(), "what is not asked for is not got");
        let lent = file.authority(plugin, &Requests::everything(), Some(&nothing));
        assert!(lent.http.is_empty() && lent.files.is_empty() && lent.env.is_empty() && lent.tools.is_empty());
        // Under a ceiling that leaves nothing, nothing is left.
        let closed =
            format!("[ceiling]\nhttp = []\nfiles = []\nenv = []\ntools = []\nask = false\nmodel = false\n{data}");
        if let Ok(closed) = OperatorFile::parse(&closed, "toolcrib.toml", Path::new("/work")) {
            let left = closed.authority(plugin, &Requests::everything(), None);
            assert!(left.http.is_empty() && left.files.is_empty() && left.env.is_empty() && left.tools.is_empty());
            assert!(!left.ask && !left.model);
        }
        drop(authority);
    }
    let _ = (file.ceiling(), file.settings(), file.odd_methods(), file.secrets(), file.ports());
});
