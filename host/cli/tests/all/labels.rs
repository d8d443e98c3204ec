//! Labels as an operator meets them: a call that is stopped, why, and what would let it pass.

use crate::bench::{Bench, Done, serve};

/// A model that reads the notes and then sends them.
const SCRIPT: &str = r#"
version: 1
exchanges:
  - answer: { calls: [{ tool: files.read, arguments: { path: /docs/notes.md } }] }
  - answer: { calls: [{ tool: http.fetch, arguments: { url: "http://ADDRESS/page?q=milk" } }] }
  - answer: { text: It is done. }
"#;

/// A server that counts as one beyond this machine, because the operator says so.
fn bench(more: &str) -> Bench {
    let bench = Bench::new();
    let address = serve(&[("/page?q=milk", "text/plain", "thanks")]).to_string();
    std::fs::create_dir_all(bench.path("docs")).expect("a folder");
    bench.write("docs/notes.md", "buy milk");
    bench.write("send.yaml", &SCRIPT.replace("ADDRESS", &address));
    let grants = format!(
        "[plugin.files]\nfiles = [\"read ./docs as /docs\"]\n[plugin.http]\nhttp = [\"GET http://{address}/**\"]\n\
         [plugin.http.tool.fetch]\nsink = [\"url\"]\n"
    );
    bench.write("toolcrib.toml", &format!("{grants}{more}"));
    bench
}

fn send(bench: &Bench) -> Done {
    bench.toolcrib(&["run", "--unattended", "--model", "script:send.yaml", "Look after my notes"])
}

fn vouched(label: &str) -> String {
    format!(
        "[[relabel]]\ntool = \"files.read\"\nwhen = 'under(args.path, \"/docs\")'\nlabel = \"{label}\"\nreason = \"ours\"\n"
    )
}

#[test]
fn what_was_read_does_not_leave_and_why_says_what_would_let_it() {
    let bench = bench("");
    let done = send(&bench);
    assert!(done.err.contains("flow-denied: `http.fetch` may not be called so"), "{}{}", done.out, done.err);
    let why = bench.toolcrib(&["why"]);
    assert_eq!(
        why.out.lines().skip(2).collect::<Vec<_>>(),
        [
            "  label   `url` is untrusted private",
            "          the planner wrote it after it had read `read` (files.read), which is untrusted private",
        ],
        "{}",
        why.out
    );
    assert!(why.out.contains("  ✗ call    flow-denied: "), "{}", why.out);
    let ways = "to vouch for where it came from, in toolcrib.toml:\n[[relabel]]\ntool = \"files.read\"\nlabel = \"trusted public\"\n\
                reason = \"say why this may be believed\"\nto have all such calls otherwise: `leak = \"ask\"` in [labels] of toolcrib.toml\n";
    assert!(why.err.ends_with(ways), "{}", why.err);
    let json = bench.toolcrib(&["why", "--json"]).json()["why"].clone();
    assert_eq!((&json["label_rule"], &json["labels"][0]["argument"]), (&"untrusted-leak".into(), &"url".into()));
    assert_eq!(json["relabel"][0]["tool"], "files.read");
    // The labels of results are shown.
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run").to_owned();
    let steps = bench.toolcrib(&["show", &run, "--json"]).json()["steps"].clone();
    assert_eq!(
        (&steps[0]["labels"]["integrity"], &steps[0]["labels"]["confidentiality"]),
        (&"untrusted".into(), &"private".into())
    );
}

#[test]
fn who_vouches_for_the_text_is_asked_about_what_is_private_and_who_opens_it_is_not() {
    let asked = bench(&vouched("trusted"));
    let done = send(&asked);
    assert_eq!(done.code, 4, "{}{}", done.out, done.err);
    assert!(
        done.out.contains("rule `private-outward` asks: `url` is private and would leave")
            || done.err.contains("rule `private-outward` asks: `url` is private and would leave"),
        "{}{}",
        done.out,
        done.err
    );
    let why = asked.toolcrib(&["why"]);
    assert!(why.err.contains("to let this one call pass: `toolcrib approvals approve "), "{}", why.err);
    assert!(why.err.contains("label = \"public\""), "{}", why.err);

    let open = bench(&vouched("trusted public"));
    let done = send(&open);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let why = open.toolcrib(&["why"]);
    assert!(why.out.contains("allowed") && !why.out.contains("label"), "{}", why.out);

    // The condition speaks of another folder: nothing is lowered.
    let other = bench(&vouched("trusted public").replace("/docs", "/handbook"));
    assert!(send(&other).err.contains("flow-denied"));
}

#[test]
fn a_yes_of_a_person_lets_one_call_pass_and_only_that() {
    let bench = bench(&vouched("trusted"));
    assert_eq!(send(&bench).code, 4);
    let questions = bench.toolcrib(&["approvals", "--json"]).json();
    let id = questions["questions"][0]["id"].as_str().expect("a question").to_owned();
    assert_eq!(bench.toolcrib(&["approvals", "approve", &id]).code, 0);
    let done = send(&bench);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(send(&bench).code, 4, "once is once");
}

#[test]
fn sources_and_sinks_and_what_is_vouched_for_can_be_seen() {
    let bench = bench(&format!("{}\n[labels]\nleak = \"ask\"\n", vouched("trusted")));
    let inspected = bench.toolcrib(&["inspect", "http"]);
    assert!(
        inspected.out.contains("sources and sinks\n  http.fetch  untrusted private; values leave to where `url` says\n  http.links  untrusted private; nothing leaves\n"),
        "{}",
        inspected.out
    );
    let files = bench.toolcrib(&["inspect", "files"]).out;
    assert!(
        files.contains("  files.read  untrusted private; nothing leaves\n") && !files.contains("files.write  trusted"),
        "{files}"
    );
    let tool = bench.toolcrib(&["inspect", "http.fetch", "--json"]).json();
    assert_eq!((&tool["label"]["integrity"], &tool["sink"]["to"][0]), (&"untrusted".into(), &"url".into()));
    let checked = bench.toolcrib(&["policy", "check"]);
    assert!(checked.out.contains("  tool.fetch sink url\n"), "{}", checked.out);
    assert!(
        checked.out.ends_with(
            "labels\n  files.read is trusted when under(args.path, \"/docs\") (ours)\n  an untrusted recipient: ask; private values \
             that leave: ask; both: ask\n"
        ),
        "{}",
        checked.out
    );
    let explained = bench.toolcrib(&["policy", "explain", "http.fetch"]).out;
    assert!(
        explained.contains("its results are untrusted private; of its arguments, values leave to where `url` says\n"),
        "{explained}"
    );

    let next = bench
        .read("toolcrib.toml")
        .replace("sink = [\"url\"]", "source = \"trusted\"")
        .replace("/docs\")'", "/doc\")'");
    bench.write("next.toml", &next);
    let diff = bench.toolcrib(&["policy", "diff", "next.toml"]).out;
    for line in [
        "  - relabel files.read is trusted when under(args.path, \"/docs\")",
        "  + relabel files.read is trusted when under(args.path, \"/doc\")",
        "  - tool.fetch sink url",
        "  + tool.fetch source \"trusted\"",
        "  http.fetch: results, untrusted private become trusted private",
        "  http.fetch: of its arguments, values leave to where `url` says becomes nothing leaves",
    ] {
        assert!(diff.contains(&format!("{line}\n")), "{line}\n{diff}");
    }
    bench.write(
        "toolcrib.toml",
        "[[relabel]]\ntool = \"files.read\"\npart = \"txt\"\nlabel = \"trusted\"\nreason = \"x\"\n",
    );
    let warned = bench.toolcrib(&["policy", "check"]).err;
    assert!(warned.contains("speaks of a part that no result of `files.read` has; did you mean `text`?"), "{warned}");
}
