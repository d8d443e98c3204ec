//! Which names a caller wants to see.
//!
//! A glob becomes a regular expression, which knows characters (not bytes) and takes no more time than the name is long.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};
use toolcrib_sdk::ToolError;

use crate::location::Location;

/// The longest pattern, in bytes.
const GLOB_MAX: usize = 1024;
/// The most memory of a compiled pattern, in bytes.
const REGEX_MAX: usize = 1024 * 1024;

/// A pattern of file names: `*.md` for names at any depth, `src/**/*.rs` for paths below the folder, `/docs/*` for whole
/// paths. `*`, `?`, `**`, `[a-z]`, `[!a-z]`, `{a,b}`; a backslash takes the meaning away.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    regex: Regex,
    on: On,
}

#[derive(Clone, Copy, Debug)]
enum On {
    Name,
    PathBelow,
    WholePath,
}

impl Glob {
    /// Checks a pattern.
    pub(crate) fn parse(pattern: &str) -> Result<Self, ToolError> {
        let refused = |why: &str| {
            let shown: String = pattern.chars().take(200).collect();
            ToolError::invalid_arguments(format!("`{}` is not a glob: {why}", shown.escape_debug()))
        };
        if pattern.len() > GLOB_MAX {
            return Err(refused("it is longer than 1024 bytes"));
        }
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let on = match pattern.find('/') {
            None => On::Name,
            Some(0) => On::WholePath,
            Some(_) => On::PathBelow,
        };
        let regex = translate(pattern).map_err(refused)?;
        let built = RegexBuilder::new(&regex).size_limit(REGEX_MAX).dot_matches_new_line(true).build();
        let regex = built.map_err(|_| refused("a range in brackets is upside down, or it is too large"))?;
        Ok(Self { regex, on })
    }

    /// Whether only a look into the folders below can tell.
    pub(crate) const fn is_deep(&self) -> bool {
        !matches!(self.on, On::Name)
    }

    /// Whether `path`, found below `root`, matches.
    pub(crate) fn matches(&self, path: &Location, root: &Location) -> bool {
        let text = match self.on {
            On::Name => path.name(),
            On::PathBelow => path.below(root),
            On::WholePath => path.as_str(),
        };
        self.regex.is_match(text)
    }
}

fn translate(pattern: &str) -> Result<String, &'static str> {
    let mut regex = String::from("^");
    let mut braces = 0_u32;
    let mut at_start = true;
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        let starts_part = std::mem::replace(&mut at_start, letter == '/');
        match letter {
            '*' if letters.next_if_eq(&'*').is_some() => {
                while letters.next_if_eq(&'*').is_some() {}
                // `**/` may stand for no folder at all.
                if starts_part && letters.next_if_eq(&'/').is_some() {
                    regex.push_str("(?:.*/)?");
                    at_start = true;
                } else {
                    regex.push_str(".*");
                }
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => class(&mut letters, &mut regex)?,
            '{' => {
                braces += 1;
                regex.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                regex.push(')');
            }
            ',' if braces > 0 => regex.push('|'),
            '\\' => literal(letters.next().ok_or("it ends in a backslash")?, &mut regex),
            letter => literal(letter, &mut regex),
        }
    }
    if braces > 0 {
        return Err("a brace is not closed");
    }
    regex.push('$');
    Ok(regex)
}

fn class(letters: &mut Peekable<Chars<'_>>, regex: &mut String) -> Result<(), &'static str> {
    let unclosed = "a bracket is not closed";
    let negated = letters.next_if(|letter| matches!(letter, '!' | '^')).is_some();
    regex.push_str(if negated { "[^/" } else { "[" });
    let mut first = true;
    loop {
        match letters.next().ok_or(unclosed)? {
            ']' if !first => break,
            '-' if !first && letters.peek().is_some_and(|next| *next != ']') => regex.push('-'),
            '\\' => literal(letters.next().ok_or(unclosed)?, regex),
            letter => literal(letter, regex),
        }
        first = false;
    }
    regex.push(']');
    Ok(())
}

fn literal(letter: char, regex: &mut String) {
    regex.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let root = Location::parse("/docs").unwrap();
        Glob::parse(pattern).unwrap().matches(&Location::parse(path).unwrap(), &root)
    }

    #[test]
    fn a_pattern_without_a_slash_is_about_the_name() {
        assert!(matches("*.md", "/docs/a/b.md"));
        assert!(matches("{a,b}.[mt]?", "/docs/b.md"));
        assert!(!matches("a*", "/docs/a/b.md"));
        assert!(matches("ü?.md", "/docs/üß.md"));
    }

    #[test]
    fn brackets_and_backslashes_are_read_as_in_a_shell() {
        assert!(matches("[a-cx].md", "/docs/b.md"));
        assert!(!matches("[!a-c].md", "/docs/b.md"));
        assert!(matches("[^a-c-].md", "/docs/x.md"));
        assert!(matches("[]a].md", "/docs/].md"));
        assert!(matches("a\\*(1)+.md", "/docs/a*(1)+.md"));
        assert!(!matches("a\\*.md", "/docs/ab.md"));
        assert!(matches("[&&~~].md", "/docs/~.md"));
    }

    #[test]
    fn a_pattern_with_a_slash_is_about_the_path_below_the_folder() {
        assert!(matches("a/**/*.md", "/docs/a/x/y/b.md"));
        assert!(matches("a/**/*.md", "/docs/a/b.md"));
        assert!(matches("./a/*", "/docs/a/b.md"));
        assert!(!matches("a/*.md", "/docs/x/a/b.md"));
        assert!(matches("/docs/**", "/docs/a/b.md"));
        assert!(matches("**/b.md", "/docs/b.md"));
        assert!(!matches("**/b.md", "/docs/ab.md"));
    }

    #[test]
    fn a_broken_pattern_is_refused() {
        for pattern in ["{a", "[a", "[", "[z-a]", "a\\", &"*".repeat(2000)] {
            let error = Glob::parse(pattern).unwrap_err();
            assert!(error.message().contains("is not a glob"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_name_without_special_letters_matches_itself(name in "[^/*?\\[\\]{},\\\\.\\x00]{1,20}") {
            let path = format!("/docs/{name}");
            prop_assert!(matches(&name, &path));
        }

        #[test]
        fn no_pattern_does_harm(pattern in "\\PC{0,40}", name in "\\PC{1,20}") {
            if let (Ok(glob), Ok(path)) = (Glob::parse(&pattern), Location::parse(&name)) {
                glob.matches(&path, &path);
            }
        }
    }
}
