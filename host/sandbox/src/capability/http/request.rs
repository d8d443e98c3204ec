//! Requests that a guest puts together, and the bodies that it writes.

use http_body_util::BodyExt;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynOutputStream;
use wasmtime_wasi_http::FieldMap;
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::p2::body::{HostOutgoingBody, HyperOutgoingBody};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;
use wasmtime_wasi_http::p2::{HttpError, HttpResult};

use super::body::{Finished, Whole};
use super::check::shown_unchecked;
use super::view::HttpView;

type Request = Resource<HostOutgoingRequest>;
type Answer<T> = wasmtime::Result<Result<T, ()>>;

impl types::HostOutgoingRequest for HttpView<'_> {
    fn new(&mut self, headers: Resource<FieldMap>) -> wasmtime::Result<Request> {
        types::HostOutgoingRequest::new(&mut self.inner, headers)
    }

    /// The body that the engine makes is wrapped, so that only a finished one is sent as a whole.
    fn body(&mut self, request: Request) -> Answer<Resource<HostOutgoingBody>> {
        let again = Request::new_borrow(request.rep());
        let made = types::HostOutgoingRequest::body(&mut self.inner, request)?;
        if let Ok(body) = &made {
            let finished = Finished::default();
            let request = self.inner.table.get_mut(&again)?;
            let wrap = |body: HyperOutgoingBody| Whole::new(body, finished.clone()).boxed_unsync();
            request.body = request.body.take().map(wrap);
            self.bodies.insert(body.rep(), finished);
        }
        Ok(made)
    }

    fn method(&mut self, request: Request) -> wasmtime::Result<types::Method> {
        types::HostOutgoingRequest::method(&mut self.inner, request)
    }

    fn set_method(&mut self, request: Request, method: types::Method) -> Answer<()> {
        if let types::Method::Other(method) = &method {
            self.charge(method.len())?;
        }
        types::HostOutgoingRequest::set_method(&mut self.inner, request, method)
    }

    fn path_with_query(&mut self, request: Request) -> wasmtime::Result<Option<String>> {
        types::HostOutgoingRequest::path_with_query(&mut self.inner, request)
    }

    fn set_path_with_query(&mut self, request: Request, path: Option<String>) -> Answer<()> {
        let shown = shown_unchecked("", "", path.as_deref().unwrap_or_default());
        self.charge(path.as_ref().map_or(0, String::len))?;
        let set = types::HostOutgoingRequest::set_path_with_query(&mut self.inner, request, path)?;
        Ok(self.listed(set, &shown))
    }

    fn scheme(&mut self, request: Request) -> wasmtime::Result<Option<types::Scheme>> {
        types::HostOutgoingRequest::scheme(&mut self.inner, request)
    }

    fn set_scheme(&mut self, request: Request, scheme: Option<types::Scheme>) -> Answer<()> {
        if let Some(types::Scheme::Other(scheme)) = &scheme {
            self.charge(scheme.len())?;
        }
        types::HostOutgoingRequest::set_scheme(&mut self.inner, request, scheme)
    }

    fn authority(&mut self, request: Request) -> wasmtime::Result<Option<String>> {
        types::HostOutgoingRequest::authority(&mut self.inner, request)
    }

    fn set_authority(&mut self, request: Request, authority: Option<String>) -> Answer<()> {
        let shown = shown_unchecked("", authority.as_deref().unwrap_or_default(), "");
        self.charge(authority.as_ref().map_or(0, String::len))?;
        let set = types::HostOutgoingRequest::set_authority(&mut self.inner, request, authority)?;
        Ok(self.listed(set, &shown))
    }

    fn headers(&mut self, request: Request) -> wasmtime::Result<Resource<FieldMap>> {
        types::HostOutgoingRequest::headers(&mut self.inner, request)
    }

    fn drop(&mut self, request: Request) -> wasmtime::Result<()> {
        types::HostOutgoingRequest::drop(&mut self.inner, request)
    }
}

impl HttpView<'_> {
    /// The setters of a request have no room for a reason. The receipt has.
    fn listed(&self, set: Result<(), ()>, shown: &str) -> Result<(), ()> {
        if set.is_err() {
            self.refuse_url("set", shown);
        }
        set
    }
}

impl types::HostOutgoingBody for HttpView<'_> {
    fn write(&mut self, body: Resource<HostOutgoingBody>) -> Answer<Resource<DynOutputStream>> {
        types::HostOutgoingBody::write(&mut self.inner, body)
    }

    fn finish(&mut self, body: Resource<HostOutgoingBody>, trailers: Option<Resource<FieldMap>>) -> HttpResult<()> {
        if let Some(finished) = self.bodies.remove(&body.rep()) {
            finished.set();
        }
        types::HostOutgoingBody::finish(&mut self.inner, body, trailers).map_err(|error| match error.downcast() {
            Ok(code) => code.into(),
            Err(trap) => HttpError::trap(trap),
        })
    }

    fn drop(&mut self, body: Resource<HostOutgoingBody>) -> wasmtime::Result<()> {
        self.bodies.remove(&body.rep());
        types::HostOutgoingBody::drop(&mut self.inner, body)
    }
}
