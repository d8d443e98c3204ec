//! Looking things up: tools among very many, and what earlier steps came to.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use toolcrib_agent::{Ask, Event, EventKind, Memory, State, tokens};
use toolcrib_model::{Message, Request};
use toolcrib_policy::{Confidentiality, Effect, Integrity};

use crate::reacting::{Long, Reacting, calls, goal, offered, results, says, texts};
use crate::support::{Book, Shed, card};

/// A catalog as large as people's are, with one tool that the goal's own words do not find.
fn thousand() -> Arc<Shed> {
    let nouns = ["invoice", "ticket", "sensor", "mailbox", "calendar", "contact", "order", "photo", "song", "recipe"];
    let verbs = ["list", "read", "create", "update", "delete", "archive", "share", "export", "count", "rename"];
    let mut cards = Vec::new();
    for service in 0..10 {
        for noun in nouns {
            for verb in verbs {
                let mut card = card(&format!("service{service}.{verb}_{noun}"), Effect::Read);
                card.description = format!("{verb} one {noun} of service {service}");
                cards.push(card);
            }
        }
    }
    let mut wanted = card("orbit.ephemeris", Effect::Read);
    wanted.description = "position of a satellite at a time".to_owned();
    cards[617] = wanted;
    assert_eq!(cards.len(), 1_000);
    Arc::new(Shed::new(cards, |_| Ok(json!({ "height": 408 }))))
}

/// Searches, calls what was found, and answers.
fn searching(request: &Request) -> crate::reacting::Says {
    match (results(request, "search_tools"), results(request, "orbit.ephemeris")) {
        (0, 0) => calls("search_tools", json!({ "query": "satellite position" })),
        (_, 0) => calls("orbit.ephemeris", json!({ "of": "ISS" })),
        _ => says("It is 408 km up."),
    }
}

const GOAL: &str = "How high does the space station fly, and count my invoices";

#[tokio::test(start_paused = true)]
async fn among_a_thousand_tools_the_model_searches_and_sees_what_it_found() {
    let (tools, model) = (thousand(), Reacting::new(searching));
    let (outcome, book) = Long::seeing(32_000).run(&tools, model.clone(), GOAL).await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    assert_eq!(tools.called(), ["orbit.ephemeris"]);
    let asked = model.asked();
    assert!(offered(&asked[0]).contains(&"search_tools") && !offered(&asked[0]).contains(&"orbit.ephemeris"));
    // The best few for the goal's own words are there at once, and never the whole catalog.
    assert!(offered(&asked[0]).contains(&"service0.count_invoice"), "{:?}", offered(&asked[0]));
    assert!(asked.iter().all(|request| request.tools.len() <= 21), "{:?}", offered(&asked[2]));
    // It is still there after it was called.
    assert!(asked[1..].iter().all(|request| offered(request).contains(&"orbit.ephemeris")));
    let kinds: Vec<_> = book.kinds().into_iter().filter(|kind| !kind.starts_with("model-")).collect();
    assert_eq!(kinds[..6], ["run-started", "plan-asked", "looked", "plan-asked", "expanded", "step-started"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_off_anywhere_shows_its_model_the_same() {
    let (tools, model) = (thousand(), Reacting::new(searching));
    let long = Long::seeing(32_000);
    let (_, book) = long.run(&tools, model.clone(), GOAL).await;
    let (events, asked) = (book.events(), model.asked());
    for cut in 1..events.len() {
        let again = Reacting::new(searching);
        let outcome = long.resume(&tools, again.clone(), &events[..cut]).await;
        assert_eq!(outcome.name(), "reached", "cut after {cut}");
        let shown = again.asked();
        // What follows is what was asked then, request by request.
        assert!(shown[..] == asked[asked.len() - shown.len()..], "cut after {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn few_tools_are_all_shown() {
    let cards = (0..24).map(|n| card(&format!("few.tool{n}"), Effect::Read)).collect();
    let tools = Arc::new(Shed::new(cards, |_| Ok(json!(1))));
    let model = Reacting::new(|_: &Request| says("done"));
    Long::seeing(32_000).run(&tools, model.clone(), "zzz").await;
    let asked = model.asked();
    assert_eq!(offered(&asked[0]).iter().filter(|name| name.starts_with("few.")).count(), 24);
    assert!(!offered(&asked[0]).contains(&"search_tools"));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_only_searches_is_stopped() {
    let model = Reacting::new(|_: &Request| calls("search_tools", json!({ "query": "anything" })));
    let (outcome, book) = Long::seeing(32_000).run(&thousand(), model.clone(), GOAL).await;
    assert_eq!(outcome.name(), "failed", "{outcome:?}");
    let asked = model.asked();
    assert_eq!(book.kinds().iter().filter(|kind| **kind == "looked").count(), 6);
    // Then it is no longer offered, the model is told so, and what it says all the same is no answer.
    assert!(asked.len() <= 11, "{}", asked.len());
    assert!(!offered(asked.last().unwrap()).contains(&"search_tools"));
    assert!(texts(&asked[6]).iter().any(|text| text.contains("looked up enough")), "{:?}", texts(&asked[6]));
}

/// Two goals; the first searches.
fn two_goals(request: &Request) -> crate::reacting::Says {
    match (goal(request).as_str(), results(request, "search_tools")) {
        ("both", _) if texts(request).len() == 1 => {
            calls("propose_plan", json!({ "children": [{ "goal": "one" }, { "goal": "two" }] }))
        }
        ("one", 0) => calls("search_tools", json!({ "query": "satellite position" })),
        ("one", _) if results(request, "orbit.ephemeris") == 0 => calls("orbit.ephemeris", json!({})),
        (other, _) => says(format!("{other} is done")),
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_found_for_a_goal_is_forgotten_with_it() {
    let model = Reacting::new(two_goals);
    let (outcome, book) = Long::seeing(32_000).run(&thousand(), model.clone(), "both").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    let offers = |of: &str| -> Vec<bool> {
        let asked = model.asked();
        let about = asked.iter().filter(|request| goal(request) == of);
        about.map(|request| offered(request).contains(&"orbit.ephemeris")).collect()
    };
    assert_eq!(offers("one"), [false, true, true]);
    assert_eq!(offers("two"), [false]);
    let state = State::fold(&book.events()).unwrap();
    assert!(!serde_json::to_string(&state).unwrap().contains("satellite position"));
}

/// Reads five files, each with its own secret in the middle of a long text.
fn files() -> Arc<Shed> {
    let cards = vec![card("files.read", Effect::Read)];
    Arc::new(Shed::new(cards, |call| {
        let path = call.arguments["path"].as_str().unwrap_or_default();
        let filler = "nothing of interest stands here. ".repeat(300);
        Ok(json!({ "text": format!("{filler}The colour of {path} is teal-{path}. {filler}") }))
    }))
}

fn read_five(request: &Request) -> crate::reacting::Says {
    let step =
        |n: u32| json!({ "step": format!("read_{n}"), "tool": "files.read", "arguments": { "path": format!("f{n}") } });
    let last = texts(request).pop().unwrap_or_default();
    match (goal(request).as_str(), last) {
        ("read", _) if results(request, "files.read") == 0 => {
            calls("propose_plan", json!({ "children": (1..=5).map(step).collect::<Vec<_>>() }))
        }
        ("read", _) => says("all five are read"),
        ("use", _) if results(request, "recall") == 0 => calls("recall", json!({ "query": "colour of f2" })),
        ("use", _) => says("found"),
        ("all", _) if texts(request).len() == 1 => {
            calls("propose_plan", json!({ "children": [{ "goal": "read" }, { "goal": "use" }] }))
        }
        _ => says("done"),
    }
}

fn looks(book: &Book) -> Vec<toolcrib_agent::Look> {
    let looks = |event: Event| match event.kind {
        EventKind::Looked { looks, .. } => looks,
        _ => Vec::new(),
    };
    book.events().into_iter().flat_map(looks).collect()
}

#[tokio::test(start_paused = true)]
async fn an_early_result_is_found_by_words_and_keeps_its_label() {
    let model = Reacting::new(read_five);
    let (outcome, book) = Long::seeing(6_000).run(&files(), model.clone(), "all").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    let looks = looks(&book);
    let best = &looks[0].results[0];
    assert!(best.of == "read_2" && best.text.contains("teal-f2"), "{best:?}");
    assert!(best.text.chars().count() <= 800 && best.before > 0 && best.behind > 0);
    assert_eq!((best.label.integrity, best.label.confidentiality), (Integrity::Untrusted, Confidentiality::Private));
    let shown = model.asked();
    let shown = shown.iter().find(|request| results(request, "recall") == 1).unwrap();
    let recalled = texts(shown).pop().unwrap();
    assert!(recalled.starts_with("`read_2` (untrusted, private, from character "), "{recalled}");
    assert!(recalled.contains("<data>") && recalled.contains("teal-f2"), "{recalled}");
    // The steps of the goal that was read are names in its line, and nothing more.
    let done = &texts(shown)[1];
    assert!(done.contains("<data>all five are read</data> (steps read_1, read_2, read_3, read_4, read_5)"), "{done}");
    assert_eq!(results(shown, "files.read"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_result_of_any_size_is_read_piece_by_piece() {
    let seen = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&seen);
    let model = Reacting::new(move |request: &Request| {
        if results(request, "files.read") == 0
            && results(request, "recall") == 0
            && !texts(request).join("").contains("step read")
        {
            return calls("files.read", json!({ "path": "f1" }));
        }
        let last = request.messages.iter().rev().find_map(|message| match message {
            Message::Tool { name, content, .. } if name == "recall" => Some(content.clone()),
            _ => None,
        });
        let (mut text, mut from) = (String::new(), 0);
        if let Some(content) = last {
            let (head, data) = content.split_once(":\n<data>").unwrap();
            text = data.trim_end_matches("</data>").to_owned();
            from = head.split(" more from ").nth(1).map_or(0, |tail| tail.split(' ').next().unwrap().parse().unwrap());
        }
        kept.lock().unwrap().push_str(&text);
        match (text.is_empty(), from) {
            (false, 0) => says("read"),
            _ => calls("recall", json!({ "of": "read", "from": from })),
        }
    });
    let mut long = Long::seeing(4_000);
    long.caps.looks = 20;
    let (outcome, book) = long.run(&files(), model.clone(), "all of it").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    let state = State::fold(&book.events()).unwrap();
    let (_, _, value) = state.results()[0];
    let whole = value.to_string();
    assert!(seen.lock().unwrap().as_str() == whole);
    assert!(model.asked().iter().all(|request| tokens(request) <= 4_000));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_told() {
    let replies = Mutex::new(vec![
        json!({ "of": "nobody" }),
        json!({ "query": "platypus" }),
        json!({ "query": "" }),
        json!({ "query": "x".repeat(100_000) }),
    ]);
    let model = Reacting::new(move |request: &Request| match results(request, "files.read") {
        0 => calls("files.read", json!({ "path": "f1" })),
        _ => match replies.lock().unwrap().pop() {
            Some(arguments) => calls("recall", arguments),
            None => says("done"),
        },
    });
    let (outcome, book) = Long::seeing(8_000).run(&files(), model.clone(), "all").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    assert!(looks(&book).iter().all(|look| look.results.is_empty()));
    assert!(looks(&book).iter().all(|look| !matches!(&look.ask, Ask::Results { query } if query.len() > 400)));
    let all = texts(model.asked().last().unwrap()).join("\n");
    assert!(all.contains("there is no result of that name") && all.contains("nothing fits"), "{all}");
    let faults = book.events().into_iter().find_map(|event| match event.kind {
        EventKind::PlanRejected { faults, .. } => Some(faults),
        _ => None,
    });
    assert_eq!(faults.unwrap(), ["`recall` needs `query` or `of`, a text"]);
}

#[tokio::test(start_paused = true)]
async fn a_memory_ranks_by_rare_words_and_gives_the_piece_around_them() {
    let model = Reacting::new(read_five);
    let (_, book) = Long::seeing(6_000).run(&files(), model, "all").await;
    let state = State::fold(&book.events()).unwrap();
    let memory = Memory::of(&state);
    let found = |query: &str| -> Vec<String> { memory.search(query).into_iter().map(|hit| hit.of).collect() };
    assert_eq!(found("what was the colour of f4?")[0], "read_4");
    assert_eq!(found("READ_3 colours")[0], "read_3");
    assert_eq!(found("all five are read")[0], "n1");
    assert!(found("platypus").is_empty() && found("").is_empty());
    assert_eq!(memory.read("read_5", 9_900).map(|piece| piece.text.contains("teal-f5")), Some(true));
    assert_eq!(memory.read("read_5", usize::MAX).map(|piece| piece.text), Some(String::new()));
    let value: Value = serde_json::from_str(&serde_json::to_string(&memory.search("f1")[0]).unwrap()).unwrap();
    assert_eq!(value["label"]["integrity"], "untrusted");
}
