//! Bytes of a response, in whatever pieces they come, to whole frames.
//!
//! Both framings are lines of UTF-8. Splitting happens on bytes, so that a piece may end anywhere, also inside
//! a character. What is held back is bounded by the caller's limit on the whole response.

use crate::ModelError;

/// How a wire marks where one message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON text per line.
    Lines,
}

/// A cutter for one response.
#[derive(Debug)]
pub(crate) struct Framer {
    framing: Framing,
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    at_start: bool,
    /// The `data` of the event that is being collected.
    data: Option<String>,
}

impl Framer {
    pub(crate) fn new(framing: Framing) -> Self {
        Self { framing, line: Vec::new(), after_return: false, at_start: true, data: None }
    }

    /// Takes the next piece and appends the frames that it completes to `frames`.
    pub(crate) fn push(&mut self, bytes: &[u8], frames: &mut Vec<String>) -> Result<(), ModelError> {
        for &byte in bytes {
            let second_half = std::mem::take(&mut self.after_return) && byte == b'\n';
            match byte {
                _ if second_half => {}
                b'\n' => self.end_line(frames)?,
                b'\r' => {
                    self.after_return = true;
                    self.end_line(frames)?;
                }
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    /// Takes the end of the response. A last frame that lacks only its end mark is given; half a one is not,
    /// so that it shows as a cut stream and not as a broken message.
    pub(crate) fn finish(mut self) -> Option<String> {
        match self.framing {
            Framing::Sse => self.data.take(),
            Framing::Lines => {
                let line = String::from_utf8(std::mem::take(&mut self.line)).ok()?;
                serde_json::from_str::<serde::de::IgnoredAny>(&line).is_ok().then_some(line)
            }
        }
    }

    fn end_line(&mut self, frames: &mut Vec<String>) -> Result<(), ModelError> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8(line)
            .map_err(|_| ModelError::Malformed { detail: "the stream is not UTF-8".to_owned() })?;
        let line = match std::mem::take(&mut self.at_start) {
            true => line.trim_start_matches('\u{feff}'),
            false => &line,
        };
        match self.framing {
            Framing::Lines if line.trim().is_empty() => {}
            Framing::Lines => frames.push(line.to_owned()),
            Framing::Sse if line.is_empty() => frames.extend(self.data.take()),
            Framing::Sse => self.field(line),
        }
        Ok(())
    }

    /// Only `data` counts: every wire repeats the kind of event inside it.
    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name != "data" {
            return;
        }
        let value = value.strip_prefix(' ').unwrap_or(value);
        match &mut self.data {
            None => self.data = Some(value.to_owned()),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(framing: Framing, pieces: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::new(framing);
        let mut frames = Vec::new();
        for piece in pieces {
            framer.push(piece, &mut frames).unwrap();
        }
        frames.extend(framer.finish());
        frames
    }

    #[test]
    fn an_event_is_its_data_lines_joined() {
        let text = b"\xef\xbb\xbf: hello\nevent: x\ndata: one\ndata:two\n\ndata: three\r\n\r\nid: 4\n\n";
        assert_eq!(cut(Framing::Sse, &[text]), ["one\ntwo", "three"]);
    }

    #[test]
    fn a_last_event_without_its_empty_line_counts_and_half_a_line_does_not() {
        assert_eq!(cut(Framing::Sse, &[b"data: [DONE]\n"]), ["[DONE]"]);
        assert_eq!(cut(Framing::Sse, &[b"data: {\"a"]), Vec::<String>::new());
        assert_eq!(cut(Framing::Lines, &[b"{\"a\":1}"]), ["{\"a\":1}"]);
        assert_eq!(cut(Framing::Lines, &[b"{\"a\":"]), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_utf_8_is_malformed() {
        let error = Framer::new(Framing::Sse).push(b"data: \xff\n", &mut Vec::new()).unwrap_err();
        assert_eq!(error.code(), "malformed");
    }

    proptest! {
        #[test]
        fn frames_do_not_depend_on_where_the_pieces_end(
            lines in prop::collection::vec("(data: ?)?[\\PC]{0,12}", 0..8),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            cuts in prop::collection::vec(0usize..200, 0..8),
        ) {
            let text: String = lines.iter().flat_map(|line| [line.as_str(), end, end]).collect();
            for framing in [Framing::Sse, Framing::Lines] {
                let mut cuts: Vec<usize> = cuts.iter().map(|c| c % (text.len() + 1)).collect();
                cuts.extend([0, text.len()]);
                cuts.sort_unstable();
                let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
                prop_assert_eq!(cut(framing, &pieces), cut(framing, &[text.as_bytes()]));
            }
        }
    }
}
