//! What the planner knows of English: a handful of word lists, none of them about particular tools.

/// Words that carry no meaning of their own in a goal.
const STOP: &[&str] = &[
    "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "into", "with", "by", "as", "is", "are", "was",
    "were", "be", "it", "its", "them", "they", "their", "this", "that", "these", "those", "there", "and", "or", "all",
    "each", "every", "any", "me", "my", "i", "you", "your", "please", "do", "does", "did", "can", "could", "would",
    "will", "how", "what", "which", "who", "where", "when", "whose", "have", "has", "many", "much", "tell", "give",
    "want", "need", "then", "so", "result", "results", "using", "use", "via", "up", "out", "about", "if", "not", "no",
    "some", "just", "also",
];

/// Words that begin a command: after "and" or a comma they begin a new one.
const VERBS: &[&str] = &[
    "add",
    "analyse",
    "analyze",
    "append",
    "assess",
    "average",
    "build",
    "calculate",
    "call",
    "change",
    "check",
    "compare",
    "compute",
    "convert",
    "copy",
    "count",
    "create",
    "decode",
    "delete",
    "describe",
    "determine",
    "diff",
    "discover",
    "display",
    "download",
    "edit",
    "encode",
    "estimate",
    "evaluate",
    "execute",
    "explain",
    "extract",
    "fetch",
    "filter",
    "find",
    "format",
    "generate",
    "get",
    "give",
    "grep",
    "group",
    "hash",
    "identify",
    "insert",
    "join",
    "keep",
    "list",
    "load",
    "locate",
    "look",
    "make",
    "measure",
    "merge",
    "move",
    "obtain",
    "open",
    "parse",
    "perform",
    "pick",
    "post",
    "predict",
    "print",
    "produce",
    "provide",
    "put",
    "query",
    "read",
    "recommend",
    "remove",
    "rename",
    "replace",
    "report",
    "retrieve",
    "return",
    "reverse",
    "run",
    "save",
    "search",
    "select",
    "send",
    "show",
    "simulate",
    "solve",
    "sort",
    "split",
    "store",
    "substitute",
    "suggest",
    "sum",
    "summarise",
    "summarize",
    "take",
    "tell",
    "transform",
    "translate",
    "turn",
    "update",
    "upload",
    "verify",
    "write",
];

/// Verbs that put something somewhere.
const WRITING: &[&str] = &["write", "save", "store", "put", "append", "output", "export"];

/// Verbs that change what is there.
const CHANGING: &[&str] =
    &["replace", "edit", "change", "substitute", "update", "delete", "remove", "append", "rename", "insert", "swap"];

/// Words that stand for what came out last.
const BACK: &[&str] = &["it", "them", "that", "this", "those", "these", "result", "results", "output", "they"];

/// Words that mean about the same when a goal is compared with a tool. A word may be in several groups.
const ALIKE: &[&[&str]] = &[
    &["read", "show", "open", "display", "print", "view", "content", "contain", "text", "say", "load"],
    &["fetch", "get", "download", "retrieve", "load", "request", "http", "url", "page", "website"],
    &["list", "show", "enumerate", "directory", "folder", "entry", "content", "contain"],
    &["search", "find", "grep", "look", "locate", "match", "occurrence", "contain"],
    &["stats", "statistic", "count", "number", "length", "long"],
    &["write", "save", "store", "put", "create", "export"],
    &["edit", "replace", "change", "modify", "substitute", "update", "swap"],
    &[
        "query", "select", "filter", "take", "extract", "pick", "sum", "total", "average", "count", "sort", "group",
        "keep", "cheap", "max", "min", "jq",
    ],
    &["convert", "transform", "turn", "translate", "format"],
    &["hash", "checksum", "digest", "fingerprint", "sha256", "md5", "sha1", "sha512", "blake3"],
    &["encode", "encoding", "base64", "hex", "decode"],
    &["diff", "compare", "difference", "change", "differ"],
    &["now", "current", "today", "clock", "time", "date", "weekday"],
    &["difference", "between", "until", "since", "day", "elapsed", "long"],
    &["run", "execute", "compute", "evaluate", "calculate", "code", "script", "program"],
    &["link", "hyperlink", "anchor"],
    &["send", "post", "mail", "email", "message", "notify"],
    &["delete", "remove", "erase"],
    &["weather", "forecast", "temperature"],
    &["summary", "summarise", "summarize", "abstract"],
];

/// The word without its ending: plural, `-ing`, `-ed`. Rough, and the same on both sides of a comparison.
pub(super) fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let cut = |end: &str, with: &str| {
        word.strip_suffix(end).filter(|rest| rest.len() >= 3).map(|rest| format!("{rest}{with}"))
    };
    if let Some(stem) = cut("ies", "y").or_else(|| cut("sses", "ss")) {
        return stem;
    }
    for end in ["ches", "shes", "xes"] {
        if word.ends_with(end) {
            return word[..word.len() - 2].to_owned();
        }
    }
    if word.len() > 3
        && word.ends_with('s')
        && !word.ends_with("ss")
        && !word.ends_with("us")
        && !word.ends_with("stats")
    {
        return word[..word.len() - 1].to_owned();
    }
    if let Some(stem) = cut("ing", "").or_else(|| cut("ed", "")) {
        return stem;
    }
    word
}

/// The words of a name or a text, stemmed: `most_common`, `ignoreCase` and prose all come apart.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut lower = false;
    for c in text.chars() {
        if c.is_uppercase() && lower {
            spaced.push(' ');
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        spaced.push(if c.is_alphanumeric() { c } else { ' ' });
    }
    spaced.split_whitespace().map(stem).collect()
}

/// Whether the word carries meaning.
pub(super) fn means(word: &str) -> bool {
    word.len() > 1 && !STOP.contains(&word.to_lowercase().as_str())
}

pub(super) fn is_verb(word: &str) -> bool {
    VERBS.contains(&word.to_lowercase().as_str())
}

pub(super) fn is_writing(word: &str) -> bool {
    WRITING.contains(&word.to_lowercase().as_str())
}

pub(super) fn is_changing(word: &str) -> bool {
    CHANGING.contains(&word.to_lowercase().as_str())
}

pub(super) fn points_back(word: &str) -> bool {
    BACK.contains(&word.to_lowercase().as_str())
}

/// Whether two stemmed words mean about the same.
pub(super) fn alike(one: &str, two: &str) -> bool {
    ALIKE.iter().any(|group| {
        let has = |word: &str| group.iter().any(|member| stem(member) == word);
        has(one) && has(two)
    })
}

/// Words that mean about the same as this stemmed one, for a wider search.
pub(super) fn kin(word: &str) -> Vec<&'static str> {
    ALIKE.iter().filter(|group| group.iter().any(|member| stem(member) == word)).map(|group| group[0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_fall_away_alike() {
        for (one, two) in
            [("words", "word"), ("entries", "entry"), ("matches", "match"), ("files", "File"), ("searching", "search")]
        {
            assert_eq!(stem(one), stem(two), "{one} {two}");
        }
        assert_eq!(words("most_common ignoreCase"), ["most", "common", "ignore", "case"]);
    }

    #[test]
    fn words_of_one_group_are_alike() {
        assert!(alike("take", "query"));
        assert!(!alike("take", "hash"));
    }
}
