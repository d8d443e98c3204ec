//! Makes pollables until it may not, and keeps them.
use wasip2::clocks::monotonic_clock;

fn main() {
    let mut held = Vec::new();
    for _ in 0..1_000_000 {
        held.push(monotonic_clock::subscribe_duration(1));
    }
    println!("{}", held.len());
}
