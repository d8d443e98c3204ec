//! From a place in a condition to the place in the file.

use crate::error::Place;

/// Where the parts of a condition stand in the file. Small: it keeps only where lines begin.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    origin: String,
    /// For each place in the condition where the distance changes: its byte there, and line and column in the file.
    steps: Vec<Step>,
    text: String,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    byte: usize,
    line: usize,
    column: usize,
}

impl Places {
    /// Places for `text`, which stands in the file as `raw`, quotes included, beginning at `begin`.
    pub(crate) fn new(text: &str, raw: &str, begin: &Place) -> Self {
        let steps = steps(text, raw, begin);
        // What cannot be followed is placed at the value as a whole.
        let steps = steps.unwrap_or_else(|| vec![Step { byte: usize::MAX, line: begin.line, column: begin.column }]);
        Self { origin: begin.origin.clone(), steps, text: text.to_owned() }
    }

    /// The place of a byte of the condition.
    pub(crate) fn at(&self, byte: usize) -> Place {
        let step = self.steps.iter().rev().find(|step| step.byte <= byte).or(self.steps.first());
        let (line, column) = step.map_or((0, 0), |step| {
            let between = self.text.get(step.byte.min(byte)..byte).unwrap_or_default().chars().count();
            let between = if step.byte == usize::MAX { 0 } else { between };
            (step.line, step.column + between)
        });
        Place { origin: self.origin.clone(), line, column }
    }
}

/// Follows a TOML string: which character of the file made which character of the value.
fn steps(text: &str, raw: &str, begin: &Place) -> Option<Vec<Step>> {
    let quotes = if raw.starts_with("'''") || raw.starts_with("\"\"\"") { 3 } else { 1 };
    let escapes = raw.starts_with('"');
    let mut cursor = Cursor { rest: raw.get(quotes..)?, line: begin.line, column: begin.column + quotes };
    if quotes == 3 {
        // A line that ends right after the quotes is not part of the value.
        let _ = cursor.skip("\r\n") || cursor.skip("\n");
    }
    let mut steps = Vec::new();
    let mut expected = None;
    for (byte, wanted) in text.char_indices() {
        while escapes && cursor.skip_continuation() {}
        let here = Step { byte, line: cursor.line, column: cursor.column };
        if expected != Some((here.line, here.column)) {
            steps.push(here);
        }
        expected = Some((here.line, here.column + 1));
        match cursor.next()? {
            '\\' if escapes => cursor.escape()?,
            '\r' if wanted == '\n' => {
                cursor.next()?;
            }
            found if found == wanted => {}
            _ => return None,
        }
    }
    if steps.is_empty() {
        steps.push(Step { byte: 0, line: cursor.line, column: cursor.column });
    }
    Some(steps)
}

struct Cursor<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        if next == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    fn skip(&mut self, text: &str) -> bool {
        let there = self.rest.starts_with(text);
        for _ in 0..if there { text.chars().count() } else { 0 } {
            self.next();
        }
        there
    }

    /// A backslash at the end of a line swallows all white space that follows.
    fn skip_continuation(&mut self) -> bool {
        let after = self.rest.strip_prefix('\\').unwrap_or_default().trim_start_matches([' ', '\t', '\r']);
        if !after.starts_with('\n') {
            return false;
        }
        self.next();
        while self.rest.starts_with([' ', '\t', '\r', '\n']) {
            self.next();
        }
        true
    }

    /// The rest of an escape, after its backslash.
    fn escape(&mut self) -> Option<()> {
        let digits = match self.next()? {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        (0..digits).try_for_each(|_| self.next().map(|_| ()))
    }
}
