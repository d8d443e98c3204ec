//! What a guest said on standard error before it failed, without what its language runtime prints around it.

/// The most characters of a guest's words that go into a message.
const SHOWN_CHARS: usize = 300;
/// Lines that are searched for the name of what was refused. A program that says more has said it there.
const SEARCHED_LINES: usize = 12;
/// Lines of a panic or an exception that count as its cause.
const CAUSE_LINES: usize = 2;

/// How Python begins to print an exception.
const TRACEBACK: &str = "Traceback (most recent call last):";

/// Beginnings of lines that language runtimes print around a cause. They are the same whatever went wrong.
const AROUND: &[&str] = &[
    TRACEBACK,
    "During handling of the above exception",
    "The above exception was the direct cause",
    "Python function threw an unexpected exception",
    "Stack:",
    "stack backtrace:",
    "Redirecting call to abort()",
    "note: run with `RUST_BACKTRACE",
    "goroutine ",
    // What CPython prints where it has no memory to print an exception; its `object type name` is the cause.
    "object address ",
    "object refcount ",
    "object type  ",
    "object repr ",
    "lost sys.stderr",
    "exit status ",
];

/// Whether standard error holds a Python exception. To print one, the interpreter looks for modules and sources all over.
pub(crate) fn has_traceback(stderr: &str) -> bool {
    stderr.lines().any(|line| line.starts_with(TRACEBACK))
}

/// The cause that standard error names, in one line without control characters; nothing where it names none.
///
/// A Rust panic has it after `panicked at`, a Python traceback in its last line, JavaScript before `Stack:`. For all
/// others it is the first line and the last one.
pub(crate) fn cause(stderr: &str) -> Option<String> {
    let lines: Vec<&str> = stderr.lines().collect();
    let after = |mark: fn(&str) -> bool| {
        let at = lines.iter().rposition(|line| mark(line))?;
        let said: Vec<&str> = telling(&lines[at + 1..]).take(CAUSE_LINES).collect();
        (!said.is_empty()).then_some(said)
    };
    let before = |mark: fn(&str) -> bool| {
        let at = lines.iter().rposition(|line| mark(line))?;
        Some(vec![telling(&lines[..at]).next_back()?])
    };
    let found = after(|line| line.starts_with(TRACEBACK))
        .or_else(|| before(|line| line == "Stack:"))
        .or_else(|| after(is_panic))
        .unwrap_or_else(|| first_and_last(&lines));
    let joined = found.into_iter().map(plain).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    (!joined.is_empty()).then(|| shortened(&joined))
}

/// The last lines of standard error that say something, for a search.
pub(crate) fn last_lines(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().collect();
    let told: Vec<&str> = telling(&lines).collect();
    told[told.len().saturating_sub(SEARCHED_LINES)..].join("\n")
}

fn first_and_last<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut told = telling(lines);
    told.next().into_iter().chain(told.next_back()).collect()
}

/// Lines that tell something: not what runtimes print around a cause, and not the frames of a stack, which are indented.
fn telling<'l, 'a>(lines: &'l [&'a str]) -> impl DoubleEndedIterator<Item = &'a str> + use<'l, 'a> {
    let tells = |line: &&&str| {
        !line.trim().is_empty()
            && !line.starts_with([' ', '\t'])
            && !is_panic(line)
            && !AROUND.iter().any(|around| line.starts_with(around))
    };
    lines.iter().filter(tells).map(|line| line.trim())
}

fn is_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains("panicked at ")
}

/// One line that steers no terminal: control characters become blanks, marks that turn the direction of text go.
fn plain(line: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let shown = line.chars().filter(|c| !turns(c)).map(|c| if c.is_control() { ' ' } else { c });
    shown.collect::<String>().trim().trim_end_matches('.').to_owned()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{SHOWN_CHARS, cause, last_lines};

    #[test]
    fn a_python_exception_is_the_line_after_its_frames() {
        let stderr = "to error: hello\nTraceback (most recent call last):\n  File \"/0/app.py\", line 59, in fail\n\
                      ValueError: wrong value\n\nthread '<unnamed>' (1) panicked at runtime/src/lib.rs:1280:25:\n\
                      Python function threw an unexpected exception\nnote: run with `RUST_BACKTRACE=1` environment \
                      variable to display a backtrace\n";
        assert_eq!(cause(stderr).as_deref(), Some("ValueError: wrong value"));
        assert!(!last_lines(stderr).contains("app.py"), "the frames name files that nobody asked for");
    }

    #[test]
    fn python_without_memory_still_names_its_exception() {
        let stderr = "Traceback (most recent call last):\n  File \"/0/app.py\", line 72, in eat\nobject address  : 0x48\n\
                      object refcount : 2\nobject type     : 0x373230\nobject type name: MemoryError\nobject repr     : \
                      MemoryError()\nlost sys.stderr\n";
        assert_eq!(cause(stderr).as_deref(), Some("object type name: MemoryError"));
    }

    #[test]
    fn a_javascript_error_stands_before_its_stack() {
        let stderr = "to error: hello\nwrong value\nStack:\n  fail@source.js:44:22\n\nRedirecting call to abort() to \
                      mozalloc_abort\n\n";
        assert_eq!(cause(stderr).as_deref(), Some("wrong value"));
    }

    #[test]
    fn a_rust_panic_is_what_follows_its_place() {
        let stderr = "starting\n\nthread 'main' (1) panicked at src/main.rs:3:5:\nthe guest gave up.\nnote: run with \
                      `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        assert_eq!(cause(stderr).as_deref(), Some("the guest gave up"));
    }

    #[test]
    fn anything_else_is_its_first_and_its_last_line() {
        assert_eq!(cause("cannot open x\nstill trying\n\ngiving up\n").as_deref(), Some("cannot open x; giving up"));
        assert_eq!(cause("only this").as_deref(), Some("only this"));
        assert_eq!(cause("\n  \n"), None);
    }

    #[test]
    fn words_steer_no_terminal_and_are_cut() {
        assert_eq!(cause("\u{1b}[31mred\u{202e}").as_deref(), Some("[31mred"));
        let long = cause(&"ä".repeat(5000)).unwrap();
        assert_eq!(long.chars().count(), SHOWN_CHARS + 1);
    }
}
