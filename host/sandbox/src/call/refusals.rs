//! The refusals of a call, and which of them explains why it failed.
//!
//! Language runtimes look for files that are not there and go on without them, and tools try things that they can do
//! without. So a refusal takes the place of a tool's own words only where it is the likely cause: nobody asks the
//! network, a person or a model by the way, and for files the tool must speak of what was refused.

use toolcrib_policy::{Refusal, RefusalCode};

/// Refusals that are kept. Further ones replace the last, which is the nearest to the failure.
const MAX_KEPT: usize = 32;

/// Words for a refused permission, as libraries of several languages print them, in lower case.
const DENIED: &[&str] = &[
    "permission denied",
    "permissiondenied",
    "access denied",
    "not permitted",
    "notpermitted",
    "read only file system",
    "readonlyfilesystem",
    "quota exceeded",
    "quotaexceeded",
    "capabilities insufficient",
    "eacces",
    "eperm",
    "erofs",
    "edquot",
    "enotcapable",
];
/// The same as numbers of `wasi-libc`: access, quota, not permitted, read-only, not capable.
const DENIED_NUMBERS: &[&str] = &["2", "19", "63", "69", "76"];
/// The same as whole messages: the cases of `wasi:filesystem`'s error.
const DENIED_CASES: &[&str] = &["access", "denied", "quota", "read only", "insufficient space"];

/// A refused use of a capability.
#[derive(Clone, Debug)]
struct Refused {
    capability: &'static str,
    target: String,
    refusal: Refusal,
}

/// What was refused in one call.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Vec<Refused>);

/// What a tool said when it failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    /// The code of its own error, or of the host's where it crashed.
    pub(crate) code: &'a str,
    /// The words of its own error; empty where it gave none.
    pub(crate) message: &'a str,
    /// The last lines of its standard error.
    pub(crate) stderr: &'a str,
    /// Whether a Python exception is among them. Its errors of files name the file.
    pub(crate) traceback: bool,
}

impl Refusals {
    pub(crate) fn push(&mut self, capability: &'static str, target: &str, refusal: &Refusal) {
        let known = |r: &Refused| r.capability == capability && r.target == target && r.refusal.code == refusal.code;
        if self.0.iter().any(known) {
            return;
        }
        if self.0.len() == MAX_KEPT {
            self.0.pop();
        }
        self.0.push(Refused { capability, target: target.to_owned(), refusal: refusal.clone() });
    }

    /// The refusal that explains a failure: of those that can, the first whose target the tool names, else the first.
    pub(crate) fn explaining(&self, said: &Said<'_>) -> Option<&Refusal> {
        // A request that went without a granted credential explains only that the server did not let it in.
        let went_without = |refused: &Refused| refused.refusal.code == RefusalCode::CredentialDenied;
        let explains = |refused: &&Refused| match refused.capability {
            "files" => refused.named(said) || said.denied(),
            _ if went_without(refused) => said.code == "needs-auth",
            _ => true,
        };
        let found = self.0.iter().filter(explains);
        let named = found.clone().find(|refused| refused.named(said));
        named.or_else(|| found.clone().next()).or_else(|| self.alone(said)).map(|refused| &refused.refusal)
    }

    /// A tool that said nothing at all is explained where everything that was refused is of one kind.
    fn alone(&self, said: &Said<'_>) -> Option<&Refused> {
        let first = self.0.first()?;
        let same = self.0.iter().all(|refused| refused.capability == first.capability);
        (said.nothing() && same).then_some(first)
    }

    #[cfg(test)]
    pub(crate) fn last(&self) -> Option<&Refusal> {
        self.0.last().map(|refused| &refused.refusal)
    }
}

impl Refused {
    fn named(&self, said: &Said<'_>) -> bool {
        [said.message, said.stderr].iter().any(|text| {
            text.contains(&self.refusal.message)
                || names(text, &self.target)
                || (self.capability == "files" && text.split(between_words).any(|word| self.file_is(word)))
        })
    }

    /// Whether a word is the path's end, such as `docs/a.txt` or `a.txt` for `/docs/a.txt`. One name alone must be
    /// more than a word that stands there by chance.
    fn file_is(&self, word: &str) -> bool {
        let word = word.trim_start_matches("./").trim_end_matches(['.', '/', '!', '?']);
        let Some(folder) = self.target.strip_suffix(word).and_then(|rest| rest.strip_suffix('/')) else {
            return false;
        };
        let extended = word.trim_start_matches('.').contains('.');
        !word.is_empty() && (word.contains('/') || extended || (!folder.is_empty() && word.len() > 3))
    }
}

impl Said<'_> {
    fn nothing(&self) -> bool {
        self.message.trim().is_empty() && self.stderr.trim().is_empty()
    }

    /// Whether it speaks of a refused permission.
    fn denied(&self) -> bool {
        let denied = |text: &str| {
            let text = text.to_lowercase().replace(['-', '_'], " ");
            let numbered = |rest: &str| {
                let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
                DENIED_NUMBERS.contains(&number.as_str())
            };
            DENIED.iter().any(|words| text.contains(words))
                || DENIED_CASES.contains(&text.trim())
                || text.split("os error ").skip(1).any(numbered)
        };
        self.code == "denied" || denied(self.message) || (!self.traceback && denied(self.stderr))
    }
}

/// Whether `text` has `target` in it, and not as a part of something longer.
fn names(text: &str, target: &str) -> bool {
    let longer = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    // A target of one or two characters stands in too many texts by chance.
    target.len() > 2
        && text.match_indices(target).any(|(at, _)| {
            let after = text[at + target.len()..].chars().next();
            !text[..at].ends_with(longer) && !after.is_some_and(|c| longer(c) && c != '/')
        })
}

fn between_words(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | ':' | '=')
}

#[cfg(test)]
mod tests {
    use toolcrib_policy::{Refusal, RefusalCode};

    use super::{MAX_KEPT, Refusals, Said};

    fn refusals(of: &[(&'static str, &str)]) -> Refusals {
        let mut refusals = Refusals::default();
        for (capability, target) in of {
            let refusal = Refusal::new(RefusalCode::FileDenied, format!("refused {target}"));
            refusals.push(capability, target, &refusal);
        }
        refusals
    }

    fn explained(of: &[(&'static str, &str)], message: &str, stderr: &str) -> Option<String> {
        let said = Said { code: "failed", message, stderr, traceback: false };
        refusals(of).explaining(&said).map(|refusal| refusal.message.clone())
    }

    const PROBES: &[(&str, &str)] =
        &[("files", "/python"), ("files", "/0"), ("files", "/world"), ("files", "/python/lib/app.py")];

    #[test]
    fn what_a_runtime_looked_for_by_the_way_explains_nothing() {
        for said in ["ValueError: wrong value", "1 or 0 was expected", "hello world, this is python", "x/app.pyc"] {
            assert_eq!(explained(PROBES, "", said), None, "{said}");
            assert_eq!(explained(PROBES, said, ""), None, "{said}");
        }
    }

    #[test]
    fn a_refused_file_that_was_swallowed_leaves_the_tools_own_words() {
        assert_eq!(explained(&[("files", "/etc/passwd")], "the shop is closed", ""), None);
        assert_eq!(explained(&[("files", "/etc/passwd")], "no entry (os error 28)", ""), None);
    }

    #[test]
    fn the_file_that_is_named_explains() {
        let mut with_file = PROBES.to_vec();
        with_file.push(("files", "/etc/passwd"));
        for said in
            ["cannot read '/etc/passwd'", "Permission denied: etc/passwd", "could not open passwd.", "./etc/passwd?"]
        {
            assert_eq!(explained(&with_file, said, "").as_deref(), Some("refused /etc/passwd"), "{said}");
            assert_eq!(explained(&with_file, "", said).as_deref(), Some("refused /etc/passwd"), "{said}");
        }
        for said in ["cannot read '/etc/passwd2'", "/old/etc/passwd is broken", "a/passwd", "the passwds"] {
            assert_eq!(explained(&with_file, said, ""), None, "{said}");
        }
    }

    #[test]
    fn words_for_a_refused_permission_are_explained_by_the_first_file() {
        let files = [("files", "/a/one.txt"), ("files", "/a/two.txt")];
        for said in
            ["Permission denied", "it failed (os error 63)", "kind: PermissionDenied", "EACCES", "access", "read-only"]
        {
            assert_eq!(explained(&files, said, "").as_deref(), Some("refused /a/one.txt"), "{said}");
        }
        assert_eq!(explained(&files, "two.txt: Permission denied", "").as_deref(), Some("refused /a/two.txt"));
    }

    #[test]
    fn the_network_is_not_asked_by_the_way() {
        let both = [("files", "/python"), ("http", "http://example.com/"), ("http", "http://example.org/a")];
        assert_eq!(explained(&both, "no luck", "").as_deref(), Some("refused http://example.com/"));
        assert_eq!(
            explained(&both, "GET http://example.org/a failed", "").as_deref(),
            Some("refused http://example.org/a")
        );
    }

    #[test]
    fn a_tool_that_said_nothing_is_explained_by_refusals_of_one_kind() {
        assert_eq!(explained(&[("files", "/a"), ("files", "/b")], "", " \n").as_deref(), Some("refused /a"));
        assert_eq!(explained(&[], "", ""), None);
    }

    #[test]
    fn a_python_exception_is_explained_by_the_file_that_it_names_alone() {
        let mut with_file = PROBES.to_vec();
        with_file.push(("files", "/etc/passwd"));
        let explained = |stderr| {
            let said = Said { code: "trap", message: "", stderr, traceback: true };
            refusals(&with_file).explaining(&said).map(|refusal| refusal.message.clone())
        };
        assert_eq!(explained("PermissionError: members only: permission denied"), None);
        let named = "PermissionError: [Errno 2] Permission denied: '/etc/passwd'";
        assert_eq!(explained(named).as_deref(), Some("refused /etc/passwd"));
    }

    #[test]
    fn what_is_kept_is_bounded_and_holds_the_first_and_the_last() {
        let mut many = Refusals::default();
        for number in 0..1000 {
            let target = format!("/data/{number}.txt");
            many.push("files", &target, &Refusal::new(RefusalCode::FileDenied, target.clone()));
        }
        assert_eq!(many.0.len(), MAX_KEPT);
        for named in ["0.txt", "999.txt"] {
            let said = Said { code: "failed", message: named, stderr: "", traceback: false };
            assert_eq!(many.explaining(&said).map(|r| r.message.as_str()), Some(format!("/data/{named}").as_str()));
        }
    }
}
