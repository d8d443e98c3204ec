//! A catalog in memory with the schemas of the first-party tools, and a search over it by BM25.

use serde_json::{Value, json};
use toolcrib_agent::ToolCard;
use toolcrib_policy::Effect;

/// One line of the catalog: name, effect, title, description, required and optional arguments, results.
struct Line {
    name: &'static str,
    effect: Effect,
    about: [&'static str; 2],
    required: Value,
    optional: Value,
    gives: Value,
}

/// The tools of `files`, `http`, `data`, `text`, `time` and `javascript`.
pub(crate) fn first_party() -> Vec<ToolCard> {
    lines().into_iter().map(card).collect()
}

fn card(line: Line) -> ToolCard {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut properties = fields(&line.required);
    properties.extend(fields(&line.optional));
    let required: Vec<_> = fields(&line.required).keys().cloned().collect();
    let gives: Vec<_> = fields(&line.gives).keys().cloned().collect();
    ToolCard {
        name: line.name.parse().unwrap(),
        title: line.about[0].to_owned(),
        description: line.about[1].to_owned(),
        input_schema: json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false }),
        output_schema: Some(json!({ "type": "object", "properties": line.gives, "required": gives })),
        effect: line.effect,
        open_world: line.name.starts_with("http."),
    }
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn choice(choices: &[&str], description: &str) -> Value {
    json!({ "type": "string", "enum": choices, "description": description })
}

fn number() -> Value {
    json!({ "type": "integer" })
}

fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

const FORMATS: &[&str] = &["json", "csv", "yaml", "toml"];
const FROM: &[&str] = &["auto", "json", "csv", "yaml", "toml"];

fn lines() -> Vec<Line> {
    let (list, string, integer) = (json!({ "type": "array" }), text(""), number());
    let line = |name, effect, title, description, required, optional, gives| Line {
        name,
        effect,
        about: [title, description],
        required,
        optional,
        gives,
    };
    let read = || Effect::Read;
    vec![
        line(
            "files.list",
            read(),
            "List files",
            "Lists the files and folders in a folder, in the order of their names.",
            json!({}),
            json!({ "path": text("The folder."), "recursive": flag("Whether to list what is in the folders below as well."), "glob": text("Only what matches."), "limit": number() }),
            json!({ "entries": list, "truncated": { "type": "boolean" } }),
        ),
        line(
            "files.read",
            read(),
            "Read a file",
            "Reads a text file, or a part of it by lines.",
            json!({ "path": text("The file.") }),
            json!({ "offset_lines": number(), "limit_lines": number() }),
            json!({ "path": string, "text": string, "lines": integer, "bytes": integer, "truncated": { "type": "boolean" } }),
        ),
        line(
            "files.write",
            Effect::Idempotent,
            "Write a file",
            "Writes a text file: a new one, over an old one, or at its end.",
            json!({ "path": text("The file."), "text": text("What to write.") }),
            json!({ "mode": choice(&["create", "overwrite", "append"], "`overwrite` replaces what was there.") }),
            json!({ "path": string, "bytes": integer, "created": { "type": "boolean" } }),
        ),
        line(
            "files.search",
            read(),
            "Search in files",
            "Finds the lines that match a regular expression, in one file or in all text files of a folder.",
            json!({ "pattern": text("The regular expression, matched against each line.") }),
            json!({ "path": text("The file or folder."), "glob": text("Only files that match."), "ignore_case": flag("Whether upper and lower case are the same."), "limit": number() }),
            json!({ "matches": list, "files_searched": integer, "truncated": { "type": "boolean" } }),
        ),
        line(
            "files.edit",
            Effect::Irreversible,
            "Edit a file",
            "Replaces a piece of text in a file, exactly as it stands there.",
            json!({ "path": text("The file."), "find": text("The text to look for."), "replace": text("The text to put in its place.") }),
            json!({ "all": flag("Whether to replace every occurrence.") }),
            json!({ "path": string, "replacements": integer }),
        ),
        line(
            "http.fetch",
            Effect::Irreversible,
            "Fetch from the web",
            "Sends an HTTP request and gives back status, headers and body. A web page comes as Markdown.",
            json!({ "url": text("The address.") }),
            json!({ "method": text("The method."), "headers": { "type": "object" }, "body": text("The body to send."), "format": choice(&["auto", "markdown", "text", "raw"], "How the body comes.") }),
            json!({ "status": integer, "url": string, "headers": { "type": "object" }, "media_type": string, "body": string, "truncated": { "type": "boolean" } }),
        ),
        line(
            "http.links",
            read(),
            "Links of a web page",
            "Fetches a web page and lists its links: absolute addresses with their texts.",
            json!({ "url": text("The address.") }),
            json!({}),
            json!({ "url": string, "links": list }),
        ),
        line(
            "data.query",
            read(),
            "Query data",
            "Queries JSON, CSV, YAML or TOML with a program in the language of jq, such as `.items[] | select(.price > 10) | .name`.",
            json!({ "input": { "description": "The data: text in one of the formats, or any JSON value as it is." }, "query": text("The jq program.") }),
            json!({ "from": choice(FROM, "The format of a text.") }),
            json!({ "results": list, "count": integer }),
        ),
        line(
            "data.convert",
            read(),
            "Convert data",
            "Converts data between JSON, CSV, YAML and TOML.",
            json!({ "input": { "description": "The data: text in one of the formats, or any JSON value as it is." }, "to": choice(FORMATS, "The format to convert to.") }),
            json!({ "from": choice(FROM, "The format of a text.") }),
            json!({ "output": string, "format": string }),
        ),
        line(
            "text.stats",
            read(),
            "Text statistics",
            "Counts a text: bytes, characters, words, lines, sentences, different words, and the most common words.",
            json!({ "text": text("The text to count.") }),
            json!({}),
            json!({ "bytes": integer, "characters": integer, "words": integer, "lines": integer, "sentences": integer, "unique_words": integer, "longest_line": integer, "most_common": list }),
        ),
        line(
            "text.search",
            read(),
            "Search in text",
            "Finds every match of a regular expression in a text, with line, column and the matched text.",
            json!({ "text": text("The text to search."), "pattern": text("The regular expression.") }),
            json!({ "ignore_case": flag(""), "limit": number() }),
            json!({ "matches": list, "count": integer }),
        ),
        line(
            "text.replace",
            read(),
            "Replace in text",
            "Replaces every match of a regular expression, or of plain text, and gives back the new text.",
            json!({ "text": text("The text to change."), "pattern": text("The regular expression, or the plain text, to look for."), "replacement": text("What to put in its place.") }),
            json!({ "literal": flag(""), "ignore_case": flag("") }),
            json!({ "text": string, "replacements": integer }),
        ),
        line(
            "text.diff",
            read(),
            "Compare texts",
            "Compares two texts line by line and gives back a unified diff.",
            json!({ "before": text("The text as it was."), "after": text("The text as it is.") }),
            json!({ "context": number() }),
            json!({ "diff": string, "added": integer, "removed": integer }),
        ),
        line(
            "text.hash",
            read(),
            "Hash of text",
            "Computes the hash of the UTF-8 bytes of a text, in lower-case hexadecimal.",
            json!({ "text": text("The text to hash.") }),
            json!({ "algorithm": choice(&["sha256", "sha512", "sha1", "md5", "blake3"], "The hash function.") }),
            json!({ "algorithm": string, "hash": string }),
        ),
        line(
            "text.encode",
            read(),
            "Encode or decode text",
            "Encodes text, or decodes it: Base64, hexadecimal, percent-encoding of URLs, HTML entities.",
            json!({ "text": text("The text to encode or decode."), "encoding": choice(&["base64", "base64url", "hex", "url", "html"], "The encoding.") }),
            json!({ "direction": choice(&["encode", "decode"], "The direction.") }),
            json!({ "text": string }),
        ),
        line(
            "time.now",
            read(),
            "Date and time now",
            "Tells the date and time now, in any time zone, with weekday and week.",
            json!({}),
            json!({ "zone": text("A zone of the IANA database such as `Europe/Berlin`.") }),
            json!({ "time": string, "zone": string, "unix_seconds": integer, "weekday": string, "week": integer }),
        ),
        line(
            "time.convert",
            read(),
            "Convert a time",
            "Converts a time to another time zone or notation.",
            json!({ "time": text("The time: `2024-05-01T12:00:00+02:00`, `2024-05-01`, or `now`."), "to": text("Where to: a zone such as `America/New_York`, or one of `unix`, `rfc3339`, `rfc2822`.") }),
            json!({ "from": text("The zone of a time that has no offset of its own.") }),
            json!({ "time": string, "zone": string, "unix_seconds": integer, "weekday": string }),
        ),
        line(
            "time.difference",
            read(),
            "Time between two moments",
            "Computes the time from one moment to another, in seconds, in days, and in years, months, days and hours.",
            json!({ "from": text("The first moment."), "to": text("The second moment.") }),
            json!({}),
            json!({ "seconds": integer, "human": string, "iso8601": string, "days": { "type": "number" } }),
        ),
        line(
            "javascript.run",
            read(),
            "Run JavaScript",
            "Runs JavaScript and gives back the value of the last expression, or of `return`, and what `console.log` wrote.",
            json!({ "code": text("The program.") }),
            json!({ "input": { "description": "Any JSON for the program to work on." } }),
            json!({ "value": {}, "stdout": list }),
        ),
    ]
}

/// BM25 over name, title, description and argument names; ties by name.
pub(crate) fn search(cards: &[ToolCard], query: &str, limit: usize) -> Vec<ToolCard> {
    let words = |text: &str| -> Vec<String> {
        let split = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1);
        split.map(|word| word.to_lowercase().trim_end_matches('s').to_owned()).collect()
    };
    let pages: Vec<Vec<String>> = cards
        .iter()
        .map(|card| {
            words(&format!(
                "{0} {0} {1} {2} {3}",
                card.name, card.title, card.description, card.input_schema["properties"]
            ))
        })
        .collect();
    let length = pages.iter().map(Vec::len).sum::<usize>() as f64 / pages.len().max(1) as f64;
    let asked: Vec<(String, f64)> = words(query)
        .into_iter()
        .map(|word| {
            let holding = pages.iter().filter(|page| page.contains(&word)).count() as f64;
            let idf = (1.0 + (pages.len() as f64 - holding + 0.5) / (holding + 0.5)).ln();
            (word, idf)
        })
        .collect();
    let score = |page: &Vec<String>| -> f64 {
        let term = |(word, idf): &(String, f64)| {
            let times = page.iter().filter(|own| *own == word).count() as f64;
            idf * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * page.len() as f64 / length))
        };
        asked.iter().map(term).sum()
    };
    let mut found: Vec<(f64, &ToolCard)> =
        pages.iter().map(score).zip(cards).filter(|(score, _)| *score > 0.0).collect();
    found.sort_by(|(a, one), (b, two)| b.total_cmp(a).then_with(|| one.name.cmp(&two.name)));
    found.into_iter().take(limit).map(|(_, card)| card.clone()).collect()
}
