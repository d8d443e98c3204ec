use std::time::Duration;

use toolcrib_policy::{Fuel, LimitName, LimitRequest, Limits, MemoryBytes, WallTime};

fn set(name: LimitName, value: &str) -> Result<LimitRequest, String> {
    let mut request = LimitRequest::default();
    request.parse_into(name, value).map_err(|error| error.to_string())?;
    Ok(request)
}

#[test]
fn quantities_read_as_people_write_them() {
    for (name, value, shown) in [
        (LimitName::Fuel, "200 M", "200 M"),
        (LimitName::Fuel, "1.5 G", "1500 M"),
        (LimitName::Fuel, "1_000", "1 k"),
        (LimitName::WallTime, "5 s", "5 s"),
        (LimitName::WallTime, "0.25s", "250 ms"),
        (LimitName::WallTime, "1 min", "1 min"),
        (LimitName::WallTime, "1500 ms", "1500 ms"),
        (LimitName::MemoryBytes, "64 MiB", "64 MiB"),
        (LimitName::MemoryBytes, "1 MB", "1 MB"),
        (LimitName::MemoryBytes, "100", "100 B"),
    ] {
        let limits = Limits::default().lowered(&set(name, value).unwrap());
        assert_eq!(limits.shown(name), shown, "{value}");
    }
}

#[test]
fn what_is_no_quantity_is_refused() {
    for value in [
        "",
        "s",
        "5 w",
        "-5 s",
        "5 MiB",
        "1e3",
        "0",
        "0 s",
        "0.0001 ms",
        "1.2.3 s",
        ".",
        "5 s s",
        "99999999999999999999",
        "18446744073709551615 min",
    ] {
        assert!(set(LimitName::WallTime, value).is_err(), "{value}");
    }
    insta::assert_snapshot!(set(LimitName::WallTime, "5 w").unwrap_err(), @"`wall` cannot be `5 w`: write a time such as `5 s`, `250 ms` or `2 min`; the most is 1 min");
    insta::assert_snapshot!(set(LimitName::MemoryBytes, "1 TiB").unwrap_err(), @"`memory` cannot be `1 TiB`: write a size such as `64 MiB`, `512 KiB` or `1000 B`; the most is 256 MiB");
    insta::assert_snapshot!(set(LimitName::MemoryBytes, "99999999999999999999").unwrap_err(), @"`memory` cannot be `99999999999999999999`: a limit is lowered, never raised, and this one is at most 256 MiB");
    insta::assert_snapshot!(set(LimitName::WallTime, "1500").unwrap_err(), @"`wall` cannot be `1500`: a time needs its unit: write a time such as `5 s`, `250 ms` or `2 min`; the most is 1 min");
    insta::assert_snapshot!(set(LimitName::MemoryBytes, "0").unwrap_err(), @"`memory` cannot be `0`: zero would leave nothing: leave the grant out instead");
}

#[test]
fn a_limit_above_the_default_is_refused_and_the_most_is_named() {
    insta::assert_snapshot!(set(LimitName::MemoryBytes, "1 GiB").unwrap_err(), @"`memory` cannot be `1 GiB`: a limit is lowered, never raised, and this one is at most 256 MiB");
}

#[test]
fn lowering_takes_the_lower_and_never_raises() {
    let limits = Limits { fuel: Fuel::new(100), ..Limits::default() };
    let by = LimitRequest { fuel: Some(Fuel::new(1000)), wall: Some(WallTime::new(5)), ..LimitRequest::default() };
    let lowered = limits.lowered(&by);
    assert_eq!(lowered.fuel.get(), 100);
    assert_eq!(lowered.wall.get(), Duration::from_millis(5));
    assert_eq!(lowered.memory, MemoryBytes::DEFAULT);
    assert_eq!(limits.lower_of(&lowered), lowered);
}

#[test]
fn every_limit_has_a_key_and_a_code_of_its_own() {
    let keys: std::collections::BTreeSet<_> = LimitName::ALL.iter().map(|name| name.key()).collect();
    assert_eq!(keys.len(), LimitName::ALL.len());
    for name in LimitName::ALL {
        assert_eq!(name.code(), format!("limit-{}", name.key()));
        if *name == LimitName::StackBytes {
            continue;
        }
        let request = set(*name, "1").or_else(|_| set(*name, "1 ms")).unwrap();
        assert_eq!(request.entries().len(), 1);
        assert_ne!(Limits::default().lowered(&request), Limits::default(), "{}", name.key());
    }
}

#[test]
fn the_limit_that_is_the_same_for_all_calls_cannot_be_set() {
    insta::assert_snapshot!(set(LimitName::StackBytes, "64 KiB").unwrap_err(), @"`stack` is 1 MiB for every call and cannot be set; leave the key out");
}

#[test]
fn limits_print_a_value_that_reads_back() {
    for name in LimitName::ALL.iter().filter(|name| **name != LimitName::StackBytes) {
        let shown = Limits::default().shown(*name);
        let back = Limits::default().lowered(&set(*name, &shown).unwrap());
        assert_eq!(back, Limits::default(), "{shown}");
    }
}
