//! A crib with a policy as a careful operator has one: twenty rules, half of them about the tool that is measured, and
//! fifty grants for its plugin.

use std::fmt::Write as _;
use std::path::Path;

use toolcrib_policy::OperatorFile;
use toolcrib_runtime::{Crib, Folders, Settings};

const RULES: usize = 20;
const GRANTS: usize = 50;

/// The crib, and the folder that it lives in.
pub(crate) async fn crib() -> (tempfile::TempDir, Crib) {
    let home = tempfile::tempdir().expect("a folder");
    let operator = OperatorFile::parse(&policy(), "toolcrib.toml", home.path()).expect("the policy is right");
    assert_eq!(operator.rules().len(), RULES);
    assert_eq!(operator.plugins().map(|plugin| operator.grants(plugin).len()).sum::<usize>(), GRANTS);
    let path = home.path().display().to_string();
    let lookup = |name: &str| (name == "TOOLCRIB_HOME").then(|| path.clone());
    let folders = Folders::usual(Path::new(&path), lookup).expect("folders");
    let settings = Settings::new(folders, operator, toolcrib_tests::worker());
    let crib = Crib::open(settings).await.expect("the crib opens");
    (home, crib)
}

/// Conditions of the kinds that people write, none of which holds for the call that is measured.
fn policy() -> String {
    let about_it = [
        "args.text.contains('password')",
        "size(args.text) > 100000",
        "args.text.matches('[0-9]{4} ?[0-9]{4} ?[0-9]{4} ?[0-9]{4}')",
        "labels.text.confidentiality == 'secret'",
        "labels.text.integrity == 'untrusted' && run.planner != 'call'",
        "has(args.algorithm) && args.algorithm in ['md5', 'sha1']",
        "effect == 'irreversible' && !run.attended",
        "run.calls > 1000",
        "tool == 'text.hash' && args.text.startsWith('-----BEGIN')",
        "plugin == 'text' && args.text.endsWith('.pem')",
    ];
    let mut text = String::new();
    for (number, when) in about_it.iter().enumerate() {
        let then = if number % 2 == 0 { "deny" } else { "ask" };
        let _ = write!(
            text,
            "[[rule]]\nname = \"own-{number}\"\ntools = [\"text.*\"]\nwhen = \"\"\"{when}\"\"\"\nthen = \"{then}\"\n"
        );
    }
    for number in about_it.len()..RULES {
        let when = format!("under(args.path, '/out/{number}')");
        let _ = write!(
            text,
            "[[rule]]\nname = \"other-{number}\"\ntools = [\"files.write\"]\nwhen = \"\"\"{when}\"\"\"\nthen = \"ask\"\n"
        );
    }
    let lines =
        |of: fn(usize) -> String| (0..GRANTS / 2).map(|n| format!("{:?}", of(n))).collect::<Vec<_>>().join(", ");
    let http = lines(|n| format!("GET https://api{n}.example.com/v1/**"));
    let env = lines(|n| format!("VARIABLE_{n}"));
    let _ = write!(text, "[plugin.text]\nhttp = [{http}]\nenv = [{env}]\n");
    text
}
