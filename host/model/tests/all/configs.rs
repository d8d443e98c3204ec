//! Settings: from a text and a few variables.

use std::path::Path;

use proptest::prelude::*;
use toolcrib_model::{ConfigError, FileError, HttpConfig, Model, ModelConfig, Wire};

use crate::scripts::{asks, complete};
use crate::server::http;

fn parse(spec: &str, variables: &[(&str, &str)]) -> Result<HttpConfig, ConfigError> {
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    ModelConfig::parse(spec, lookup).map(http)
}

fn connect(config: HttpConfig) -> Result<Box<dyn Model>, ConfigError> {
    toolcrib_model::connect(config.into())
}

#[test]
fn a_short_text_and_the_usual_key_are_enough() {
    for (spec, key, wire, url) in [
        ("openai:gpt-5", "OPENAI_API_KEY", Wire::Responses, "https://api.openai.com/v1"),
        ("openai-chat:gpt-5", "OPENAI_API_KEY", Wire::Chat, "https://api.openai.com/v1"),
        ("anthropic:claude-x", "ANTHROPIC_API_KEY", Wire::Messages, "https://api.anthropic.com/"),
        ("gemini:gemini-x", "GEMINI_API_KEY", Wire::Gemini, "https://generativelanguage.googleapis.com/"),
    ] {
        let config = parse(spec, &[(key, "k")]).unwrap();
        assert_eq!((config.wire, config.base_url.as_str(), config.name().as_str()), (wire, url, spec));
        assert!(config.key.is_some());
        assert!(connect(config).is_ok());
        let error = parse(spec, &[]).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn a_model_may_have_a_colon_and_an_at_sign_in_its_name() {
    let config = parse("ollama:qwen3:8b@q4@http://127.0.0.1:9000/v1", &[]).unwrap();
    assert_eq!((config.model.as_str(), config.base_url.as_str()), ("qwen3:8b@q4", "http://127.0.0.1:9000/v1"));
}

#[test]
fn a_vendors_key_does_not_go_to_an_address_in_the_text() {
    let vendor = [("OPENAI_API_KEY", "vendor")];
    assert!(parse("openai-chat:m@https://example.org/v1", &vendor).unwrap().key.is_none());
    let own = [("OPENAI_API_KEY", "vendor"), ("TOOLCRIB_MODEL_KEY", "own")];
    assert!(parse("openai-chat:m@https://example.org/v1", &own).unwrap().key.is_some());
    let beside = [("OPENAI_API_KEY", "vendor"), ("OPENAI_BASE_URL", "https://example.org/v1")];
    let config = parse("openai-chat:m", &beside).unwrap();
    assert!(config.key.is_some() && config.base_url.host_str() == Some("example.org"));
}

#[test]
fn the_key_for_an_address_in_the_text_does_not_go_to_a_vendor() {
    let own = [("TOOLCRIB_MODEL_KEY", "own")];
    let error = parse("anthropic:m", &own).unwrap_err();
    insta::assert_snapshot!(error, @"`anthropic` needs a key: set ANTHROPIC_API_KEY");
}

#[test]
fn a_key_does_not_travel_unencrypted_over_a_public_network() {
    let key = [("TOOLCRIB_MODEL_KEY", "own")];
    let error = parse("openai-chat:m@http://example.org/v1", &key).unwrap_err();
    insta::assert_snapshot!(error, @"the key would go to example.org unencrypted: use https, or leave the key out");
    for private in ["127.0.0.1:1", "[::1]:1", "localhost:1", "10.1.2.3", "192.168.0.9", "vllm:8000", "[fd00::1]"] {
        assert!(parse(&format!("openai-chat:m@http://{private}/v1"), &key).is_ok(), "{private}");
    }
    assert!(parse("openai-chat:m@http://example.org/v1", &[]).is_ok());
}

#[test]
fn the_ollama_host_is_taken_as_people_write_it() {
    for (host, url) in [
        ("0.0.0.0", "http://127.0.0.1:11434/"),
        ("0.0.0.0:9", "http://127.0.0.1:9/"),
        ("box", "http://box:11434/"),
        ("box:80", "http://box/"),
        ("https://ollama.example.org", "https://ollama.example.org/"),
    ] {
        assert_eq!(parse("ollama:m", &[("OLLAMA_HOST", host)]).unwrap().base_url.as_str(), url, "{host}");
    }
    assert_eq!(parse("ollama:m", &[]).unwrap().base_url.as_str(), "http://127.0.0.1:11434/");
}

#[test]
fn what_cannot_be_used_is_refused_with_what_to_write() {
    let refused = |spec: &str| parse(spec, &[("TOOLCRIB_MODEL_KEY", "k")]).unwrap_err().to_string();
    insta::assert_snapshot!(refused("gpt-5"), @"`gpt-5` names no model: write `wire:model`, such as `openai:gpt-5`, or `wire:model@url`");
    insta::assert_snapshot!(refused("openai:"), @"`openai:` names no model: write `wire:model`, such as `openai:gpt-5`, or `wire:model@url`");
    insta::assert_snapshot!(refused("opnai:gpt-5"), @"no wire is called `opnai`: use `openai`, `openai-chat`, `anthropic`, `gemini` or `ollama`, or `script` or `replay` with a file");
    insta::assert_snapshot!(refused("openai:m@https://u:pw@h/v1"), @"the base URL from the model's text cannot be used: it holds a name or a password; a key goes into TOOLCRIB_MODEL_KEY");
    insta::assert_snapshot!(refused("openai:m@https://h/v1?key=1"), @"the base URL from the model's text cannot be used: it must end with its path, without `?` or `#`");
}

#[test]
fn no_secret_shows_when_settings_are_printed() {
    let variables = [
        ("OPENAI_API_KEY", "sk-secret"),
        ("HTTPS_PROXY", "http://user:sk-secret@proxy:3128"),
        ("NO_PROXY", "internal.example"),
    ];
    let config = parse("openai:m", &variables).unwrap();
    assert!(config.proxy.is_some());
    let printed = format!("{config:?}");
    assert!(!printed.contains("sk-secret"), "{printed}");
    assert!(printed.contains("internal.example"), "{printed}");
    assert!(connect(config).is_ok());
}

#[test]
fn a_key_that_no_header_can_carry_and_roots_that_are_none_are_refused() {
    let error = connect(parse("openai:m", &[("OPENAI_API_KEY", "a\nb")]).unwrap()).map(drop).unwrap_err();
    assert_eq!(error, ConfigError::Key);
    let mut config = parse("openai:m", &[("OPENAI_API_KEY", "k")]).unwrap();
    config.extra_roots = Some(b"hello".to_vec());
    assert!(matches!(connect(config).map(drop), Err(ConfigError::Roots { .. })));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(spec in "\\PC{0,60}|(openai|ollama|script|replay):\\PC{0,30}(@https?://\\PC{0,30})?") {
        let _ = ModelConfig::parse(&spec, |name| (name == "OPENAI_API_KEY").then(|| "k".to_owned()));
    }
}

#[test]
fn a_file_is_named_after_script_or_replay_and_needs_no_key() {
    let config = ModelConfig::parse(" script:tests/a:b demo.yaml", |_| None).unwrap();
    assert_eq!(config.name(), "script:a:b demo");
    assert_eq!(config.reads(), Some(Path::new("tests/a:b demo.yaml")));
    assert!(config.ports().is_empty() && config.writes().is_none());
    let config = ModelConfig::parse("replay:run.jsonl", |_| None).unwrap();
    assert_eq!((config.name().as_str(), config.reads()), ("replay:run", Some(Path::new("run.jsonl"))));
    for word in ["script", "replay"] {
        let error = ModelConfig::parse(&format!("{word}: "), |_| None).unwrap_err();
        assert_eq!(error.to_string(), format!("`{word}:` names no file: write `{word}:FILE`"));
        let error = toolcrib_model::connect(ModelConfig::parse(&format!("{word}:no-such-file"), |_| None).unwrap());
        assert!(matches!(error.map(drop), Err(ConfigError::File(FileError::Access { .. }))));
    }
}

#[tokio::test]
async fn a_variable_names_the_recording_that_a_replay_then_answers_from() {
    let folder = tempfile::tempdir().unwrap();
    let (script, record) = (folder.path().join("demo.yaml"), folder.path().join("run.jsonl"));
    std::fs::write(&script, "version: 1\nexchanges: [{ answer: { text: hello } }]").unwrap();
    let variable = |name: &str| (name == "TOOLCRIB_MODEL_RECORD").then(|| record.display().to_string());
    let config = ModelConfig::parse(&format!("script:{}", script.display()), variable).unwrap();
    assert_eq!(config.writes(), Some(record.as_path()));
    let model = toolcrib_model::connect(config).unwrap();
    assert_eq!(model.name(), "script:demo");
    let first = complete(&model, &asks("hi")).await.0.unwrap();
    let replay = ModelConfig::parse(&format!("replay:{}", record.display()), |_| None).unwrap();
    let second = complete(&toolcrib_model::connect(replay).unwrap(), &asks("hi")).await.0.unwrap();
    assert_eq!((first.text.as_deref(), &first), (Some("hello"), &second));
}
