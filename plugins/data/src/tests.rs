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

/// The results of a program.
fn jq(program: &str, input: Value) -> Value {
    let answer = call("query", json!({ "input": input, "query": program }));
    assert_eq!(answer["count"], answer["results"].as_array().unwrap().len());
    answer["results"].clone()
}

/// A text as JSON, read as the given format.
fn read(from: &str, text: &str) -> Value {
    let answer = call("query", json!({ "input": text, "query": ".", "from": from }));
    answer["results"][0].clone()
}

fn write(to: &str, input: &Value) -> String {
    let converted = call("convert", json!({ "input": input, "to": to }));
    assert_eq!(converted["format"], to);
    converted["output"].as_str().unwrap().to_owned()
}

#[test]
fn both_tools_only_read_and_say_what_a_planner_looks_for() {
    let tools = PLUGIN.describe();
    assert_eq!(tools.len(), 2);
    for tool in tools {
        assert_eq!(tool.effect, Some(toolcrib_sdk::Effect::Read), "{}", tool.name);
        assert!(!tool.open_world);
        assert_eq!(tool.input_schema["additionalProperties"], false);
        for word in ["JSON", "CSV", "YAML", "TOML"] {
            assert!(tool.description.contains(word), "{} {word}", tool.name);
        }
        for (name, property) in tool.input_schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{}.{name}", tool.name);
        }
        // Any JSON value is welcome.
        assert_eq!(tool.input_schema["properties"]["input"].get("type"), None);
        assert_eq!(tool.output_schema.unwrap()["type"], "object");
    }
    let query = &PLUGIN.describe()[0];
    assert!(query.description.contains("jq"));
    assert!(query.input_schema["properties"]["query"]["description"].as_str().unwrap().contains("jq"));
    assert_eq!(query.input_schema["required"], json!(["input", "query"]));
}

#[test]
fn a_program_gives_back_none_one_or_many_results() {
    let input = json!({ "items": [{ "name": "pen", "price": 2 }, { "name": "desk", "price": 90.5 }] });
    assert_eq!(jq(".items[] | select(.price > 10) | .name", input.clone()), json!(["desk"]));
    assert_eq!(jq(".items[].name", input.clone()), json!(["pen", "desk"]));
    assert_eq!(jq("empty", input.clone()), json!([]));
    assert_eq!(jq("[.items[].price] | add", input), json!([92.5]));
    assert_eq!(jq("., .", json!(null)), json!([null, null]));
}

#[test]
fn the_usual_filters_of_jq_are_there() {
    let rows = json!([{ "c": "x", "n": 1 }, { "c": "y", "n": 2 }, { "c": "x", "n": 3 }]);
    let grouped = jq("group_by(.c) | map({c: .[0].c, n: map(.n) | add})", rows.clone());
    assert_eq!(grouped, json!([[{ "c": "x", "n": 4 }, { "c": "y", "n": 2 }]]));
    assert_eq!(jq("sort_by(-.n)[0].n, (map(.n) | max), length", rows.clone()), json!([3, 3, 3]));
    assert_eq!(jq("map(.n) | @csv, @json", rows), json!(["1,2,3", "[1,2,3]"]));
    let row = json!(["a\"b", 1.5, null, true, "t\tn\n\\"]);
    assert_eq!(jq("@csv, @tsv", row), json!(["\"a\"\"b\",1.5,,true,\"t\tn\n\\\"", "a\"b\t1.5\t\ttrue\tt\\tn\\n\\\\"]));
    assert_eq!(jq("join(\"-\")", json!(["a", null, 1, true])), json!(["a--1-true"]));
    assert_eq!(
        jq("from_entries", json!([{ "name": "a", "value": 1 }, { "k": 2, "v": null }])),
        json!([{ "a": 1, "2": null }])
    );
    assert_eq!(jq("INDEX(.id) | keys, (.[\"1\"].id | IN(1, 2))", json!([{ "id": 1 }])), json!([["1"], true]));
    assert_eq!(jq("[leaf_paths], (.a | toarray)", json!({ "a": 1 })), json!([[["a"]], [1]]));
    assert_eq!(
        jq(r#"to_entries | map("\(.key)=\(.value)") | join("&")"#, json!({ "b": 1, "a": 2 })),
        json!(["a=2&b=1"])
    );
    assert_eq!(
        jq(r#"[splits(", *")], test("B"; "i"), gsub("a"; "_"), ascii_upcase"#, json!("a,  b")),
        json!([["a", "b"], true, "_,  b", "A,  B"])
    );
    assert_eq!(
        jq("with_entries(.value += 1) | keys, del(.a), has(\"a\")", json!({ "a": 1, "b": 2 })),
        json!([["a", "b"], { "b": 3 }, true])
    );
    assert_eq!(
        jq(r#"reduce .[] as $x (0; . + $x), (.[1:] | first), (try error("no") catch .)"#, json!([1, 2])),
        json!([3, 2, "no"])
    );
    assert_eq!(jq("1700000000 | todate", json!(null)), json!(["2023-11-14T22:13:20Z"]));
    assert_eq!(jq("paths", json!({ "a": [1] })), json!([["a"], ["a", 0]]));
}

#[test]
fn halt_ends_a_program_and_keeps_what_came_before() {
    assert_eq!(jq("1, halt, 2", json!(null)), json!([1]));
    assert_eq!(
        refusal("query", json!({ "input": 0, "query": "1, (\"stop\" | halt_error)" })),
        "the jq program failed after 1 result: \"stop\""
    );
}

#[test]
fn numbers_are_as_jq_writes_them_and_integers_exact() {
    assert_eq!(jq(". / 2, . * 1.5", json!(6)), json!([3, 9]));
    let big = "[9007199254740993,18446744073709551615,-9223372036854775808,0.1]";
    let answer =
        testing::call(&PLUGIN, "query", json!({ "input": big, "query": ".[]" })).unwrap().into_parts().1.unwrap();
    assert_eq!(answer, r#"{"results":[9007199254740993,18446744073709551615,-9223372036854775808,0.1],"count":4}"#);
    assert_eq!(jq(". + 1", json!(9_007_199_254_740_993_u64)), json!([9_007_199_254_740_994_u64]));
    assert_eq!(jq("nan, infinite, -infinite", json!(0)), json!([null, f64::MAX, f64::MIN]));
}

#[test]
fn objects_keep_the_order_of_their_keys() {
    let answer =
        testing::call(&PLUGIN, "query", json!({ "input": "{\"z\":1,\"a\":2,\"m\":3}", "query": "." })).unwrap();
    assert_eq!(answer.into_parts().1.unwrap(), r#"{"results":[{"z":1,"a":2,"m":3}],"count":1}"#);
}

#[test]
fn a_program_that_is_none_is_explained_with_its_place() {
    for (program, expected) in [
        ("", "`query` is not a jq program: expected term, found the end at line 1 column 1"),
        (".a |\n  )", "`query` is not a jq program: expected token, found `)` at line 2 column 3"),
        (
            ".a | nope",
            "`query` is not a jq program: there is no filter `nope` (a key is written with a dot, `.nope`) at line 1 column 6",
        ),
        (
            "map(.a; 1)",
            "`query` is not a jq program: there is no filter `map` that takes 2 arguments at line 1 column 1",
        ),
        ("$x", "`query` is not a jq program: there is no variable `$x` at line 1 column 1"),
        (
            "env",
            "`query` is not a jq program: there is no filter `env` (a key is written with a dot, `.env`) at line 1 column 1",
        ),
    ] {
        assert_eq!(refusal("query", json!({ "input": 1, "query": program })), expected);
    }
    assert!(refusal("query", json!({ "input": 1, "query": "include \"x\"; 1" })).contains("no module `x`"));
    assert!(refusal("query", json!({ "input": 1, "query": "[".repeat(3000) })).contains("more than 100 brackets"));
    assert!(refusal("query", json!({ "input": 1, "query": " ".repeat(20_000) })).contains("longer than 16384 bytes"));
}

#[test]
fn a_program_that_fails_says_why_and_after_how_many_results() {
    let message = refusal("query", json!({ "input": [1, "a"], "query": ".[] | . + 1" }));
    assert_eq!(message, "the jq program failed after 1 result: cannot calculate \"a\" + 1");
    let message = refusal("query", json!({ "input": { "a": [1] }, "query": ".a.b" }));
    assert_eq!(message, "the jq program failed: cannot index [1] with \"b\"");
    let long = refusal("query", json!({ "input": "x".repeat(100_000), "query": "error" }));
    assert!(long.chars().count() < 400, "{}", long.len());
}

#[test]
fn results_have_bounds() {
    assert!(refusal("query", json!({ "input": 0, "query": "range(infinite)" })).contains("more than 100000 results"));
    assert!(
        refusal("query", json!({ "input": "é".repeat(1000), "query": "repeat(.)" }))
            .contains("longer than 3145728 bytes")
    );
    let doubled = refusal("query", json!({ "input": 0, "query": "reduce range(60) as $i ([1]; [., .])" }));
    assert_eq!(doubled, "result 1 of the jq program cannot be given back: it is longer than 3145728 bytes");
    let deep = refusal("query", json!({ "input": 0, "query": "reduce range(101) as $i (1; [.])" }));
    assert!(deep.contains("more than 100 levels"));
    assert_eq!(call("query", json!({ "input": 0, "query": "reduce range(100) as $i (1; [.])" }))["count"], 1);
    assert!(refusal("query", json!({ "input": 0, "query": "{(1): 2}" })).contains("key that is not a string"));
}

#[test]
fn input_has_bounds() {
    let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
    assert!(refusal("query", json!({ "input": deep, "query": "." })).contains("more than 100 levels"));
    for from in ["auto", "json", "yaml"] {
        let deeper = "[".repeat(100_000);
        refusal("query", json!({ "input": deeper, "query": ".", "from": from }));
    }
    for toml in [format!("a = {}", "[".repeat(50_000)), format!("a{} = 1", ".a".repeat(50_000))] {
        refusal("query", json!({ "input": toml, "query": ".", "from": "toml" }));
    }
}

#[test]
fn any_value_is_taken_as_it_is() {
    for value in [json!(null), json!(true), json!(1.5), json!([]), json!({}), json!({ "a": ["1"] })] {
        assert_eq!(jq(".", value.clone()), json!([value]));
    }
}

#[test]
fn the_format_of_a_text_is_found_by_its_shape() {
    for (text, expected) in [
        ("{\"a\": 1}", json!({ "a": 1 })),
        (" 42 ", json!(42)),
        ("\u{feff}[1]", json!([1])),
        ("{\"a\":1}\n\n{\"a\":2}\r\n", json!([{ "a": 1 }, { "a": 2 }])),
        ("[package]\nname = \"x\"\n", json!({ "package": { "name": "x" } })),
        ("a: 1\nb: [x, y]\n", json!({ "a": 1, "b": ["x", "y"] })),
        ("- a,b\n- c,d\n", json!(["a,b", "c,d"])),
        ("{a: 1}", json!({ "a": 1 })),
        ("name,n\nada,1\n\"b, c\",2\n", json!([{ "name": "ada", "n": 1 }, { "name": "b, c", "n": 2 }])),
        ("at,note\n10:30,foo: bar\n", json!([{ "at": "10:30", "note": "foo: bar" }])),
        ("a\tb\n1\t2", json!([{ "a": 1, "b": 2 }])),
        ("a;b\n1,5;2\n", json!([{ "a": "1,5", "b": 2 }])),
        ("just some\nlines of text", json!("just some\nlines of text")),
        ("2024-05-01", json!("2024-05-01")),
        ("日本語", json!("日本語")),
    ] {
        assert_eq!(read("auto", text), expected, "{text:?}");
    }
}

#[test]
fn a_text_in_no_format_is_explained_for_each() {
    let message = refusal("query", json!({ "input": "{\"a\": 1", "query": "." }));
    assert!(message.contains("JSON (EOF while parsing an object at line 1 column 7)"), "{message}");
    assert!(message.contains("TOML (") && message.contains("YAML ("), "{message}");
    for empty in ["", " \n"] {
        assert!(refusal("query", json!({ "input": empty, "query": "." })).contains("empty text"));
    }
}

#[test]
fn a_text_that_is_not_in_its_format_is_explained_with_the_place() {
    for (from, text, expected) in [
        ("json", "[1,\n 2", "`input` is not JSON: EOF while parsing a list at line 2 column 2"),
        ("json", "", "`input` is not JSON: EOF while parsing a value at line 1 column 0"),
        ("csv", "a,b\n1,2\n3\n", "`input` is not CSV: the row at line 3 has 1 fields, the header has 2"),
        (
            "toml",
            "a = 1\nb = \n",
            "`input` is not TOML: string values must be quoted, expected literal string at line 2 column 5",
        ),
        ("yaml", "a: 1\na: 2\n", "`input` is not YAML: the key `a` occurs twice at line 2 column 1"),
        (
            "yaml",
            "? [1]\n: 2\n",
            "`input` is not YAML: a key is an array or an object, and only a text can be a key at line 1 column 3",
        ),
        ("yaml", "a: *b\n", "`input` is not YAML: while parsing node, found unknown anchor at line 1 column 4"),
    ] {
        assert_eq!(refusal("query", json!({ "input": text, "query": ".", "from": from })), expected);
    }
    let message = refusal("convert", json!({ "input": "a: [", "from": "yaml", "to": "json" }));
    assert!(message.starts_with("`input` is not YAML: ") && message.contains("line 1"), "{message}");
}

#[test]
fn empty_texts_are_empty_data_where_the_format_says_so() {
    assert_eq!(read("csv", ""), json!([]));
    assert_eq!(read("csv", "a,b\n"), json!([]));
    assert_eq!(read("toml", ""), json!({}));
    assert_eq!(read("yaml", ""), json!(null));
}

#[test]
fn csv_fields_are_numbers_where_nothing_gets_lost() {
    let text = "v\n7\n-7\n007\n1.50\n1e3\n-0.5\n9007199254740993\n18446744073709551615\n99999999999999999999999999999999\n0.12345678901234567890\n+1\n 1\ntrue\n1e999\n\"\"\n";
    let values: Vec<Value> = read("csv", text).as_array().unwrap().iter().map(|row| row["v"].clone()).collect();
    assert_eq!(
        json!(values),
        json!([
            7,
            -7,
            "007",
            1.5,
            1000,
            -0.5,
            9_007_199_254_740_993_u64,
            u64::MAX,
            "99999999999999999999999999999999",
            "0.12345678901234567890",
            "+1",
            " 1",
            "true",
            "1e999",
            ""
        ])
    );
}

#[test]
fn csv_quotes_and_odd_headers_are_read() {
    let text = "name,,name\r\n\"a \"\"b\"\"\nc\",x,\"1,5\"\r\n";
    assert_eq!(read("csv", text), json!([{ "name": "a \"b\"\nc", "column_2": "x", "name_3": "1,5" }]));
}

#[test]
fn csv_is_written_with_every_key_in_the_order_of_its_first_use() {
    let text = r#"[{"z":1,"a":"x,y"},{"b":null,"z":"say \"hi\""},{"b":[1,{"k":2}],"a":"l1\nl2","z":1.0}]"#;
    let output = call("convert", json!({ "input": text, "to": "csv" }));
    assert_eq!(output["output"], "z,a,b\n1,\"x,y\",\n\"say \"\"hi\"\"\",,\n1.0,\"l1\nl2\",\"[1,{\"\"k\"\":2}]\"\n");
    assert_eq!(write("csv", &json!([["a", 1], [true, null, "é"]])), "a,1\ntrue,,é\n");
    assert_eq!(write("csv", &json!({ "a": 1 })), "a\n1\n");
    assert_eq!(write("csv", &json!([])), "");
}

#[test]
fn what_has_no_rows_is_not_written_as_csv() {
    let message = refusal("convert", json!({ "input": [{ "a": 1 }, 2], "to": "csv" }));
    assert_eq!(message, "`input`, an array, cannot be written as CSV: row 2 is a number, not an object or an array");
    assert!(
        refusal("convert", json!({ "input": [{ "a": 1 }, [2]], "to": "csv" }))
            .contains("row 2 is an array, the first is an object")
    );
    assert!(refusal("convert", json!({ "input": 1, "to": "csv" })).contains("array of objects or of arrays"));
}

#[test]
fn yaml_anchors_merges_tags_and_documents_are_read() {
    let text = "base: &b {x: 1, y: 2}\nuse: *b\nmine:\n  <<: *b\n  y: 3\nboth:\n  <<: [{x: 9}, *b]\n";
    assert_eq!(
        read("yaml", text),
        json!({ "base": { "x": 1, "y": 2 }, "use": { "x": 1, "y": 2 }, "mine": { "x": 1, "y": 3 }, "both": { "x": 9, "y": 2 } })
    );
    assert_eq!(read("yaml", "---\na: 1\n---\nb\n"), json!([{ "a": 1 }, "b"]));
    assert_eq!(read("yaml", "[!!str 1, !!int \"2\", !!float 3, !own x]"), json!(["1", 2, 3, "x"]));
    assert_eq!(
        read("yaml", "a: |\n  l1\n  l2\nb: >-\n  f1\n  f2\n1: 'it''s'\n? &k key\n: *k\n"),
        json!({ "a": "l1\nl2\n", "b": "f1 f2", "1": "it's", "key": "key" })
    );
}

#[test]
fn yaml_scalars_follow_the_core_schema() {
    let text = "[~, null, , true, False, yes, 12, -0x1, 0x1F, 0o17, 1.5, .5, 1e2, 007, 18446744073709551615, 12:30, 2024-01-02, .inf, '1', 1.2.3, -, +1]";
    let text = text.replace(", ,", ", '',").replace(" -,", " \"-\",");
    assert_eq!(
        read("yaml", &text),
        json!([
            null,
            null,
            "",
            true,
            false,
            "yes",
            12,
            "-0x1",
            31,
            15,
            1.5,
            0.5,
            100,
            7,
            u64::MAX,
            "12:30",
            "2024-01-02",
            f64::MAX,
            "1",
            "1.2.3",
            "-",
            1
        ])
    );
    assert_eq!(read("yaml", "a:\nb: ~"), json!({ "a": null, "b": null }));
}

#[test]
fn yaml_aliases_do_not_explode() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(
        refusal("query", json!({ "input": text, "query": ".", "from": "yaml" })).contains("more than 1000000 values")
    );
    let mut nested = "- &a0 [x]\n".to_owned();
    for level in 1..2000 {
        nested.push_str(&format!("- &a{level} [*a{}]\n", level - 1));
    }
    assert!(
        refusal("query", json!({ "input": nested, "query": ".", "from": "yaml" })).contains("more than 100 levels")
    );
    assert!(
        refusal("query", json!({ "input": "a: &a [*a]", "query": ".", "from": "yaml" }))
            .contains("inside of what it refers to")
    );
}

#[test]
fn yaml_is_written_in_blocks_and_quotes_what_would_be_misread() {
    let text = r#"{"name":"Ada L.","url":"https://a.b/c","no":"no","t":"12:30","n":"1","e":"","empty":[],"none":{},"f":1.0,
        "list":[1,[2,3],{"a":null,"b":[true]}],"text":"l1\n  l2\n\nl3","nl":"x\n","@k":"a: b"}"#;
    let output = call("convert", json!({ "input": text, "to": "yaml" }));
    assert_eq!(
        output["output"],
        "name: Ada L.\nurl: https://a.b/c\n\"no\": \"no\"\nt: \"12:30\"\n\"n\": \"1\"\ne: \"\"\nempty: []\nnone: {}\nf: 1.0\n\
         list:\n  - 1\n  - - 2\n    - 3\n  - a: null\n    b:\n      - true\n\
         text: |-\n  l1\n    l2\n\n  l3\nnl: \"x\\n\"\n\"@k\": \"a: b\"\n"
    );
    assert_eq!(write("yaml", &json!("a")), "a\n");
    assert_eq!(write("yaml", &json!([])), "[]\n");
}

#[test]
fn toml_dates_are_text_and_tables_keep_their_order() {
    let text = "z = 1979-05-27T07:32:00Z\na = 07:32:00\n[m]\nf = 1.0\nd = 1979-05-27\n[[t]]\nx = 1\n[[t]]\nx = 0xff\n";
    let answer =
        testing::call(&PLUGIN, "query", json!({ "input": text, "query": "." })).unwrap().into_parts().1.unwrap();
    assert_eq!(
        answer,
        r#"{"results":[{"z":"1979-05-27T07:32:00Z","a":"07:32:00","m":{"f":1,"d":"1979-05-27"},"t":[{"x":1},{"x":255}]}],"count":1}"#
    );
}

#[test]
fn toml_is_written_with_tables_after_values() {
    let text = r#"{"t":{"k":"v"},"a":1,"list":[{"x":1.0},{"x":true}],"b":"q\"\n"}"#;
    let output = call("convert", json!({ "input": text, "to": "toml" }))["output"].as_str().unwrap().to_owned();
    assert_eq!(
        read("toml", &output),
        json!({ "t": { "k": "v" }, "a": 1, "list": [{ "x": 1 }, { "x": true }], "b": "q\"\n" })
    );
    assert!(output.contains("[t]") && output.contains("[[list]]") && output.contains("x = 1.0"), "{output}");
    assert!(output.find("a = 1") < output.find("[t]"), "{output}");
}

#[test]
fn what_toml_cannot_say_is_refused_with_its_path() {
    let message = refusal("convert", json!({ "input": { "a": [{ "b": null }] }, "to": "toml" }));
    assert_eq!(
        message,
        "`input`, an object, cannot be written as TOML: TOML has no null, and `a.0.b` is null; leave it out"
    );
    assert!(
        refusal("convert", json!({ "input": { "n": u64::MAX }, "to": "toml" })).contains("`n` is 18446744073709551615")
    );
    assert!(refusal("convert", json!({ "input": [1], "to": "toml" })).contains("is a table"));
}

#[test]
fn json_is_written_indented_and_keeps_floats() {
    let output = call("convert", json!({ "input": "a: 1.0\nb: [x, 18446744073709551615]", "to": "json" }));
    assert_eq!(
        output,
        json!({ "output": "{\n  \"a\": 1.0,\n  \"b\": [\n    \"x\",\n    18446744073709551615\n  ]\n}", "format": "json" })
    );
}

#[test]
fn output_has_bounds() {
    let text = "a".repeat(4 << 20);
    for to in ["json", "csv", "yaml", "toml"] {
        let input = json!([[text]]);
        let input = if to == "toml" { json!({ "a": input }) } else { input };
        assert!(refusal("convert", json!({ "input": input, "to": to })).contains("longer than 3145728 bytes"), "{to}");
    }
    // Small as a value, long with its indentation.
    let mut wide = json!(vec![1; 100_000]);
    for _ in 0..60 {
        wide = json!([wide]);
    }
    assert!(refusal("convert", json!({ "input": wide, "to": "json" })).contains("longer than"));
    assert!(refusal("convert", json!({ "input": wide, "to": "yaml" })).contains("longer than"));
}

#[test]
fn wrong_arguments_are_named() {
    assert_eq!(refusal("query", json!({ "query": "." })), "the argument `input` is missing");
    assert_eq!(
        refusal("query", json!({ "input": 1, "qurey": "." })),
        "there is no argument `qurey`: did you mean `query`?"
    );
    assert!(refusal("convert", json!({ "input": 1, "to": "xml" })).contains("`json`"));
}

/// Values that every format but CSV can hold: objects at the top, no null.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[-a-z0-9:#&*!|>'\"%@` \n\t.~]{0,12}".prop_map(Value::from),
        "(yes|null|true|~|1e3|0x1f|\\.inf|<<|---|\\?|- a|a: b|a #b)".prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("(\\PC|[ :#\n-]){0,8}", inner, 0..5).prop_map(|map| json!(map)),
        ]
    });
    prop::collection::btree_map("[a-z<~ ]{0,4}", tree, 0..5).prop_map(|map| json!(map))
}

/// The same value where floating-point numbers without a fraction are integers, as a query gives them back.
fn like_jq(value: &Value) -> Value {
    jq(".", value.clone())[0].clone()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn what_was_written_reads_the_same(value in value(), format in prop::sample::select(vec!["json", "yaml", "toml"])) {
        let output = write(format, &value);
        prop_assert_eq!(read(format, &output), like_jq(&value), "{}", output);
    }

    #[test]
    fn rows_that_were_written_as_csv_read_the_same(rows in prop::collection::vec(("[^0-9-]{0,8}", any::<i64>()), 1..5)) {
        let rows: Vec<Value> = rows.into_iter().map(|(text, number)| json!({ "text": text, "number": number })).collect();
        let output = write("csv", &json!(rows));
        prop_assert_eq!(read("csv", &output), json!(rows), "{}", output);
    }

    #[test]
    fn no_text_stops_a_tool(text in "(?s).*", from in prop::sample::select(vec!["auto", "json", "csv", "yaml", "toml"]), to in prop::sample::select(vec!["json", "csv", "yaml", "toml"])) {
        let _ = testing::call(&PLUGIN, "convert", json!({ "input": text, "from": from, "to": to }));
    }

    #[test]
    fn no_text_with_the_signs_of_a_format_stops_a_tool(text in "[\\[\\]{}:,\"'#&*!|>%=.a1 \n-]{0,40}", to in prop::sample::select(vec!["json", "csv", "yaml", "toml"])) {
        for from in ["auto", "json", "csv", "yaml", "toml"] {
            let _ = testing::call(&PLUGIN, "convert", json!({ "input": text, "from": from, "to": to }));
        }
    }

    #[test]
    fn no_program_stops_the_tool(program in "(\\.|\\.a|\\[|\\]|\\(|\\)|\\{|\\}|\\||,|:|\"|\\$x| as |map|1|-|\\+|\\*|//|\\?|def f: |;|if | then | else | end|@|\\\\|é){0,12}") {
        let _ = testing::call(&PLUGIN, "query", json!({ "input": { "a": [1, "x"] }, "query": program }));
    }
}
