//! `toolcrib secret`: the values of credentials. None of it prints one.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::Settings;
use toolcrib_runtime::policy::SecretName;
use toolcrib_runtime::secrets::{Listed, MIN_SECRET_BYTES, Secret, StoreError, variable};

use crate::args::{Common, SecretCommand};
use crate::exit::BadInput;
use crate::render::{errln, outln, plain};
use crate::setup;

/// The longest value that is read. No header holds a longer one.
const MAX_BYTES: u64 = 64 * 1024;
/// A value below this is masked, and so is much else that looks like it.
const SHORT_BYTES: usize = 8;

pub(crate) fn secret(common: &Common, command: SecretCommand) -> anyhow::Result<ExitCode> {
    let settings = setup::settings(common)?;
    match command {
        SecretCommand::Set { name, json } => set(&settings, &named(&name)?, json),
        SecretCommand::List { json } => list(&settings, json),
        SecretCommand::Rm { name, json } => remove(&settings, &named(&name)?, json),
    }
}

fn named(text: &str) -> anyhow::Result<SecretName> {
    text.parse().map_err(|error: toolcrib_runtime::secrets::SecretNameError| BadInput(error.to_string()).into())
}

fn set(settings: &Settings, name: &SecretName, json: bool) -> anyhow::Result<ExitCode> {
    let value = read_value(name)?;
    let bytes = value.reveal().len();
    if bytes < MIN_SECRET_BYTES {
        return Err(BadInput(StoreError::TooShort(MIN_SECRET_BYTES).to_string()).into());
    }
    let store = settings.secret_store();
    let replaced = store.set(name, &value)?;
    let shadowing = store.holder(name)?.filter(|source| Some(*source) != store.writable());
    if json {
        outln!(
            "{}",
            json!({ "secret": name.as_str(), "replaced": replaced, "shadowed_by": shadowing.map(|s| s.to_string()) })
        );
        return Ok(ExitCode::SUCCESS);
    }
    outln!("{}", plain(&format!("{name}: {}", if replaced { "replaced" } else { "set" })));
    if bytes < SHORT_BYTES {
        errln!("warning: {bytes} bytes are few: wherever an answer has the same bytes by chance, they are masked too");
    }
    if let Some(source) = shadowing {
        errln!(
            "{}",
            plain(&format!("warning: the value in `{source}` counts: it comes first in `sources` of `[secrets]`"))
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// From standard input to its end, without the line's end; typed twice without echo at a terminal. Never an argument, which
/// others on this machine could read.
fn read_value(name: &SecretName) -> anyhow::Result<Secret> {
    let mut text = String::new();
    if std::io::stdin().is_terminal() {
        text = rpassword::prompt_password(format!("value of {name}: "))?;
        if Secret::new(rpassword::prompt_password("once more: ")?).reveal() != text {
            return Err(BadInput("the two values are not the same; nothing was set".to_owned()).into());
        }
    } else {
        let read = std::io::stdin().take(MAX_BYTES + 1).read_to_string(&mut text);
        read.map_err(|_| BadInput("the value on standard input is not UTF-8".to_owned()))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(BadInput(format!("the value is longer than {MAX_BYTES} bytes")).into());
        }
    }
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    if text.is_empty() {
        let how = format!("the value is empty: give it on standard input, as in `toolcrib secret set {name} < FILE`");
        return Err(BadInput(how).into());
    }
    Ok(Secret::new(text))
}

fn list(settings: &Settings, json: bool) -> anyhow::Result<ExitCode> {
    let store = settings.secret_store();
    let mut found = store.list()?;
    let referred = settings.operator.secrets();
    let mut missing = Vec::new();
    let listed: Vec<SecretName> = found.iter().map(|listed| listed.name.clone()).collect();
    for name in referred.iter().filter(|name| !listed.contains(name)) {
        match store.holder(name)? {
            Some(source) => {
                found.push(Listed { name: name.clone(), source: source.clone(), shadowed: Vec::new() });
            }
            None => missing.push(name),
        }
    }
    if json {
        let shown = |listed: &Listed| {
            let shadowed: Vec<String> = listed.shadowed.iter().map(ToString::to_string).collect();
            let (name, source) = (listed.name.as_str(), listed.source.to_string());
            json!({ "name": name, "source": source, "shadowed": shadowed, "used": referred.contains(&listed.name) })
        };
        let secrets: Vec<_> = found.iter().map(shown).collect();
        let missing: Vec<&str> = missing.iter().map(|name| name.as_str()).collect();
        outln!("{}", json!({ "secrets": secrets, "missing": missing }));
        return Ok(ExitCode::SUCCESS);
    }
    for listed in &found {
        let unused = if referred.contains(&listed.name) { "" } else { "  (no credential refers to it)" };
        outln!("{}", plain(&format!("{:24}  {}{unused}", listed.name.as_str(), listed.source)));
    }
    for name in &missing {
        errln!(
            "missing: {name}, which the operator's file refers to: `toolcrib secret set {name}`, or the variable {}",
            variable(name)
        );
    }
    if found.is_empty() && missing.is_empty() {
        errln!("there are no secrets; `toolcrib secret set NAME` makes one");
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(settings: &Settings, name: &SecretName, json: bool) -> anyhow::Result<ExitCode> {
    let store = settings.secret_store();
    if !store.remove(name)? {
        let elsewhere = store.list()?.into_iter().find(|listed| listed.name == *name);
        let place =
            elsewhere.map(|listed| format!("; it is in `{}`, which this command does not write", listed.source));
        return Err(BadInput(format!(
            "there is no secret `{name}` that this command could remove{}",
            place.unwrap_or_default()
        ))
        .into());
    }
    if json {
        outln!("{}", json!({ "removed": name.as_str() }));
    } else {
        outln!("{name}: removed");
    }
    Ok(ExitCode::SUCCESS)
}
