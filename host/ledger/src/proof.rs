//! What is hashed, byte by byte, so that a ledger can be verified without this crate.
//!
//! # Encoding
//!
//! The hash is SHA-256. What is hashed is a list of fields, the first of which is a tag that names the purpose, so that no
//! digest of one purpose can stand for one of another:
//!
//! ```text
//! H(tag, f1, …, fn) = SHA-256( field(tag) ‖ field(f1) ‖ … ‖ field(fn) )
//! field(bytes)      = length of bytes as 8 bytes, big endian ‖ bytes
//! ```
//!
//! A number is a field of 8 bytes, big endian, two's complement; text is its UTF-8; an optional text is the byte `00` if it
//! is absent and `01 ‖ UTF-8` if it is there. A run counts as the number behind its name ([`RunId::bits`]: the twelve
//! characters after the `r`, read as Crockford's base 32).
//!
//! # Values
//!
//! `value.salt` is 16 random bytes, `value.payload` the JSON text as it was appended. Without the salt the digest tells
//! nothing of the payload, not even whether a guess of it is right; so both are erased together.
//!
//! ```text
//! digest(run, seq) = H("toolcrib-ledger/value/1", salt, run, seq, payload)
//! ```
//!
//! # The chain of a run
//!
//! One link per row of `event`, from sequence 0 on without gaps. `status` is the optional text.
//!
//! ```text
//! chain(run, -1)  = H("toolcrib-ledger/run/1", ledger.id, run)
//! chain(run, seq) = H("toolcrib-ledger/event/1", chain(run, seq-1), run, seq, at, kind, status, digest(run, seq))
//! ```
//!
//! # The chain of heads
//!
//! One link per row of `head`, from 1 on without gaps. `cause` is `begun`, `ended` or `checkpoint`, and `run_head` is
//! `chain(run, seq)`.
//!
//! ```text
//! heads(0) = H("toolcrib-ledger/heads/1", ledger.id, ledger.created_at)
//! heads(n) = H("toolcrib-ledger/head/1", heads(n-1), n, at, cause, run, seq, run_head)
//! ```
//!
//! # Checkpoints
//!
//! A signed checkpoint is an ed25519 signature (RFC 8032) over the 64 hexadecimal digits, in lower case, of
//!
//! ```text
//! H("toolcrib-ledger/checkpoint/2", ledger.id, n, heads(n), time in microseconds, public key)
//! ```
//!
//! A checkpoint is the ledger's id, `n` and `heads(n)`. Whoever keeps one holds everything up to it: each head holds its
//! run's events up to `seq`, and each event holds its value, erased or not.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::checkpoint::Checkpoint;
use crate::id::{LedgerId, RunId, Seq};
use crate::stamp::UnixMicros;

const TAG_VALUE: &[u8] = b"toolcrib-ledger/value/1";
const TAG_RUN: &[u8] = b"toolcrib-ledger/run/1";
const TAG_EVENT: &[u8] = b"toolcrib-ledger/event/1";
const TAG_HEADS: &[u8] = b"toolcrib-ledger/heads/1";
const TAG_HEAD: &[u8] = b"toolcrib-ledger/head/1";
const TAG_CHECKPOINT: &[u8] = b"toolcrib-ledger/checkpoint/2";

/// Bytes of salt per value: as hard to guess as a 128 bit key.
pub const SALT_LEN: usize = 16;

/// A SHA-256 digest; shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub(crate) [u8; 32]);

impl Digest {
    /// The digest of 32 bytes that came from elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }
}

/// Reads exactly `2 * N` hexadecimal digits.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
    }
    Some(bytes)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where the fields of one digest go.
trait Sink {
    fn bytes(&mut self, bytes: &[u8]);
}

impl Sink for Sha256 {
    fn bytes(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

#[cfg(test)]
impl Sink for Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

fn field(sink: &mut impl Sink, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    sink.bytes(&(len as u64).to_be_bytes());
    for part in parts {
        sink.bytes(part);
    }
}

fn number(sink: &mut impl Sink, number: u64) {
    field(sink, &[&number.to_be_bytes()]);
}

fn optional(sink: &mut impl Sink, text: Option<&str>) {
    match text {
        None => field(sink, &[&[0]]),
        Some(text) => field(sink, &[&[1], text.as_bytes()]),
    }
}

fn hash(write: impl FnOnce(&mut Sha256)) -> Digest {
    let mut hasher = Sha256::new();
    write(&mut hasher);
    Digest(hasher.finalize().into())
}

/// The salted digest of the payload of an event.
pub fn value_digest(salt: &[u8], run: RunId, seq: Seq, payload: &str) -> Digest {
    hash(|sink| write_value(sink, salt, run, seq, payload))
}

fn write_value(sink: &mut impl Sink, salt: &[u8], run: RunId, seq: Seq, payload: &str) {
    field(sink, &[TAG_VALUE]);
    field(sink, &[salt]);
    number(sink, run.bits());
    number(sink, seq.get());
    field(sink, &[payload.as_bytes()]);
}

/// What the chain of a run begins with.
pub fn run_genesis(ledger: LedgerId, run: RunId) -> Digest {
    hash(|sink| {
        field(sink, &[TAG_RUN]);
        field(sink, &[ledger.as_bytes()]);
        number(sink, run.bits());
    })
}

/// What one link of a run's chain holds beside the link before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventLink<'a> {
    /// The run.
    pub run: RunId,
    /// The place in the run.
    pub seq: Seq,
    /// The clock of the writer.
    pub at: UnixMicros,
    /// The kind of the event.
    pub kind: &'a str,
    /// The status that the run took with it.
    pub status: Option<&'a str>,
    /// The salted digest of the payload.
    pub digest: Digest,
}

impl EventLink<'_> {
    /// The chain at this event.
    pub fn chain(&self, before: &Digest) -> Digest {
        hash(|sink| self.write(sink, before))
    }

    fn write(&self, sink: &mut impl Sink, before: &Digest) {
        field(sink, &[TAG_EVENT]);
        field(sink, &[&before.0]);
        number(sink, self.run.bits());
        number(sink, self.seq.get());
        number(sink, self.at.get().cast_unsigned());
        field(sink, &[self.kind.as_bytes()]);
        optional(sink, self.status);
        field(sink, &[&self.digest.0]);
    }
}

/// What the chain of heads begins with.
pub fn heads_genesis(ledger: LedgerId, created_at: UnixMicros) -> Digest {
    hash(|sink| {
        field(sink, &[TAG_HEADS]);
        field(sink, &[ledger.as_bytes()]);
        number(sink, created_at.get().cast_unsigned());
    })
}

/// What one link of the chain of heads holds beside the link before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLink<'a> {
    /// The place in the chain of heads.
    pub n: u64,
    /// The clock of the writer.
    pub at: UnixMicros,
    /// Why the head was chained: `begun`, `ended` or `checkpoint`.
    pub cause: &'a str,
    /// The run.
    pub run: RunId,
    /// The last event of the run at that moment.
    pub seq: Seq,
    /// The chain of the run at that event.
    pub run_head: Digest,
}

impl HeadLink<'_> {
    /// The chain at this head.
    pub fn chain(&self, before: &Digest) -> Digest {
        hash(|sink| {
            field(sink, &[TAG_HEAD]);
            field(sink, &[&before.0]);
            number(sink, self.n);
            number(sink, self.at.get().cast_unsigned());
            field(sink, &[self.cause.as_bytes()]);
            number(sink, self.run.bits());
            number(sink, self.seq.get());
            field(sink, &[&self.run_head.0]);
        })
    }
}

/// What the signature of a checkpoint is over.
pub fn checkpoint_message(checkpoint: &Checkpoint, at: UnixMicros, key: &[u8; 32]) -> String {
    let digest = hash(|sink| {
        field(sink, &[TAG_CHECKPOINT]);
        field(sink, &[checkpoint.ledger.as_bytes()]);
        number(sink, checkpoint.n);
        field(sink, &[&checkpoint.chain.0]);
        number(sink, at.get().cast_unsigned());
        field(sink, &[key]);
    });
    digest.to_string()
}

/// The first four bytes of a digest, to catch a checkpoint that was mistyped.
pub(crate) fn checksum(text: &str) -> [u8; 4] {
    let digest = hash(|sink| {
        field(sink, &[b"toolcrib-ledger/checkpoint/1"]);
        field(sink, &[text.as_bytes()]);
    });
    [digest.0[0], digest.0[1], digest.0[2], digest.0[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RUN: RunId = RunId::new(0x0123_4567_89ab_cdef >> 4);

    #[derive(Debug, Clone, PartialEq)]
    struct Owned {
        before: [u8; 32],
        seq: u64,
        at: i64,
        kind: String,
        status: Option<String>,
        digest: [u8; 32],
    }

    fn preimage(owned: &Owned) -> Vec<u8> {
        let mut bytes = Vec::new();
        let link = EventLink {
            run: RUN,
            seq: Seq::new(owned.seq),
            at: UnixMicros::new(owned.at),
            kind: &owned.kind,
            status: owned.status.as_deref(),
            digest: Digest(owned.digest),
        };
        link.write(&mut bytes, &Digest(owned.before));
        bytes
    }

    fn owned() -> impl Strategy<Value = Owned> {
        let text = "[\\x00\\x01a]{0,3}";
        (any::<[u8; 32]>(), 0..4u64, -2..2i64, text, proptest::option::of(text), any::<[u8; 32]>())
            .prop_map(|(before, seq, at, kind, status, digest)| Owned { before, seq, at, kind, status, digest })
    }

    /// Reads an encoding back into its fields, as a third party would.
    fn fields(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut fields = Vec::new();
        while let Some((len, rest)) = bytes.split_first_chunk::<8>() {
            let len = usize::try_from(u64::from_be_bytes(*len)).unwrap();
            let (field, rest) = rest.split_at(len);
            fields.push(field.to_vec());
            bytes = rest;
        }
        assert!(bytes.is_empty());
        fields
    }

    proptest! {
        #[test]
        fn the_encoding_of_a_link_can_be_read_back_without_loss(link in owned()) {
            let fields = fields(&preimage(&link));
            prop_assert_eq!(fields.len(), 8);
            prop_assert_eq!(&fields[0][..], TAG_EVENT);
            prop_assert_eq!(&fields[1][..], &link.before[..]);
            prop_assert_eq!(&fields[2][..], &RUN.bits().to_be_bytes()[..]);
            prop_assert_eq!(&fields[3][..], &link.seq.to_be_bytes()[..]);
            prop_assert_eq!(&fields[4][..], &link.at.to_be_bytes()[..]);
            prop_assert_eq!(&fields[5][..], link.kind.as_bytes());
            let status = match fields[6].split_first() {
                Some((0, [])) => None,
                Some((1, text)) => Some(String::from_utf8(text.to_vec()).unwrap()),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            prop_assert_eq!(status, link.status);
            prop_assert_eq!(&fields[7][..], &link.digest[..]);
        }

        #[test]
        fn different_links_have_different_encodings(one in owned(), other in owned()) {
            prop_assert_eq!(one == other, preimage(&one) == preimage(&other));
        }

        #[test]
        fn text_cannot_move_between_salt_and_payload(salt in any::<[u8; 16]>(), payload in ".{0,20}", cut in 0..16usize) {
            let digest = value_digest(&salt, RUN, Seq::FIRST, &payload);
            let shorter = value_digest(&salt[..cut], RUN, Seq::FIRST, &payload);
            prop_assert_ne!(digest, shorter);
        }

        #[test]
        fn hexadecimal_digits_come_back(bytes in any::<[u8; 32]>()) {
            prop_assert_eq!(Digest::from_hex(&Digest(bytes).to_string()), Some(Digest(bytes)));
        }
    }

    /// Computed with Python's `hashlib` and `struct` from the text at the head of this file.
    #[test]
    fn the_digests_are_those_that_the_documentation_describes() {
        let salt: Vec<u8> = (0..16).collect();
        let digest = value_digest(&salt, RUN, Seq::new(3), r#"{"path":"/é"}"#);
        assert_eq!(digest.to_string(), KNOWN_VALUE);
        let genesis = run_genesis(LedgerId([7; 16]), RUN);
        assert_eq!(genesis.to_string(), KNOWN_RUN);
        let link = EventLink {
            run: RUN,
            seq: Seq::new(3),
            at: UnixMicros::new(-5),
            kind: "step.begun",
            status: Some("running"),
            digest,
        };
        let chain = link.chain(&genesis);
        assert_eq!(chain.to_string(), KNOWN_EVENT);
        assert_eq!(EventLink { status: None, ..link }.chain(&genesis).to_string(), KNOWN_EVENT_NO_STATUS);
        let heads = heads_genesis(LedgerId([7; 16]), UnixMicros::new(1_000_000));
        assert_eq!(heads.to_string(), KNOWN_HEADS);
        let head =
            HeadLink { n: 1, at: UnixMicros::new(9), cause: "ended", run: RUN, seq: Seq::new(3), run_head: chain };
        assert_eq!(head.chain(&heads).to_string(), KNOWN_HEAD);
    }

    const KNOWN_VALUE: &str = "fb4b68be9203aeca95392cc2dc4b54bd9ab82ac2d50dd4615964a16afb9041e3";
    const KNOWN_RUN: &str = "f038acccc6c816cd53b24478fbc8e845afa9cbeaeaf4add154d4ccf29bd86da6";
    const KNOWN_EVENT: &str = "19c1fe4885ce7376e357aa166593a259d092c0a86714ec12a9431ba58253f0b8";
    const KNOWN_EVENT_NO_STATUS: &str = "0dd4e632c02bf2f05540df4382f8e4e6ed868e08922a7b6cb4a78b278e9c42a3";
    const KNOWN_HEADS: &str = "185b0ab1a71056e79e9f757e2b668be57011ee7f4ea1ad91aa218cc4640e33f7";
    const KNOWN_HEAD: &str = "14d563097e6c375d6841d10d476157c5a4ab27a2b12ddf622fed9dcc0003cc91";
}
