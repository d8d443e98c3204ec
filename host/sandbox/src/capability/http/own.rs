//! Requests of the host itself, such as for a token: they pass the same gate and leave by the same way as a guest's.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use toolcrib_policy::Authority;
use wasmtime_wasi_http::RequestOptions;

use super::client::Client;
use super::credential::NoVault;
use super::network::Network;
use super::rates::NoRates;
use crate::call::Record;

/// Why a request of the host itself has no answer. The text holds nothing of what was sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OwnRequestError(String);

/// Sends a request of the host itself, under the limits of `authority`, and reads the whole answer, at most `most` bytes of
/// its body.
///
/// # Errors
///
/// The authority does not allow it, there is no connection, or the answer does not come whole.
pub async fn own_request(
    network: Arc<dyn Network>,
    authority: Arc<Authority>,
    request: Request<Bytes>,
    most: usize,
) -> Result<Response<Bytes>, OwnRequestError> {
    let record = Arc::new(Record::new(&authority.limits));
    let client = Arc::new(Client::new(authority, record, network, Arc::new(NoVault), Arc::new(NoRates)));
    let (parts, body) = request.into_parts();
    let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
    let checked = client.admit(&parts).map_err(|failure| OwnRequestError(failure.to_string()))?;
    let sent = client.send(checked, body, RequestOptions::default()).await;
    let (answer, _worker) = sent.map_err(|failure| OwnRequestError(failure.to_string()))?;
    let (head, body) = answer.into_parts();
    let whole = Limited::new(body, most).collect().await;
    let whole = whole.map_err(|_| OwnRequestError(format!("its answer broke off, or is longer than {most} bytes")))?;
    Ok(Response::from_parts(head, whole.to_bytes()))
}
