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
