//! Events of runs, as they are read from the ledger: whatever they say, the fold ends, and a state that was written down is the
//! same state.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toolcrib_agent::{Event, State};

/// Commands that follow from one state at most: no event makes the driver do more than a plan has nodes.
const MOST_COMMANDS: usize = 4_000;

fuzz_target!(|data: &[u8]| {
    let events: Vec<Event> =
        data.split(|byte| *byte == b'\n').map_while(|line| serde_json::from_slice(line).ok()).collect();
    if events.is_empty() {
        return;
    }
    for upto in 1..=events.len() {
        let Ok(state) = State::fold(&events[..upto]) else { return };
        let commands = state.decide();
        assert!(commands.len() <= MOST_COMMANDS, "{}", commands.len());
        assert_eq!(format!("{:?}", state.decide()), format!("{commands:?}"), "to decide changes nothing");
        if upto == events.len() {
            let written = serde_json::to_string(&state).expect("a state can be written");
            let read: State = serde_json::from_str(&written).expect("and read");
            assert_eq!(format!("{:?}", read.decide()), format!("{commands:?}"), "{written}");
        }
    }
});
