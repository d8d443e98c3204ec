//! Rules held against the tools that are there.

use serde_json::{Value, json};
use toolcrib_policy::{ToolName, ToolShape};

use crate::operator;

pub(super) struct Shape(ToolName, Value);

impl ToolShape for Shape {
    fn name(&self) -> &ToolName {
        &self.0
    }

    fn input(&self) -> &Value {
        &self.1
    }
}

pub(super) fn shapes() -> Vec<Shape> {
    let send = json!({"type": "object", "required": ["to"], "properties": {
        "to": {"type": "array", "items": {"type": "object", "required": ["address"], "properties": {"address": {"type": "string"}}}},
        "text": {"type": "string"}, "options": {"$ref": "#/$defs/options"}
    }, "$defs": {"options": {"type": "object", "properties": {"urgent": {"type": "boolean"}}}}});
    let put = json!({"type": "object", "required": ["path"], "properties": {"path": {"type": "string"}}});
    let any = json!({"type": "object", "additionalProperties": true});
    let shape = |name: &str, schema| Shape(name.parse().unwrap(), schema);
    vec![shape("mail.send", send), shape("files.put", put), shape("any.thing", any)]
}

fn check(rule: &str) -> Result<Vec<String>, String> {
    let file = operator(&format!("[[rule]]\nname = \"r\"\nthen = \"deny\"\n{rule}\n"));
    let shapes = shapes();
    let tools: Vec<&dyn ToolShape> = shapes.iter().map(|shape| shape as &dyn ToolShape).collect();
    let warnings = file.check_rules(&tools).map_err(|error| error.to_string())?;
    Ok(warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn an_argument_that_no_tool_has_is_refused_with_its_place() {
    let refused = |rule: &str| check(rule).unwrap_err();
    insta::assert_snapshot!(refused("tools = [\"mail.*\"]\nwhen = 'args.recipient == 1'"), @"toolcrib.toml:5:9: in rule `r`: no tool that this rule speaks of has `args.recipient`; there are `options`, `text`, `to` (it speaks of `mail.send`)");
    insta::assert_snapshot!(refused("tools = [\"files.put\"]\nwhen = 'args.pth == 1'"), @"toolcrib.toml:5:9: in rule `r`: no tool that this rule speaks of has `args.pth`: did you mean `path`? (it speaks of `files.put`)");
    insta::assert_snapshot!(refused("tools = [\"mail.send\"]\nwhen = 'args.to.exists(t, t.addres == \"x\")'"), @"toolcrib.toml:5:27: in rule `r`: no tool that this rule speaks of has `args.to[…].addres`: did you mean `address`? (it speaks of `mail.send`)");
    insta::assert_snapshot!(refused("tools = [\"mail.send\"]\nwhen = 'has(args.options) && args.options.urgnt'"), @"toolcrib.toml:5:30: in rule `r`: no tool that this rule speaks of has `args.options.urgnt`: did you mean `urgent`? (it speaks of `mail.send`)");
    insta::assert_snapshot!(refused("tools = [\"mail.send\", \"files.put\"]\nwhen = 'tool == \"files.put\" && args.to == 1'"), @"toolcrib.toml:5:32: in rule `r`: no tool that this rule speaks of has `args.to`; there are `path` (it speaks of `files.put`)");
    insta::assert_snapshot!(refused("tools = [\"mail.send\"]\nwhen = 'labels.txt.integrity == \"trusted\"'"), @"toolcrib.toml:5:9: in rule `r`: no tool that this rule speaks of has `args.txt`: did you mean `text`? (it speaks of `mail.send`)");
}

#[test]
fn an_argument_that_some_calls_lack_is_a_warning() {
    let clean = |rule: &str| assert_eq!(check(rule), Ok(Vec::new()), "{rule}");
    clean("tools = [\"mail.send\"]\nwhen = 'args.to.exists(t, t.address == \"x\")'");
    clean("tools = [\"mail.send\"]\nwhen = 'has(args.text) && args.text == \"x\"'");
    clean("tools = [\"mail.send\", \"files.put\"]\nwhen = 'tool == \"mail.send\" && size(args.to) > 3'");
    clean("tools = [\"mail.send\", \"files.put\"]\nwhen = 'plugin != \"files\" || args.path == \"/\"'");
    let warned = |rule: &str| check(rule).unwrap().join("\n");
    insta::assert_snapshot!(warned("tools = [\"mail.send\"]\nwhen = 'args.text == \"x\"'"), @"toolcrib.toml:5:9: in rule `r`: `args.text` need not be in a call of `mail.send`, and the rule denies where it is missing: write `has(args.text) && …`");
    insta::assert_snapshot!(warned("tools = [\"mail.send\", \"files.put\"]\nwhen = 'args.path == \"x\"'"), @"toolcrib.toml:5:9: in rule `r`: `args.path` is no argument of `mail.send`, and the rule denies every call of it that comes so far: name the tools that have it in `tools`, or write `has(args.path) && …`");
    insta::assert_snapshot!(warned("tools = [\"mial.send\"]\nwhen = 'true'"), @"toolcrib.toml:4:9: in rule `r`: `mial.send` in `tools` matches no tool that is there; did you mean `mail.send`?");
    insta::assert_snapshot!(warned("when = 'tool == \"mail.snd\"'"), @"toolcrib.toml:4:17: in rule `r`: there is no tool `mail.snd`; did you mean `mail.send`?");
}

/// One tool with arguments of every kind.
fn check_kinds(when: &str) -> Result<Vec<String>, String> {
    let input = json!({
        "type": "object", "required": ["n", "text", "yes", "list", "map", "either", "word", "maybe", "open", "deep"],
        "properties": {
            "n": {"type": "integer"}, "text": {"type": "string"}, "yes": {"type": "boolean"},
            "list": {"type": "array", "items": {"type": "string"}}, "map": {"type": "object"},
            "either": {"anyOf": [{"type": "number"}, {"$ref": "#/$defs/word"}]},
            "word": {"enum": ["a", "b"]}, "maybe": {"type": ["string", "null"]}, "open": {},
            "deep": {"allOf": [{"type": "object", "properties": {"x": {"const": 3}}}, {"required": ["x"]}]}
        },
        "$defs": {"word": {"type": "string"}}
    });
    let shapes = [Shape("kinds.all".parse().unwrap(), input)];
    let tools: Vec<&dyn ToolShape> = shapes.iter().map(|shape| shape as &dyn ToolShape).collect();
    let file = operator(&format!("[[rule]]\nname = \"r\"\nthen = \"deny\"\nwhen = '''{when}'''\n"));
    let warnings = file.check_rules(&tools).map_err(|error| error.to_string())?;
    Ok(warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn an_argument_that_never_has_the_type_that_is_needed_is_refused_with_its_place() {
    let all: Vec<String> = [
        "args.text == 3",
        "'x' != args.n",
        "args.text < 3",
        "args.yes > 1",
        "args.text in [1, 2]",
        "1 in args.list",
        "'a' in args.text",
        "args.n.contains('x')",
        "size(args.n) > 3",
        "args.n.matches('x')",
        "host(args.list) == 'x'",
        "args.list.exists(x, x == 1)",
        "args.list.exists(x, x)",
        "args.n.exists(x, true)",
        "args.text + 1 == 2",
        "args.text * 2 == 2",
        "-args.text == 2",
        "!args.text",
        "args.text && args.yes",
        "args.text ? true : false",
        "args.text",
        "args.word == 3",
        "args.maybe == 3",
        "args.deep.x == 'three'",
        "args.either == true",
        "run.calls == args.text",
        "args.n == args.list",
    ]
    .iter()
    .map(|when| check_kinds(when).err().unwrap_or_else(|| format!("{when} is accepted")))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @"
    toolcrib.toml:4:11: in rule `r`: `args.text` is a text and never compared with a number: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:18: in rule `r`: `args.n` is a number and never compared with a text: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.text` is a text and never compared with a number: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.yes` is a bool and has to be a text or a number (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.text` is a text and never compared with a number: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:16: in rule `r`: `args.list[…]` is a text and never compared with a number: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:18: in rule `r`: `args.text` is a text and has to be a list or a map (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.n` is a number and has to be a text (it speaks of `kinds.all`)
    toolcrib.toml:4:16: in rule `r`: `args.n` is a number and has to be a text or a list or a map (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.n` is a number and has to be a text (it speaks of `kinds.all`)
    toolcrib.toml:4:16: in rule `r`: `args.list` is a list and has to be a text (it speaks of `kinds.all`)
    toolcrib.toml:4:31: in rule `r`: `args.list[…]` is a text and never compared with a number: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:31: in rule `r`: `args.list[…]` is a text and has to be a bool (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.n` is a number and has to be a list or a map (it speaks of `kinds.all`)
    toolcrib.toml:4:23: in rule `r`: this is a number and has to be a text (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.text` is a text and has to be a number (it speaks of `kinds.all`)
    toolcrib.toml:4:12: in rule `r`: `args.text` is a text and has to be a number (it speaks of `kinds.all`)
    toolcrib.toml:4:12: in rule `r`: `args.text` is a text and has to be a bool (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.text` is a text and has to be a bool (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.text` is a text and has to be a bool (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.text` is a text and has to be a bool (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.word` is a text and never compared with a number: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.maybe` is a text or null and never compared with a number: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.deep.x` is a number and never compared with a text: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.either` is a text or a number and never compared with a bool: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:24: in rule `r`: `args.text` is a text and never compared with a number: the answer would always be the same (it speaks of `kinds.all`)
    toolcrib.toml:4:11: in rule `r`: `args.n` is a number and never compared with a list: the answer would always be the same (it speaks of `kinds.all`)
    ");
}

#[test]
fn an_argument_that_may_have_the_type_is_left_alone() {
    for when in [
        "args.n == 3 && args.n < 3.5 && args.n in [1, 2]",
        "args.text == 'x' && args.text < 'y' && 'a' in args.list && 'x' in args.map",
        "args.either == 3 || args.either == 'x'",
        "args.maybe == null || args.maybe == 'x'",
        "args.open == 3 || args.open == 'x' || args.open",
        "has(args.deep.x) && args.deep.x == 3 && args.list.exists(x, x == 'a') && args.exists(name, name == 'text')",
        "args.yes && !args.yes && (args.yes ? args.text == 'x' : args.n == 1)",
        "size(args.text) + size(args.list) + size(args.map) > args.n",
        "args.text + 'x' == args.list[0] && args.list.map(x, x + 'y') == args.list",
        "args.n == run.calls && host(args.text) == args.word && int(args.text) == args.n",
    ] {
        assert_eq!(check_kinds(when), Ok(Vec::new()), "{when}");
    }
    // One tool where it fits is enough, and a tool that leaves it open may be that one.
    assert!(check("tools = [\"files.put\"]\nwhen = 'args.path == 3'").is_err());
    assert!(check("tools = [\"files.put\", \"any.thing\"]\nwhen = 'args.path == 3'").is_ok());
    assert!(check("tools = [\"files.put\", \"any.thing\"]\nwhen = 'tool == \"files.put\" && args.path == 3'").is_err());
}
