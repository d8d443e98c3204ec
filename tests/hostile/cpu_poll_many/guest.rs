//! Polls the same pollable a hundred thousand times over in one list, again and again.
use wasip2::clocks::monotonic_clock;
use wasip2::io::poll;

fn main() {
    let ready = monotonic_clock::subscribe_duration(0);
    let list = vec![&ready; 100_000];
    let mut polled = 0u64;
    for _ in 0..1_000_000 {
        polled += poll::poll(&list).len() as u64;
    }
    println!("{polled}");
}
