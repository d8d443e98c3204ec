//! Guests after the published advisories of the engine: `ADVISORIES.md` says which is held by which.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use toolcrib_sandbox::{CallReport, Plugin};
use toolcrib_tests::{Held, authority, authority_in};

use crate::host::{Host, alone, printed, refusals, stopped};

const MIB: u64 = 1 << 20;
/// What the process may need beside the guest's own memory while it runs one.
const SLACK: u64 = 48 * MIB;

/// What a guest answers that may do nothing but compute.
async fn answer(host: &Host, plugin: &Plugin, arguments: Value) -> Value {
    let report = host.call(plugin, arguments.clone(), &authority("")).await;
    let output = report.outcome.unwrap_or_else(|error| panic!("{arguments}: {error:?}"));
    output.structured.expect("a value")
}

/// How a guest crashes that may do nothing but compute: never a value, never another code.
async fn crash(host: &Host, plugin: &Plugin, arguments: Value) -> String {
    let report = host.call(plugin, arguments.clone(), &authority("")).await;
    let error = report.outcome.expect_err(&arguments.to_string());
    assert_eq!(error.code, "trap", "{arguments}: {error:?}");
    error.message
}

/// The code that a call ended with.
fn code(report: &CallReport) -> &str {
    report.outcome.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok")
}

fn words(bytes: [u8; 16]) -> impl Iterator<Item = u32> {
    let word = move |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    (0..4).map(move |lane| word(lane * 4))
}

#[test]
pub(crate) fn advisory_arithmetic() {
    alone(async |host| {
        let plugin = host.load("advisory_arithmetic").await;
        let a: [u8; 16] = std::array::from_fn(|lane| lane as u8 + 10);
        let b = [0, 15, 16, 255, 1, 14, 128, 127, 2, 13, 31, 32, 3, 12, 0, 15];
        let picked = b.map(|lane| a.get(usize::from(lane)).copied().unwrap_or(0));
        for (x, yes) in [(1_000_000_007_u32, 1), (0x8000_0000, 0), (0xffff_fff9, 2), (0, 0)] {
            let (one, other) = if yes == 0 { (b, a) } else { (a, b) };
            let mut expected: Vec<u32> = [picked, picked, one, other, a].into_iter().flat_map(words).collect();
            let signed = i64::from(x.cast_signed());
            let shifted = [-4, 1 << 61, -4, 1 << 61, signed >> 3, signed >> 3];
            expected.extend(shifted.iter().flat_map(|lane: &i64| [*lane as u32, (*lane >> 32) as u32]));
            expected.push(x.cast_signed().wrapping_div(-7).cast_unsigned());
            expected.push(x / 0xffff_fff9);
            expected.push(x.cast_signed().wrapping_rem(-7).cast_unsigned());
            expected.push((signed / -3) as u32);
            expected.push(((signed.cast_unsigned() / 0xffff_fff9) >> 1) as u32);
            assert_eq!(answer(host, &plugin, json!({ "x": x, "yes": yes })).await, json!(expected), "{x} {yes}");
        }
    });
}

#[test]
pub(crate) fn advisory_wide_loads() {
    alone(async |host| {
        let plugin = host.load("advisory_wide_loads").await;
        let sum = -3.0 + 15.0 - 150.0 - 3000.0 - 19375.0;
        assert_eq!(answer(host, &plugin, json!({ "at": 65_528 })).await, json!(sum));
        let said = crash(host, &plugin, json!({ "at": 65_529 })).await;
        assert!(said.contains("out of bounds memory access"), "{said}");
    });
}

#[test]
pub(crate) fn advisory_addressing() {
    alone(async |host| {
        let plugin = host.load("advisory_addressing").await;
        for (at, by, sum) in [
            (4, 1, 32),
            (0x8000_0004_u32, 1, 32),
            (0x4000_0002, 2, 32),
            (0x2000_0001, 3, 32),
            (0xe000_0001, 3, 32),
            (0x2000_0001, 35, 40),
        ] {
            assert_eq!(answer(host, &plugin, json!({ "at": at, "by": by })).await, json!(sum), "{at:#x} << {by}");
        }
        for (at, by) in [(0x4000_0000_u32, 1), (0x2000_0001, 2), (0x1fff_ffff, 3), (0x1fff_ffff, 35), (0x20000, 0)] {
            let said = crash(host, &plugin, json!({ "at": at, "by": by })).await;
            assert!(said.contains("out of bounds memory access"), "{at:#x} << {by}: {said}");
        }
    });
}

#[test]
pub(crate) fn advisory_strings() {
    alone(async |host| {
        let plugin = host.load("advisory_strings").await;
        let (compact, wide, narrow, wide_narrow) = (0, 1, 2, 3);
        let arrived = |first: [u8; 4], length: u32| json!(u32::from_le_bytes(first) ^ length.rotate_left(16));
        for (way, at, length, expected) in [
            (compact, 16, 4, arrived(*b"abcd", 4)),
            (compact, 32, 2, arrived([b'a', 0, 0x41, 1], 0x8000_0002)),
            (wide, 0, 4, arrived([b'a', 0, b'b', 0], 4)),
            (narrow, 0, 4, arrived(*b"abcd", 4)),
            (narrow, 32, 0x8000_0002_u32, arrived([b'a', 0xc5, 0x81, 0], 3)),
            (wide_narrow, 16, 4, arrived(*b"abcd", 4)),
        ] {
            let arguments = json!({ "way": way, "at": at, "length": length });
            assert_eq!(answer(host, &plugin, arguments).await, expected, "{way} {at} {length}");
        }
        for (way, at, length) in [
            // Not aligned, and aligned and not there.
            (compact, 17, 2),
            (wide_narrow, 17, 2),
            (narrow, 33, 0x8000_0001),
            (compact, 65_534, 2),
            (wide, 65_535, 2),
            (narrow, 65_535, 2),
            (wide_narrow, 65_534, 2),
            // Longer than any memory, also when it is counted in bytes.
            (compact, 0, u32::MAX),
            (compact, 0, 0x7fff_ffff),
            (wide, 0, u32::MAX),
            (wide, 0x8000_0000_u32, 0x8000_0000),
            (narrow, 0, u32::MAX),
            (narrow, 0, 0x7fff_ffff),
            (wide_narrow, 0, 0x4000_0000),
            // Half a pair, and bytes that are no text.
            (compact, 48, 1),
            (wide_narrow, 48, 2),
            (wide, 64, 4),
            // The taker says that there is room where there is none.
            (compact, 4096, 5000),
            (wide, 4096, 5000),
            (narrow, 4096, 5000),
            (wide_narrow, 4096, 5000),
        ] {
            crash(host, &plugin, json!({ "way": way, "at": at, "length": length })).await;
        }
    });
}

#[test]
pub(crate) fn advisory_flags() {
    alone(async |host| {
        let plugin = host.load("advisory_flags").await;
        for (bits, set) in [
            (0_u32, json!([])),
            (5, json!(["one", "three"])),
            (8, json!([])),
            (0xffff_fffa, json!(["two"])),
            (u32::MAX, json!(["one", "two", "three"])),
        ] {
            assert_eq!(answer(host, &plugin, json!({ "bits": bits })).await, set, "{bits:#x}");
        }
    });
}

#[test]
pub(crate) fn advisory_records() {
    alone(async |host| {
        let plugin = host.load("advisory_records").await;
        assert_eq!(answer(host, &plugin, json!({ "count": 1 })).await, json!([vec![0; 16]]));
        let (before, peak) = (Held::now(), Held::reset_peak());
        // The guest's own 64 MiB are never touched, and of the records the host makes no more than the result may be.
        for count in [100_000, 4_000_000] {
            let report = host.call(&plugin, json!({ "count": count }), &authority("")).await;
            stopped(&report, "limit-result", "the result is larger than it may be (limit `result` = 4 MiB)");
        }
        assert!(peak.bytes() <= before.memory + SLACK, "{before:?} {}", peak.bytes());
        for count in [4_200_000, 0x0fff_ffff_u32, 0x1000_0000, u32::MAX] {
            let said = crash(host, &plugin, json!({ "count": count })).await;
            assert!(said.contains("out of bounds"), "{count}: {said}");
        }
    });
}

#[test]
pub(crate) fn advisory_tail_calls() {
    alone(async |host| {
        let plugin = host.load("advisory_tail_calls").await;
        for calls in [0, 1, 1_000_000] {
            for (way, said) in [(0, "unreachable"), (1, "out of bounds memory access"), (2, "integer divide by zero")] {
                let message = crash(host, &plugin, json!({ "calls": calls, "way": way })).await;
                assert!(message.contains(said), "{calls} {way}: {message}");
            }
            let report = host.call(&plugin, json!({ "calls": calls, "way": 3 }), &authority("")).await;
            assert_eq!(code(&report), "limit-stack", "{:?}", report.outcome);
            assert_eq!(answer(host, &plugin, json!({ "calls": calls, "way": 4 })).await, json!(42));
        }
    });
}

#[test]
pub(crate) fn advisory_segments() {
    alone(async |host| {
        let plugin = host.load("advisory_segments").await;
        for way in 0..=3 {
            assert_eq!(answer(host, &plugin, json!({ "way": way, "count": 0 })).await, json!(1000), "{way}");
            for count in [1, 2, u32::MAX] {
                let said = crash(host, &plugin, json!({ "way": way, "count": count })).await;
                assert!(said.contains("out of bounds"), "{way} {count}: {said}");
            }
        }
        for count in [1, 1000, 100_000, u32::MAX] {
            assert_eq!(answer(host, &plugin, json!({ "way": 4, "count": count })).await, json!(1000), "{count}");
        }
    });
}

#[test]
pub(crate) fn advisory_bulk_tables() {
    alone(async |host| {
        let plugin = host.load("advisory_bulk_tables").await;
        assert_eq!(answer(host, &plugin, json!({ "rounds": 10 })).await, json!(8010));
        for fuel in [1000, 8_000, 12_345, 24_000, 31_999, 100_000, 1_000_000] {
            let few = authority(&format!("limits = {{ fuel = {fuel} }}"));
            let report = host.call(&plugin, json!({ "rounds": 1_000_000 }), &few).await;
            assert_eq!(code(&report), "limit-fuel", "{fuel}: {:?}", report.outcome);
            assert!(report.receipt.fuel <= fuel, "{fuel}: {}", report.receipt.fuel);
            // The tables of the next call are as if none had been stopped.
            assert_eq!(answer(host, &plugin, json!({ "rounds": 1 })).await, json!(8001));
        }
        let short = authority(r#"limits = { wall = "100 ms" }"#);
        let report = host.call(&plugin, json!({ "rounds": 0 }), &short).await;
        stopped(&report, "limit-wall", "the tool took longer than its time (limit `wall` = 100 ms)");
    });
}

#[test]
pub(crate) fn advisory_snapshots() {
    alone(async |host| {
        let planted = host.load("advisory_snapshots").await;
        let text =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/hostile/advisory_snapshots/guest.wat"));
        let text = text.expect("the guest");
        // The same memory without the bytes, and one without a first page.
        let bare: String = text.lines().filter(|line| !line.contains("(data")).collect::<Vec<_>>().join("\n");
        let none = bare.replace("(memory 4 64)", "(memory 4)").replace("i32.const 28", "i32.const 29");
        let bare = host.load_text(&bare).await.expect("a component");
        let none = host.load_text(&none).await.expect("a component");
        for _ in 0..100 {
            assert_eq!(answer(host, &planted, json!({})).await, json!(2), "its own bytes, and no other");
            assert_eq!(answer(host, &bare, json!({})).await, json!(0), "bytes of another component");
            assert_eq!(answer(host, &none, json!({})).await, json!(0), "bytes of another component");
        }
        let nothing = authority("");
        let plugins: [&Arc<Plugin>; 3] = [&planted, &bare, &none];
        for _ in 0..10 {
            let calls = (0..24).map(|at| host.call(plugins[at % 3], json!({}), &nothing));
            for (at, report) in futures::future::join_all(calls).await.into_iter().enumerate() {
                let found = report.outcome.expect("it looks").structured;
                assert_eq!(found, Some(json!(if at % 3 == 0 { 2 } else { 0 })), "{at}");
            }
        }
    });
}

#[test]
pub(crate) fn advisory_resources() {
    alone(async |host| {
        let plugin = host.load("advisory_resources").await;
        assert!(answer(host, &plugin, json!({ "count": 10 })).await.as_u64().is_some_and(|handle| handle <= 16));
        let (before, peak) = (Held::now(), Held::reset_peak());
        let report = host.call(&plugin, json!({ "count": 100_000_000 }), &authority("")).await;
        let sentence = "the tool holds more handles than it may have (limit `handles` = 1 k)";
        stopped(&report, "limit-handles", sentence);
        assert!(peak.bytes() <= before.memory + SLACK, "{before:?} {}", peak.bytes());

        // What makes a handle is itself the tool: no code of a guest lies between.
        let direct = r#"(component (type $thing (resource (rep i32))) (core func $new (canon resource.new $thing))
            (func (export "make") (param "count" u32) (result u32) (canon lift (core func $new))))"#;
        let direct = host.load_text(direct).await.expect("a component");
        let handle = answer(host, &direct, json!({ "count": u32::MAX })).await;
        assert!(handle.as_u64().is_some_and(|handle| handle <= 16), "{handle}");
    });
}

#[test]
pub(crate) fn advisory_borrows() {
    alone(async |host| {
        let plugin = host.load("advisory_borrows").await;
        assert_eq!(answer(host, &plugin, json!({ "count": 0 })).await, json!(0));
        let said = crash(host, &plugin, json!({ "count": 1 })).await;
        assert!(said.contains("borrow handles still remain"), "{said}");
        let (before, peak) = (Held::now(), Held::reset_peak());
        for count in [2_000, 1_000_000] {
            let report = host.call(&plugin, json!({ "count": count }), &authority("")).await;
            let sentence = "the tool holds more handles than it may have (limit `handles` = 1 k)";
            stopped(&report, "limit-handles", sentence);
        }
        assert!(peak.bytes() <= before.memory + SLACK, "{before:?} {}", peak.bytes());
    });
}

#[test]
pub(crate) fn advisory_realloc() {
    alone(async |host| {
        let plugin = host.load("advisory_realloc").await;
        // With nothing to make room for, the host is called only where it may be.
        assert_eq!(answer(host, &plugin, json!({ "text": "" })).await, json!(0));
        let said = crash(host, &plugin, json!({ "text": "text" })).await;
        assert!(said.contains("cannot leave component instance"), "{said}");
    });
}

#[test]
pub(crate) fn advisory_http() {
    alone(async |host| {
        let plugin = host.load("advisory_http").await;
        let grants = authority(r#"http = ["GET http://allowed.test/**"]"#);
        host.network.clear();
        let (before, peak) = (Held::now(), Held::reset_peak());
        let report = host.run(&plugin, &["fields"], &grants).await;
        let sentence = "the headers are larger than they may be (limit `http-header-bytes` = 64 KiB)";
        stopped(&report, "limit-http-header-bytes", sentence);
        let report = host.run(&plugin, &["body"], &grants).await;
        assert_eq!(printed(&report), "no more room\n");
        let report = host.run(&plugin, &["empty"], &grants).await;
        assert!(printed(&report).starts_with("no more room after "), "{}", printed(&report));
        let report = host.run(&plugin, &["long"], &grants).await;
        let refused = printed(&report).lines().filter(|line| line.ends_with(": Err(())")).count();
        assert_eq!(refused, 5, "{}", printed(&report));
        assert!(refusals(&report).iter().all(|line| line.starts_with("url-invalid ")), "{:?}", refusals(&report));
        assert!(peak.bytes() <= before.memory + SLACK, "{before:?} {}", peak.bytes());
        assert!(host.network.names().is_empty(), "{:?}", host.network.names());

        let report = host.run(&plugin, &["absolute"], &grants).await;
        let refused = printed(&report).lines().filter(|line| line.ends_with(": no such path")).count();
        // What is left is a path that begins with two strokes, of the host that was checked.
        assert_eq!(refused, 4, "{}", printed(&report));
        let names = host.network.names();
        assert_eq!(names, ["allowed.test"], "{}", printed(&report));
        host.network.clear();

        // The name is found, and the connector that never connects is asked with no time left.
        host.network.answer(&["93.184.215.14:80"]);
        let report = host.run(&plugin, &["times"], &grants).await;
        assert!(printed(&report).starts_with("Err(ErrorCode::Connection"), "{}", printed(&report));
        assert_eq!(host.network.names(), ["allowed.test"]);
        host.network.clear();
    });
}

#[test]
pub(crate) fn advisory_times() {
    alone(async |host| {
        let ground = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(ground.path().join("data")).expect("a folder");
        std::fs::write(ground.path().join("data/file.txt"), "four").expect("a file");
        let plugin = host.load("advisory_times").await;
        let grants = authority_in(r#"files = ["read-write ./data as /data"]"#, ground.path());
        let text = printed(&host.run(&plugin, &[], &grants).await);
        // Whatever this file system can hold: times that no host can are an error of the interface, and the file is read.
        for way in ["file", "path"] {
            for (seconds, nanoseconds, error) in [
                (u64::MAX, 0, "overflow"),
                (1 << 63, 0, "overflow"),
                (u64::MAX, u32::MAX, "invalid"),
                (0, u32::MAX, "invalid"),
                (1 << 40, 1_000_000_000, "invalid"),
            ] {
                let begins = format!("{way} {seconds} {nanoseconds}: ");
                let line = text.lines().find(|line| line.starts_with(&begins));
                let named = format!("name: \"{error}\"");
                assert!(line.is_some_and(|line| line.contains(&named)), "{begins}{line:?}");
            }
        }
        assert_eq!(text.lines().filter(|line| *line == "Ok(4)").count(), 6, "{text}");
        assert_eq!(std::fs::read(ground.path().join("data/file.txt")).expect("the file"), b"four");
    });
}

#[test]
pub(crate) fn advisory_streams() {
    alone(async |host| {
        let plugin = host.load("advisory_streams").await;
        let too_much = "the tool handed the host more bytes than it may (limit `host-call-bytes` = 256 MiB)";
        let (before, peak) = (Held::now(), Held::reset_peak());
        for way in ["read", "blocking-read", "skip", "blocking-skip", "splice", "blocking-splice"] {
            let report = host.run(&plugin, &[way], &authority("")).await;
            assert_eq!(printed(&report), "Err(StreamError::Closed)\n", "{way}");
        }
        for way in ["zeroes", "blocking-zeroes", "random", "insecure"] {
            let report = host.run(&plugin, &[way], &authority("")).await;
            stopped(&report, "limit-host-call-bytes", too_much);
        }
        let report = host.run(&plugin, &["empty"], &authority("")).await;
        assert_eq!(printed(&report), "written\n");
        assert!(report.receipt.host_calls > 200_000, "{}", report.receipt.host_calls);
        assert!(peak.bytes() <= before.memory + SLACK, "{before:?} {}", peak.bytes());
        let few = authority(r#"limits = { host-calls = "50 k" }"#);
        assert_eq!(code(&host.run(&plugin, &["empty"], &few).await), "limit-host-calls");
    });
}

/// A component with a function that jumps by `places` places, one in two of them to each of two ends.
fn jumps(places: usize) -> String {
    let mut table = String::new();
    for place in 0..places {
        let _ = write!(table, "{} ", place % 2);
    }
    format!(
        r#"(component
            (core module $m (func (export "jump") (param i32) (result i32)
                (block (block (block (br_table {table} 2 (local.get 0))) (return (i32.const 10))) (return (i32.const 11)))
                (i32.const 12)))
            (core instance $i (instantiate $m))
            (func (export "jump") (param "place" u32) (result u32) (canon lift (core func $i "jump"))))"#
    )
}

#[test]
pub(crate) fn advisory_jump_tables() {
    alone(async |host| {
        let plugin = host.load_text(&jumps(60_000)).await.unwrap_or_else(|error| panic!("{error}"));
        for (place, end) in [(0, 10), (1, 11), (32_767, 11), (32_768, 10), (59_999, 11), (60_000, 12), (u32::MAX, 12)] {
            assert_eq!(answer(host, &plugin, json!({ "place": place })).await, json!(end), "{place}");
        }
    });
}

/// The page names each advisory once, each case of this file, and no case that is not there.
#[test]
fn the_page_of_advisories_names_each_once_and_its_cases() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
    let page = std::fs::read_to_string(folder.join("ADVISORIES.md")).expect("the page");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| RUSTSEC-") || line.starts_with("| GHSA-"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 90, "{}", rows.len());
    let mut ids = std::collections::BTreeSet::new();
    let mut held = std::collections::BTreeSet::new();
    for row in &rows {
        let [advisory, touches, by] = row[..] else { panic!("three columns: {row:?}") };
        let id = advisory.split_once(' ').expect("an id and a line").0;
        assert!(ids.insert(id), "twice: {id}");
        let places: Vec<&str> = by.split('`').skip(1).step_by(2).collect();
        let cases: Vec<&str> = places.iter().copied().filter(|name| folder.join(name).is_dir()).collect();
        let elsewhere = places.iter().any(|place| place.contains('/') && folder.join("../..").join(place).exists());
        match touches {
            "yes" => assert!(!cases.is_empty() || elsewhere, "{id} is held by nothing: {by}"),
            "no" => assert!(by.len() > 10, "{id}: why not?"),
            other => panic!("{id}: {other}"),
        }
        held.extend(cases);
    }
    for entry in std::fs::read_dir(&folder).expect("the cases").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(!name.starts_with("advisory_") || held.contains(name.as_str()), "{name} holds no advisory");
    }
}
