//! Makes files with names that are no names.
fn main() {
    for name in
        ["nul\0inside", "line\nbreak", "\u{1b}[31mred", "CON", "COM\u{b9}", "..", ".", "", "a/../../b", "a\\..\\b"]
    {
        report(name, std::fs::write(format!("/data/{name}"), "x"));
    }
    for length in [255, 256, 4096, 70_000] {
        report(&length.to_string(), std::fs::write(format!("/data/{}", "n".repeat(length)), "x"));
    }
}

fn report(what: &str, result: std::io::Result<()>) {
    match result {
        Ok(()) => println!("DONE {what:?}"),
        Err(error) => println!("no {what:?}: {:?}", error.kind()),
    }
}
