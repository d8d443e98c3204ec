//! Masks secrets in what comes back: in every form in which servers repeat what they were sent, across the pieces of a
//! body, with as many stars as there were bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use toolcrib_secrets::{MIN_SECRET_BYTES, Secret, forms};

/// What stands for each byte of a secret.
const STAR: u8 = b'*';

/// Finds secrets. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mask(Arc<Patterns>);

struct Patterns {
    finder: AhoCorasick,
    /// In small letters.
    forms: Vec<Vec<u8>>,
    longest: usize,
}

impl Mask {
    /// A mask for these secrets. Letter case plays no part: names of headers come in small letters. `None` where there are
    /// none, or more than the finder can hold.
    pub(crate) fn new(secrets: &[Secret]) -> Option<Self> {
        let mut patterns: Vec<Vec<u8>> = secrets.iter().flat_map(|secret| of_one(secret.reveal())).collect();
        patterns.iter_mut().for_each(|form| form.make_ascii_lowercase());
        patterns.sort_unstable();
        patterns.dedup();
        let longest = patterns.iter().map(Vec::len).max()?;
        let finder = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .ok()?;
        Some(Mask(Arc::new(Patterns { finder, forms: patterns, longest })))
    }

    /// Whether a secret is in there.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        self.0.finder.is_match(text)
    }

    /// Puts stars where a secret of `found` stands in `text`, which is a copy of it.
    fn hide(&self, found: &[u8], text: &mut [u8]) {
        for at in self.0.finder.find_overlapping_iter(found) {
            text[at.range()].fill(STAR);
        }
    }

    /// How many bytes at the end of `text` could be the beginning of a secret.
    fn unfinished(&self, text: &[u8]) -> usize {
        let most = (self.0.longest - 1).min(text.len());
        let could_begin = |end: &[u8]| {
            self.0.forms.iter().any(|form| form.len() > end.len() && form[..end.len()].eq_ignore_ascii_case(end))
        };
        (1..=most).rev().find(|length| could_begin(&text[text.len() - length..])).unwrap_or(0)
    }

    /// The headers without secrets. One whose name holds a secret is left out.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        let telling: Vec<_> = headers.keys().filter(|name| self.is_in(name.as_str().as_bytes())).cloned().collect();
        telling.iter().for_each(|name| drop(headers.remove(name)));
        for value in headers.values_mut().filter(|value| self.is_in(value.as_bytes())) {
            let mut text = value.as_bytes().to_vec();
            self.hide(value.as_bytes(), &mut text);
            // Stars are allowed wherever what they stand for was.
            *value = HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("*"));
        }
    }

    /// A body without secrets.
    pub(crate) fn body<B>(&self, body: B) -> MaskedBody<B> {
        MaskedBody { body, stream: Stream { mask: self.clone(), found: Vec::new(), text: Vec::new() }, then: None }
    }
}

/// The forms of one secret: those of [`forms`], those of other encodings of the same text, and backwards.
fn of_one(secret: &str) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = forms(secret).into_iter().map(String::into_bytes).collect();
    if !all.is_empty() {
        all.push(secret.chars().rev().collect::<String>().into_bytes());
        let wide = || secret.encode_utf16();
        all.push(wide().flat_map(u16::to_le_bytes).collect());
        all.push(wide().flat_map(u16::to_be_bytes).collect());
    }
    all
}

/// A text that comes in pieces.
struct Stream {
    mask: Mask,
    /// What came and was not handed on: the beginning of a secret, perhaps.
    found: Vec<u8>,
    /// The same with stars.
    text: Vec<u8>,
}

impl Stream {
    /// Takes a piece, and gives what can be handed on.
    fn push(&mut self, piece: &[u8]) -> Bytes {
        self.found.extend_from_slice(piece);
        self.text.extend_from_slice(piece);
        self.mask.hide(&self.found, &mut self.text);
        let ready = self.found.len() - self.mask.unfinished(&self.found);
        self.found.drain(..ready);
        self.text.drain(..ready).collect()
    }

    /// What is left at the end: perhaps the beginning of a secret, from a server that cuts what it says short. What is long
    /// enough to tell something is masked.
    fn finish(&mut self) -> Bytes {
        if self.found.len() >= MIN_SECRET_BYTES {
            self.text.fill(STAR);
        }
        self.found.clear();
        std::mem::take(&mut self.text).into()
    }
}

/// A text without secrets that comes in pieces; `None` where there is nothing to mask.
#[cfg(feature = "fuzzing")]
pub(crate) fn masked_pieces(secrets: &[Secret], pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let mut stream = Stream { mask: Mask::new(secrets)?, found: Vec::new(), text: Vec::new() };
    let mut masked: Vec<u8> = pieces.iter().flat_map(|piece| stream.push(piece)).collect();
    masked.extend_from_slice(&stream.finish());
    Some(masked)
}

/// A body without secrets.
pub(crate) struct MaskedBody<B> {
    body: B,
    stream: Stream,
    /// What follows the rest of the text: trailers, or nothing.
    then: Option<Option<Frame<Bytes>>>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for MaskedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        loop {
            if let Some(then) = self.then.take() {
                return Poll::Ready(then.map(Ok));
            }
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => Some(frame),
                None => None,
            };
            let text = match frame.map(Frame::into_data) {
                Some(Ok(piece)) => self.stream.push(&piece),
                Some(Err(other)) => {
                    let masked = other.into_trailers().map(|mut trailers| {
                        self.stream.mask.headers(&mut trailers);
                        Frame::trailers(trailers)
                    });
                    self.then = Some(masked.ok());
                    self.stream.finish()
                }
                None => {
                    self.then = Some(None);
                    self.stream.finish()
                }
            };
            if !text.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(text))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stream.text.is_empty() && self.then.is_none() && self.body.is_end_stream()
    }

    /// Stars take as much room as what they stand for.
    fn size_hint(&self) -> SizeHint {
        let held = self.stream.text.len() as u64;
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(held));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "s3cr3t/Token+42";

    fn mask(secrets: &[&str]) -> Mask {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        Mask::new(&secrets).unwrap()
    }

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    /// What arrives of a body that comes in pieces.
    fn arrived(mask: &Mask, pieces: Vec<Vec<u8>>) -> Vec<u8> {
        let frames = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::from(piece))));
        let body = mask.body(StreamBody::new(futures::stream::iter(frames)));
        block_on(body.collect()).unwrap().to_bytes().to_vec()
    }

    #[test]
    fn every_form_is_masked_at_the_same_length() {
        let mask = mask(&[SECRET]);
        for form in of_one(SECRET) {
            let text = [b"<".as_slice(), &form, b">"].concat();
            let expected = format!("<{}>", "*".repeat(form.len()));
            assert_eq!(arrived(&mask, vec![text.clone()]), expected.as_bytes(), "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn letter_case_is_no_way_around_it() {
        let mask = mask(&[SECRET]);
        assert_eq!(arrived(&mask, vec![SECRET.to_uppercase().into_bytes()]), vec![b'*'; SECRET.len()]);
    }

    #[test]
    fn a_secret_that_is_cut_short_is_masked_if_it_tells_something() {
        let mask = mask(&[SECRET]);
        let pieces = vec![b"a s3cr".to_vec(), b"3t/".to_vec(), b"Tok".to_vec()];
        assert_eq!(arrived(&mask, pieces), b"a **********");
        assert_eq!(arrived(&mask, vec![b"a s3".to_vec()]), b"a s3");
        assert_eq!(arrived(&mask, vec![b"a s3cr3t".to_vec(), b" and more".to_vec()]), b"a s3cr3t and more");
    }

    #[test]
    fn text_without_a_secret_is_not_held_back() {
        let mut stream = Stream { mask: mask(&[SECRET]), found: Vec::new(), text: Vec::new() };
        assert_eq!(&stream.push(b"data: hello\n\n")[..], b"data: hello\n\n");
        assert_eq!(&stream.push(b"data: s3")[..], b"data: ");
        assert_eq!(&stream.push(b"x")[..], b"s3x");
    }

    #[test]
    fn two_secrets_that_overlap_are_both_masked() {
        let mask = mask(&["abcdef", "defghi"]);
        assert_eq!(arrived(&mask, vec![b"<abcd".to_vec(), b"efghi>".to_vec()]), b"<*********>");
    }

    #[test]
    fn headers_are_masked_and_telling_names_are_left_out() {
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_str(&format!("got {SECRET}")).unwrap());
        headers.insert("location", HeaderValue::from_static("https://b.example.com/?k=s3cr3t%2FToken%2B42"));
        headers.insert("x-token-abcd1234", HeaderValue::from_static("1"));
        headers.insert("x-other", HeaderValue::from_static("stays"));
        mask(&[SECRET, "Token-ABCD1234"]).headers(&mut headers);
        assert_eq!(headers["x-echo"], "got ***************");
        assert_eq!(headers["location"], "https://b.example.com/?k=*******************");
        assert_eq!((headers["x-other"].as_bytes(), headers.len()), (b"stays".as_slice(), 3));
    }

    #[test]
    fn trailers_are_masked_after_the_rest_of_the_body() {
        let trailers =
            HeaderMap::from_iter([(http::HeaderName::from_static("x-sum"), HeaderValue::from_str(SECRET).unwrap())]);
        let frames = [Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"s3cr"))), Ok(Frame::trailers(trailers))];
        let body = mask(&[SECRET]).body(StreamBody::new(futures::stream::iter(frames)));
        let collected = block_on(body.collect()).unwrap();
        assert_eq!(collected.trailers().unwrap()["x-sum"], "*".repeat(SECRET.len()));
        assert_eq!(&collected.to_bytes()[..], b"****");
    }

    proptest! {
        /// However a text is cut, what arrives is as long as it was, holds no form of the secret, and is otherwise the same.
        #[test]
        fn no_cut_lets_a_secret_through(
            secret in "[a-zA-Z0-9+/=._-]{8,40}",
            around in proptest::collection::vec("[ -~]{0,30}", 1..6),
            which in proptest::collection::vec(any::<prop::sample::Index>(), 5),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let all = of_one(&secret);
            let mut whole = around[0].clone().into_bytes();
            for (piece, form) in around[1..].iter().zip(&which) {
                whole.extend_from_slice(&all[form.index(all.len())]);
                whole.extend_from_slice(piece.as_bytes());
            }
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
            places.extend([0, whole.len()]);
            places.sort_unstable();
            let pieces: Vec<Vec<u8>> = places.windows(2).map(|pair| whole[pair[0]..pair[1]].to_vec()).collect();
            let mask = mask(&[&secret]);
            let masked = arrived(&mask, pieces);
            prop_assert_eq!(masked.len(), whole.len());
            prop_assert!(!mask.is_in(&masked) || secret.bytes().all(|byte| byte == b'*'));
            let mut expected = whole.clone();
            mask.hide(&whole, &mut expected);
            let end = mask.unfinished(&whole);
            if end >= MIN_SECRET_BYTES {
                expected[whole.len() - end..].fill(STAR);
            }
            prop_assert_eq!(masked, expected);
        }
    }
}
