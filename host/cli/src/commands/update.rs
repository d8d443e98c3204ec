//! `toolcrib update`: what is different about plugins, and a person's word on it.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::Waiting;
use toolcrib_runtime::catalog::Difference;

use crate::args::{Common, UpdateArgs};
use crate::render::{errln, outln, plain, plain_lines};
use crate::{exit, setup};

pub(crate) async fn update(common: &Common, args: UpdateArgs) -> anyhow::Result<ExitCode> {
    let crib = setup::crib(common).await?;
    let waiting = crib.waiting(&args.names).await?;
    if !args.json {
        waiting.iter().for_each(show);
    }
    let mut taken: Vec<Waiting> = Vec::new();
    let mut left: Vec<(Waiting, String)> = Vec::new();
    for plugin in waiting {
        match verdict(&plugin, &args) {
            Ok(()) => taken.push(plugin),
            Err(why) => left.push((plugin, why)),
        }
    }
    if !taken.is_empty() {
        crib.accept(&taken).await?;
    }
    if args.json {
        let left: Vec<_> = left.iter().map(|(plugin, why)| json!({ "plugin": plugin, "left": why })).collect();
        outln!("{}", json!({ "accepted": taken, "kept_out": left }));
    } else {
        taken.iter().for_each(|plugin| outln!("{}: let in as it is now", plugin.plugin));
        left.iter().for_each(|(plugin, why)| errln!("{}: kept out: {}", plugin.plugin, plain(why)));
        if taken.is_empty() && left.is_empty() {
            outln!("every plugin is what it was when somebody last looked");
        }
    }
    Ok(ExitCode::from(if left.is_empty() { 0 } else { exit::REFUSED }))
}

/// Whether a person lets the plugin in, and why not.
fn verdict(plugin: &Waiting, args: &UpdateArgs) -> Result<(), String> {
    if !plugin.acceptable {
        return Err(plugin.why.clone());
    }
    if plugin.downgrade && !args.allow_downgrade {
        return Err("it states an older version than before; --allow-downgrade lets it in all the same".to_owned());
    }
    if args.yes {
        return Ok(());
    }
    let attended = std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !args.json;
    if !attended {
        return Err("nobody is there to say yes; --yes does".to_owned());
    }
    let mut line = String::new();
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "let `{}` in as it is now? [y/N] ", plugin.plugin).and_then(|()| out.flush());
    let read = std::io::stdin().lock().read_line(&mut line);
    match read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes") {
        true => Ok(()),
        false => Err("you said no".to_owned()),
    }
}

fn show(plugin: &Waiting) {
    outln!("{}: {}", plugin.plugin, plain(&plugin.why));
    for Difference { at, was, is } in &plugin.differences {
        outln!("  {}", plain(at));
        for (mark, text) in [('-', was), ('+', is)] {
            let Some(text) = text else { continue };
            for line in plain_lines(text).lines() {
                outln!("    {mark} {line}");
            }
        }
    }
}
