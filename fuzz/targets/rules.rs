//! Conditions of rules over arguments: no panic, no hanging, and the same answer each time.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use toolcrib_policy::{CallFacts, Effect, Label, Labels, OperatorFile, RunFacts, ToolName, Verdict};

fuzz_target!(|data: &str| {
    // The condition, then the arguments.
    let (when, args) = data.split_once('\n').unwrap_or((data, "{}"));
    let quoted = Value::from(when).to_string().replace("\\/", "/");
    let file = |then: &str| {
        let text = format!("[[rule]]\nname = \"r\"\nwhen = {quoted}\nthen = \"{then}\"\n");
        OperatorFile::parse(&text, "toolcrib.toml", Path::new("/"))
    };
    let Ok(deny) = file("deny") else { return };
    let Ok(args) = serde_json::from_str::<Value>(args) else { return };
    if !args.is_object() {
        return;
    }
    let tool: ToolName = "files.write".parse().expect("a name");
    let labels: Labels = args.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), Label::TRUSTED)).collect();
    let run = RunFacts {
        id: "run".to_owned(),
        goal: "goal".to_owned(),
        planner: "call".to_owned(),
        attended: true,
        calls: 3,
    };
    let facts = CallFacts { tool: &tool, args: &args, effect: &Effect::Read, labels: &labels, run: &run };
    let decided = deny.decide(&facts);
    assert_eq!(decided, deny.decide(&facts), "the same call, the same answer");
    // What denies because it holds, or because it cannot be evaluated, never allows when it says `ask`: deny or ask.
    let Ok(ask) = file("ask") else { panic!("the same condition reads the same") };
    match (decided.verdict(), ask.decide(&facts).verdict()) {
        (Verdict::Deny, Verdict::Allow) => panic!("a condition that holds holds for every rule: {when:?} {args}"),
        (Verdict::Allow, other) => assert_eq!(other, Verdict::Allow, "{when:?} {args}"),
        _ => {}
    }
});
