//! Several models and their prices, as people set them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::bench::Bench;

/// Reads a file, and then says what it is about.
const READS: &str = r#"
version: 1
exchanges:
  - answer:
      calls: [{ tool: files.read, arguments: { path: /docs/notes.md } }]
      usage: { input: 1000, output: 100, cached: 200 }
  - answer: { text: Milk is to be bought., usage: { input: 2000, output: 20 } }
"#;

fn bench(settings: &str) -> Bench {
    let bench = Bench::new();
    bench.write("docs/notes.md", "buy milk\n");
    bench.write("reads.yaml", READS);
    bench.write("gone.yaml", "version: 1\nexchanges:\n  - { answer: { error: quota-exhausted } }\n");
    bench.grant(settings);
    bench
}

/// A server that refuses every key, and counts how often it was asked.
fn refusing() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (address, asked) = (listener.local_addr().expect("an address"), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 65_536]);
            let body = r#"{"error":{"message":"no such key","type":"invalid_request_error"}}"#;
            let head = format!(
                "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    (address, asked)
}

#[test]
fn the_settings_name_who_plans_and_who_stands_in_and_the_ledger_says_who_did() {
    let (address, asked) = refusing();
    // Behind the second wall the command can connect to the ports of its models, and to no others.
    let settings = format!(
        "[models]\nplanner = \"openai-chat:large@http://{address}/v1\"\nfallback = [\"script:gone.yaml\", \"script:reads.yaml\"]"
    );
    let bench = bench(&settings);
    let done = bench.toolcrib(&["run", "What is in /docs/notes.md?"]);
    assert_eq!((done.code, done.out.as_str()), (0, "Milk is to be bought.\n"), "{}", done.err);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "what failed for good is not asked again");
    assert!(done.err.contains("! no answer from openai-chat:large: auth"), "{}", done.err);
    assert!(done.err.contains("! no answer from script:gone: quota-exhausted"), "{}", done.err);
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    let shown = bench.toolcrib(&["show", run]);
    for line in [
        "What is in /docs/notes.md? [by script:reads]",
        "openai-chat:large: 1 request (1 without an answer)\n",
        "script:reads: 2 requests, 3000 tokens read, 120 written",
    ] {
        assert!(shown.out.contains(line), "{line}\n{}", shown.out);
    }
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);

    // What is given counts before the file, each for itself.
    let given = bench.toolcrib(&["run", "x", "--model", "script:gone.yaml", "--fallback", "none"]);
    assert_eq!(given.code, 1);
    assert!(given.err.contains("the account's quota is used up"), "{}", given.err);
    let mut command = bench.command();
    command.env("TOOLCRIB_MODEL", "script:gone.yaml").env("TOOLCRIB_FALLBACK", "script:gone.yaml,script:reads.yaml");
    let output = command.args(["run", "x", "--quiet"]).output().expect("the command runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Milk is to be bought.\n");
    let builtin = bench.toolcrib(&["run", "Count the words of \"a b c\"", "--model", "builtin"]);
    assert_eq!(builtin.code, 0, "{}", builtin.err);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

const PRICES: &str = r#"
[models]
planner = "script:reads.yaml"
[prices]
currency = "EUR"
"script:reads" = { input = 3, output = 15, cached = 0.30 }
"files.read" = 0.002
"#;

#[test]
fn money_is_counted_by_the_operators_prices_and_shown_by_model() {
    let bench = bench(PRICES);
    let done = bench.toolcrib(&["run", "What is in my notes?", "--max-cost", "0.50", "--json"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let spent = &done.json()["spent"];
    // 800 × 3 + 200 × 0.30 + 100 × 15, then 2000 × 3 + 20 × 15, for a million each; and one call.
    assert_eq!(spent["models"]["script:reads"]["money"], "0.01026");
    assert_eq!(spent["tools"]["files.read"]["money"], "0.002");
    assert_eq!((&spent["spent"], &spent["budget"]), (&json!("0.01226"), &json!("0.50")));
    let run = done.json()["run"].as_str().expect("a run").to_owned();
    let shown = bench.toolcrib(&["show", &run]).out;
    assert!(shown.contains("script:reads: 2 requests, 3000 tokens read, 120 written, 0.01026 EUR\n"), "{shown}");
    assert!(shown.contains("files.read: 1 call, 0.002 EUR\nspent: 0.01226 of 0.50 EUR\n"), "{shown}");
    let listed = bench.toolcrib(&["runs"]).out;
    assert!(listed.contains("What is in my notes?  (0.01226 EUR)"), "{listed}");
    assert_eq!(bench.toolcrib(&["runs", "--json"]).json()["runs"][0]["spent"]["spent"], "0.01226");
}

#[test]
fn what_does_not_fit_the_budget_is_not_sent_and_the_run_goes_on_with_more() {
    let bench = bench(PRICES);
    // An answer of 8,192 tokens may cost 0.12288 beside what is read.
    let done = bench.toolcrib(&["run", "What is in my notes?", "--max-cost", "0.1"]);
    assert_eq!(done.code, 5, "{}", done.err);
    assert!(done.err.contains("the budget of money is spent") && done.err.contains("--max-cost"), "{}", done.err);
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    let kinds = bench.toolcrib(&["show", run, "--events"]).out;
    assert!(!kinds.contains("model-asked") && kinds.contains("budget-spent"), "{kinds}");
    // Nothing lifts the limit by the way.
    assert_eq!(bench.toolcrib(&["resume", run, "--max-steps", "9"]).code, 5);
    let resumed = bench.toolcrib(&["resume", run, "--max-cost", "0.5"]);
    assert_eq!((resumed.code, resumed.out.as_str()), (0, "Milk is to be bought.\n"), "{}", resumed.err);
}

#[test]
fn a_budget_in_money_needs_a_price_for_every_model_and_one_currency() {
    let bench = bench("");
    let none = bench.toolcrib(&["run", "x", "--max-cost", "1"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("a budget in money needs prices: add `[prices]`"), "{}", none.err);
    let amount = bench.toolcrib(&["run", "x", "--max-cost", "1 EUR"]);
    assert!(amount.code == 2 && amount.err.contains("without the currency"), "{}", amount.err);
    bench.grant(&format!("{PRICES}\n[prices.\"x:y\"]\ninput = 1\noutput = 1"));
    let args = ["run", "x", "--fallback", "script:gone.yaml", "--max-cost", "1", "--json"];
    let unpriced = bench.toolcrib(&args);
    assert_eq!((unpriced.code, &unpriced.json()["error"]["code"]), (2, &json!("prices")));
    let message = unpriced.json()["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("`script:gone` has no price: add `\"script:gone\" = {"), "{message}");
    assert!(bench.toolcrib(&["runs", "--json"]).json()["runs"].as_array().expect("runs").is_empty());

    let stopped = bench.toolcrib(&["run", "What is in my notes?", "--max-cost", "0.1"]);
    assert_eq!(stopped.code, 5, "{}", stopped.err);
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    bench.grant(&PRICES.replace("EUR", "USD"));
    let mixed = bench.toolcrib(&["resume", run, "--max-cost", "1"]);
    assert_eq!(mixed.code, 2, "{}", mixed.err);
    assert!(mixed.err.contains("the run's amounts are in EUR, and `[prices]` is in USD"), "{}", mixed.err);
}

#[test]
fn a_flow_has_a_budget_in_money_too() {
    let bench = bench(PRICES);
    let flow = |money: &str| {
        format!(
            "flow: two\nbudget: {{ money: {money} }}\nsteps:\n  - {{ tool: files.read, arguments: {{ path: /docs/notes.md }} }}\n  \
             - {{ tool: files.read, arguments: {{ path: /docs/more.md }} }}\n"
        )
    };
    bench.write("docs/more.md", "and bread\n");
    bench.write("flow.yaml", &flow("0.003"));
    let done = bench.toolcrib(&["flow", "run", "flow.yaml", "--json"]);
    assert_eq!((done.code, &done.json()["spent"]["spent"]), (5, &json!("0.002")), "{}{}", done.out, done.err);
    assert_eq!(bench.toolcrib(&["flow", "run", "flow.yaml", "--max-cost", "0.004"]).code, 0);
    bench.write("flow.yaml", &flow("many"));
    let wrong = bench.toolcrib(&["flow", "check", "flow.yaml"]);
    assert!(wrong.code == 2 && wrong.err.contains("budget.money: write an amount"), "{}", wrong.err);
}

/// Asks for what it may not have, counts, and says what it found.
const CHILD: &str = r#"
version: 1
exchanges:
  - expect:
      anywhere: { contains: [What is to be bought?, buy milk], lacks: shopping }
      tools: { offered: text.stats, not-offered: [files.read, files.write] }
    answer: { calls: [{ tool: files.read, arguments: { path: /docs/notes.md } }], usage: { input: 100, output: 10 } }
  - expect: { anywhere: { contains: there is no tool `files.read` } }
    answer: { calls: [{ tool: text.stats, arguments: { text: buy milk } }], usage: { input: 100, output: 10 } }
  - expect: { tool-results: [{ tool: text.stats, failed: false }] }
    answer: { text: milk, usage: { input: 100, output: 10 } }
"#;

/// The step that `docs/flows.md` shows, in a flow around it.
fn shopping() -> String {
    let page = include_str!("../../../../docs/flows.md");
    let after = page.split("<!-- a step that a test runs -->\n```yaml\n").nth(1).expect("the step");
    let step = after.split("```").next().expect("its end").replace("ollama:here", "script:child.yaml");
    let step: String = step.lines().map(|line| format!("  {line}\n")).collect();
    let read = "  - { step: page, tool: files.read, arguments: { path: /docs/notes.md } }";
    let write =
        "  - { step: list, tool: files.write, arguments: { path: /out/list.txt, text: \"{{ steps.found.text }}\" } }";
    format!("flow: shopping\nsteps:\n{read}\n{step}{write}\n")
}

#[test]
fn a_flow_hands_a_goal_to_an_agent_with_fewer_tools_and_a_budget_of_its_own() {
    let prices = "[prices]\ncurrency = \"EUR\"\n\"script:*\" = { input = 3, output = 15 }";
    let bench = bench(prices);
    bench.write("child.yaml", CHILD);
    bench.write("flow.yaml", &shopping());
    let unnamed = bench.toolcrib(&["flow", "run", "flow.yaml"]);
    assert_eq!(unnamed.code, 2, "{}", unnamed.err);
    let advice = "the operator has not named it in `[models]` (`agents = [\"script:child.yaml\"]`)";
    assert!(unnamed.err.contains(advice), "{}", unnamed.err);
    bench.grant(&format!("[models]\nagents = [\"script:child.yaml\"]\n{prices}"));
    let done = bench.toolcrib(&["flow", "run", "flow.yaml", "--max-cost", "1", "--json"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(bench.read("out/list.txt"), "milk");
    // Three answers of 100 tokens read and 10 written.
    assert_eq!(done.json()["spent"]["spent"], "0.00135");
    let run = done.json()["run"].as_str().expect("a run").to_owned();
    let shown = bench.toolcrib(&["show", &run]).out;
    assert!(
        shown.contains("├─ ✓ agent with text.*: What is to be bought? [by script:child]\n│  └─ ✓ text.stats"),
        "{shown}"
    );
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}

/// A judge that always agrees, for a price.
const JUDGE: &str = r#"
version: 1
exchanges:
  - expect: { schema: true, anywhere: { contains: buy milk } }
    answer: { json: { verdict: sound, why: it says so, cites: [1] }, usage: { input: 1000, output: 10 } }
"#;

#[test]
fn who_reviews_is_paid_for_and_recorded_as_every_model() {
    let bench = bench(PRICES);
    bench.write("judge.yaml", JUDGE);
    let args = ["run", "What is in my notes?", "--judge", "script:judge.yaml", "--max-cost", "0.50", "--json"];
    let unpriced = bench.toolcrib(&args);
    assert_eq!((unpriced.code, &unpriced.json()["error"]["code"]), (2, &json!("prices")), "{}", unpriced.err);
    bench.grant(&format!("{PRICES}\"script:judge\" = {{ input = 2, output = 10 }}"));
    let done = bench.toolcrib(&args);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let spent = &done.json()["spent"];
    assert_eq!((&spent["models"]["script:judge"]["times"], &spent["spent"]), (&json!(1), &json!("0.01436")), "{spent}");
    let run = done.json()["run"].as_str().expect("a run").to_owned();
    let events = bench.toolcrib(&["show", &run, "--events"]).out;
    let of_judge = |kind: &str| events.lines().any(|line| line.contains(kind) && line.contains("script:judge"));
    assert!(of_judge("\"model-asked\"") && of_judge("\"model-answered\"") && of_judge("\"reviewed\""), "{events}");
}

#[test]
fn behind_the_second_wall_who_reviews_can_be_reached() {
    let (address, asked) = refusing();
    let bench = bench("");
    let judge = format!("openai-chat:judge@http://{address}/v1");
    let done = bench.toolcrib(&["run", "What is in my notes?", "--model", "script:reads.yaml", "--judge", &judge]);
    assert_eq!((done.code, done.out.as_str()), (0, "Milk is to be bought.\n"), "{}", done.err);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(done.err.contains("! no answer from openai-chat:judge: auth"), "{}", done.err);
}

#[test]
fn a_model_that_stands_in_is_shown_as_much_as_its_own_limit_says() {
    let limit = |tokens: u32| format!("[planner.model.\"script:reads.yaml\"]\ncontext = {tokens}\n");
    let goal = format!("What is in /docs/notes.md? {}", "Please. ".repeat(2_500));
    let bench = bench("");
    let mut read = Vec::new();
    for (own, usual) in [(4_000, 32_000), (32_000, 4_000)] {
        bench.grant(&format!("[planner]\ncontext = {usual}\n{}", limit(own)));
        let args = ["run", &goal, "--model", "script:gone.yaml", "--fallback", "script:reads.yaml", "--json"];
        let done = bench.toolcrib(&args);
        assert_eq!(done.code, 0, "{}{}", done.out, done.err);
        let run = done.json()["run"].as_str().expect("a run").to_owned();
        let events = bench.toolcrib(&["show", &run, "--events"]).out;
        let events: Vec<serde_json::Value> =
            events.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
        let most = |model: &str| {
            let asked = events
                .iter()
                .map(|event| &event["payload"])
                .find(|payload| payload["event"] == "model-asked" && payload["model"] == model);
            asked.and_then(|payload| payload["worst"]["input"].as_u64()).expect("a request")
        };
        read.push((most("script:gone"), most("script:reads")));
    }
    // A token stands for three bytes at most, and a request for 1,024 that a wire adds.
    let small = 3 * 4_000 + 1_024 + 256;
    let fits = |(gone, reads): (u64, u64)| (gone < small, reads < small);
    assert_eq!((fits(read[0]), fits(read[1])), ((false, true), (true, false)), "{read:?}");
}
