//! Polls a list with the same pollable in it, as often as it is told, again and again.
use wasip2::clocks::monotonic_clock;
use wasip2::io::poll;

fn main() {
    let ready = monotonic_clock::subscribe_duration(0);
    let length = std::env::args().nth(1).and_then(|length| length.parse().ok()).expect("a length");
    let list = vec![&ready; length];
    let mut polled = 0u64;
    for _ in 0..1_000_000 {
        polled += poll::poll(&list).len() as u64;
    }
    println!("{polled}");
}
