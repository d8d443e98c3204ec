//! Asks for a gibibyte of random bytes at once.
fn main() {
    println!("{}", wasip2::random::random::get_random_bytes(1 << 30).len());
}
