//! The tools as the host calls them.

use serde_json::{Value, json};
use toolcrib_sdk::{ErrorKind, testing};

use crate::PLUGIN;

fn call(tool: &str, arguments: Value) -> Value {
    testing::call_structured(&PLUGIN, tool, arguments).unwrap()
}

#[test]
fn a_query_reads_every_format() {
    for (text, from) in
        [("{\"a\": 1}", "json"), ("a: 1", "yaml"), ("a = 1", "toml"), ("a: 1", "auto"), ("a = 1", "auto")]
    {
        let results = call("query", json!({ "input": text, "query": ".a + 1", "from": from }));
        assert_eq!(results, json!({ "results": [2], "count": 1 }), "{text}");
    }
    let rows = call("query", json!({ "input": "n,p\na,10\nb,2.5\n", "query": "map(.p) | add" }));
    assert_eq!(rows["results"], json!([12.5]));
}

#[test]
fn whole_numbers_stay_exact() {
    let answer =
        testing::call(&PLUGIN, "query", json!({ "input": "[9007199254740993,18446744073709551615]", "query": ".[]" }));
    assert_eq!(
        answer.unwrap().into_parts().1.unwrap(),
        r#"{"results":[9007199254740993,18446744073709551615],"count":2}"#
    );
}

#[test]
fn a_conversion_reads_back() {
    let value = json!({ "b": [1, "no", { "c": "x\ny" }], "a": { "k": true } });
    for format in ["json", "yaml", "toml"] {
        let output = call("convert", json!({ "input": value, "to": format }));
        let back = call("query", json!({ "input": output["output"], "query": ".", "from": format }));
        assert_eq!(back["results"][0], value, "{output}");
    }
}

#[test]
fn what_does_not_parse_is_explained() {
    for arguments in [
        json!({ "input": "[1,", "query": "." }),
        json!({ "input": 1, "query": ".a |" }),
        json!({ "input": 1, "query": "nope" }),
    ] {
        let error = testing::call(&PLUGIN, "query", arguments).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
        assert!(error.message().contains("line 1"), "{error}");
    }
}
