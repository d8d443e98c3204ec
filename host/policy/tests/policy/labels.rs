//! Sources, sinks, `[labels]` and `[[relabel]]`.

use serde_json::json;
use toolcrib_policy::{
    CallFacts, Decision, Effect, Label, Labels, Manifest, Marks, OperatorFile, PartPath, Requests, RunFacts, Sink,
    ToolLabels, Trust, Verdict,
};

use crate::{authority, operator, plugin};

fn complaint(text: &str) -> String {
    OperatorFile::parse(text, "toolcrib.toml", std::path::Path::new("/work")).unwrap_err().to_string()
}

/// What the tool `buy` of the plugin is, under an operator's file and a manifest of its own.
fn source(operator: &str, manifest: &str, trust: Trust) -> String {
    let text = format!("name = \"shop\"\nversion = \"1.0.0\"\n[tool.buy]\n{manifest}");
    let declared = Manifest::parse(&text, "plugin.toml").unwrap().tools["buy"].labels.clone();
    let source = authority(operator).source_of("buy", false, &declared, trust);
    format!("{}; {}", source.label, source.sink)
}

#[test]
fn what_a_tool_reaches_says_what_it_brings_and_what_leaves_by_it() {
    let by_grants = |grants: &str| {
        let source = source(&format!("[plugin.shop]\n{grants}"), "", Trust::Stranger);
        format!("{grants} => {source}")
    };
    let all: Vec<String> = [
        "",
        "http = [\"GET https://a.com/**\"]",
        "http = [\"GET https://a.com/**\"]\ncredentials = [{ for = \"https://a.com/**\", header = \"X\", value = \"{secret:k}\" }]",
        "http = [\"GET https://a.com/** via 10.0.0.0/8\"]",
        "http = [\"POST http://127.0.0.1:80/**\"]",
        "files = [\"read . as /x\"]",
        "keyvalue = [\"read notes\"]",
        "env = [\"A\"]",
        "tools = [\"files.read\"]",
        "model = true",
        "ask = true",
    ]
    .iter()
    .map(|grants| by_grants(grants))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
     => trusted public; nothing leaves
    http = ["GET https://a.com/**"] => untrusted public; values leave, and any argument may say where to
    http = ["GET https://a.com/**"]
    credentials = [{ for = "https://a.com/**", header = "X", value = "{secret:k}" }] => untrusted private; values leave, and any argument may say where to
    http = ["GET https://a.com/** via 10.0.0.0/8"] => untrusted private; values leave, and any argument may say where to
    http = ["POST http://127.0.0.1:80/**"] => untrusted private; nothing leaves
    files = ["read . as /x"] => untrusted private; nothing leaves
    keyvalue = ["read notes"] => untrusted private; nothing leaves
    env = ["A"] => trusted private; nothing leaves
    tools = ["files.read"] => untrusted private; nothing leaves
    model = true => untrusted public; nothing leaves
    ask = true => trusted public; nothing leaves
    "#);
    let open = authority("").source_of("buy", true, &ToolLabels::default(), Trust::Stranger);
    assert_eq!(open.label.to_string(), "untrusted public", "a tool that says it is open to the world is believed");
}

#[test]
fn a_manifest_raises_and_never_lowers_and_the_operator_says_anything() {
    const WEB: &str = "[plugin.shop]\nhttp = [\"POST https://a.com/**\"]\n";
    let all = [
        // It makes itself worse, and is believed; it makes itself better, and is not.
        source("", "source = \"untrusted secret\"\nsink = true", Trust::Stranger),
        source(WEB, "source = \"trusted public\"\nsink = false", Trust::Stranger),
        source(WEB, "sink = [\"to\"]", Trust::Stranger),
        // The program's own are taken as they stand, where they reach anything.
        source(WEB, "source = \"trusted\"\nsink = [\"to\"]", Trust::FirstParty),
        source("", "source = \"untrusted\"\nsink = [\"to\"]", Trust::FirstParty),
        // The operator: for all tools of a plugin, and for one.
        source(&format!("{WEB}source = \"private\"\nsink = [\"to\", \"cc\"]"), "", Trust::Stranger),
        source(
            &format!("{WEB}source = \"private\"\n[plugin.shop.tool.buy]\nsource = \"trusted public\"\nsink = false"),
            "source = \"secret\"",
            Trust::Stranger,
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r"
    untrusted secret; values leave, and any argument may say where to
    untrusted public; values leave, and any argument may say where to
    untrusted public; values leave, and any argument may say where to
    trusted public; values leave to where `to` says
    trusted public; nothing leaves
    untrusted private; values leave to where `cc`, `to` says
    trusted public; nothing leaves
    ");
}

fn label(text: &str) -> Label {
    let case = format!("[[case]]\ntool = \"x.y\"\nexpect = \"allow\"\nlabels = {{ a = \"{text}\" }}");
    toolcrib_policy::DecisionCase::parse_table(&case, "table").unwrap()[0].labels["a"]
}

/// What the built-in rules say about a call with these labels to a tool whose argument `to` says where it goes.
fn outward(file: &OperatorFile, effect: &Effect, labels: &[(&str, &str)]) -> String {
    let labels: Labels = labels.iter().map(|(name, text)| ((*name).to_owned(), label(text))).collect();
    let (tool, run, args) = ("mail.send".parse().unwrap(), RunFacts::default(), json!({ "to": "a", "text": "b" }));
    let facts = CallFacts { tool: &tool, args: &args, effect, labels: &labels, run: &run };
    let decide = |sink: &Sink| file.decide_outward(&facts, sink);
    assert_eq!(decide(&Sink::No).verdict(), Verdict::Allow, "what does not leave is nobody's business");
    match decide(&Sink::To(["to".to_owned()].into())) {
        Decision::Allow { .. } => "allow".to_owned(),
        Decision::Ask { rule, because } => format!("ask {rule}: {}", because.unwrap_or_default()),
        Decision::Deny { rule, refusal } => format!("deny {rule}: {}: {}", refusal.code, refusal.message),
    }
}

#[test]
fn an_untrusted_value_never_picks_the_recipient_by_itself_and_what_is_private_stays() {
    let file = operator("");
    let mut all = Vec::new();
    for labels in [
        vec![],
        vec![("text", "untrusted public")],
        vec![("to", "untrusted public")],
        vec![("text", "trusted private")],
        vec![("text", "untrusted private")],
        vec![("to", "untrusted public"), ("text", "trusted private")],
        vec![("to", "untrusted private")],
        vec![("text", "trusted secret")],
    ] {
        all.push(format!("{labels:?}: {}", outward(&file, &Effect::Irreversible, &labels)));
    }
    all.push(format!("a link that is followed: {}", outward(&file, &Effect::Read, &[("to", "untrusted public")])));
    insta::assert_snapshot!(all.join("\n"), @r#"
    []: allow
    [("text", "untrusted public")]: allow
    [("to", "untrusted public")]: ask untrusted-recipient: `to` is untrusted and says where the call goes, which may change something there
    [("text", "trusted private")]: ask private-outward: `text` is private and would leave
    [("text", "untrusted private")]: ask private-outward: `text` is private and would leave
    [("to", "untrusted public"), ("text", "trusted private")]: deny untrusted-leak: flow-denied: `mail.send` may not be called so: `to` is untrusted and says where the call goes, and `text` is private and would leave with it (`untrusted-leak`)
    [("to", "untrusted private")]: deny untrusted-leak: flow-denied: `mail.send` may not be called so: `to` is untrusted and says where the call goes, and `to` is private and would leave with it (`untrusted-leak`)
    [("text", "trusted secret")]: deny secret-outward: flow-denied: `mail.send` may not be called so: `text` is secret and would leave (`secret-outward`)
    a link that is followed: allow
    "#);
}

#[test]
fn the_operator_sets_what_happens_but_a_secret_stays() {
    let file = operator("[labels]\nrecipient = \"deny\"\nprivate = \"allow\"\nleak = \"ask\"");
    let said =
        |labels: &[(&str, &str)]| outward(&file, &Effect::Irreversible, labels).split(':').next().unwrap().to_owned();
    assert_eq!(said(&[("to", "untrusted public")]), "deny untrusted-recipient");
    assert_eq!(said(&[("text", "trusted private")]), "allow");
    assert_eq!(said(&[("to", "untrusted private")]), "ask untrusted-leak");
    assert_eq!(said(&[("text", "secret")]), "deny secret-outward");
    assert!(file.settings().contains(&"labels leak ask".to_owned()));
}

#[test]
fn an_allowing_rule_lifts_no_built_in_one() {
    let (allow, deny) = (
        Decision::Allow { rule: Some("mine".to_owned()) },
        operator("").decide_outward(
            &CallFacts {
                tool: &"mail.send".parse().unwrap(),
                args: &json!({}),
                effect: &Effect::Read,
                labels: &[("x".to_owned(), label("secret"))].into(),
                run: &RunFacts::default(),
            },
            &Sink::Outward,
        ),
    );
    assert_eq!(allow.clone().stricter(deny.clone()), deny);
    assert_eq!(deny.clone().stricter(allow), deny);
}

const VOUCHED: &str = r#"
[[relabel]]
tool = "files.read"
when = 'under(args.path, "/docs")'
label = "trusted"
reason = "our own documents"

[[relabel]]
tool = "http.*"
part = "items[*].id"
label = "trusted public"
reason = "numbers that the shop gives out"

[[relabel]]
tool = "http.fetch"
part = "token"
label = "secret"
reason = "it opens the till"
"#;

fn relabelled(tool: &str, args: serde_json::Value) -> Marks {
    let mut marks = Marks::from(Label::UNKNOWN);
    let (tool, run) = (tool.parse().unwrap(), RunFacts::default());
    let facts = CallFacts { tool: &tool, args: &args, effect: &Effect::Read, labels: &Labels::new(), run: &run };
    operator(VOUCHED).relabel(&facts, &mut marks);
    marks
}

#[test]
fn a_relabel_speaks_of_a_part_under_a_condition_and_of_the_axis_that_it_names() {
    let at = |marks: &Marks, part: &str| marks.label_at(&part.parse::<PartPath>().unwrap()).to_string();
    let docs = relabelled("files.read", json!({ "path": "/docs/a" }));
    assert_eq!(at(&docs, ""), "trusted private");
    for other in [json!({ "path": "/docs/../mail" }), json!({ "path": 3 }), json!({})] {
        assert_eq!(at(&relabelled("files.read", other), ""), "untrusted private", "in doubt nothing changes");
    }
    let page = relabelled("http.fetch", json!({}));
    assert_eq!(at(&page, "items[7].id"), "trusted public");
    assert_eq!(at(&page, "items[7].name"), "untrusted private");
    assert_eq!(at(&page, "token"), "untrusted secret");
    assert_eq!(at(&page, ""), "untrusted secret", "the whole has everything in it");
    assert_eq!(at(&relabelled("http.links", json!({})), "token"), "untrusted private");
}

#[test]
fn each_mistake_in_labels_is_named_with_its_place() {
    let relabel = |lines: &str| format!("[[relabel]]\n{lines}");
    let all: Vec<String> = [
        relabel("tool = \"files.read\"\nlabel = \"trusted\""),
        relabel("tool = \"files.read\"\nreason = \"x\""),
        relabel("label = \"trusted\"\nreason = \"x\""),
        relabel("tool = \"files\"\nlabel = \"trusted\"\nreason = \"x\""),
        relabel("tool = \"files.read\"\nlabel = \"trusted untrusted\"\nreason = \"x\""),
        relabel("tool = \"files.read\"\nlabel = \"clean\"\nreason = \"x\""),
        relabel("tool = \"files.read\"\npart = \"a..b\"\nlabel = \"trusted\"\nreason = \"x\""),
        relabel("tool = \"files.read\"\npart = \"\"\nlabel = \"trusted\"\nreason = \"x\""),
        relabel("tool = \"files.read\"\nwhen = 'args.path = 1'\nlabel = \"trusted\"\nreason = \"x\""),
        relabel("tool = \"files.read\"\nlabel = \"trusted\"\nreason = \"\"\n"),
        relabel("tool = \"files.read\"\nlable = \"trusted\"\nreason = \"x\"\n"),
        "relabel = 3".to_owned(),
        "[labels]\nleek = \"ask\"".to_owned(),
        "[labels]\nleak = \"perhaps\"".to_owned(),
        "[plugin.shop.tool.buy]\nsource = \"dirty\"".to_owned(),
        "[plugin.shop.tool.buy]\nsink = []".to_owned(),
        "[plugin.shop]\nsink = \"to\"".to_owned(),
        "[[rule]]\nname = \"untrusted-leak\"\nthen = \"allow\"".to_owned(),
        "[ceiling]\nrelabel = []".to_owned(),
    ]
    .iter()
    .map(|text| complaint(text))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    toolcrib.toml:1:1: `reason` is missing: write why this may be believed: whoever reviews the file has to know
    toolcrib.toml:1:1: `label` is missing: write the new label, such as `label = "trusted public"`
    toolcrib.toml:1:1: `tool` is missing: write one such as `tool = "files.read"`
    toolcrib.toml:2:8: `tool` cannot be `files`: `files` is not a qualified tool name: write `plugin.tool`, or `plugin.*` for all tools of a plugin
    toolcrib.toml:3:9: `label` cannot be `trusted untrusted`: write `trusted` or `untrusted`, and `public`, `private` or `secret`, with a space between them
    toolcrib.toml:3:9: `label` cannot be `clean`: write `trusted` or `untrusted`, and `public`, `private` or `secret`, with a space between them
    toolcrib.toml:3:8: `part` cannot be `a..b`: `a..b` leads to no part of a result: write fields and items, such as `text`, `items[*].price` or `["odd key"]`
    toolcrib.toml:3:8: `part` cannot be ``: leave the key out where the whole result is meant
    toolcrib.toml:3:19: in rule `relabel files.read`: this is no CEL: token recognition error at: '= '
    toolcrib.toml:4:10: `reason` cannot be ``: write one line of at most 300 visible characters
    toolcrib.toml:3:1: unknown key `lable` in `[[relabel]]`: did you mean `label`?
    toolcrib.toml:1:11: `relabel` is a number and has to be a list
    toolcrib.toml:2:1: unknown key `leek` in `[labels]`: did you mean `leak`?
    toolcrib.toml:2:8: `leak` cannot be `perhaps`: write `allow`, `ask` or `deny`
    toolcrib.toml:2:10: `source` cannot be `dirty`: write `trusted` or `untrusted`, and `public`, `private` or `secret`, with a space between them
    toolcrib.toml:2:8: `sink` cannot be `[]`: name the arguments that say where values go, or write `true` for all of them
    toolcrib.toml:2:8: `sink` cannot be `to`: write `true`, `false`, or a list of arguments such as `["to"]`
    toolcrib.toml:2:8: `name` cannot be `untrusted-leak`: this name stands for a rule that is built in: `[labels]` sets what it does
    toolcrib.toml:2:1: unknown key `relabel` in `[ceiling]`
    "#);
}

#[test]
fn what_a_file_says_of_labels_can_be_reviewed() {
    let file =
        operator(&format!("{VOUCHED}\n[plugin.shop]\nsource = \"private\"\n[plugin.shop.tool.buy]\nsink = [\"to\"]"));
    assert_eq!(file.labels(&plugin()), ["source \"private\"", "tool.buy sink to"]);
    let shown: Vec<String> = file.relabels().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "files.read is trusted when under(args.path, \"/docs\")",
            "http.* items[*].id is trusted public",
            "http.fetch token is secret"
        ]
    );
    assert!(file.authority(&plugin(), &Requests::everything(), None).is_nothing());
}
