//! Prints one table of ratios: each row against a baseline that is measured in the same run, because machines are shared
//! and noisy. `cargo bench -p toolcrib-tests --bench ratios`
//!
//! Anchor A is the tool's own core module, called through the canonical ABI by hand, on the same tuned engine.

mod catalog;
mod engine;
mod gates;
mod measure;
mod parallel;
mod steps;

use measure::Table;

fn main() {
    // `cargo test --benches` runs benches for their compilation alone.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("the runtime starts");
    let mut table = Table::default();
    runtime.block_on(async {
        engine::rows(&mut table).await;
        catalog::rows(&mut table).await;
        steps::rows(&mut table).await;
        parallel::rows(&mut table).await;
    });
    table.print();
}
