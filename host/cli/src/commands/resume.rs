//! `toolcrib resume`: a run goes on.

use std::process::ExitCode;
use std::sync::Arc;

use toolcrib_runtime::ResumeRequest;

use crate::args::{Common, DriveArgs, ResumeArgs};
use crate::commands::run::{Desk, budget, conclude, crib};
use crate::person::Word;

pub(crate) async fn resume(common: &Common, args: ResumeArgs) -> anyhow::Result<ExitCode> {
    go_on(common, args.run, args.model, args.fallback, args.answer, &args.drive).await
}

/// Goes on with a run that is in the ledger.
pub(crate) async fn go_on(
    common: &Common,
    run: String,
    model: Option<String>,
    fallback: Vec<String>,
    answer: Option<String>,
    drive: &DriveArgs,
) -> anyhow::Result<ExitCode> {
    let crib = crib(common, drive).await?;
    let desk = Desk::new(drive);
    let request = ResumeRequest {
        run,
        planner: model,
        fallback,
        budget: budget(drive),
        person: match answer {
            Some(text) => Some(Arc::new(Word::left(text))),
            None => desk.person.clone(),
        },
        observer: Arc::new(desk.live.clone()),
        progress: desk.live.progress(),
        cancel: desk.cancel.clone(),
    };
    let result = crib.resume(request, |run| desk.began(run)).await;
    conclude(common, &crib, desk, result)
}
