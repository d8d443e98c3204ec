//! What older versions wrote still loads: the events of whole runs, and a state from the middle of one.
//!
//! The files in `tests/stored` are never written anew: a version whose events have another shape adds files of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use toolcrib_agent::{Event, State};

use crate::support::Dies;
use crate::{flow, resume};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

fn read(name: &str) -> Vec<Event> {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"))).collect()
}

/// The names of the stored runs, those that are there.
fn runs() -> Vec<String> {
    let names = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".jsonl")).collect();
    names.sort();
    names
}

#[test]
fn the_events_of_older_versions_still_fold() {
    let runs = runs();
    assert!(runs.len() >= 2, "{runs:?}");
    for name in runs {
        let events = read(&name);
        let mut state = State::default();
        for event in &events {
            state.apply(event).unwrap_or_else(|error| panic!("{name}: {error}"));
            // What is live can be written down and read back.
            let written = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<State>(&written).unwrap(), state, "{name}");
        }
        assert_eq!(state.outcome().map(|outcome| outcome.name()), Some("reached"), "{name}");
    }
}

#[test]
fn the_states_of_older_versions_go_on() {
    for name in runs() {
        let events = read(&name);
        let text = std::fs::read_to_string(folder().join(name.replace(".jsonl", ".state.json"))).unwrap();
        let mut state: State = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let rest = usize::try_from(state.events()).unwrap();
        assert!((1..events.len()).contains(&rest), "{name}");
        for event in &events[rest..] {
            state.apply(event).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let folded = State::fold(&events).unwrap();
        assert_eq!(state.outcome(), folded.outcome(), "{name}");
        let values = |state: &State| -> Vec<_> {
            state.results().into_iter().map(|(step, _, value)| (step.name.clone(), value.clone())).collect()
        };
        assert_eq!(values(&state), values(&folded), "{name}");
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "writes files for a version that has no files yet: set TOOLCRIB_STORED to its name"]
async fn write_what_this_version_writes() {
    let version = std::env::var("TOOLCRIB_STORED").unwrap();
    let tree = resume::first_life(&Arc::new(resume::tools()), Dies::Never).await.1;
    let flow = flow::run(Arc::new(flow::tools()), flow::LOOP, json!({ "names": ["a", "b"] })).await.1;
    for (name, events) in [("tree", tree), ("flow", flow)] {
        let file = folder().join(format!("{version}-{name}.jsonl"));
        assert!(!file.exists(), "{} is there already, and stays as it is", file.display());
        let lines: String = events.iter().map(|event| format!("{}\n", serde_json::to_string(event).unwrap())).collect();
        std::fs::write(&file, lines).unwrap();
        let middle = State::fold(&events[..events.len() / 2]).unwrap();
        let text = serde_json::to_string(&middle).unwrap();
        std::fs::write(folder().join(format!("{version}-{name}.state.json")), text).unwrap();
    }
}
