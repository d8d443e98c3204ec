//! Functions of the interface that move no text of the guest's: straight on to the engine's implementation.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynPollable};
use wasmtime_wasi_http::p2::HttpResult;
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingRequest, HostIncomingResponse, HostOutgoingResponse, HostResponseOutparam,
};
use wasmtime_wasi_http::{FieldMap, RequestOptions};

use super::view::HttpView;

/// Implements traits of the interface by calling the same function of the engine's view.
macro_rules! pass {
    ($( $trait:ident { $( fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty; )* } )*) => {
        $(
            impl types::$trait for HttpView<'_> {
                $(
                    fn $name(&mut self, $($arg: $type),*) -> $out {
                        types::$trait::$name(&mut self.inner, $($arg),*)
                    }
                )*
            }
        )*
    };
}

type Trailers = Option<Result<Result<Option<Resource<FieldMap>>, types::ErrorCode>, ()>>;
type Arrived = Option<Result<Result<Resource<HostIncomingResponse>, types::ErrorCode>, ()>>;
type Time = Option<types::Duration>;

pass! {
    HostIncomingResponse {
        fn status(response: Resource<HostIncomingResponse>) -> Result<types::StatusCode>;
        fn headers(response: Resource<HostIncomingResponse>) -> Result<Resource<FieldMap>>;
        fn consume(response: Resource<HostIncomingResponse>) -> Result<Result<Resource<HostIncomingBody>, ()>>;
        fn drop(response: Resource<HostIncomingResponse>) -> Result<()>;
    }
    HostIncomingBody {
        fn stream(body: Resource<HostIncomingBody>) -> Result<Result<Resource<DynInputStream>, ()>>;
        fn finish(body: Resource<HostIncomingBody>) -> Result<Resource<HostFutureTrailers>>;
        fn drop(body: Resource<HostIncomingBody>) -> Result<()>;
    }
    HostFutureTrailers {
        fn subscribe(trailers: Resource<HostFutureTrailers>) -> Result<Resource<DynPollable>>;
        fn get(trailers: Resource<HostFutureTrailers>) -> Result<Trailers>;
        fn drop(trailers: Resource<HostFutureTrailers>) -> Result<()>;
    }
    HostFutureIncomingResponse {
        fn subscribe(response: Resource<HostFutureIncomingResponse>) -> Result<Resource<DynPollable>>;
        fn get(response: Resource<HostFutureIncomingResponse>) -> Result<Arrived>;
        fn drop(response: Resource<HostFutureIncomingResponse>) -> Result<()>;
    }
    HostRequestOptions {
        fn new() -> Result<Resource<RequestOptions>>;
        fn connect_timeout(options: Resource<RequestOptions>) -> Result<Time>;
        fn set_connect_timeout(options: Resource<RequestOptions>, time: Time) -> Result<Result<(), ()>>;
        fn first_byte_timeout(options: Resource<RequestOptions>) -> Result<Time>;
        fn set_first_byte_timeout(options: Resource<RequestOptions>, time: Time) -> Result<Result<(), ()>>;
        fn between_bytes_timeout(options: Resource<RequestOptions>) -> Result<Time>;
        fn set_between_bytes_timeout(options: Resource<RequestOptions>, time: Time) -> Result<Result<(), ()>>;
        fn drop(options: Resource<RequestOptions>) -> Result<()>;
    }
    // Servers need the rest. No component is served here, so that a guest can hold none of it but answers that go nowhere.
    HostIncomingRequest {
        fn method(request: Resource<HostIncomingRequest>) -> Result<types::Method>;
        fn path_with_query(request: Resource<HostIncomingRequest>) -> Result<Option<String>>;
        fn scheme(request: Resource<HostIncomingRequest>) -> Result<Option<types::Scheme>>;
        fn authority(request: Resource<HostIncomingRequest>) -> Result<Option<String>>;
        fn headers(request: Resource<HostIncomingRequest>) -> Result<Resource<FieldMap>>;
        fn consume(request: Resource<HostIncomingRequest>) -> Result<Result<Resource<HostIncomingBody>, ()>>;
        fn drop(request: Resource<HostIncomingRequest>) -> Result<()>;
    }
    HostOutgoingResponse {
        fn new(headers: Resource<FieldMap>) -> Result<Resource<HostOutgoingResponse>>;
        fn body(response: Resource<HostOutgoingResponse>) -> Result<Result<Resource<HostOutgoingBody>, ()>>;
        fn status_code(response: Resource<HostOutgoingResponse>) -> Result<types::StatusCode>;
        fn set_status_code(
            response: Resource<HostOutgoingResponse>,
            status: types::StatusCode
        ) -> Result<Result<(), ()>>;
        fn headers(response: Resource<HostOutgoingResponse>) -> Result<Resource<FieldMap>>;
        fn drop(response: Resource<HostOutgoingResponse>) -> Result<()>;
    }
    HostResponseOutparam {
        fn set(
            outparam: Resource<HostResponseOutparam>,
            answer: Result<Resource<HostOutgoingResponse>, types::ErrorCode>
        ) -> Result<()>;
        fn send_informational(
            outparam: Resource<HostResponseOutparam>,
            status: u16,
            headers: Resource<FieldMap>
        ) -> HttpResult<()>;
        fn drop(outparam: Resource<HostResponseOutparam>) -> Result<()>;
    }
}
