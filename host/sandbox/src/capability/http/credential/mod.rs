//! Credentials: added to a request after the gate has let it through, where neither the guest nor anything that is written
//! down can see them, and masked wherever the answer repeats them.
//!
//! ```text
//!  checked request ─► grants that match ─► vault ─► header, query, signature ─► server
//!                                            └────► mask ◄─ headers, body, trailers of the answer
//! ```
//!
//! A request with a credential asks for an answer as it is (`accept-encoding: identity`), and one that comes encoded all
//! the same is refused: what is encoded cannot be searched. It asks for no part of a document either (`range`), because a
//! guest that gets a secret piece by piece gets all of it.

mod attach;
mod mask;
mod sign;
mod sigv4;
mod vault;

use http::{HeaderMap, Response, header};
use http_body_util::BodyExt;
use wasmtime_wasi_http::WasiBody;

use super::body::ResponseBody;
use super::error::Failure;

use mask::Mask;
#[cfg(feature = "fuzzing")]
pub(crate) use mask::masked_pieces;

pub(super) use attach::{Attached, attach};
pub use vault::{NoVault, Unavailable, Vault};

/// An answer without the secrets of its request.
pub(super) fn masked(answer: Response<ResponseBody>, mask: &Mask) -> Result<Response<WasiBody>, Failure> {
    if let Some(coding) = coding(answer.headers()) {
        return Err(Failure::Encoded(coding));
    }
    let mut answer = answer.map(|body| mask.body(body).boxed_unsync());
    mask.headers(answer.headers_mut());
    Ok(answer)
}

/// The first coding of an answer that hides its text.
fn coding(headers: &HeaderMap) -> Option<String> {
    let named = |name, plain: &'static str| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase());
        let codings =
            values.flat_map(|value| value.split(',').map(|coding| coding.trim().to_owned()).collect::<Vec<_>>());
        codings.into_iter().find(move |coding| !coding.is_empty() && coding != plain)
    };
    let found = named(header::CONTENT_ENCODING, "identity").or_else(|| named(header::TRANSFER_ENCODING, "chunked"));
    found.map(|coding| coding.chars().filter(char::is_ascii_alphanumeric).take(20).collect())
}
