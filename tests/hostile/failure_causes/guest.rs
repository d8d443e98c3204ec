//! Fails in the ways in which programs fail beside something that was refused to them: before it, after it, because of it,
//! or for a reason of their own.

fn main() {
    let way = std::env::args().nth(1).expect("a way");
    let try_to_read = |path: &str| std::fs::read(path);
    match way.as_str() {
        // As language runtimes do: they look for the sources of a stack only to print it.
        "probe" | "probe-denied" => {
            let error = if way == "probe" { "ValueError: wrong value" } else { "PermissionError: permission denied" };
            eprintln!("Traceback (most recent call last):\n  File \"/python/app.py\", line 59, in fail");
            let _ = try_to_read("/python/app.py").or_else(|_| try_to_read("/python/lib/app.py"));
            eprintln!("{error}");
            core::arch::wasm32::unreachable();
        }
        "uncaught" => drop(try_to_read("/docs/notes.txt").unwrap()),
        "swallowed" => {
            let _ = try_to_read("/docs/notes.txt");
            eprintln!("the shop is closed");
            std::process::exit(1);
        }
        "named" => {
            let _ = try_to_read("/python/app.py");
            let _ = try_to_read("/docs/notes.txt");
            let _ = try_to_read("/docs/other.txt");
            eprintln!("starting\ncannot go on without notes.txt\ngood bye");
            std::process::exit(1);
        }
        "silent" => {
            let _ = try_to_read("/docs/notes.txt");
            core::arch::wasm32::unreachable();
        }
        "memory" => drop(std::hint::black_box(vec![1u8; 512 << 20])),
        other => panic!("no way `{other}`"),
    }
}
