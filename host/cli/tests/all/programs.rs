//! Programs that call tools: the same gates, the same ledger, and nothing twice.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::{Bench, Done};

/// A bench whose programs may call these tools and hand on the folders of `files`.
fn bench(tools: &str, more: &str) -> Bench {
    let bench = Bench::new();
    bench.write("docs/a.txt", "first\n");
    bench.write("docs/b.txt", "second\n");
    bench.grant(&format!(
        "[plugin.javascript]\ntools = [{tools}]\nfiles = [\"read ./docs as /docs\", \"read-write ./out as /out\"]\n{more}"
    ));
    bench
}

fn run(bench: &Bench, code: &str) -> Done {
    bench.toolcrib(&["call", "--unattended", "--json", "javascript.run", &json!({ "code": code }).to_string()])
}

fn newest(bench: &Bench) -> String {
    bench.toolcrib(&["runs", "--json"]).json()["runs"][0]["run"].as_str().expect("a run").to_owned()
}

fn events(bench: &Bench) -> Vec<Value> {
    let done = bench.toolcrib(&["show", &newest(bench), "--events"]);
    done.out.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

/// The events about calls: kind, path, tool, outcome.
fn calls(bench: &Bench) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = events(bench).into_iter().filter_map(|event| {
        let (kind, payload) = (text(&event["kind"]), &event["payload"]);
        let about = kind.starts_with("inner-") || kind.starts_with("step-");
        let outcome = text(&payload["outcome"]["outcome"]) + &text(&payload["code"]);
        let line = format!("{kind} {} {} {outcome}", text(&payload["path"]), text(&payload["tool"]));
        about.then(|| line.split_whitespace().collect::<Vec<_>>().join(" "))
    });
    told.collect()
}

fn value(done: &Done) -> Value {
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    done.json()["result"]["value"].take()
}

/// Two files, one after the other.
const BOTH: &str = "const all = [];
for (const path of ['/docs/a.txt', '/docs/b.txt']) all.push((await tools.files.read({ path })).text.trim());
all.join(' and ')";

#[test]
fn the_calls_of_a_program_are_in_the_ledger_under_their_step() {
    let bench = bench("\"files.read\"", "");
    let done = run(&bench, BOTH);
    assert_eq!(value(&done), "first and second");
    assert_eq!(
        calls(&bench),
        [
            "step-started javascript.run",
            "inner-started 1 files.read",
            "inner-finished 1 done",
            "inner-started 2 files.read",
            "inner-finished 2 done",
            "step-finished done",
        ]
    );
    let all = events(&bench);
    let of = |kind: &str| all.iter().find(|event| event["kind"] == kind).expect("one")["payload"].clone();
    // What is granted only reads, and so does the program.
    assert_eq!(of("step-started")["effect"], "read");
    // What a program has not read yet is not in what it asks for; its own code came from a person.
    assert_eq!(
        of("inner-started")["labels"],
        json!({ "path": { "integrity": "trusted", "confidentiality": "public" } })
    );
    let second = all.iter().filter(|event| event["kind"] == "inner-started").nth(1).expect("two");
    assert_eq!(second["payload"]["labels"]["path"]["integrity"], "untrusted");
    assert!(of("inner-finished")["receipt"]["fuel"].as_u64() > Some(0), "{}", of("inner-finished"));
    let shown = bench.toolcrib(&["show", &newest(&bench)]);
    let lines: Vec<_> = shown.out.lines().filter(|line| line.contains("files.read")).collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("   ├─ ✓ files.read {\"path\":\"/docs/a.txt\"}  "),
        "{}",
        shown.out
    );
    assert!(lines[1].starts_with("   └─ ✓ files.read"), "{}", shown.out);
    let json = bench.toolcrib(&["show", &newest(&bench), "--json"]).json();
    let second = &json["steps"][0]["program"]["calls"]["2"];
    assert_eq!((&second["tool"], &second["outcome"]["outcome"]), (&json!("files.read"), &json!("done")), "{json:#}");
    let why = bench.toolcrib(&["why"]);
    assert!(why.out.contains("call 2 inside, of files.read: it was made"), "{}", why.out);
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}

#[test]
fn what_is_not_granted_is_not_called() {
    let bench = bench("\"files.read\"", "");
    let code = "const said = [];
        for (const call of [() => tools.files.write({ path: '/out/x', text: 'x' }), () => tools.nothing.there()])
            try { await call() } catch (e) { said.push([e.code, e.effect]) }
        said";
    let done = run(&bench, code);
    assert_eq!(value(&done), json!([["denied", "none"], ["denied", "none"]]));
    assert!(std::fs::read_dir(bench.path("out")).expect("a folder").next().is_none());
    let why = bench.toolcrib(&["why"]);
    assert!(why.out.contains("tools call files.write: tool-denied"), "{}", why.out);
    let plain = Bench::new();
    let denied = run(&plain, "await tools.files.read({ path: '/docs/a.txt' })");
    assert_eq!(denied.code, 3, "{}{}", denied.out, denied.err);
    assert!(denied.out.contains("tools = [\\\"files.read\\\"]"), "{}", denied.out);
}

#[test]
fn a_program_hands_on_only_what_it_may_do_itself() {
    let bench = Bench::new();
    // The plugin `files` may write; programs may call it, and hold a folder for reading.
    bench.write("docs/a.txt", "first");
    bench.grant("[plugin.javascript]\ntools = [\"files.*\"]\nfiles = [\"read ./docs as /docs\"]\n");
    let code = "const said = [(await tools.files.read({ path: '/docs/a.txt' })).text];
        try { await tools.files.write({ path: '/out/x', text: 'x' }) } catch (e) { said.push(e.code, e.effect) }
        said";
    assert_eq!(value(&run(&bench, code)), json!(["first", "denied", "none"]));
    assert!(!bench.path("out/x").exists());
    let written = bench.toolcrib(&["call", "files.write", "{\"path\": \"/out/x\", \"text\": \"x\"}"]);
    assert_eq!(written.code, 0, "{}", written.err);
}

#[test]
fn a_storm_of_calls_ends_at_its_limit() {
    let bench = bench("\"files.read\"", "limits = { tool-calls = 3 }\n");
    let done = run(&bench, "for (;;) try { await tools.files.read({ path: '/docs/a.txt' }) } catch {}");
    assert_eq!(done.json()["error"]["code"], "limit-tool-calls", "{}", done.out);
    assert_eq!(calls(&bench).iter().filter(|line| line.starts_with("inner-started")).count(), 3);
}

#[test]
fn programs_nest_four_deep_and_no_deeper() {
    let bench = bench("\"javascript.run\", \"files.read\"", "");
    // Each runs the next; the innermost says why it could not.
    let code = "const source = input?.source ?? SOURCE; const depth = input?.depth ?? 0;
        try { const r = await tools.javascript.run({ code: source, input: { source, depth: depth + 1 } }); return r.value }
        catch (e) { return [depth, e.code, e.message] }";
    let inner = code.replace("input?.source ?? SOURCE", "input.source");
    let arguments = json!({ "code": code.replace("SOURCE", &json!(inner).to_string()) });
    let done = bench.toolcrib(&["call", "--unattended", "--json", "javascript.run", &arguments.to_string()]);
    let said = value(&done);
    assert_eq!((&said[0], &said[1]), (&json!(4), &json!("denied")), "{said}");
    assert!(said[2].as_str().expect("a reason").contains("calls nest at most 4 deep"), "{said}");
    let lines = calls(&bench);
    assert!(lines.contains(&"inner-blocked 1.1.1.1.1 javascript.run denied".to_owned()), "{lines:?}");
    let shown = bench.toolcrib(&["show", &newest(&bench)]);
    assert!(shown.out.contains("\n               └─ ✗ javascript.run"), "{}", shown.out);
}

/// A server on loopback that counts, and holds the first request of `/hold` until the test lets go.
struct Counter {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Counter {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (address, seen) = (listener.local_addr().expect("an address"), Arc::new(Mutex::new(Vec::new())));
        let counted = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || {
                    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                    let line = lines.next().unwrap_or_default();
                    for line in lines {
                        if line.is_empty() {
                            break;
                        }
                    }
                    let request = line.rsplit_once(' ').map_or(line.clone(), |(request, _)| request.to_owned());
                    let number = {
                        let mut seen = counted.lock().expect("the list");
                        seen.push(request.clone());
                        seen.iter().filter(|known| **known == request).count()
                    };
                    if request.contains("/hold") && number == 1 {
                        // Its caller is gone before it answers.
                        std::thread::sleep(Duration::from_secs(120));
                    }
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
                    let _ = (&stream).write_all(head.as_bytes());
                });
            }
        });
        Self { address, seen }
    }

    fn times(&self, request: &str) -> usize {
        self.seen.lock().expect("the list").iter().filter(|known| *known == request).count()
    }

    fn wait_for(&self, request: &str) {
        let begun = Instant::now();
        while self.times(request) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(600), "no {request}: {:?}", self.seen);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A bench whose programs may send to the counter.
fn sending(counter: &Counter) -> Bench {
    let bench = Bench::new();
    let http = format!("http = [\"GET http://{0}/**\", \"POST http://{0}/**\"]", counter.address);
    bench.write(
        "toolcrib.toml",
        &format!("[plugin.http]\n{http}\n\n[plugin.javascript]\ntools = [\"http.fetch\"]\n{http}\n"),
    );
    bench
}

/// Sends, asks, sends again; its own clock and its own chance are in what it sends.
fn sender(counter: &Counter, middle: &str) -> String {
    format!(
        "const to = 'http://{}'; const mark = Math.random().toString(36).slice(2) + '-' + Date.now();
        const send = path => tools.http.fetch({{ url: to + path, method: 'POST', body: mark }});
        await send('/one'); {middle}; await send('/two/' + mark); mark",
        counter.address
    )
}

/// Starts a program, and kills its process once the server has the request.
fn killed_at(bench: &Bench, counter: &Counter, code: &str, request: &str) {
    let mut command = bench.command();
    command.args(["call", "--unattended", "javascript.run", &json!({ "code": code }).to_string()]);
    let mut child: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command runs");
    counter.wait_for(request);
    child.kill().expect("killed");
    child.wait().expect("an end");
}

#[test]
fn a_program_that_was_killed_goes_on_and_sends_nothing_twice() {
    let counter = Counter::start();
    let bench = sending(&counter);
    let code = sender(&counter, "await tools.http.fetch({ url: to + '/hold' })");
    killed_at(&bench, &counter, &code, "GET /hold");
    let resumed = bench.toolcrib(&["resume", &newest(&bench), "--json"]);
    assert_eq!(resumed.code, 0, "{}{}\n{:#?}", resumed.out, resumed.err, calls(&bench));
    // Asking is repeated, sending is not; and what follows from chance and time is what it was.
    assert_eq!((counter.times("POST /one"), counter.times("GET /hold")), (1, 2));
    let mark = resumed.json()["result"]["answer"]["value"]["value"].as_str().unwrap_or_default().to_owned();
    assert_eq!(counter.times(&format!("POST /two/{mark}")), 1, "{mark} {:?}\n{}", counter.seen, resumed.out);
    let lines = calls(&bench);
    assert_eq!(
        lines,
        [
            "step-started javascript.run",
            "inner-started 1 http.fetch",
            "inner-finished 1 done",
            "inner-started 2 http.fetch",
            "inner-finished 2 not-started",
            "step-parked",
            "step-resumed",
            "inner-started 2 http.fetch",
            "inner-finished 2 done",
            "inner-started 3 http.fetch",
            "inner-finished 3 done",
            "step-finished done",
        ]
    );
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}

#[test]
fn a_program_that_was_killed_while_it_sent_is_unknown_until_a_person_says() {
    let counter = Counter::start();
    let bench = sending(&counter);
    let code = sender(&counter, "await send('/hold')");
    killed_at(&bench, &counter, &code, "POST /hold");
    let run = newest(&bench);
    let resumed = bench.toolcrib(&["resume", &run, "--unattended", "--json"]);
    assert!(resumed.code != 0, "{}", resumed.out);
    let lines = calls(&bench);
    assert!(lines.contains(&"inner-finished 2 unknown".to_owned()), "{lines:#?}");
    assert!(lines.contains(&"step-finished unknown".to_owned()), "{lines:#?}");
    assert_eq!((counter.times("POST /one"), counter.times("POST /hold")), (1, 1));
}

#[test]
fn a_program_waits_for_a_word_and_goes_on_in_another_process() {
    let rule = "\n[[rule]]\nname = \"writes\"\ntools = [\"files.append\"]\nthen = \"ask\"\n";
    let bench = bench("\"files.read\", \"files.append\"", rule);
    let code = "const { text } = await tools.files.read({ path: '/docs/a.txt' });
        await tools.files.append({ path: '/out/log.txt', text: text + Math.random() });
        await tools.files.read({ path: '/out/log.txt' })";
    let asked = run(&bench, code);
    assert_eq!(asked.code, 4, "{}{}", asked.out, asked.err);
    let run = newest(&bench);
    let shown = bench.toolcrib(&["show", &run]);
    assert!(shown.out.contains("└─ ? files.append"), "{}", shown.out);
    // The program may read differently now: what it read before is what counts.
    bench.write("docs/a.txt", "changed\n");
    let questions = bench.toolcrib(&["approvals", "--json"]).json();
    let id = questions["questions"][0]["id"].as_str().expect("a question").to_owned();
    assert_eq!(bench.toolcrib(&["approvals", "approve", &id]).code, 0);
    let resumed = bench.toolcrib(&["resume", &run, "--json"]);
    assert_eq!(resumed.code, 0, "{}{}\n{:#?}", resumed.out, resumed.err, calls(&bench));
    assert!(bench.read("out/log.txt").starts_with("first\n0."), "{}", bench.read("out/log.txt"));
    assert_eq!(
        calls(&bench),
        [
            "step-started javascript.run",
            "inner-started 1 files.read",
            "inner-finished 1 done",
            "step-parked",
            "step-resumed",
            "inner-started 2 files.append",
            "inner-finished 2 done",
            "inner-started 3 files.read",
            "inner-finished 3 done",
            "step-finished done",
        ]
    );
}

/// A program that runs another one, which never ends.
const ENDLESS: &str = "await tools.javascript.run({ code: 'while (true) {}' })";

#[test]
fn what_a_program_called_ends_with_it() {
    let bench = bench("\"javascript.run\"", "limits = { wall = \"700 ms\" }\n");
    let begun = Instant::now();
    let done = run(&bench, ENDLESS);
    assert_eq!(done.json()["error"]["code"], "limit-wall", "{}", done.out);
    assert!(begun.elapsed() < Duration::from_secs(300), "{:?}", begun.elapsed());
    // The end of the inner call is known before that of the program.
    let lines = calls(&bench);
    assert_eq!(lines[..2], ["step-started javascript.run", "inner-started 1 javascript.run"], "{lines:?}");
    assert!(lines[2].starts_with("inner-finished 1 ") && lines[3].starts_with("step-finished "), "{lines:?}");
    assert_eq!(lines.len(), 4, "{lines:?}");
}

#[test]
fn a_cancelled_program_ends_with_what_it_called_and_can_go_on() {
    let bench = bench("\"javascript.run\"", "");
    let mut command = bench.command();
    command.args(["call", "--unattended", "javascript.run", &json!({ "code": ENDLESS }).to_string()]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command runs");
    let begun = Instant::now();
    let under_way = |bench: &Bench| {
        let runs = bench.toolcrib(&["runs", "--json"]).json();
        runs["runs"][0]["run"].is_string() && calls(bench).iter().any(|line| line.starts_with("inner-started"))
    };
    while !under_way(&bench) {
        assert!(begun.elapsed() < Duration::from_secs(600), "no call began");
        std::thread::sleep(Duration::from_millis(50));
    }
    let cancelled = bench.toolcrib(&["cancel", &newest(&bench)]);
    assert_eq!(cancelled.code, 0, "{}{}", cancelled.out, cancelled.err);
    child.wait().expect("an end");
    let lines = calls(&bench);
    assert_eq!(lines.last().map(String::as_str), Some("step-parked"), "{lines:?}");
}

#[test]
fn a_program_in_a_child_agent_calls_no_tool_that_the_child_lacks() {
    // Whether its code is made up is not the question here.
    let settings = "[models]\nagents = [\"script:child.yaml\"]\n";
    let bench = bench("\"files.*\"", settings);
    let code = "const { text } = await tools.files.read({ path: '/docs/a.txt' });
      try { await tools.files.write({ path: '/out/a.txt', text }) } catch (refused) { `${text.trim()}: ${refused.message}` }";
    let calls_code = json!({ "tool": "javascript.run", "arguments": { "code": code } });
    let script = json!({ "version": 1, "exchanges": [
        { "answer": { "calls": [calls_code] } },
        { "expect": { "tool-results": [{ "tool": "javascript.run", "failed": false }] }, "answer": { "text": "tried" } },
    ] });
    bench.write("child.yaml", &script.to_string());
    let tools = ["javascript.run", "files.read"];
    let agent = json!({ "agent": "copy a.txt", "tools": tools, "model": "script:child.yaml" });
    let flow = json!({ "flow": "child", "steps": [agent] });
    bench.write("flow.yaml", &flow.to_string());
    let done = bench.toolcrib(&["flow", "run", "flow.yaml", "--unattended"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(
        calls(&bench),
        [
            "step-started javascript.run",
            "inner-started 1 files.read",
            "inner-finished 1 done",
            "inner-blocked 2 files.write denied",
            "step-finished done",
        ]
    );
    assert!(!bench.path("out/a.txt").exists());
    let said = events(&bench).iter().any(|event| {
        let why = event["payload"]["why"].as_str().unwrap_or_default();
        event["kind"] == "inner-blocked" && why.contains("none of the tools of the agent")
    });
    assert!(said, "{}", done.err);
}
