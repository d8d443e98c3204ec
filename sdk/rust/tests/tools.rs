//! What becomes of a function: its description, and the way of its arguments and results.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::{Value, json};
use toolcrib_sdk::{Content, Effect, EffectState, ErrorKind, Output, ToolError, plugin, testing, tool, value};

/// An item on the list.
#[value]
#[derive(Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Item {
    /// What it is called.
    name: String,
    /// How many.
    count: u8,
}

/// Adds an item and tells the list.
///
/// The second paragraph of the description.
#[tool(effect = reversible(undo = "take"), open_world, title = "Add an item")]
fn add(
    /// The list so far.
    items: Vec<Item>,
    /// The name of the new one.
    name: &str,
    /// How many to add.
    #[arg(default = 1)]
    count: u8,
    note: Option<String>,
    #[arg(default = "plain")] style: String,
    #[arg(name = "dryRun", default)] dry_run: bool,
) -> Result<Vec<Item>, ToolError> {
    if name.is_empty() {
        return Err(ToolError::invalid_arguments("the name is empty").context("`name`"));
    }
    let name = [name, note.as_deref().unwrap_or(""), &style].join("|");
    let mut items = items;
    if !dry_run {
        items.push(Item { name, count });
    }
    Ok(items)
}

/// Takes it away, and goes on
/// in the next line:
/// - a list
/// - of two
///
/// ```text
/// a
/// b
/// ```
/// 1. first
/// **bold**
#[tool(effect = idempotent)]
fn take() {}

/// Says it.
#[tool(effect = read)]
fn say(#[schemars(length(max = 5))] r#type: String) -> String {
    r#type
}

/// Fails as told.
#[tool(name = "fail-as", effect = irreversible)]
fn fail(kind: &str) -> Result<(), ToolError> {
    match kind {
        "file" => std::fs::read("/does/not/exist").map(drop)?,
        "json" => drop(serde_json::from_str::<u8>("[")?),
        "done" => return Err(ToolError::rate_limited("slow down", Some(3)).effect_done()),
        _ => {}
    }
    Ok(())
}

/// Draws.
#[tool]
fn draw(size: f64) -> Result<Output, ToolError> {
    Output::new().text("a").image(vec![1], "image/png").link("https://a.example", None).structured(&size)
}

plugin!(add, take, say, fail, draw);

fn refusal(tool: &str, arguments: Value) -> String {
    let error = testing::call(&PLUGIN, tool, arguments).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    assert_eq!(error.effect_state(), EffectState::None);
    error.message().to_owned()
}

#[test]
fn a_function_describes_itself() {
    let tools = PLUGIN.describe();
    let add = &tools[0];
    assert_eq!((add.name, add.title), ("add", Some("Add an item")));
    assert_eq!(add.description, "Adds an item and tells the list.\n\nThe second paragraph of the description.");
    assert_eq!((add.effect, add.open_world), (Some(Effect::Reversible { undo: "take" }), true));
    let item = json!({
        "type": "object", "description": "An item on the list.", "additionalProperties": false,
        "properties": {
            "name": { "type": "string", "description": "What it is called." },
            "count": { "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255, "description": "How many." },
        },
        "required": ["name", "count"],
    });
    let output = add.output_schema.as_ref().unwrap();
    assert_eq!((&output["type"], &output["items"]), (&json!("array"), &item));
    assert_eq!(
        add.input_schema,
        json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "items": { "type": "array", "items": item, "description": "The list so far." },
                "name": { "type": "string", "description": "The name of the new one." },
                "count": { "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255, "default": 1, "description": "How many to add." },
                "note": { "type": ["string", "null"] },
                "style": { "type": "string", "default": "plain" },
                "dryRun": { "type": "boolean", "default": false },
            },
            "required": ["items", "name"],
        })
    );
}

#[test]
fn names_effects_and_schemas_follow_the_attribute_and_the_types() {
    let tools = PLUGIN.describe();
    let names: Vec<_> = tools.iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["add", "take", "say", "fail-as", "draw"]);
    assert_eq!(
        tools[1].description,
        "Takes it away, and goes on in the next line:\n- a list\n- of two\n\n```text\na\nb\n```\n1. first\n**bold**"
    );
    let effects: Vec<_> = tools.iter().map(|tool| tool.effect).collect();
    let reversible = Some(Effect::Reversible { undo: "take" });
    assert_eq!(effects, [reversible, Some(Effect::Idempotent), Some(Effect::Read), Some(Effect::Irreversible), None]);
    let shaped: Vec<_> = tools.iter().map(|tool| tool.output_schema.is_some()).collect();
    assert_eq!(shaped, [true, false, false, false, false]);
    assert_eq!(tools[1].input_schema, json!({ "type": "object", "additionalProperties": false }));
    assert_eq!(tools[2].input_schema["properties"]["type"], json!({ "type": "string", "maxLength": 5 }));
}

#[test]
fn arguments_are_filled_in_and_results_are_structured() {
    let list = testing::call_structured(&PLUGIN, "add", json!({ "items": [], "name": "pen" })).unwrap();
    assert_eq!(list, json!([{ "name": "pen||plain", "count": 1 }]));
    let all = json!({ "items": list, "name": "pen", "count": 2, "note": "n", "style": "s", "dryRun": true });
    assert_eq!(testing::call_structured(&PLUGIN, "add", all).unwrap(), list);
    let null = json!({ "items": [], "name": "pen", "note": null });
    assert_eq!(testing::call_structured(&PLUGIN, "add", null).unwrap(), list);
}

#[test]
fn strings_are_text_and_nothing_is_nothing() {
    let said = testing::call(&PLUGIN, "say", json!({ "type": "hi" })).unwrap();
    assert_eq!((said.content(), said.to_value()), (&[Content::Text("hi".to_owned())][..], None));
    assert_eq!(testing::call(&PLUGIN, "take", json!({})).unwrap(), Output::new());
    let drawn = testing::call(&PLUGIN, "draw", json!({ "size": 1.5 })).unwrap();
    assert_eq!((drawn.content().len(), drawn.to_value(), drawn.to_text()), (3, Some(json!(1.5)), "a".to_owned()));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    for (arguments, expected) in [
        (json!({ "items": [], "nmae": "a" }), "there is no argument `nmae`: did you mean `name`?"),
        (
            json!({ "items": [], "name": "a", "dry-run": true }),
            "there is no argument `dry-run`: did you mean `dryRun`?",
        ),
        (
            json!({ "items": [], "name": "a", "zzz": 1 }),
            "there is no argument `zzz`: this tool takes `items`, `name`, `count`, `note`, `style`, `dryRun`",
        ),
        (json!({ "items": [] }), "the argument `name` is missing"),
        (json!({ "items": [], "name": 5 }), "the argument `name` does not fit: expected a string, found integer `5`"),
        (json!({ "items": {}, "name": "a" }), "the argument `items` does not fit: expected an array, found map"),
        (
            json!({ "items": [], "name": "a", "count": 256 }),
            "the argument `count` does not fit: expected a whole number from 0 to 255, found integer `256`",
        ),
        (
            json!({ "items": [{ "name": "a", "count": "1" }], "name": "a" }),
            "the argument `items[0].count` does not fit: expected a whole number from 0 to 255, found string \"1\"",
        ),
        (
            json!({ "items": [{ "name": "a" }], "name": "a" }),
            "the argument `items[0]` does not fit: missing field `count`",
        ),
        (json!([1]), "the arguments must be a JSON object, not an array"),
        (json!("x"), "the arguments must be a JSON object, not a string"),
        (json!({ "items": [], "name": "" }), "`name`: the name is empty"),
    ] {
        assert_eq!(refusal("add", arguments), expected);
    }
    assert_eq!(refusal("take", json!({ "x": 1 })), "there is no argument `x`: this tool takes none");
}

#[test]
fn what_is_not_json_is_refused_and_a_long_value_is_not_repeated() {
    for text in ["", "{", "{} x", "nul", "{\"items\": [1,}"] {
        let error = PLUGIN.call("add", text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{text}");
        assert!(error.message().starts_with("the arguments are not a JSON object: "), "{error}");
    }
    assert!(refusal("add", json!({ "items": "x".repeat(100_000), "name": "a" })).len() < 500);
    assert!(refusal("add", json!({ "x".repeat(100_000): 1 })).len() < 500);
    let deep = format!("{{\"items\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(PLUGIN.call("add", &deep).unwrap_err().kind(), ErrorKind::InvalidArguments);
}

#[test]
fn a_tool_that_is_not_there_is_told_with_the_nearest_one() {
    let error = testing::call(&PLUGIN, "fail_as", json!({})).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::NotFound, "this plugin has no tool `fail_as`; did you mean `fail-as`?")
    );
    let error = testing::call(&PLUGIN, "explode", json!({})).unwrap_err();
    assert_eq!(error.message(), "this plugin has no tool `explode`");
}

#[test]
fn errors_of_the_standard_library_find_their_kind() {
    let kind = |how: &str| {
        let error = testing::call(&PLUGIN, "fail-as", json!({ "kind": how })).unwrap_err();
        (error.kind(), error.effect_state())
    };
    assert_eq!(kind("file"), (ErrorKind::NotFound, EffectState::None));
    assert_eq!(kind("json"), (ErrorKind::Failed, EffectState::None));
    assert_eq!(kind("done"), (ErrorKind::RateLimited { retry_after: Some(3) }, EffectState::Done));
    assert!(testing::call(&PLUGIN, "fail-as", json!({ "kind": "" })).is_ok());
}
