use toolcrib_policy::{Effect, Requests, Trust, effective_effect};

use crate::{authority, operator, plugin};

const READS: &str = "[plugin.shop]\nhttp = [\"GET,HEAD https://a.com/**\"]\nfiles = [\"read ./a as /a\"]";

fn undo(tool: &str) -> Effect {
    Effect::Reversible { undo: tool.to_owned() }
}

#[test]
fn the_worse_of_two_effects_counts() {
    assert_eq!(Effect::Read.worse(Effect::Idempotent), Effect::Idempotent);
    assert_eq!(Effect::Irreversible.worse(undo("x")), Effect::Irreversible);
    assert_eq!(undo("x").worse(undo("x")), undo("x"));
    assert_eq!(undo("x").worse(undo("y")), Effect::Irreversible);
}

#[test]
fn an_undeclared_effect_is_irreversible_or_read_where_nothing_is_granted() {
    assert_eq!(effective_effect(None, &authority("")), Effect::Read);
    assert_eq!(effective_effect(None, &authority("[plugin.shop]\nconfig = { a = \"b\" }")), Effect::Read);
    assert_eq!(effective_effect(None, &authority(READS)), Effect::Irreversible);
}

#[test]
fn a_declared_read_stays_one_under_grants_that_only_read() {
    assert_eq!(effective_effect(Some(&Effect::Read), &authority(READS)), Effect::Read);
}

#[test]
fn a_declared_read_is_not_believed_under_a_grant_that_writes() {
    for grants in [
        "http = [\"GET,POST https://a.com/**\"]",
        "http = [\"* https://a.com/**\"]",
        "files = [\"read-write ./a as /a\"]",
        "tools = [\"mail.send\"]",
    ] {
        let authority = authority(&format!("[plugin.shop]\n{grants}"));
        assert_eq!(effective_effect(Some(&Effect::Read), &authority), Effect::Irreversible, "{grants}");
        assert_eq!(effective_effect(Some(&undo("x")), &authority), Effect::Irreversible, "{grants}");
    }
}

#[test]
fn a_grant_that_writes_does_not_count_where_the_manifest_or_ceiling_leave_reading_alone() {
    let grants = "[plugin.shop]\nhttp = [\"* https://a.com/**\"]";
    let file = operator(grants);
    let http = vec![toolcrib_policy::HttpPattern::parse("GET *").unwrap()];
    let asks_to_read = file.authority(&plugin(), &Requests { http, ..Requests::nothing() }, None);
    assert_eq!(effective_effect(Some(&Effect::Read), &asks_to_read), Effect::Read);
    let under = authority(&format!("[ceiling]\nhttp = [\"GET *\"]\n{grants}"));
    assert_eq!(effective_effect(Some(&Effect::Read), &under), Effect::Read);
}

#[test]
fn the_operator_has_the_last_word_per_tool_and_first_party_declarations_are_taken_as_they_are() {
    let authority =
        authority("[plugin.shop]\nhttp = [\"* https://a.com/**\"]\n[plugin.shop.tool.look]\neffect = \"read\"");
    assert_eq!(authority.effect_of("look", None, Trust::Stranger), Effect::Read);
    assert_eq!(authority.effect_of("buy", Some(&Effect::Read), Trust::Stranger), Effect::Irreversible);
    assert_eq!(authority.effect_of("buy", Some(&Effect::Read), Trust::FirstParty), Effect::Read);
    assert_eq!(authority.effect_of("buy", None, Trust::FirstParty), Effect::Irreversible);
}

#[test]
fn effects_are_written_in_kebab_case() {
    assert_eq!(serde_json::to_string(&Effect::Read).unwrap(), "\"read\"");
    assert_eq!(serde_json::to_string(&undo("x")).unwrap(), r#"{"reversible":{"undo":"x"}}"#);
}

#[test]
fn requests_that_carry_a_key_can_be_made_again() {
    let keyed =
        "[plugin.shop]\nhttp = [\"GET https://a.com/**\", \"POST https://a.com/**, 9 per day, idempotency-key\"]";
    for trust in [Trust::Stranger, Trust::FirstParty] {
        for declared in [None, Some(&Effect::Irreversible)] {
            // Nobody vouches for what a first-party tool does not declare, and its grants say all.
            assert_eq!(
                authority(keyed).effect_of("buy", declared, trust),
                Effect::Idempotent,
                "{declared:?} {trust:?}"
            );
        }
    }
    assert_eq!(authority(keyed).effect_of("buy", Some(&undo("x")), Trust::FirstParty), undo("x"));
    // Not where something else may be changed, nor where the operator says what it is.
    for more in ["http = [\"PUT https://a.com/**\"]", "files = [\"read-write ./a as /a\"]", "tools = [\"mail.send\"]"] {
        let keyed = "\"POST https://a.com/**, idempotency-key\"";
        let grants = match more.strip_prefix("http = [") {
            Some(rest) => format!("[plugin.shop]\nhttp = [{keyed}, {rest}"),
            None => format!("[plugin.shop]\nhttp = [{keyed}]\n{more}"),
        };
        assert_eq!(effective_effect(Some(&Effect::Irreversible), &authority(&grants)), Effect::Irreversible, "{more}");
    }
    let said = authority(&format!("{keyed}\n[plugin.shop.tool.buy]\neffect = \"irreversible\""));
    assert_eq!(said.effect_of("buy", None, Trust::Stranger), Effect::Irreversible);
}
