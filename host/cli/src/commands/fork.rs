//! `toolcrib fork`: another run begins where this one was.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::ForkRequest;

use crate::args::{Common, ForkArgs};
use crate::commands::resume::go_on;
use crate::render::{counted, errln, outln};
use crate::setup;

pub(crate) async fn fork(common: &Common, args: ForkArgs) -> anyhow::Result<ExitCode> {
    let request = ForkRequest { run: args.run, at: args.at, again: args.again };
    let forked = {
        let crib = setup::quiet_crib(common).await?;
        crib.fork(&request).await?
    };
    let quiet = args.drive.quiet || args.drive.json;
    if forked.made > 0 && !quiet {
        let calls = counted(forked.made as u64, "call");
        errln!("run {} made {calls} later that cannot be taken back: not made again here (--again does)", forked.from);
    }
    if !args.hold {
        return go_on(common, forked.run.to_string(), args.model, args.fallback, None, &args.drive).await;
    }
    if args.drive.json {
        outln!("{}", json!({ "run": forked.run, "from": forked.from, "at": request.at, "made": forked.made }));
    } else {
        outln!("{}", forked.run);
        errln!("`toolcrib resume {}` goes on with it", forked.run);
    }
    Ok(ExitCode::SUCCESS)
}
