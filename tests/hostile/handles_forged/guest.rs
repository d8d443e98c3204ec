//! Uses a handle that it made up, one that it gave back, or gives one back twice.
use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::Pollable;

fn main() {
    let held = monotonic_clock::subscribe_duration(0);
    let number = held.handle();
    match std::env::args().nth(1).as_deref() {
        // SAFETY: none; that is the point.
        Some("forged") => unsafe { Pollable::from_handle(number + 1000) }.block(),
        Some("dropped") => {
            drop(held);
            // SAFETY: none; that is the point.
            unsafe { Pollable::from_handle(number) }.block();
        }
        Some("twice") => {
            drop(held);
            // SAFETY: none; that is the point.
            drop(unsafe { Pollable::from_handle(number) });
        }
        Some("other") => {
            // A handle of another kind: an output stream where a pollable is expected.
            let stream = wasip2::cli::stdout::get_stdout();
            // SAFETY: none; that is the point.
            unsafe { Pollable::from_handle(stream.handle()) }.block();
        }
        _ => {
            held.block();
            println!("held");
        }
    }
}
