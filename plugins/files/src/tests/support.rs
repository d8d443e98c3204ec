//! A folder that goes away with the test.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use toolcrib_sdk::{ErrorKind, testing};

use crate::PLUGIN;

pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("toolcrib-files-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = Self::new();
        for (name, contents) in files {
            let path = folder.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        folder
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().trim_end_matches('/').to_owned()
    }

    pub(super) fn contents(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Calls a tool whose `path` is `name` in this folder.
    pub(super) fn call(&self, tool: &str, name: &str, mut arguments: Value) -> Value {
        arguments["path"] = json!(self.path(name));
        testing::call_structured(&PLUGIN, tool, arguments).unwrap()
    }

    /// Calls a tool that has to fail.
    pub(super) fn refusal(&self, tool: &str, name: &str, mut arguments: Value) -> (ErrorKind, String) {
        arguments["path"] = json!(self.path(name));
        let error = testing::call(&PLUGIN, tool, arguments).unwrap_err();
        assert_eq!(error.effect_state(), toolcrib_sdk::EffectState::None);
        (error.kind(), error.message().to_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
