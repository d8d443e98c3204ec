//! What a call costs around its guest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcrib_policy::Authority;
use toolcrib_runtime::Crib;
use toolcrib_sandbox::measure::{Metering, RawModule, TightLoop, engine_path};
use toolcrib_sandbox::{CacheConfig, Call, Plugin, Pooling, Sandbox, SandboxConfig};

use crate::gates;
use crate::measure::{Samples, Table, sample, shown};

const ROUNDS: usize = 20_000;
const WARM_UP: usize = 2_000;
const TOOL: &str = "hash";

fn component() -> &'static [u8] {
    let text = toolcrib_bundled::PLUGINS.iter().find(|plugin| plugin.name == "text");
    text.expect("the text plugin is embedded").component
}

fn arguments() -> Value {
    json!({ "text": "the quick brown fox jumps over the lazy dog" })
}

fn sandbox(pooling: Pooling) -> Sandbox {
    let mut config = SandboxConfig::new(toolcrib_tests::worker());
    config.pooling = pooling;
    Sandbox::new(config)
}

async fn load(sandbox: &Sandbox) -> Arc<Plugin> {
    sandbox.load(component()).await.expect("the text plugin loads")
}

fn call() -> Call {
    Call::new(TOOL, arguments(), Arc::new(Authority::nothing()))
}

async fn whole(sandbox: &Sandbox, plugin: &Plugin) {
    let report = sandbox.call(plugin, call()).await;
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
}

/// From a tool's name to its report: the rules, the authority, the sandbox.
async fn through_the_gates(crib: &Crib) {
    let report = toolcrib_runtime::measure::call(crib, "text.hash", arguments()).await.expect("the call is made");
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
}

pub(crate) async fn rows(table: &mut Table) {
    let tuned = sandbox(Pooling::Tuned);
    let plugin = load(&tuned).await;
    let raw = RawModule::of(&tuned, component()).expect("the anchor is there");
    let text = arguments().to_string();
    let prepared = call();
    let (_home, crib) = gates::crib().await;

    // They take turns, so that a busy machine is busy for all of them.
    let (mut a, mut engine, mut full, mut gated) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        let times = [
            sample(|| async { raw.call(TOOL, &text).await.expect("the anchor runs") }).await,
            sample(|| async { engine_path(&tuned, &plugin, &prepared, &text).await.expect("the call works") }).await,
            sample(|| whole(&tuned, &plugin)).await,
            sample(|| through_the_gates(&crib)).await,
        ];
        if round >= WARM_UP {
            a.push(times[0]);
            engine.push(times[1]);
            full.push(times[2]);
            gated.push(times[3]);
        }
    }
    let (a, engine, full, gated) = (Samples::of(a), Samples::of(engine), Samples::of(full), Samples::of(gated));
    table.ratio("A: raw core module, p50", a.at(0.5), a.at(0.5), "");
    table.ratio("A: raw core module, p99", a.at(0.99), a.at(0.5), "");
    table.ratio("engine path, every limit, p50", engine.at(0.5), a.at(0.5), "<= 1.25");
    table.ratio("engine path, every limit, p99", engine.at(0.99), a.at(0.99), "<= 3");
    table.ratio("whole call, JSON to receipt, p50", full.at(0.5), a.at(0.5), "<= 2");
    table.ratio("whole call, JSON to receipt, p99", full.at(0.99), a.at(0.99), "");
    table.ratio("the same with 20 rules and 50 grants, p50", gated.at(0.5), a.at(0.5), "<= 2");
    table.ratio("the same with 20 rules and 50 grants, p99", gated.at(0.99), a.at(0.99), "");
    threads(table, &tuned, &plugin).await;
    pools(table, full.at(0.5)).await;
    first_call(table, full.at(0.5)).await;
    metering(table);
}

async fn threads(table: &mut Table, sandbox: &Sandbox, plugin: &Arc<Plugin>) {
    const EACH: usize = 10_000;
    let one = many(sandbox, plugin, 1, EACH).await;
    let two = many(sandbox, plugin, 2, EACH).await;
    table.row("two threads, throughput", format!("{two:.0} calls/s"), format!("{:.2}", two / one), ">= 1.3");
}

/// Calls per second of this many tasks.
async fn many(sandbox: &Sandbox, plugin: &Arc<Plugin>, tasks: usize, each: usize) -> f64 {
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (sandbox, plugin) = (sandbox.clone(), plugin.clone());
            tokio::spawn(async move {
                for _ in 0..each {
                    whole(&sandbox, &plugin).await;
                }
            })
        })
        .collect();
    for task in running {
        task.await.expect("the task ends");
    }
    (tasks * each) as f64 / start.elapsed().as_secs_f64()
}

async fn pools(table: &mut Table, tuned: Duration) {
    for (name, pooling) in [("engine's default pools", Pooling::EngineDefault), ("no pools", Pooling::OnDemand)] {
        let sandbox = sandbox(pooling);
        let plugin = load(&sandbox).await;
        let mut times = Vec::new();
        for round in 0..WARM_UP + ROUNDS / 4 {
            let time = sample(|| whole(&sandbox, &plugin)).await;
            if round >= WARM_UP {
                times.push(time);
            }
        }
        table.ratio(&format!("whole call, {name}, p50, to tuned"), Samples::of(times).at(0.5), tuned, "");
    }
}

async fn first_call(table: &mut Table, warm: Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let cached = || {
        let mut config = SandboxConfig::new(toolcrib_tests::worker());
        config.cache =
            Some(CacheConfig { folder: folder.path().join("code"), key_file: folder.path().join("cache.key") });
        Sandbox::new(config)
    };
    let cold = sample(|| async {
        let sandbox = cached();
        whole(&sandbox, &*load(&sandbox).await).await;
    })
    .await;
    table.row("first call, compiled in a child", shown(cold), String::new(), "");
    let mut times = Vec::new();
    for _ in 0..20 {
        times.push(
            sample(|| async {
                let sandbox = cached();
                whole(&sandbox, &*load(&sandbox).await).await;
            })
            .await,
        );
    }
    table.ratio("first call, from the cache, to a warm call", Samples::of(times).at(0.5), warm, "");
}

/// A loop of additions and stores: the worst case for any metering.
const LOOP: &str = r#"
(module
  (memory 1)
  (func (export "run") (param $rounds i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get $rounds) (i32.const 31))))
      (i32.store (i32.and (local.get $sum) (i32.const 0xfffc)) (local.get $sum))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $next (local.get $rounds)))
    (local.get $sum)))
"#;

fn metering(table: &mut Table) {
    const LOOPS: u32 = 20_000_000;
    let module = wat::parse_str(LOOP).expect("the loop is a module");
    let subject = |metering| TightLoop::new(metering, &module).expect("the loop compiles");
    let subjects = [Metering::None, Metering::Fuel, Metering::Epochs].map(|m| (m, subject(m)));
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..15 {
        for (at, (_, subject)) in subjects.iter().enumerate() {
            let start = Instant::now();
            subject.run(LOOPS).expect("the loop ends");
            times[at].push(start.elapsed());
        }
    }
    let [none, fuel, epochs] = times.map(|t| Samples::of(t).at(0.5));
    table.ratio("tight loop, no metering", none, none, "");
    table.ratio("tight loop, fuel", fuel, none, "");
    table.ratio("tight loop, epochs", epochs, none, "");
}
