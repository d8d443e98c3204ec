//! Where the engine's `wasi:http` turns to us: which headers a guest may not touch, and how a request is sent.

use std::sync::Arc;

use http::uri::Scheme;
use http::{HeaderName, Request, Response};
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use super::check;
use super::client::Client;

/// The most that a guest writes to a body in one piece. The host holds two pieces of each body; the engine's own value of
/// 1 MiB would let a guest fill the host's memory with bodies that nobody sends.
const CHUNK_BYTES: usize = 64 * 1024;

/// The hooks of one call.
pub(crate) struct Hooks {
    client: Arc<Client>,
}

impl Hooks {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Hooks { client }
    }
}

/// What runs on after the answer has begun.
type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        check::is_forbidden(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(check::is_forbidden)
    }

    /// The gate has the say about schemes, so that a refusal is listed and explained like any other.
    fn is_supported_scheme(&mut self, _scheme: &Scheme) -> bool {
        true
    }

    /// The one `Host` header is written from the checked target.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Rest,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Rest), Error>> + Send> {
        let (parts, body) = request.into_parts();
        let admitted = self.client.admit(&parts);
        let client = self.client.clone();
        Box::new(async move {
            let (answer, worker) = client.send(admitted?, body, options.unwrap_or_default()).await?;
            let rest: Rest = Box::new(async move {
                worker.await;
                Ok(())
            });
            Ok((answer, rest))
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        1
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES
    }
}
