//! The tools as the host calls them.

use proptest::prelude::*;
use serde_json::{Value, json};
use toolcrib_sdk::{ErrorKind, testing};

use crate::PLUGIN;

fn call(tool: &str, arguments: Value) -> Value {
    testing::call_structured(&PLUGIN, tool, arguments).unwrap()
}

fn refusal(tool: &str, arguments: Value) -> String {
    let error = testing::call(&PLUGIN, tool, arguments).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    error.message().to_owned()
}

#[test]
fn now_is_the_clock_of_the_host_in_any_zone() {
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let utc = call("now", json!({}));
    let seconds = utc["unix_seconds"].as_u64().unwrap();
    assert!((before..before + 60).contains(&seconds));
    assert_eq!(utc["zone"], "UTC");
    let text = utc["time"].as_str().unwrap();
    assert_eq!((text.len(), text.ends_with('Z')), (20, true), "{text}");

    let tokyo = call("now", json!({ "zone": "asia/tokyo" }));
    assert_eq!(tokyo["zone"], "Asia/Tokyo");
    assert!(tokyo["time"].as_str().unwrap().ends_with("+09:00"));
    assert!((1..=53).contains(&tokyo["week"].as_i64().unwrap()));
}

#[test]
fn a_time_is_converted_between_zones_across_summer_time() {
    for (time, zone, expected) in [
        ("2024-07-01T12:00:00Z", "Europe/Berlin", "2024-07-01T14:00:00+02:00"),
        ("2024-01-01T12:00:00Z", "Europe/Berlin", "2024-01-01T13:00:00+01:00"),
        ("2024-01-01T12:00:00+05:30", "America/New_York", "2024-01-01T01:30:00-05:00"),
        ("2024-02-29", "+0530", "2024-02-29T05:30:00+05:30"),
        ("2024-05-01 12:00:00.25", "UTC", "2024-05-01T12:00:00.25Z"),
        ("Wed, 01 May 2024 12:00:00 +0200", "utc", "2024-05-01T10:00:00Z"),
        ("20240501", "UTC", "2024-05-01T00:00:00Z"),
        ("2024-05-01T12:00[Asia/Tokyo]", "UTC", "2024-05-01T03:00:00Z"),
    ] {
        let converted = call("convert", json!({ "time": time, "to": zone }));
        assert_eq!(converted["time"], expected, "{time} to {zone}");
    }
}

#[test]
fn a_time_without_an_offset_belongs_to_the_given_zone() {
    let converted = call("convert", json!({ "time": "2024-07-01 12:00", "from": "Europe/Berlin", "to": "UTC" }));
    assert_eq!(
        converted,
        json!({ "time": "2024-07-01T10:00:00Z", "zone": "UTC", "unix_seconds": 1_719_828_000, "weekday": "Monday" })
    );
    // The hour that does not exist is moved forward, as clocks are.
    let skipped =
        call("convert", json!({ "time": "2024-03-31 02:30", "from": "Europe/Berlin", "to": "Europe/Berlin" }));
    assert_eq!(skipped["time"], "2024-03-31T03:30:00+02:00");
}

#[test]
fn seconds_and_milliseconds_since_1970_are_times() {
    for time in [json!(1_700_000_000), json!("1700000000"), json!(1_700_000_000_000_i64), json!("1700000000000")] {
        assert_eq!(call("convert", json!({ "time": time, "to": "rfc3339" }))["time"], "2023-11-14T22:13:20Z");
    }
    assert_eq!(call("convert", json!({ "time": -1, "to": "UTC" }))["time"], "1969-12-31T23:59:59Z");
    assert_eq!(call("convert", json!({ "time": 1.5, "to": "UTC" }))["time"], "1970-01-01T00:00:01.5Z");
    assert_eq!(call("convert", json!({ "time": "2023-11-14T23:13:20+01:00", "to": "unix" }))["time"], "1700000000");
}

#[test]
fn a_notation_keeps_the_zone_of_the_time() {
    let time = "2024-05-01T12:00:00+02:00";
    assert_eq!(call("convert", json!({ "time": time, "to": "rfc2822" }))["time"], "Wed, 1 May 2024 12:00:00 +0200");
    let same = call("convert", json!({ "time": time, "to": "rfc3339" }));
    assert_eq!((&same["time"], &same["zone"]), (&json!(time), &json!("+02:00")));
}

#[test]
fn what_is_no_time_and_no_zone_is_explained() {
    assert!(refusal("convert", json!({ "time": "yesterday", "to": "UTC" })).contains("`yesterday` is not a time"));
    assert!(refusal("convert", json!({ "time": "2024-02-30", "to": "UTC" })).contains("not a time"));
    assert!(refusal("convert", json!({ "time": "", "to": "UTC" })).contains("not a time"));
    assert!(refusal("convert", json!({ "time": 1e300, "to": "UTC" })).contains("9999"));
    assert!(refusal("convert", json!({ "time": true, "to": "UTC" })).contains("a time as text"));
    assert!(refusal("now", json!({ "zone": "Europe/Berln" })).contains("`Europe/Berlin`"));
    assert!(refusal("now", json!({ "zone": "New York" })).contains("`America/New_York`"));
    assert!(refusal("now", json!({ "zone": "+99:00" })).contains("no time zone"));
    assert!(refusal("now", json!({ "zone": "" })).contains("no time zone"));
    assert!(refusal("now", json!({ "zone": "Ω".repeat(10_000) })).len() < 1_000);
}

#[test]
fn a_difference_counts_seconds_days_and_the_calendar() {
    let difference = |from: &str, to: &str| call("difference", json!({ "from": from, "to": to }));
    assert_eq!(
        difference("2024-01-31", "2025-03-01T01:00:00Z"),
        json!({ "seconds": 34_131_600, "human": "1 year, 1 month, 1 day, 1 hour", "iso8601": "P1Y1M1DT1H", "days": 395.042 })
    );
    assert_eq!(difference("2024-02-28", "2024-03-01")["days"], 2);
    assert_eq!(
        difference("2024-01-02", "2024-01-01"),
        json!({ "seconds": -86_400, "human": "minus 1 day", "iso8601": "-P1D", "days": -1 })
    );
    assert_eq!(difference("2024-01-01", "2024-01-01")["human"], "no time");
    assert_eq!(difference("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z")["seconds"], 0.5);
    assert_eq!(difference("2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00Z")["human"], "2 hours");
}

#[test]
fn the_ends_of_time_are_reached_without_a_fault() {
    let whole = json!({ "from": "-009999-01-03T00:00:00Z", "to": "9999-12-30T00:00:00Z" });
    assert_eq!(call("difference", whole)["human"], "19998 years, 11 months, 27 days");
    let _ = testing::call(&PLUGIN, "convert", json!({ "time": "9999-12-30T22:00:00Z", "to": "+25:00" }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_text_stops_a_tool(time in ".{0,40}", zone in ".{0,20}") {
        let _ = testing::call(&PLUGIN, "convert", json!({ "time": time, "to": zone, "from": zone }));
        let _ = testing::call(&PLUGIN, "now", json!({ "zone": zone }));
        let _ = testing::call(&PLUGIN, "difference", json!({ "from": time, "to": zone }));
    }

    #[test]
    fn a_moment_is_the_same_in_every_notation(seconds in -99_000_000_000_i64..99_000_000_000, zone in prop::sample::select(vec!["UTC", "Asia/Kolkata", "America/St_Johns", "-03:00"])) {
        let there = call("convert", json!({ "time": seconds, "to": zone }));
        prop_assert_eq!(&there["unix_seconds"], &json!(seconds));
        let back = call("convert", json!({ "time": there["time"], "to": "unix" }));
        prop_assert_eq!(&back["time"], &json!(seconds.to_string()));
    }
}
