//! What the critic is worth: the same tasks with the same faults, with and without it, and with a judge that is wrong.
//! `cargo bench -p toolcrib-tests --bench ablation` (`-- --seeds 5` for more seeds; `--profile dev` saves the release build)
//!
//! ```text
//! task × fault × critic ─► a run over the real tools ─► the world: bytes of files, what the server got ─► right or wrong
//! ```
//!
//! Whether a run was right is read from the world and never from the run. A run is *recovered* where it is right and would be
//! wrong without the critic, and *harmed* where it is wrong and was right without the critic, or without the judge. *Unnoticed* is
//! what went wrong and was reported as reached. It takes about three minutes on two cores.

mod faults;
mod judge;
mod replay;
mod table;
mod tasks;
mod world;

use table::{Cell, Critic};

/// How wrong the judge is, in per cent.
const WRONG: [u32; 4] = [0, 10, 20, 40];
const SEEDS: u64 = 3;

#[expect(clippy::print_stdout, reason = "a bench that prints a table")]
fn main() {
    // `cargo test --benches` runs benches for their compilation alone.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let given = std::env::args().skip_while(|argument| argument != "--seeds").nth(1);
    let seeds = given.and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("the runtime starts");
    runtime.block_on(async {
        let world = world::World::new().await;
        let mut cells = [Critic::Off, Critic::Replans, Critic::Checks].map(Cell::of).to_vec();
        for wrong in WRONG {
            let seeds = if wrong == 0 { 1 } else { seeds };
            cells.push(Cell { seeds, ..Cell::of(Critic::All { wrong }) });
        }
        let table = table::measure(&world, &tasks::tasks(), cells).await;
        println!("{table}");
    });
}
