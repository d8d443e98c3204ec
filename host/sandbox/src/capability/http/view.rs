//! The guest's side of the interface: the engine's own implementation, with every byte counted.

use std::collections::HashMap;
use std::sync::Arc;

use toolcrib_policy::{Authority, LimitName, Refusal, RefusalCode};
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::p2::{HeaderError, HttpError, HttpResult};
use wasmtime_wasi_http::{Error, FieldMapError, RequestOptions, WasiHttpCtxView};

use super::body::Finished;
use super::check::shown_unchecked;
use super::{Http, error};
use crate::call::{CallState, Record, Stop};
use crate::capability::Capability;

impl HasData for Http {
    type Data<'a> = HttpView<'a>;
}

/// What a host function of `wasi:http` sees of a call.
pub(crate) struct HttpView<'a> {
    pub(super) inner: WasiHttpCtxView<'a>,
    pub(super) bodies: &'a mut HashMap<u32, Finished>,
    authority: &'a Arc<Authority>,
    record: &'a Arc<Record>,
}

pub(super) fn view(state: &mut CallState) -> HttpView<'_> {
    let http = &mut state.capabilities.http;
    HttpView {
        inner: WasiHttpCtxView { hooks: &mut http.hooks, table: &mut state.table, ctx: &mut http.context },
        bodies: &mut http.bodies,
        authority: &state.authority,
        record: &state.record,
    }
}

impl HttpView<'_> {
    pub(super) fn charge(&self, bytes: usize) -> wasmtime::Result<()> {
        self.record.charge(bytes, &self.authority.limits)
    }

    /// Ends the call where the engine would end it with words of its own: more headers than its tables hold.
    pub(super) fn header_error(&self, error: HeaderError) -> HeaderError {
        match error.downcast() {
            Ok(code) => code.into(),
            Err(trap) if trap.is::<FieldMapError>() => {
                let stop = Stop::limit(LimitName::HeaderBytes, &self.authority.limits);
                HeaderError::trap(self.record.stop(stop))
            }
            Err(trap) => HeaderError::trap(trap),
        }
    }

    /// Lists a request that the engine turned away before the gate saw it: its parts are no URL.
    pub(super) fn refuse_url(&self, method: &str, shown: &str) -> Refusal {
        let message = format!("plugin `{}` asked for `{shown}`, which is no address", self.authority.plugin());
        let refusal = Refusal { code: RefusalCode::UrlInvalid, message, grant: None };
        self.record.refused(Http::NAME, method, shown, &refusal);
        refusal
    }
}

impl outgoing_handler::Host for HttpView<'_> {
    fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> HttpResult<Resource<HostFutureIncomingResponse>> {
        let (method, shown) = shown_request(self.inner.table.get(&request)?);
        outgoing_handler::Host::handle(&mut self.inner, request, options).map_err(|error| match error.downcast() {
            // The gate answers through the future; what fails here never was a request.
            Ok(types::ErrorCode::HttpRequestUriInvalid | types::ErrorCode::HttpProtocolError) => {
                let refusal = self.refuse_url(&method, &shown);
                types::ErrorCode::InternalError(Some(format!("{}: {}", refusal.code, refusal.message))).into()
            }
            Ok(code) => code.into(),
            Err(trap) => HttpError::trap(trap),
        })
    }
}

impl types::Host for HttpView<'_> {
    fn convert_error_code(&mut self, error: HttpError) -> wasmtime::Result<types::ErrorCode> {
        types::Host::convert_error_code(&mut self.inner, error)
    }

    fn convert_header_error(&mut self, error: HeaderError) -> wasmtime::Result<types::HeaderError> {
        types::Host::convert_header_error(&mut self.inner, error)
    }

    fn http_error_code(&mut self, error: Resource<types::IoError>) -> wasmtime::Result<Option<types::ErrorCode>> {
        let found = self.inner.table.get(&error)?;
        Ok(match found.downcast_ref::<Error>() {
            Some(error) => error::of_body(error),
            None => types::Host::http_error_code(&mut self.inner, error)?,
        })
    }
}

fn shown_request(request: &HostOutgoingRequest) -> (String, String) {
    let scheme = match &request.scheme {
        Some(types::Scheme::Http) => "http",
        Some(types::Scheme::Other(scheme)) => scheme,
        Some(types::Scheme::Https) | None => "https",
    };
    let authority = request.authority.as_deref().unwrap_or_default();
    let path = request.path_with_query.as_deref().unwrap_or_default();
    let method: Result<http::Method, _> = request.method.clone().try_into();
    let method = method.map_or_else(|_| "?".to_owned(), |method| method.to_string());
    (method, shown_unchecked(scheme, authority, path))
}
