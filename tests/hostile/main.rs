//! Hostile guests, inputs and crashes, each with what must come out of it.
//!
//! A folder beside this file is a case: its guest or what it is about. Its test has the folder's name; a folder without
//! its test does not compile. `README.md` says which number of the list of attacks a case answers, and with which code.

mod groups;
mod host;

/// Names the test of a case.
macro_rules! has_a_test {
    ($case:ident) => {
        const _: fn() = groups::$case;
    };
}

toolcrib_tests::each_case!(has_a_test);

/// The page is true: each case has its row, each row its case, and each attack is somewhere.
#[test]
fn the_page_lists_every_case_and_every_attack() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
    let page = std::fs::read_to_string(folder.join("README.md")).expect("the page");
    let mut cases: Vec<String> = std::fs::read_dir(&folder)
        .expect("the cases")
        .flatten()
        .filter(|entry| entry.path().is_dir() && entry.file_name() != "groups")
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let table = page.split("## Held elsewhere").next().expect("a table");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut rows: Vec<String> = rows.map(|(name, _)| name.to_owned()).collect();
    cases.sort();
    rows.sort();
    assert_eq!(cases, rows);

    let mut named = std::collections::BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let column = line.split('|').nth(if line.starts_with("| `") { 2 } else { 1 }).unwrap_or_default();
        let numbers = column.split(':').next().unwrap_or_default();
        named.extend(numbers.split([',', ' ']).filter_map(|word| word.parse::<u32>().ok()));
    }
    let missing: Vec<u32> = (1..=99).filter(|number| !named.contains(number)).collect();
    assert!(missing.is_empty(), "attacks that the page does not name: {missing:?}");

    // What is said to hold something is there.
    let root = folder.join("../..");
    let elsewhere = page.split("## Held elsewhere").nth(1).and_then(|rest| rest.split("## Not covered").next());
    let places = elsewhere.expect("a part").split('`').filter(|word| word.starts_with("host/"));
    let gone: Vec<&str> = places.filter(|place| !root.join(place).exists()).collect();
    assert!(gone.is_empty(), "{gone:?}");
}
