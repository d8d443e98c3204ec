//! What a refusal offers, as a person can use it.

use toolcrib_runtime::OPERATOR_FILE;
use toolcrib_runtime::agent::{Outcome, Question};
use toolcrib_runtime::policy::{OperatorFile, PluginName};

use super::{errln, plain_lines};
use crate::args::Common;

/// Says on standard error how to add `grants`, each for its plugin, to the operator's file.
pub(crate) fn advise<'a>(
    common: &Common,
    operator: &OperatorFile,
    grants: impl IntoIterator<Item = (&'a PluginName, &'a str)>,
) {
    let name = common.policy.as_ref().map_or_else(|| OPERATOR_FILE.to_owned(), |path| path.display().to_string());
    let mut operator = operator.clone();
    for (plugin, grant) in grants {
        let advice = operator.advise(plugin, grant, &name);
        errln!("{}", plain_lines(&advice.to_string()));
        match advice.folder {
            Some((written, folder)) if folder.is_file() => {
                errln!("`{}` is a file: name the folder that holds it", plain_lines(&written));
            }
            Some((written, folder)) if !folder.exists() => {
                errln!("replace `{}` by the folder that you mean", plain_lines(&written));
            }
            _ => {}
        }
    }
}

/// Says how to answer the question of an approval that a run or call ended with, and what to do `then`. False where it
/// ended otherwise.
pub(crate) fn hint_approval(outcome: &Outcome, then: &str) -> bool {
    let Outcome::Asked { question: Question { approval: Some(id), .. }, .. } = outcome else { return false };
    errln!("to say yes: `toolcrib approvals approve {id}`, and {then}");
    true
}
