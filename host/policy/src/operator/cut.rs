//! Lines that grant more than the ceiling leaves: what they say is not what counts.

use std::fmt;

use super::OperatorFile;
use crate::authority::one_per_place;
use crate::credential::CredentialPattern;
use crate::files::FileGrant;
use crate::http::HttpPattern;
use crate::keyvalue::KeyValueGrant;
use crate::names::PluginName;
use crate::rule::{Rule, Share};
use crate::tools::ToolPattern;

/// A pattern that can be laid over another one.
trait Overlay: fmt::Display + Sized {
    /// The pattern in parts, each of which one line has to allow alone.
    fn parts(&self) -> Vec<Self>;
    /// How much of `part` a line that allows this has.
    fn allowed(&self, part: &Self) -> Share;
    /// How much of `part` a line that denies this has.
    fn denied(&self, part: &Self) -> Share;
}

impl Overlay for HttpPattern {
    fn parts(&self) -> Vec<Self> {
        self.by_method()
    }

    fn allowed(&self, part: &Self) -> Share {
        self.share_of(part)
    }

    fn denied(&self, part: &Self) -> Share {
        self.denied_share_of(part)
    }
}

impl Overlay for CredentialPattern {
    fn parts(&self) -> Vec<Self> {
        self.http().by_method().into_iter().map(Self::from).collect()
    }

    fn allowed(&self, part: &Self) -> Share {
        self.http().share_of(part.http())
    }

    fn denied(&self, part: &Self) -> Share {
        self.http().denied_share_of(part.http())
    }
}

impl Overlay for ToolPattern {
    fn parts(&self) -> Vec<Self> {
        vec![self.clone()]
    }

    fn allowed(&self, part: &Self) -> Share {
        match (self.covers(part), self.meets(part)) {
            (true, _) => Share::Whole,
            (false, true) => Share::Part,
            (false, false) => Share::Nothing,
        }
    }

    fn denied(&self, part: &Self) -> Share {
        self.allowed(part)
    }
}

/// One line of a plugin, for messages.
struct Line<'a> {
    plugin: &'a PluginName,
    key: &'static str,
    text: String,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the line `{}` of `{}` for `{}`", self.text, self.key, self.plugin)
    }
}

impl Line<'_> {
    fn nothing(&self, way_out: &dyn fmt::Display) -> String {
        format!(
            "the ceiling leaves nothing of {self}: add `{way_out}` to `{}` in `[ceiling]`, or take the line out",
            self.key
        )
    }

    fn part(&self, left: &[String], way_out: &dyn fmt::Display) -> String {
        let left: Vec<String> = left.iter().map(|left| format!("`{left}`")).collect();
        format!(
            "the ceiling leaves only a part of {self} ({}): add `{way_out}` to `{}` in `[ceiling]`, or write no more than \
             that part",
            left.join(", "),
            self.key
        )
    }

    /// What the rules of a ceiling do to the line, which grants `pattern`.
    fn under<P: Overlay>(&self, rules: Option<&[Rule<P>]>, pattern: &P) -> Vec<String> {
        let Some(rules) = rules else { return Vec::new() };
        let parts = pattern.parts();
        let shares = |line: &P, share: fn(&P, &P) -> Share| parts.iter().map(move |part| share(line, part)).collect();
        let mut found = Vec::new();
        for deny in rules.iter().filter_map(Rule::denies) {
            let shares: Vec<Share> = shares(deny, P::denied);
            if shares.iter().all(|share| *share == Share::Whole) {
                return vec![format!(
                    "the line `deny {deny}` in `[ceiling]` leaves nothing of {self}: take one of the two out"
                )];
            }
            if shares.iter().any(|share| *share != Share::Nothing) {
                found.push(format!(
                    "the line `deny {deny}` in `[ceiling]` takes a part of {self}: write it narrower, one or the other"
                ));
            }
        }
        let allows: Vec<&P> = rules.iter().filter_map(Rule::allows).collect();
        let best = |part: &P| allows.iter().map(|line| line.allowed(part)).max().unwrap_or(Share::Nothing);
        let best: Vec<Share> = parts.iter().map(best).collect();
        if best.iter().all(|share| *share == Share::Nothing) {
            return vec![self.nothing(pattern)];
        }
        if best.iter().any(|share| *share != Share::Whole) {
            let meets = |line: &&&P| parts.iter().any(|part| line.allowed(part) != Share::Nothing);
            let left: Vec<String> = allows.iter().filter(meets).map(ToString::to_string).collect();
            found.push(self.part(&left, pattern));
        }
        found
    }
}

impl OperatorFile {
    /// What the plugins are granted and the ceiling takes away again, line by line, each with what to do about it.
    pub fn cut_by_ceiling(&self) -> Vec<String> {
        self.plugins.keys().flat_map(|plugin| self.cut_from(plugin)).collect()
    }

    fn cut_from(&self, plugin: &PluginName) -> Vec<String> {
        let Some(grants) = self.plugins.get(plugin) else { return Vec::new() };
        let ceiling = &self.ceiling;
        let line = |key: &'static str, text: String| Line { plugin, key, text };
        let mut found = Vec::new();
        for grant in &grants.http {
            found.extend(line("http", grant.to_string()).under(ceiling.http.as_deref(), grant.pattern()));
        }
        for grant in &grants.credentials {
            let rules = ceiling.credentials.as_deref();
            found.extend(line("credentials", grant.to_string()).under(rules, grant.pattern()));
        }
        for grant in &grants.files {
            found.extend(self.cut_folder(&line("files", self.as_written(grant)), grant));
        }
        for grant in &grants.keyvalue {
            found.extend(self.cut_bucket(&line("keyvalue", grant.to_string()), grant));
        }
        for name in &grants.env {
            let kept = ceiling.env.as_ref().is_none_or(|names| names.iter().any(|pattern| pattern.matches(name)));
            found.extend((!kept).then(|| line("env", name.clone()).nothing(name)));
        }
        for pattern in &grants.tools {
            found.extend(line("tools", pattern.to_string()).under(ceiling.tools.as_deref(), pattern));
        }
        for (key, granted, left) in [("ask", grants.ask, ceiling.ask), ("model", grants.model, ceiling.model)] {
            let why = || format!("`{key} = false` in `[ceiling]` leaves nothing of `{key} = true` for `{plugin}`");
            found.extend((granted && !left).then(|| format!("{}: take one of the two out", why())));
        }
        for (name, value, most) in grants.limits.above(&ceiling.limits) {
            let key = name.key();
            found.push(format!(
                "the ceiling has `{key} = {most}`, which counts for `{plugin}` instead of its `{key} = {value}`: lower the \
                 one, or raise the other"
            ));
        }
        found
    }

    fn cut_folder(&self, line: &Line<'_>, grant: &FileGrant) -> Option<String> {
        let ceilings = self.ceiling.files.as_ref()?;
        let left: Vec<FileGrant> = ceilings.iter().filter_map(|under| grant.narrowed_under(under)).collect();
        // A quota that the line does not speak of is no contradiction to it.
        let keeps = |said: Option<u64>, left: Option<u64>| said.is_none() || said == left;
        let whole = |left: &FileGrant| {
            (left.access, &left.host) == (grant.access, &grant.host)
                && keeps(grant.max_bytes, left.max_bytes)
                && keeps(grant.max_files, left.max_files)
        };
        if left.iter().any(whole) {
            return None;
        }
        let written = FileGrant { host: self.folder_as_written(&grant.host), ..grant.clone() };
        let way_out = written.as_ceiling();
        let left: Vec<String> = one_per_place(left).iter().map(|left| self.as_written(left)).collect();
        Some(if left.is_empty() { line.nothing(&way_out) } else { line.part(&left, &way_out) })
    }

    fn cut_bucket(&self, line: &Line<'_>, grant: &KeyValueGrant) -> Option<String> {
        let Some(left) = grant.under_any(self.ceiling.keyvalue.as_ref()?) else {
            return Some(line.nothing(grant));
        };
        let keeps = |said: Option<u64>, left: Option<u64>| said.is_none() || said == left;
        let whole = left.access == grant.access
            && keeps(grant.max_bytes, left.max_bytes)
            && keeps(grant.max_keys, left.max_keys);
        (!whole).then(|| line.part(&[left.to_string()], grant))
    }
}
