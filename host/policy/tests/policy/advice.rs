//! What a refusal advises: followed to the letter, the file is accepted and allows what was refused.

use toolcrib_policy::{Access, Authority, FileRequest, OperatorFile, Refusal, Requests};

use crate::{get, operator, plugin};

/// What is asked of the plugin's authority.
type Ask = fn(&Authority) -> Result<(), Refusal>;

/// The advice for what is refused under `text`, and the file after somebody followed it.
#[track_caller]
fn follow(text: &str, requests: &Requests, ask: Ask) -> (String, String) {
    let mut file = operator(text);
    let refusal = ask(&file.authority(&plugin(), requests, None)).unwrap_err();
    let grant = refusal.grant.unwrap_or_else(|| panic!("no grant: {}", refusal.message));
    let advice = file.advise(&plugin(), &grant, "toolcrib.toml").to_string();
    let mut after = text.to_owned();
    let mut lines = advice.lines();
    let first = lines.next().unwrap();
    if let Some(changed) = first.strip_prefix("to allow it, change ") {
        let changed = changed.trim_start_matches("the line ");
        let (from, to) = changed.strip_prefix('`').unwrap().split_once("` into `").unwrap();
        let (to, _) = to.split_once("` in [plugin.shop] of toolcrib.toml").unwrap();
        assert_eq!(after.matches(from).count(), 1, "`{from}` is to be changed and stands once in\n{text}");
        after = after.replacen(from, to, 1);
    } else if first.contains(", add to `") {
        let key = first.split('`').nth(1).unwrap();
        let begin = format!("{key} = [");
        after = after.replacen(&begin, &format!("{begin}{}, ", lines.next().unwrap()), 1);
    } else {
        let more: String =
            lines.by_ref().take_while(|line| !line.starts_with("better, ")).collect::<Vec<_>>().join("\n");
        after = format!("{}\n{more}\n", after.trim_end());
    }
    for line in advice.lines().filter_map(|line| line.strip_prefix("and take out the line `")) {
        let line = line.split('`').next().unwrap();
        let entry = [format!(", \"{line}\""), format!("\"{line}\", ")].into_iter().find(|entry| after.contains(entry));
        after = after.replacen(&entry.unwrap(), "", 1);
    }
    let parsed = OperatorFile::parse(&after, "toolcrib.toml", std::path::Path::new("/work"));
    let parsed = parsed.unwrap_or_else(|error| panic!("{error}\n{advice}\n{after}"));
    ask(&parsed.authority(&plugin(), requests, None)).unwrap_or_else(|refusal| panic!("{refusal}\n{advice}\n{after}"));
    (advice, after)
}

fn covers(authority: &Authority, path: &str, access: Access) -> Result<(), Refusal> {
    let path = toolcrib_policy::GuestPath::parse(path).unwrap();
    let covers = authority.files.iter().any(|grant| grant.access >= access && path.below(&grant.guest).is_some());
    if covers { Ok(()) } else { Err(authority.file_refusal(path.as_str(), access)) }
}

#[test]
fn following_the_advice_is_always_enough() {
    let seen: Ask = |authority| authority.keyvalue("seen", Access::ReadWrite).map(|_| ());
    let get_x: Ask = |authority| authority.http(&get("https://a.example.com/x")).map(|_| ());
    let address: Ask = |authority| {
        let grant = authority.http(&get("https://a.example.com/x"))?;
        authority.address(grant, "a.example.com", "10.1.2.3".parse().unwrap())
    };
    let write: Ask = |authority| covers(authority, "/docs/a.txt", Access::ReadWrite);
    let top: Ask = |authority| covers(authority, "/notes.md", Access::ReadWrite);
    let tool: Ask = |authority| authority.tool(&"mail.send".parse().unwrap());
    for (text, ask) in [
        ("[plugin.shop]\nkeyvalue = [\"read seen\"]\n", seen),
        ("[plugin.shop]\nkeyvalue = [\"read other\"]\n", seen),
        ("[plugin.shop]\nkeyvalue = []\n", seen),
        ("[plugin.shop]\n", seen),
        ("", seen),
        ("[plugin.shop]\nhttp = [\"POST https://a.example.com/x\"]\n", get_x),
        ("[plugin.shop]\nhttp = [\"GET https://a.example.com/y, 2 per hour\"]\n", get_x),
        ("[plugin.shop]\nhttp = [\"GET https://a.example.com/x\"]\n", address),
        ("[plugin.shop]\nhttp = [\"GET https://a.example.com/** via 192.168.0.0/16, 2 per hour\"]\n", address),
        ("[plugin.shop]\nfiles = [\"read ./docs as /docs\"]\n", write),
        ("[plugin.shop]\nfiles = [\"read ./docs/a as /docs/a\"]\n", write),
        ("[plugin.shop]\nfiles = [\"read . as /\"]\n", top),
        ("[plugin.shop]\nfiles = [\"read ./docs as /docs\", \"read-write ./out as /out\"]\n", top),
        ("", top),
        ("[plugin.shop]\nenv = []\n", |authority| authority.env("LANG")),
        ("[plugin.shop]\nenv = [\"TZ\"]\n", |authority| authority.env("LANG")),
        ("[plugin.shop]\ntools = [\"mail.read\"]\n", tool),
        ("[plugin.shop]\nask = false\n", Authority::ask),
        ("[plugin.shop]\nmodel = false\n", Authority::model),
        ("[plugin.shop]\nenv = []\n", Authority::ask),
    ] {
        follow(text, &Requests::everything(), ask);
    }
}

#[test]
fn a_bucket_that_is_read_is_changed_and_not_listed_twice() {
    let text = "[plugin.shop]\nkeyvalue = [\"read seen\"]\n";
    let seen: Ask = |authority| authority.keyvalue("seen", Access::ReadWrite).map(|_| ());
    let (advice, after) = follow(text, &Requests::everything(), seen);
    insta::assert_snapshot!(advice, @"to allow it, change the line `read seen` into `read-write seen` in [plugin.shop] of toolcrib.toml");
    assert_eq!(after, "[plugin.shop]\nkeyvalue = [\"read-write seen\"]\n");
    // A line that --grant gave stands in no file.
    let mut file = operator("[plugin.shop]\n");
    file.add_grant(&plugin(), "keyvalue", "read seen").unwrap();
    let advice = file.advise(&plugin(), "keyvalue = [\"read-write seen\"]", "toolcrib.toml").to_string();
    insta::assert_snapshot!(advice, @"to allow it, change the line `read seen` into `read-write seen` in what --grant gives");
    // What was advised counts as written for what is advised after it.
    let mut file = operator("");
    file.advise(&plugin(), "keyvalue = [\"read seen\"]", "toolcrib.toml");
    let advice = file.advise(&plugin(), "keyvalue = [\"read-write seen\"]", "toolcrib.toml").to_string();
    insta::assert_snapshot!(advice, @"to allow it, change the line `read seen` into `read-write seen` in [plugin.shop] of toolcrib.toml");
}

#[test]
fn a_range_is_opened_in_the_line_that_allows_the_request_and_its_rate_stays() {
    let text = "[plugin.shop]\nhttp = [\"GET https://a.example.com/** via 192.168.0.0/16, 2 per hour\"]\n";
    let ask: Ask = |authority| {
        let grant = authority.http(&get("https://a.example.com/x"))?;
        authority.address(grant, "a.example.com", "10.1.2.3".parse().unwrap())
    };
    let (advice, after) = follow(text, &Requests::everything(), ask);
    insta::assert_snapshot!(advice, @"to allow it, change the line `GET https://a.example.com/** via 192.168.0.0/16, 2 per hour` into `GET https://a.example.com/** via 192.168.0.0/16, 10.1.2.3/32, 2 per hour` in [plugin.shop] of toolcrib.toml");
    let authority = operator(&after).authority(&plugin(), &Requests::everything(), None);
    assert_eq!(authority.rates(&get("https://a.example.com/x")).len(), 1);
    let mut learned = operator(text);
    let grant = "http = [\"GET https://a.example.com/** via 192.168.0.0/16, 10.1.2.3/32, 2 per hour\"]";
    assert!(learned.extend("/work".as_ref(), &plugin(), grant).unwrap());
    assert_eq!(learned.grants(&plugin()).len(), 1);
}

#[test]
fn a_file_in_no_folder_is_not_answered_with_the_whole_project() {
    let top: Ask = |authority| covers(authority, "/notes.md", Access::Read);
    let (advice, _) = follow("[plugin.shop]\n", &Requests::everything(), top);
    insta::assert_snapshot!(advice, @r#"
    to allow it, in [plugin.shop] of toolcrib.toml, add:
    files = ["read ./folder as /"]
    better, show the folder in a place of its own, as in `read ./folder as /folder`, and ask for what is below that
    "#);
    let offered = operator("").advise(&plugin(), "files = [\"read ./folder as /\"]", "toolcrib.toml").folder;
    assert_eq!(offered, Some(("./folder".to_owned(), "/work/folder".into())), "the reader is told to replace it");
    let docs = "[plugin.shop]\nfiles = [\"read ./docs as /docs\", \"read ./in as /in\"]\n";
    let refusal = top(&operator(docs).authority(&plugin(), &Requests::everything(), None)).unwrap_err();
    insta::assert_snapshot!(refusal.message, @"plugin `shop` asked to read `/notes.md`: the operator has not granted it (granted are `/docs` and `/in`)");
    let below = operator(docs).authority(&plugin(), &Requests::everything(), None).file_refusal("/etc/x", Access::Read);
    assert!(below.message.ends_with("the operator has not granted it"), "{}", below.message);
    // Where the whole project is shown already, its line is named as it was written.
    let (advice, _) = follow("[plugin.shop]\nfiles = [\"read . as /\"]\n", &Requests::everything(), |authority| {
        covers(authority, "/notes.md", Access::ReadWrite)
    });
    insta::assert_snapshot!(advice, @"to allow it, change the line `read . as /` into `read-write . as /` in [plugin.shop] of toolcrib.toml");
}

#[test]
fn a_part_of_a_granted_folder_is_offered_with_no_less_than_the_folder_has() {
    let requests = |line: &str| Requests { files: vec![FileRequest::parse(line).unwrap()], ..Requests::nothing() };
    let text = "[plugin.shop]\nfiles = [\"read-write ./docs as /docs, 1 MiB\"]\n";
    let (_, after) =
        follow(text, &requests("read /docs/sub"), |authority| covers(authority, "/docs/sub/a", Access::Read));
    assert!(after.contains("\"read-write /work/docs/sub as /docs/sub, 1 MiB\""), "{after}");
    let text = "[plugin.shop]\nfiles = [\"read ./docs as /docs\"]\n";
    let (_, after) = follow(text, &requests("read-write /docs/sub"), |authority| {
        covers(authority, "/docs/sub/a", Access::ReadWrite)
    });
    assert!(after.contains("\"read ./docs as /docs\"") && after.contains("\"read-write /work/docs/sub as /docs/sub\""));
}

#[test]
fn a_variable_that_holds_a_secret_is_offered_to_nobody() {
    let refusal =
        operator("").authority(&plugin(), &Requests::everything(), None).env("TOOLCRIB_SECRET_X").unwrap_err();
    insta::assert_snapshot!(refusal.message, @"plugin `shop` asked for the environment variable `TOOLCRIB_SECRET_X`: `TOOLCRIB_SECRET_X` holds a secret, which no plugin ever sees: grant `credentials` instead, and the host adds it to requests");
    assert_eq!(refusal.grant, None);
}
