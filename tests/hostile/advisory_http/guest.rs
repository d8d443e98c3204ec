//! Fills headers and bodies that are never sent, and asks with time limits of nothing.
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, OutgoingRequest, RequestOptions, Scheme};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("fields") => fields(),
        Some("absolute") => absolute(),
        Some("body") => body(),
        Some("empty") => empty(),
        Some("long") => long(),
        _ => times(),
    }
}

fn fields() {
    let fields = Fields::new();
    for count in 0..100_000 {
        if let Err(error) = fields.append(&format!("x-{count}"), b"value") {
            println!("no more fields: {error:?}");
            return;
        }
    }
    println!("ALL FIELDS");
}

fn request() -> OutgoingRequest {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
    request.set_authority(Some("allowed.test")).expect("an authority");
    request.set_path_with_query(Some("/")).expect("a path");
    request
}

fn body() {
    let request = request();
    let body = request.body().expect("its body");
    let stream = body.write().expect("its stream");
    let chunk = vec![7; 64 << 10];
    let mut written = 0;
    for _ in 0..10_000 {
        let room = stream.check_write().expect("an open stream");
        if room == 0 {
            println!("no more room");
            return;
        }
        let length = chunk.len().min(room as usize);
        stream.write(&chunk[..length]).expect("there is room");
        written += length;
    }
    println!("ALL WRITTEN {written}");
}

/// Paths that are whole addresses, of another host.
fn absolute() {
    for path in ["http://evil.test/", "//evil.test/", "@evil.test/", ":80@evil.test/", "evil.test:80"] {
        let request = request();
        if let Err(()) = request.set_path_with_query(Some(path)) {
            println!("{path}: no such path");
            continue;
        }
        let answer = handle(request, None).and_then(|future| {
            future.subscribe().block();
            future.get().expect("it is ready").expect("it is taken once")
        });
        println!("{path}: {:?}", answer.map(|answer| answer.status()));
    }
}

/// Pieces of a body with nothing in them.
fn empty() {
    let request = request();
    let body = request.body().expect("its body");
    let stream = body.write().expect("its stream");
    for count in 0..200_000 {
        if stream.check_write().expect("an open stream") == 0 {
            println!("no more room after {count}");
            return;
        }
        stream.write(b"").expect("there is room");
    }
    println!("written");
}

/// A path longer than addresses are kept, with a question behind it.
fn long() {
    let request = request();
    for length in [65_000, 65_530, 65_535, 65_536, 70_000, 200_000] {
        let path = format!("/{}?question", "a".repeat(length));
        println!("{length}: {:?}", request.set_path_with_query(Some(&path)));
    }
    println!("{:?}", handle(request, None).map(|future| future.subscribe().block()));
}

fn times() {
    let options = RequestOptions::new();
    options.set_connect_timeout(Some(0)).expect("a time");
    options.set_first_byte_timeout(Some(0)).expect("a time");
    options.set_between_bytes_timeout(Some(0)).expect("a time");
    let answer = handle(request(), Some(options)).and_then(|future| {
        future.subscribe().block();
        future.get().expect("it is ready").expect("it is taken once")
    });
    println!("{:?}", answer.map(|answer| answer.status()));
}
