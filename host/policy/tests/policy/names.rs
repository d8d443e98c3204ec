use toolcrib_policy::{Digest, PluginName, ToolName};

#[test]
fn a_plugin_name_is_small_letters_digits_and_dashes_and_begins_with_a_letter() {
    for good in ["a", "http", "my-plugin-2", &"a".repeat(64)] {
        assert_eq!(good.parse::<PluginName>().unwrap().to_string(), good);
    }
    for bad in ["", "A", "2x", "-x", "x_y", "x.y", "x y", "plügin", "x\n", "../x", &"a".repeat(65)] {
        assert!(bad.parse::<PluginName>().is_err(), "{bad}");
    }
}

#[test]
fn a_qualified_tool_name_splits_at_its_only_dot() {
    let name: ToolName = "files.read_all".parse().unwrap();
    assert_eq!((name.plugin().as_str(), name.tool()), ("files", "read_all"));
    for bad in ["files", "files.", ".read", "files.read.all", "files.Read", "files/read"] {
        assert!(bad.parse::<ToolName>().is_err(), "{bad}");
    }
}

#[test]
fn names_and_digests_travel_as_strings_and_are_checked_on_arrival() {
    let name: ToolName = "files.read".parse().unwrap();
    let json = serde_json::to_string(&name).unwrap();
    assert_eq!(json, "\"files.read\"");
    assert_eq!(serde_json::from_str::<ToolName>(&json).unwrap(), name);
    assert!(serde_json::from_str::<PluginName>("\"../etc\"").is_err());
    let digest = Digest::of(b"abc");
    let json = serde_json::to_string(&digest).unwrap();
    assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
}

#[test]
fn a_digest_is_the_sha_256_that_everybody_computes() {
    let digest = Digest::of(b"abc");
    let expected = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest.to_string(), expected);
    assert_eq!(digest.short(), "ba7816bf8f01");
    assert_eq!(expected.parse::<Digest>().unwrap(), digest);
}

#[test]
fn a_digest_has_one_spelling() {
    let good = Digest::of(b"").to_string();
    for bad in [&good[7..], &good.to_uppercase(), &good[..70], &format!("{good}0"), &good.replace('e', "g")] {
        assert!(bad.parse::<Digest>().is_err(), "{bad}");
    }
}

#[test]
fn a_message_shows_hidden_characters_of_a_wrong_name() {
    let error = "evil\u{202e}\u{1b}[31m".parse::<PluginName>().unwrap_err().to_string();
    assert!(error.contains("\\u{202e}") && error.contains("\\u{1b}"), "{error}");
}
