//! Call rules: what they decide, what they refuse when they are read, and what they cost.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use toolcrib_policy::{
    CallFacts, Confidentiality, Decision, Effect, Integrity, Label, Labels, OperatorFile, RefusalCode, RunFacts,
    ToolName, ToolShape, Verdict,
};

use crate::{complaint, operator};
use shapes::shapes;

mod addresses;
mod shapes;

struct Call {
    tool: ToolName,
    args: Value,
    effect: Effect,
    labels: Labels,
    run: RunFacts,
}

impl Call {
    fn new(args: Value) -> Self {
        let run = RunFacts { id: "r7".to_owned(), attended: true, calls: 3, ..RunFacts::default() };
        Self {
            tool: "shop.buy".parse().unwrap(),
            args,
            effect: Effect::Irreversible,
            labels: BTreeMap::new(),
            run: RunFacts { goal: "buy desks".to_owned(), planner: "builtin".to_owned(), ..run },
        }
    }

    fn decide(&self, file: &OperatorFile) -> Decision {
        let Call { tool, args, effect, labels, run } = self;
        file.decide(&CallFacts { tool, args, effect, labels, run })
    }
}

/// A file with one rule that denies when the condition holds. Conditions stand in a literal string of three quotes.
fn denying(when: &str) -> String {
    format!("[[rule]]\nname = \"r\"\nwhen = '''{when}'''\nthen = \"deny\"\n")
}

/// Whether the condition holds for a call with these arguments; the error of a rule that could not be evaluated.
#[track_caller]
fn holds(when: &str, args: Value) -> Result<bool, String> {
    match Call::new(args).decide(&operator(&denying(when))) {
        Decision::Allow { .. } => Ok(false),
        Decision::Deny { refusal, .. } if refusal.message.contains("could not be evaluated") => Err(refusal.message),
        Decision::Deny { refusal, .. } => {
            assert_eq!(refusal.code, RefusalCode::RuleDenied);
            Ok(true)
        }
        Decision::Ask { .. } => panic!("nobody asked"),
    }
}

#[test]
fn the_strictest_rule_that_matches_counts_wherever_it_stands() {
    let file = operator(
        r#"
[[rule]]
name = "denied"
when = 'args.price > 100'
then = "deny"
because = "too dear"
[[rule]]
name = "allowed"
then = "allow"
[[rule]]
name = "asked"
when = 'args.price > 10'
then = "ask"
because = "somebody pays for it"
"#,
    );
    let decide = |price: u64| Call::new(json!({ "price": price })).decide(&file);
    assert_eq!(decide(5), Decision::Allow { rule: Some("allowed".to_owned()) });
    let because = Some("somebody pays for it".to_owned());
    assert_eq!(decide(50), Decision::Ask { rule: "asked".to_owned(), because });
    let Decision::Deny { rule, refusal } = decide(500) else { panic!("it is dear") };
    assert_eq!((rule.as_str(), refusal.code), ("denied", RefusalCode::RuleDenied));
    insta::assert_snapshot!(refusal.message, @"`shop.buy` may not be called so: the operator's rule `denied` denies it: too dear");
}

#[test]
fn without_a_rule_that_matches_the_default_counts() {
    let decide = |text: &str| Call::new(json!({})).decide(&operator(text));
    assert_eq!(decide(""), Decision::Allow { rule: None });
    assert_eq!(decide("[calls]\ndefault = \"ask\"\n"), Decision::Ask { rule: "default".to_owned(), because: None });
    let Decision::Deny { rule, refusal } = decide("[calls]\ndefault = \"deny\"\n") else { panic!("denied") };
    assert_eq!(rule, "default");
    insta::assert_snapshot!(refusal.message, @"`shop.buy` may not be called so: no rule of the operator matches the call, and the `default` in `[calls]` is `deny`");
    let allowed = "[calls]\ndefault = \"deny\"\n[[rule]]\nname = \"a\"\ntools = [\"shop.buy\"]\nthen = \"allow\"\n";
    assert_eq!(decide(allowed), Decision::Allow { rule: Some("a".to_owned()) });
}

#[test]
fn a_rule_speaks_of_its_tools_and_of_no_other() {
    let file = operator("[[rule]]\nname = \"mail\"\ntools = [\"mail.*\", \"shop.pay\"]\nthen = \"deny\"\n");
    let decide = |tool: &str| Call { tool: tool.parse().unwrap(), ..Call::new(json!({})) }.decide(&file).verdict();
    assert_eq!(
        (decide("mail.send"), decide("shop.pay"), decide("shop.buy")),
        (Verdict::Deny, Verdict::Deny, Verdict::Allow)
    );
}

#[test]
fn conditions_speak_of_the_whole_call() {
    let args = json!({
        "to": "ann@example.com", "url": "https://API.Example.com:443/x?y", "path": "/out/../etc/passwd", "n": 3, "price": 3.0,
        "list": [1, 2, 3], "people": [{ "name": "Ann" }, { "name": "Ben" }], "nothing": null, "odd.key": true,
    });
    for when in [
        "tool == 'shop.buy' && plugin == 'shop'",
        "effect == 'irreversible' && effect in ['reversible', 'irreversible']",
        "run.id == 'r7' && run.goal.contains('desks') && run.planner == 'builtin' && run.attended && run.calls == 3",
        "args.n == 3.0 && args.price == 3 && args.n == args.price && args.n < 3.5 && args.price >= 3",
        "args.to.endsWith('@example.com') && !args.to.endsWith('@evil.example')",
        "host(args.url) == 'api.example.com' && path(args.url) == '/x'",
        "under(args.path, '/etc') && !under(args.path, '/out')",
        "args.list.exists(n, n == 2) && args.list.all(n, n > 0) && args.list.filter(n, n > 1).size() == 2",
        "args.people.map(p, p.name) == ['Ann', 'Ben']",
        "args.people.exists_one(p, p.name.startsWith('A'))",
        "has(args.to) && !has(args.cc) && args.nothing == null",
        "args['odd.key'] && args.people[1]['name'] == 'Ben'",
        "'to' in args && !('cc' in args) && 2 in args.list",
        "args.to.matches('^[a-z]+@example[.]com$')",
        "size(args.list) + 1 == 4 && -args.n == -3 && 7 % args.n == 1 && args.n * 2 - 1 == 5 && 7 / 2 == 3",
        "(args.n > 2 ? 'much' : 'little') == 'much'",
        "args.to.upperAscii() == 'ANN@EXAMPLE.COM' && int('4') == 4 && string(args.n) == '3' && double('2.5') == 2.5",
        "labels.to.integrity == 'trusted' && labels['to'].confidentiality == 'public'",
        "args.exists(name, name == 'to') && labels.all(name, labels[name].integrity == 'trusted')",
        "args.cc == 'x' || true",
    ] {
        assert_eq!(holds(when, args.clone()), Ok(true), "{when}");
    }
}

#[test]
fn labels_are_those_of_the_argument() {
    let untrusted = Label { integrity: Integrity::Untrusted, confidentiality: Confidentiality::Private };
    let call = Call { labels: [("to".to_owned(), untrusted)].into(), ..Call::new(json!({"to": "a", "text": "b"})) };
    let verdict = |when: &str| call.decide(&operator(&denying(when))).verdict();
    assert_eq!(verdict("labels.to.integrity == 'untrusted'"), Verdict::Deny);
    assert_eq!(verdict("labels.to.confidentiality == 'private'"), Verdict::Deny);
    assert_eq!(verdict("labels.text.integrity == 'untrusted'"), Verdict::Allow);
    assert_eq!(verdict("labels.exists(name, labels[name].integrity == 'untrusted')"), Verdict::Deny);
}

#[test]
fn a_rule_that_cannot_be_evaluated_denies_and_says_where() {
    let refused = |when: &str, args: Value| holds(when, args).unwrap_err();
    insta::assert_snapshot!(refused("args.to == 'x'", json!({})), @"`shop.buy` may not be called so: the operator's rule `r` could not be evaluated at toolcrib.toml:3:11 (`args.to` is missing here; `has(…)` asks whether it is there), and a rule that fails denies");
    insta::assert_snapshot!(refused("args.n > 3", json!({"n": "four"})), @"`shop.buy` may not be called so: the operator's rule `r` could not be evaluated at toolcrib.toml:3:11 (`args.n` is a text and has to be a number), and a rule that fails denies");
    insta::assert_snapshot!(refused("host(args.url) == 'a.com'", json!({"url": "//a.com@b.com"})), @"`shop.buy` may not be called so: the operator's rule `r` could not be evaluated at toolcrib.toml:3:16 (`host` needs an absolute URL with one clear host), and a rule that fails denies");
    insta::assert_snapshot!(refused("1 / args.n == 1", json!({"n": 0})), @"`shop.buy` may not be called so: the operator's rule `r` could not be evaluated at toolcrib.toml:3:11 (it divides by zero), and a rule that fails denies");
    insta::assert_snapshot!(refused("args.a", json!({"a": "yes"})), @"`shop.buy` may not be called so: the operator's rule `r` could not be evaluated at toolcrib.toml:3:11 (the condition is a text and has to be a bool), and a rule that fails denies");
    // A rule that allows, and fails, denies too.
    let file = operator("[[rule]]\nname = \"a\"\nwhen = 'args.x == 1'\nthen = \"allow\"\n");
    assert_eq!(Call::new(json!({})).decide(&file).verdict(), Verdict::Deny);
}

#[test]
fn a_message_never_holds_what_was_given() {
    let message = holds("args.key > 3", json!({"key": "hunter2-hunter2"})).unwrap_err();
    assert!(!message.contains("hunter2"), "{message}");
    let message = holds("host(args.url) == 'x'", json!({"url": "https://user:hunter2@a.com/"})).unwrap_err();
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn what_can_never_be_right_is_refused_when_it_is_read() {
    let all: Vec<String> = [
        "args.to = 'x'",
        "args.to == ",
        "tol == 'x'",
        "run.atended",
        "labels.to.integrety == 'trusted'",
        "effect == 'irreversable'",
        "effect in ['read', 'wirte']",
        "labels.to.integrity == 'secret'",
        "args.to.startWith('x')",
        "startsWith('x')",
        "args.to.matches(args.pattern)",
        "args.to.matches('(')",
        "args.to.matches('a{1000}{1000}')",
        "args.a.all(x, x.all(y, y.all(z, z == 1)))",
        "args.a.all(tool, true)",
        "args.a.all(x)",
        "tool == 3",
        "run.calls > 'three'",
        "'yes'",
        "!args.to == !tool",
        "{'a': 1} == args",
        "b'x' == args.x",
        "has(args)",
        "has(labels.to)",
        "run.calls && true",
        "timestamp(args.x) == 1",
        "args.n == 99999999999999999999",
    ]
    .iter()
    .map(|when| complaint(&denying(when)))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    toolcrib.toml:3:19: in rule `r`: this is no CEL: token recognition error at: '= '
    toolcrib.toml:3:22: in rule `r`: this is no CEL: the condition ends too early
    toolcrib.toml:3:11: in rule `r`: there is no `tol` here: did you mean `tool`?; a rule speaks of `tool`, `plugin`, `args`, `effect`, `labels` and `run`
    toolcrib.toml:3:11: in rule `r`: there is no `run.atended` here: did you mean `attended`?; a rule speaks of `id`, `goal`, `planner`, `attended` and `calls`
    toolcrib.toml:3:11: in rule `r`: there is no `labels.to.integrety` here: did you mean `integrity`?; a rule speaks of `integrity` and `confidentiality`
    toolcrib.toml:3:21: in rule `r`: `irreversable` is no effect: did you mean `irreversible`?; there are `read`, `idempotent`, `reversible` and `irreversible`
    toolcrib.toml:3:30: in rule `r`: `wirte` is no effect; there are `read`, `idempotent`, `reversible` and `irreversible`
    toolcrib.toml:3:34: in rule `r`: `secret` is no integrity; there are `trusted` and `untrusted`
    toolcrib.toml:3:19: in rule `r`: there is no function `startWith`: did you mean `startsWith`?; there are `size`, `contains`, `startsWith`, `endsWith`, `lowerAscii`, `upperAscii`, `int`, `double`, `string`, `host`, `path`, `under`, `matches`, `has`, `all`, `exists`, `exists_one`, `filter` and `map`
    toolcrib.toml:3:11: in rule `r`: write `args.name.startsWith("text")`
    toolcrib.toml:3:27: in rule `r`: a pattern that is made during a call has no place in a rule: write the pattern itself, so that it is checked when the file is read
    toolcrib.toml:3:27: in rule `r`: the pattern `(` is no regular expression: unclosed group
    toolcrib.toml:3:27: in rule `r`: the pattern `a{1000}{1000}` needs more than 131072 bytes: make its repetitions smaller
    toolcrib.toml:3:36: in rule `r`: a loop has more loops inside, and the most is 1: ask about fewer lists at once
    toolcrib.toml:3:22: in rule `r`: a second meaning of a name has no place in a rule: take another one
    toolcrib.toml:3:18: in rule `r`: write `args.list.all(item, …)`
    toolcrib.toml:3:11: in rule `r`: a text is never compared with a number: the answer would always be the same
    toolcrib.toml:3:11: in rule `r`: a number is never compared with a text: the answer would always be the same
    toolcrib.toml:3:11: in rule `r`: the condition is a text and has to be a bool
    toolcrib.toml:3:24: in rule `r`: `tool` is a text and has to be a bool
    toolcrib.toml:3:11: in rule `r`: a map has no place in a rule: compare single values
    toolcrib.toml:3:11: in rule `r`: a text of bytes has no place in a rule: write a plain text
    toolcrib.toml:3:11: in rule `r`: write `has(args.name)`
    toolcrib.toml:3:11: in rule `r`: `has` of a label has no place in a rule: every argument has a label
    toolcrib.toml:3:11: in rule `r`: `run.calls` is a number and has to be a bool
    toolcrib.toml:3:11: in rule `r`: there is no function `timestamp`; there are `size`, `contains`, `startsWith`, `endsWith`, `lowerAscii`, `upperAscii`, `int`, `double`, `string`, `host`, `path`, `under`, `matches`, `has`, `all`, `exists`, `exists_one`, `filter` and `map`
    toolcrib.toml:3:21: in rule `r`: this is no CEL: invalid int literal
    "#);
}

#[test]
fn a_place_is_found_through_lines_escapes_and_quotes() {
    let place = |rule: &str| {
        let message = complaint(&format!("[[rule]]\nname = \"r\"\nthen = \"deny\"\nwhen = {rule}\n"));
        message.split(": ").next().unwrap().to_owned()
    };
    assert_eq!(place("'tol == 1'"), "toolcrib.toml:4:9");
    assert_eq!(place("\"tool == \\\"ä\\\" && tol == 1\""), "toolcrib.toml:4:26");
    assert_eq!(place("'''\ntool == 'x'\n  && tol == 1'''"), "toolcrib.toml:6:6");
    assert_eq!(place("\"\"\"tool == 'x' \\\n    && tol == 1\"\"\""), "toolcrib.toml:5:8");
}

#[test]
fn sizes_are_capped() {
    let long = format!("args.a == '{}'", "x".repeat(3000));
    assert!(complaint(&denying(&long)).contains("3012 bytes, and the most is 2048"), "{}", complaint(&denying(&long)));
    let parts = vec!["args.a == 1"; 60].join(" || ");
    assert!(complaint(&denying(&parts)).contains("the most is 200"));
    let deep = format!("{}true{}", "!(".repeat(100), ")".repeat(100));
    assert!(complaint(&denying(&deep)).contains("the most is 32"), "{}", complaint(&denying(&deep)));
    let very_deep = format!("{}1{}", "(".repeat(900), ")".repeat(900));
    assert!(OperatorFile::parse(&denying(&very_deep), "t", std::path::Path::new("/")).is_err());
    let many = (0..201).map(|n| format!("[[rule]]\nname = \"r{n}\"\nthen = \"deny\"\n")).collect::<String>();
    assert!(complaint(&many).contains("the most is 200"));
}

#[test]
fn rules_are_written_in_one_way() {
    let all: Vec<String> = [
        "[[rule]]\nthen = \"deny\"\n",
        "[[rule]]\nname = \"a\"\n",
        "[[rule]]\nname = \"a b\"\nthen = \"deny\"\n",
        "[[rule]]\nname = \"default\"\nthen = \"deny\"\n",
        "[[rule]]\nname = \"a\"\nthen = \"maybe\"\n",
        "[[rule]]\nname = \"a\"\nthen = \"deny\"\nif = \"true\"\n",
        "[[rule]]\nname = \"a\"\ntools = []\nthen = \"deny\"\n",
        "[[rule]]\nname = \"a\"\ntools = [\"mail\"]\nthen = \"deny\"\n",
        "[[rule]]\nname = \"a\"\nthen = \"deny\"\n[[rule]]\nname = \"a\"\nthen = \"ask\"\n",
        "[[rule]]\nname = \"a\"\nthen = \"deny\"\nbecause = \"two\\nlines\"\n",
        "[rule]\nname = \"a\"\n",
        "[calls]\ndefault = \"never\"\n",
        "[calls]\nelse = \"deny\"\n",
    ]
    .iter()
    .map(|text| complaint(text))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    toolcrib.toml:1:1: `name` is missing: write a short one, such as `name = "ask-before-mail"`
    toolcrib.toml:1:1: `then` is missing: write `allow`, `ask` or `deny`
    toolcrib.toml:2:8: `name` cannot be `a b`: a name is 1 to 64 letters, digits, `-`, `_` and `.`
    toolcrib.toml:2:8: `name` cannot be `default`: this name stands for the `default` in `[calls]`
    toolcrib.toml:3:8: `then` cannot be `maybe`: write `allow`, `ask` or `deny`
    toolcrib.toml:4:1: unknown key `if` in `[[rule]]`
    toolcrib.toml:3:9: `tools` cannot be `[]`: a rule about no tool says nothing: name tools, or leave the list out
    toolcrib.toml:3:10: `mail` in `tools`: `mail` is not a qualified tool name: write `plugin.tool`, or `plugin.*` for all tools of a plugin
    toolcrib.toml:5:8: in rule `a`: the name is taken by the rule at line 2: each rule has its own
    toolcrib.toml:4:11: `because` cannot be `two\u{a}lines`: write one line of at most 300 visible characters
    toolcrib.toml:1:1: `rule` is a table and has to be a list
    toolcrib.toml:2:11: `default` cannot be `never`: write `allow`, `ask` or `deny`
    toolcrib.toml:2:1: unknown key `else` in `[calls]`
    "#);
}

#[test]
fn the_outlook_of_a_tool_says_what_its_calls_can_come_to() {
    let file = operator(
        r#"
[[rule]]
name = "always"
tools = ["mail.*"]
then = "ask"
[[rule]]
name = "some"
when = 'plugin == "mail" && args.to == "x"'
then = "deny"
[[rule]]
name = "lenient"
tools = ["mail.*"]
when = 'args.to == "y"'
then = "allow"
"#,
    );
    let outlook = |tool: &str| file.outlook(&tool.parse().unwrap(), &Effect::Read);
    let mail = outlook("mail.send");
    assert_eq!(mail.verdicts, [Verdict::Ask, Verdict::Deny].into());
    assert_eq!((mail.always.as_deref(), mail.sometimes), (Some("always"), vec!["some".to_owned()]));
    let files = outlook("files.put");
    assert_eq!((files.verdicts, files.always, files.sometimes.len()), ([Verdict::Allow].into(), None, 0));
}

#[test]
fn no_arguments_make_a_rule_slow() {
    let many: Vec<Value> = (0..100_000).map(|n| json!(n)).collect();
    let text = "ab".repeat(500_000);
    for (when, args) in [
        ("args.list.all(x, args.list.all(y, x + y >= 0))", json!({ "list": many })),
        ("args.list.map(x, args.list)  == []", json!({ "list": many })),
        ("args.list.exists(x, args.text.contains('q'))", json!({ "list": many, "text": text })),
        ("(args.text + args.text + args.text + args.text) == 'x'", json!({ "text": text })),
    ] {
        let begun = std::time::Instant::now();
        let answer = holds(when, args);
        assert!(answer.is_err(), "{when}");
        // No measure of speed: without a budget the first takes minutes.
        assert!(begun.elapsed().as_secs() < 20, "{when}");
    }
}

/// Where this evaluation and the one of the `cel` crate both give an answer, it is the same.
#[test]
fn conditions_mean_what_they_mean_in_cel() {
    let texts = ["", "a", "ab", "b"];
    let lists: [&[&str]; 3] = [&[], &["a"], &["a", "b"]];
    let conditions = [
        "args.a == args.b",
        "args.a < args.b || args.a > args.b",
        "args.a.startsWith(args.b) && !args.a.endsWith(args.b)",
        "args.a.contains(args.b) ? size(args.a) > 1 : size(args.b) == 1",
        "args.l.exists(x, x == args.a) == (args.a in args.l)",
        "args.l.all(x, x != args.a)",
        "args.l.exists_one(x, x.contains(args.b))",
        "args.l.filter(x, x == args.a).size() == 1",
        "args.l.map(x, x + args.a) == [args.a + args.a]",
        "has(args.zero) || has(args.a) && args.a + args.b == 'ab'",
        "args.missing == 1 || args.a == ''",
        "args.a == '' && args.missing == 1",
        "size(args.l) * 2 - 1 >= 7 / 3 % 2",
        "args.f > 1.5 && args.f * 2.0 < 5.0",
    ];
    let (mut compared, mut both) = (0, 0);
    for when in conditions {
        let program = cel::Program::compile(when).unwrap();
        for (a, b) in texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b))) {
            for list in lists {
                let args = json!({"a": a, "b": b, "l": list, "f": 2.25});
                let mut context = cel::Context::default();
                context.add_variable("args", &args).unwrap();
                let theirs = program.execute(&context);
                let ours = holds(when, args.clone());
                compared += 1;
                if let (Ok(cel::Value::Bool(theirs)), Ok(ours)) = (&theirs, &ours) {
                    both += 1;
                    assert_eq!(theirs, ours, "{when} with {args}");
                }
            }
        }
    }
    assert!(both * 10 > compared * 8, "{both} of {compared}");
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "args",
        "args.a",
        "args.b",
        "tool",
        "effect",
        "labels.a",
        "labels",
        "run.calls",
        "run",
        "true",
        "null",
        "1",
        "-2.5",
        "'x'",
        "[1, 'a']",
        "(",
        ")",
        "&&",
        "||",
        "!",
        "==",
        "<",
        "+",
        "/",
        "%",
        "in",
        "?",
        ":",
        ".size()",
        ".all(x, x == 1)",
        ".map(x, x)",
        ".matches('a+')",
        "has(args.a)",
        "host(args.a)",
        "path(args.a)",
        "under(args.a, '/b')",
        "int(args.a)",
        "[0]",
        ".c",
        "{}",
        "string(args.b)",
        ",",
        "\\",
        "\"",
    ]);
    prop::collection::vec(word, 1..14).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_condition_and_no_arguments_make_it_panic(when in words(), args in values()) {
        let toml = format!("[[rule]]\nname = \"r\"\nwhen = {}\nthen = \"deny\"\n", toml::Value::from(when));
        if let Ok(file) = OperatorFile::parse(&toml, "t", std::path::Path::new("/")) {
            let _ = Call::new(args).decide(&file);
            let shapes = shapes();
            let tools: Vec<&dyn ToolShape> = shapes.iter().map(|shape| shape as &dyn ToolShape).collect();
            let _ = file.check_rules(&tools);
            let _ = file.outlook(&"mail.send".parse().unwrap(), &Effect::Read);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(when in ".{0,200}") {
        let toml = format!("[[rule]]\nname = \"r\"\nwhen = {}\nthen = \"deny\"\n", toml::Value::from(when));
        let _ = OperatorFile::parse(&toml, "t", std::path::Path::new("/"));
    }
}
