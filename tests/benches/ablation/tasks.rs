//! The tasks: what is wanted, a plan for it, what can go wrong, and how the world looks where it went right.

use serde_json::{Value, json};

use crate::faults::Fault;
use crate::world::World;

/// Whether the world is as the task wants it.
type Truth = fn(&World) -> bool;

pub(crate) struct Task {
    pub(crate) name: &'static str,
    /// What is wanted; `SERVER` stands for the address of the server.
    pub(crate) goal: &'static str,
    /// The plan of a model; none where the builtin planner plans.
    pub(crate) plan: Option<Value>,
    pub(crate) files: Vec<(&'static str, &'static str)>,
    pub(crate) pages: Vec<(&'static str, &'static str)>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) right: Truth,
}

const NOTES: &str = "one two three\nfour five\n";
const OLD_NOTES: &str = "one two\n";
const PRICES: &str = "name,price\nlamp,30\ndesk,120\npen,2\n";
const ITEMS: &str = "{\"items\":[{\"name\":\"lamp\",\"price\":30},{\"name\":\"desk\",\"price\":120}]}";
const OLD_ITEMS: &str = "{\"items\":[{\"name\":\"lamp\",\"price\":25},{\"name\":\"desk\",\"price\":110}]}";
const CUSTOMER: &str = "{\"id\":4201,\"mail\":\"ann@example.com\",\"open\":120}";
const OTHER_CUSTOMER: &str = "{\"id\":4202,\"mail\":\"bob@example.com\",\"open\":75}";
const OLD_CUSTOMER: &str = "{\"id\":4201,\"mail\":\"ann@old.example.com\",\"open\":90}";

fn read(name: &str, path: &str) -> Value {
    json!({ "step": name, "tool": "files.read", "arguments": { "path": path } })
}

/// A write that is read back, as a careful planner plans it.
fn write(name: &str, path: &str, text: Value) -> Value {
    json!({ "step": name, "tool": "files.write", "arguments": { "path": path, "text": text },
        "check": { "tool": "files.read", "arguments": { "path": { "$ref": "arguments.path" } },
            "expect": [{ "holds": "result.text == arguments.text" }] } })
}

fn of(reference: &str) -> Value {
    json!({ "$ref": format!("steps.{reference}") })
}

fn slip(tool: &'static str, at: &'static str, value: Value) -> Fault {
    Fault::Argument { tool, at, value }
}

fn stale(tool: &'static str, at: &'static str, value: impl Into<Value>) -> Fault {
    Fault::Stale { tool, at, value: value.into() }
}

fn misleading(tool: &'static str, at: &'static str, value: impl Into<Value>) -> Fault {
    Fault::Misleading { tool, at, value: value.into() }
}

fn failing(tool: &'static str) -> Fault {
    Fault::Failing { tool }
}

/// A write that says that it wrote.
fn lost(path: &str) -> Fault {
    Fault::Lost { tool: "files.write", result: json!({ "path": path, "bytes": 10, "created": true }) }
}

/// The only thing that was left is this file, with this text.
fn only(world: &World, path: &str, text: &str) -> bool {
    world.file(path) == text && world.left() == 1 && world.posts().is_empty()
}

/// The only thing that happened is this one message to the server.
fn posted(world: &World, path: &str, body: &str) -> bool {
    world.left() == 0 && world.posts() == [(path.to_owned(), body.to_owned())]
}

pub(crate) fn tasks() -> Vec<Task> {
    [builtin(), files(), server()].into_iter().flatten().collect()
}

/// Planned by the builtin planner, from the goal alone.
fn builtin() -> Vec<Task> {
    vec![
        Task {
            name: "builtin: copy a file",
            goal: "Read /in/notes.md and save it as /out/copy.md",
            plan: None,
            files: vec![("/in/notes.md", NOTES)],
            pages: Vec::new(),
            faults: vec![
                slip("files.write", "/path", json!("/out/kopie.md")),
                stale("files.read", "/text", OLD_NOTES),
                failing("files.read"),
                lost("/out/copy.md"),
            ],
            right: |world| only(world, "/out/copy.md", NOTES),
        },
        Task {
            name: "builtin: count words",
            goal: "Read /in/notes.md. Then count its words. Please save the result as /out/words.txt",
            plan: None,
            files: vec![("/in/notes.md", NOTES)],
            pages: Vec::new(),
            faults: vec![
                slip("files.read", "/path", json!("/in/other.md")),
                stale("files.read", "/text", OLD_NOTES),
                failing("text.stats"),
                lost("/out/words.txt"),
            ],
            right: |world| world.file("/out/words.txt").trim() == "5" && world.left() == 1,
        },
        Task {
            name: "builtin: convert data",
            goal: "convert /in/prices.csv to YAML and save it as /out/prices.yaml",
            plan: None,
            files: vec![("/in/prices.csv", PRICES)],
            pages: Vec::new(),
            faults: vec![
                slip("files.write", "/path", json!("/out/prizes.yaml")),
                stale("files.read", "/text", "name,price\nlamp,25\n"),
                failing("data.convert"),
                lost("/out/prices.yaml"),
            ],
            right: |world| {
                let text = world.file("/out/prices.yaml");
                world.left() == 1 && ["lamp", "desk", "120", "pen"].iter().all(|part| text.contains(part))
            },
        },
    ]
}

/// Planned as a model would, over files and text.
fn files() -> Vec<Task> {
    vec![
        Task {
            name: "replace a word",
            goal: "Replace two with 2 in /in/notes.md and write that to /out/notes.md",
            plan: Some(json!([
                read("read", "/in/notes.md"),
                { "step": "new", "tool": "text.replace",
                  "arguments": { "text": of("@read.text"), "pattern": "two", "replacement": "2", "literal": true },
                  "expect": [{ "holds": "result.replacements > 0" }] },
                write("write", "/out/notes.md", of("@new.text"))
            ])),
            files: vec![("/in/notes.md", NOTES)],
            pages: Vec::new(),
            faults: vec![
                slip("text.replace", "/pattern", json!("too")),
                stale("files.read", "/text", OLD_NOTES),
                failing("text.replace"),
                misleading("files.read", "/text", "nothing of the kind\n"),
                lost("/out/notes.md"),
            ],
            right: |world| only(world, "/out/notes.md", "one 2 three\nfour five\n"),
        },
        Task {
            name: "append to a log once",
            goal: "Append the total of /in/prices.csv, in one line, to /out/log.txt",
            plan: Some(json!([
                read("read", "/in/prices.csv"),
                { "step": "sum", "tool": "data.query",
                  "arguments": { "input": of("@read.text"), "query": "map(.price) | add", "from": "csv" },
                  "expect": [{ "exists": "results[0]" }] },
                { "step": "log", "tool": "files.append",
                  "arguments": { "path": "/out/log.txt", "text": "{{ steps.@sum.results[0] }}\n" } }
            ])),
            files: vec![("/in/prices.csv", PRICES), ("/out/log.txt", "started\n")],
            pages: Vec::new(),
            faults: vec![
                slip("files.append", "/path", json!("/out/lag.txt")),
                stale("files.read", "/text", "name,price\nlamp,25\n"),
                failing("files.append"),
                misleading("data.query", "/results", json!([null])),
            ],
            right: |world| only(world, "/out/log.txt", "started\n152\n"),
        },
        Task {
            name: "hash of a file",
            goal: "Write the sha256 of /in/notes.md to /out/hash.txt",
            plan: Some(json!([
                read("read", "/in/notes.md"),
                { "step": "hash", "tool": "text.hash", "arguments": { "text": of("@read.text"), "algorithm": "sha256" },
                  "expect": [{ "holds": "size(result.hash) == 64" }] },
                write("write", "/out/hash.txt", of("@hash.hash"))
            ])),
            files: vec![("/in/notes.md", NOTES)],
            pages: Vec::new(),
            faults: vec![
                slip("text.hash", "/algorithm", json!("md5")),
                stale("files.read", "/text", OLD_NOTES),
                failing("text.hash"),
                misleading("text.hash", "/hash", "d41d8cd98f00b204e9800998ecf8427e"),
                lost("/out/hash.txt"),
            ],
            // sha256sum of the notes.
            right: |world| {
                only(world, "/out/hash.txt", "ca940d244e1f7a2c9dff01279b2de61513d99f5c023154d6f48844827caff7a1")
            },
        },
        Task {
            name: "time in another zone",
            goal: "Write 2026-11-27T12:00:00Z as the time in Asia/Tokyo to /out/time.txt",
            plan: Some(json!([
                { "step": "time", "tool": "time.convert",
                  "arguments": { "time": "2026-11-27T12:00:00Z", "to": "Asia/Tokyo" },
                  "expect": [{ "holds": "result.time.endsWith('+09:00')" }] },
                write("write", "/out/time.txt", of("@time.time"))
            ])),
            files: Vec::new(),
            pages: Vec::new(),
            faults: vec![
                slip("time.convert", "/to", json!("Asia/Kolkata")),
                stale("time.convert", "/time", "2026-11-26T21:00:00+09:00"),
                failing("time.convert"),
                misleading("time.convert", "/time", "2026-11-27T12:00:00+00:00"),
                lost("/out/time.txt"),
            ],
            right: |world| only(world, "/out/time.txt", "2026-11-27T21:00:00+09:00"),
        },
        Task {
            name: "days between two dates",
            goal: "Write how many days there are from 2026-11-27 to 2027-01-31 to /out/days.txt",
            plan: Some(json!([
                { "step": "between", "tool": "time.difference",
                  "arguments": { "from": "2026-11-27", "to": "2027-01-31" },
                  "expect": [{ "holds": "result.days > 0" }] },
                write("write", "/out/days.txt", json!("{{ steps.@between.days }} days"))
            ])),
            files: Vec::new(),
            pages: Vec::new(),
            faults: vec![
                slip("files.write", "/path", json!("/out/tage.txt")),
                stale("time.difference", "/days", 64),
                failing("time.difference"),
                misleading("time.difference", "/days", -65),
                lost("/out/days.txt"),
            ],
            right: |world| only(world, "/out/days.txt", "65 days"),
        },
        Task {
            name: "edit a line",
            goal: "In /out/conf.toml change the port to 8080, where it is 80",
            plan: Some(json!([
                { "step": "find", "tool": "files.search", "arguments": { "pattern": "^port", "path": "/out/conf.toml" },
                  "expect": [{ "holds": "size(result.matches) == 1" }] },
                { "step": "edit", "tool": "files.edit",
                  "arguments": { "path": "/out/conf.toml", "find": "port = 80\n", "replace": "port = 8080\n" },
                  "check": { "tool": "files.read", "arguments": { "path": { "$ref": "arguments.path" } },
                      "expect": [{ "holds": "result.text.contains(arguments.replace)" }] } }
            ])),
            files: vec![("/out/conf.toml", "host = \"a\"\nport = 80\n")],
            pages: Vec::new(),
            faults: vec![
                slip("files.edit", "/replace", json!("port = 8443\n")),
                failing("files.search"),
                failing("files.edit"),
                misleading("files.search", "/matches", json!([])),
            ],
            right: |world| only(world, "/out/conf.toml", "host = \"a\"\nport = 8080\n"),
        },
        Task {
            name: "two files into one",
            goal: "Write /in/a.txt and /in/b.txt, one after the other, to /out/both.txt",
            plan: Some(json!([
                { "goal": "both", "order": "parallel", "children": [read("a", "/in/a.txt"), read("b", "/in/b.txt")] },
                write("write", "/out/both.txt", json!("{{ steps.@a.text }}{{ steps.@b.text }}"))
            ])),
            files: vec![("/in/a.txt", "first\n"), ("/in/b.txt", "second\n")],
            pages: Vec::new(),
            faults: vec![
                slip("files.write", "/path", json!("/out/beide.txt")),
                stale("files.read", "/text", "zeroth\n"),
                failing("files.read"),
                lost("/out/both.txt"),
            ],
            right: |world| only(world, "/out/both.txt", "first\nsecond\n"),
        },
    ]
}

/// Planned as a model would, with the server.
fn server() -> Vec<Task> {
    let get = |name: &str, path: &str| json!({ "step": name, "tool": "http.fetch", "arguments": { "url": format!("SERVER{path}") } });
    let order = |body: &str| {
        json!({ "step": "post", "tool": "http.fetch",
            "arguments": { "url": "SERVER/orders", "method": "POST", "body": body } })
    };
    vec![
        Task {
            name: "sum of a list from the web",
            goal: "Write the sum of the prices in SERVER/items.json to /out/sum.txt",
            plan: Some(json!([
                get("get", "/items.json"),
                { "step": "sum", "tool": "data.query",
                  "arguments": { "input": of("@get.body"), "query": "[.items[].price] | add" },
                  "expect": [{ "holds": "result.results[0] > 0" }] },
                write("write", "/out/sum.txt", json!("{{ steps.@sum.results[0] }}\n"))
            ])),
            files: Vec::new(),
            pages: vec![("/items.json", ITEMS)],
            faults: vec![
                slip("files.write", "/path", json!("/out/summe.txt")),
                stale("http.fetch", "/body", OLD_ITEMS),
                failing("http.fetch"),
                misleading("http.fetch", "/body", "{\"items\":[]}"),
                lost("/out/sum.txt"),
            ],
            right: |world| only(world, "/out/sum.txt", "150\n"),
        },
        Task {
            name: "send a reminder once",
            goal: "Look customer 4201 up at SERVER/customers/4201 and post a reminder with mail and open sum to SERVER/orders",
            plan: Some({
                let mut customer = get("get", "/customers/4201");
                customer["expect"] =
                    json!([{ "holds": "result.status == 200 && result.body.contains('\"id\":4201')" }]);
                let mail = json!({ "step": "mail", "tool": "data.query",
                    "arguments": { "input": of("@get.body"), "query": ".mail, .open" },
                    "expect": [{ "holds": "size(result.results) == 2" }] });
                json!([customer, mail, order("{{ steps.@mail.results[0] }} {{ steps.@mail.results[1] }}")])
            }),
            files: Vec::new(),
            pages: vec![("/customers/4201", CUSTOMER), ("/customers/4202", OTHER_CUSTOMER)],
            faults: vec![
                slip("http.fetch", "/url", json!("SERVER/customers/4202")),
                stale("http.fetch", "/body", OLD_CUSTOMER),
                failing("data.query"),
                misleading("http.fetch", "/body", OTHER_CUSTOMER),
            ],
            right: |world| posted(world, "/orders", "ann@example.com 120"),
        },
        Task {
            name: "order a given number",
            goal: "Order 25 of item QX-77 by a post to SERVER/orders",
            plan: Some(json!([order("{\"item\":\"QX-77\",\"count\":25}")])),
            files: Vec::new(),
            pages: Vec::new(),
            faults: vec![
                slip("http.fetch", "/body", json!("{\"item\":\"QX-71\",\"count\":25}")),
                slip("http.fetch", "/body", json!("{\"item\":\"QX-77\",\"count\":250}")),
                slip("http.fetch", "/url", json!("SERVER/orders/QX-9912")),
                failing("http.fetch"),
            ],
            right: |world| posted(world, "/orders", "{\"item\":\"QX-77\",\"count\":25}"),
        },
        Task {
            name: "a copy that is gone",
            goal: "Save /in/items.json, or SERVER/items.json where that is not there, as /out/items.json",
            plan: Some({
                let text = "{{ has(steps.@first) ? steps.@first.text : steps.@second.body }}";
                json!([
                    { "goal": "the items", "order": "alternatives",
                      "children": [read("first", "/in/items.json"), get("second", "/items.json")] },
                    write("write", "/out/items.json", json!(text))
                ])
            }),
            files: Vec::new(),
            pages: vec![("/items.json", ITEMS)],
            faults: vec![
                slip("files.write", "/path", json!("/out/itens.json")),
                stale("http.fetch", "/body", OLD_ITEMS),
                failing("http.fetch"),
                lost("/out/items.json"),
            ],
            right: |world| only(world, "/out/items.json", ITEMS),
        },
        Task {
            name: "convert and send",
            goal: "Convert /in/prices.csv to JSON and post it to SERVER/prices",
            plan: Some(json!([
                read("read", "/in/prices.csv"),
                { "step": "json", "tool": "data.convert",
                  "arguments": { "input": of("@read.text"), "to": "json", "from": "csv" } },
                { "step": "post", "tool": "http.fetch",
                  "arguments": { "url": "SERVER/prices", "method": "POST", "body": of("@json.output") } }
            ])),
            files: vec![("/in/prices.csv", PRICES)],
            pages: Vec::new(),
            faults: vec![
                slip("http.fetch", "/url", json!("SERVER/preise-2")),
                stale("files.read", "/text", "name,price\nlamp,25\n"),
                failing("data.convert"),
                misleading("data.convert", "/output", "[]"),
            ],
            right: |world| {
                let posts = world.posts();
                let read = |body: &str| serde_json::from_str::<Value>(body).unwrap_or_default();
                let wanted = json!([{ "name": "lamp", "price": 30 }, { "name": "desk", "price": 120 }, { "name": "pen", "price": 2 }]);
                posts.len() == 1 && posts[0].0 == "/prices" && read(&posts[0].1) == wanted && world.left() == 0
            },
        },
    ]
}
