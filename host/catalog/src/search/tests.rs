use proptest::prelude::*;
use serde_json::{Value, json};

use super::document::Document;
use super::*;

/// A small crib of tools, in the order of their names.
const TOOLS: &[(&str, &str, &str, &[&str])] = &[
    ("data", "convert", "Convert between JSON, CSV, YAML and TOML.", &["input", "from", "to"]),
    ("data", "query", "Run a jq query over JSON, CSV, YAML or TOML.", &["input", "query"]),
    ("files", "edit", "Replace a passage of a file by another.", &["path", "old", "new"]),
    ("files", "list", "List the entries of a directory.", &["path", "recursive"]),
    ("files", "read", "Read a text file.", &["path"]),
    ("files", "search", "Search the contents of files for a pattern.", &["pattern", "path"]),
    ("files", "write", "Write a text file, creating it where it does not exist.", &["path", "content"]),
    ("http", "fetch", "Fetch a URL and give back status, headers and body.", &["url", "method", "headers"]),
    ("http", "links", "List the links of a web page.", &["url"]),
    ("http", "markdown", "Fetch a web page as Markdown.", &["url"]),
    ("javascript", "run", "Run JavaScript code and give back its output.", &["code", "input"]),
    ("text", "diff", "Show the difference between two texts.", &["a", "b"]),
    ("text", "hash", "Hash a text with SHA-256, SHA-512 or BLAKE3.", &["text", "algorithm"]),
    ("text", "stats", "Count the lines, words and characters of a text.", &["text"]),
    ("time", "convert", "Convert a time between time zones.", &["time", "zone"]),
    ("time", "now", "The current date and time.", &["zone"]),
];

fn schema(parameters: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> =
        parameters.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    json!({"type": "object", "properties": properties})
}

fn documents() -> Vec<Document> {
    let document = |(plugin, tool, description, parameters): &(&str, &str, &str, &[&str])| {
        let input_schema = &schema(parameters);
        document(&Texts { plugin, plugin_description: "", tool, title: None, description, input_schema })
    };
    TOOLS.iter().map(document).collect()
}

fn index(documents: &[Document]) -> SearchIndex {
    SearchIndex::build(documents.iter().map(|d| d.iter().map(|(term, weight)| (term.as_str(), *weight))))
}

fn names(query: &str, limit: usize) -> Vec<String> {
    let hits = index(&documents()).search(query, limit);
    hits.iter().map(|(doc, _)| format!("{}.{}", TOOLS[*doc as usize].0, TOOLS[*doc as usize].1)).collect()
}

#[test]
fn a_query_finds_the_tool_that_a_person_would_take() {
    let table = [
        ("read a file", "files.read"),
        ("reading files", "files.read"),
        ("list directory", "files.list"),
        ("what is in this folder", "files.list"),
        ("search files for a pattern", "files.search"),
        ("grep", "files.search"),
        ("count words in a text", "text.stats"),
        ("download a web page", "http.markdown"),
        ("fetch url", "http.fetch"),
        ("GET https://example.com/", "http.fetch"),
        ("convert csv to json", "data.convert"),
        ("convert time zone", "time.convert"),
        ("today's date", "time.now"),
        ("checksum", "text.hash"),
        ("sha-256 of a text", "text.hash"),
        ("compare two texts", "text.diff"),
        ("execute a script", "javascript.run"),
        ("save content to a file", "files.write"),
        ("files.write", "files.write"),
        ("filesWrite", "files.write"),
    ];
    for (query, expected) in table {
        assert_eq!(names(query, 1), [expected], "{query}: {:?}", names(query, 4));
    }
}

#[test]
fn a_slip_and_a_beginning_still_find_the_tool() {
    for (query, expected) in [("javscript", "javascript.run"), ("markd", "http.markdown"), ("serach", "files.search")] {
        assert_eq!(names(query, 1), [expected], "{query}");
    }
}

#[test]
fn equal_scores_are_listed_by_name() {
    let document: Document = vec![("same".to_owned(), 8)];
    let index = index(&vec![document; 50]);
    let order: Vec<u32> = index.search("same", 10).iter().map(|(doc, _)| *doc).collect();
    assert_eq!(order, (0..10).collect::<Vec<u32>>());
}

#[test]
fn a_tool_that_repeats_a_word_does_not_outrank_the_tool_of_that_name() {
    let tool = |tool, description: &str| {
        let input_schema = &Value::Null;
        document(&Texts { plugin: "p", plugin_description: "", tool, title: None, description, input_schema })
    };
    let documents = [tool("bait", &"invoice ".repeat(10_000)), tool("invoice", "Makes one.")];
    assert_eq!(index(&documents).search("invoice", 1)[0].0, 1);
}

#[test]
fn nothing_is_found_by_nothing() {
    assert!(names("", 10).is_empty());
    assert!(names("zzzzzzzzz", 10).is_empty());
    assert!(names("read", 0).is_empty());
    assert!(index(&[]).search("read", 10).is_empty());
}

proptest! {
    #[test]
    fn any_query_gives_at_most_the_limit_in_order(query in "\\PC{0,120}", limit in 0_usize..20) {
        let hits = index(&documents()).search(&query, limit);
        prop_assert!(hits.len() <= limit);
        prop_assert!(hits.windows(2).all(|pair| (pair[1].1, pair[0].0) < (pair[0].1, pair[1].0) || pair[0].1 > pair[1].1));
    }

    #[test]
    fn a_shorter_list_is_the_beginning_of_a_longer_one(query in "[a-z ]{0,40}", limit in 0_usize..12) {
        let all = index(&documents()).search(&query, usize::MAX);
        let some = index(&documents()).search(&query, limit);
        prop_assert_eq!(&all[..some.len()], &some[..]);
        prop_assert_eq!(some.len(), limit.min(all.len()));
    }
}
