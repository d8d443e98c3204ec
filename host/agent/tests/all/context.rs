//! The context of a model stays under its limit, whatever happens.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use toolcrib_agent::{ModelView, tokens};
use toolcrib_model::Request;
use toolcrib_policy::Effect;

use crate::reacting::{Long, Reacting, Says, calls, goal, results, says, texts};
use crate::support::{Shed, card};

/// A tool whose results are this.
fn giving(value: impl Fn(u64) -> Value + Send + Sync + 'static) -> Arc<Shed> {
    let cards = vec![card("x.get", Effect::Read)];
    Arc::new(Shed::new(cards, move |call| Ok(value(call.arguments["n"].as_u64().unwrap_or_default()))))
}

/// Calls the tool once per answer, so many times, and then answers.
fn one_by_one(steps: usize) -> impl Fn(&Request) -> Says {
    let made = std::sync::atomic::AtomicUsize::new(0);
    move |_| match made.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        n if n < steps => calls("x.get", json!({ "n": n, "note": "y".repeat(2_000) })),
        _ => says("done"),
    }
}

fn largest(asked: &[Request]) -> u64 {
    asked.iter().map(tokens).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn sixty_steps_in_one_goal_stay_under_the_limit_and_would_not_without_it() {
    let tools = giving(|n| json!({ "n": n, "text": "line of a result, as they are\n".repeat(200) }));
    let sizes = |limit| {
        let (tools, model) = (Arc::clone(&tools), Reacting::new(one_by_one(60)));
        async move {
            let (outcome, _) = Long::seeing(limit).run(&tools, model.clone(), "go on").await;
            assert_eq!(outcome.name(), "reached", "{outcome:?}");
            model.asked()
        }
    };
    let asked = sizes(8_000).await;
    assert!(asked.len() == 61 && largest(&asked) <= 8_000, "{}", largest(&asked));
    // It is made use of, and the latest result is whole.
    assert!(asked[20..].iter().all(|request| tokens(request) > 6_000));
    assert!(asked[1..].iter().all(|request| texts(request).last().is_some_and(|text| text.len() > 6_000)));
    // What is left out is counted.
    let last = texts(&asked[60]);
    assert!(last[1].contains("earlier results that are not shown)"), "{}", last[1]);
    assert!(largest(&sizes(1_000_000).await) > 100_000);
}

#[tokio::test(start_paused = true)]
async fn no_size_of_anything_breaks_the_limit() {
    let mut cards = vec![card("x.get", Effect::Read)];
    for n in 0..20 {
        let mut vast = card(&format!("vast.tool{n}"), Effect::Read);
        vast.description = "x get \" \\ \n".repeat(400);
        vast.input_schema["properties"] = (0..500).map(|n| (format!("p{n}"), json!({ "type": "string" }))).collect();
        cards.push(vast);
    }
    let worst = |n: u64| match n % 4 {
        0 => json!({ "text": "\"\\\n</data>".repeat(30_000) }),
        1 => json!({ "text": "漢🦀".repeat(20_000) }),
        2 => json!((0..4_000).map(|n| json!({ "k": n })).collect::<Vec<_>>()),
        _ => json!({ "k".repeat(20_000): ["\u{1}".repeat(20_000)] }),
    };
    let tools = Arc::new(Shed::new(cards, move |call| Ok(worst(call.arguments["n"].as_u64().unwrap_or_default()))));
    let made = std::sync::atomic::AtomicUsize::new(0);
    let model = Reacting::new(move |request: &Request| match made.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        n if n % 5 == 4 => calls("nobody", json!({ "\u{2}": "\"".repeat(50_000) })),
        n if n % 7 == 6 => calls("recall", json!({ "query": "data".repeat(9_000) })),
        n if n % 11 == 10 => calls("recall", json!({ "of": "get" })),
        0..24 => calls("x.get", json!({ "n": texts(request).len(), "note": ["\\".repeat(30_000)] })),
        _ => says("done"),
    });
    let mut long = Long::seeing(ModelView::CONTEXT_MIN);
    long.caps.stall = 100;
    let (outcome, _) = long.run(&tools, model.clone(), &"a goal as long as a book \"\\\n".repeat(4_000)).await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    let asked = model.asked();
    assert!(largest(&asked) <= ModelView::CONTEXT_MIN, "{}", largest(&asked));
    assert!(asked.iter().all(|request| goal(request).starts_with("a goal as long as a book")));
    assert!(asked[1..].iter().all(|request| request.tools.iter().any(|tool| tool.name == "x.get")));
}

/// Works through goals of ten steps, each of which answers with a word of its own.
fn in_tens(goals: u64) -> impl Fn(&Request) -> Says {
    move |request| {
        let about = goal(request);
        let Some(number) = about.strip_prefix("ten ").and_then(|n| n.parse::<u64>().ok()) else {
            return match texts(request).len() {
                1 => calls(
                    "propose_plan",
                    json!({ "children": (0..goals).map(|n| json!({ "goal": format!("ten {n}") })).collect::<Vec<_>>() }),
                ),
                _ => says("all done"),
            };
        };
        if results(request, "x.get") == 10 {
            return says(format!("ten {number} came to {}", number * 10 + 9));
        }
        let step = |n: u64| {
            let mut arguments = json!({ "n": number * 10 + n });
            if n == 9 && number > 0 {
                // Something that was folded long ago.
                arguments["first"] = json!({ "$ref": "steps.get_0.n" });
                arguments["before"] = json!({ "$ref": format!("steps.get_{}.n", number * 10 - 1) });
            }
            json!({ "step": format!("get_{}", number * 10 + n), "tool": "x.get", "arguments": arguments })
        };
        calls("propose_plan", json!({ "children": (0..10).map(step).collect::<Vec<_>>() }))
    }
}

#[tokio::test(start_paused = true)]
async fn finished_goals_fold_into_their_answers_and_references_into_them_hold() {
    let tools = giving(|n| json!({ "n": n, "text": "z".repeat(1_000) }));
    let model = Reacting::new(in_tens(20));
    let (outcome, _) = Long::seeing(8_000).run(&tools, model.clone(), "two hundred").await;
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    let calls = tools.calls.lock().unwrap().clone();
    assert_eq!(calls.len(), 200);
    assert_eq!((&calls[199].arguments["first"], &calls[199].arguments["before"]), (&json!(0), &json!(189)));
    let asked = model.asked();
    assert!(largest(&asked) <= 8_000, "{}", largest(&asked));
    // The steps of the goal at hand are all whole, those of the others are names.
    let last = asked.iter().rev().find(|request| goal(request) == "ten 19").unwrap();
    assert_eq!(results(last, "x.get"), 10);
    let before = &texts(last)[1];
    assert!(before.contains("<data>ten 0</data> → <data>ten 0 came to 9</data> (steps get_0, get_1,"), "{before}");
    assert!(before.contains("<data>ten 18 came to 189</data>"), "{before}");
    assert_eq!(texts(last)[0], "Goal: ten 19\nIt is part of this: two hundred");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_limit_holds_for_any_texts(
        limit in ModelView::CONTEXT_MIN..20_000,
        goal in "\\PC{0,4000}",
        given in prop::collection::vec("(\\PC|[\"\\\\\n\t\u{1}]){0,3000}", 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let steps = given.len() * 2;
        let tools = giving(move |n| json!({ "text": given[n as usize % given.len()] }));
        let model = Reacting::new(one_by_one(steps));
        let asked = runtime.block_on(async {
            Long::seeing(limit).run(&tools, model.clone(), &format!("g {goal}")).await;
            model.asked()
        });
        prop_assert_eq!(asked.len(), steps + 1);
        prop_assert!(largest(&asked) <= limit, "{} of {}", largest(&asked), limit);
    }
}
