//! The interface as a guest calls it, on a store's data without a store.

use std::sync::Arc;

use toolcrib_policy::{Authority, HeaderBytes, HostCallBytes, HttpInBytes};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, Pollable, StreamError};
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::{
    self, ErrorCode, HeaderError, Host as _, HostFields as _, HostIncomingBody as _, HostIncomingResponse as _,
    HostOutgoingBody as _, HostOutgoingRequest as _, Method, Scheme,
};
use wasmtime_wasi_http::p2::types::{HostIncomingResponse, HostOutgoingRequest};

use super::super::view::{HttpView, view};
use super::server::{OK, Say, Server};
use super::{Recorder, authority};
use crate::call::{Call, CallState, Record, Stop};
use crate::capability::http::Network;
use crate::capability::{Prepared, Setup};

struct Guest(CallState);

impl Guest {
    fn new(authority: Authority) -> Self {
        Self::on(authority, Arc::new(Recorder::new()))
    }

    fn on(authority: Authority, network: Arc<dyn Network>) -> Self {
        let call = Call::new("tool", serde_json::Value::Null, Arc::new(authority));
        let record = Arc::new(Record::new(&call.authority.limits));
        let prepared = Prepared::new(&Setup::of(&call, &record, &network));
        Guest(CallState::new(&call, record, prepared))
    }

    fn view(&mut self) -> HttpView<'_> {
        view(&mut self.0)
    }

    fn record(&self) -> &Record {
        &self.0.record
    }

    fn refusal(&self) -> &'static str {
        self.record().last_refusal().unwrap().code.as_str()
    }

    fn request(&mut self, method: Method, host: &str) -> Resource<HostOutgoingRequest> {
        let mut view = self.view();
        let headers = view.from_list(vec![("accept".to_owned(), b"*/*".to_vec())]).unwrap();
        let request = types::HostOutgoingRequest::new(&mut view, headers).unwrap();
        let same = || Resource::new_borrow(request.rep());
        view.set_method(same(), method).unwrap().unwrap();
        view.set_scheme(same(), Some(Scheme::Http)).unwrap().unwrap();
        view.set_authority(same(), Some(host.to_owned())).unwrap().unwrap();
        view.set_path_with_query(same(), Some("/a?q=1".to_owned())).unwrap().unwrap();
        request
    }

    /// Hands a request over and waits for its answer.
    async fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
    ) -> Result<Resource<HostIncomingResponse>, ErrorCode> {
        let mut view = self.view();
        let future = match view.handle(request, None) {
            Ok(future) => future,
            Err(error) => return Err(error.downcast().unwrap()),
        };
        self.0.table.get_mut(&future).unwrap().ready().await;
        types::HostFutureIncomingResponse::get(&mut self.view(), future).unwrap().unwrap().unwrap()
    }

    /// Reads the body of an answer to its end.
    async fn read(&mut self, response: Resource<HostIncomingResponse>) -> Result<Vec<u8>, Option<ErrorCode>> {
        let body = self.view().consume(response).unwrap().unwrap();
        let stream: Resource<DynInputStream> = self.view().stream(Resource::new_borrow(body.rep())).unwrap().unwrap();
        let mut all = Vec::new();
        loop {
            let stream = self.0.table.get_mut(&stream).unwrap();
            stream.ready().await;
            match stream.read(4096) {
                Ok(bytes) => all.extend_from_slice(&bytes),
                Err(StreamError::Closed) => return Ok(all),
                Err(StreamError::LastOperationFailed(error)) => {
                    let error = self.0.table.push(error).unwrap();
                    return Err(self.view().http_error_code(error).unwrap());
                }
                Err(StreamError::Trap(error)) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test]
async fn a_guest_sends_a_request_and_reads_the_answer() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let mut guest = Guest::new(authority(&[&server.grant()]));
    let request = guest.request(Method::Get, &server.address.to_string());
    let response = guest.handle(request).await.unwrap();
    assert_eq!(guest.view().status(Resource::new_borrow(response.rep())).unwrap(), 200);
    assert_eq!(guest.read(response).await.unwrap(), b"ok");
    assert!(server.requests()[0].starts_with("GET /a?q=1 HTTP/1.1\r\n"));
    assert!(guest.record().host_bytes() > 0);
}

#[tokio::test]
async fn a_refusal_reaches_the_guest_with_its_words() {
    let mut guest = Guest::new(authority(&[]));
    let request = guest.request(Method::Get, "api.example.com");
    let Err(ErrorCode::InternalError(Some(text))) = guest.handle(request).await else { panic!("no refusal") };
    assert!(text.starts_with("net-denied: ") && text.contains("http://api.example.com/a"), "{text}");
}

#[tokio::test]
async fn an_error_inside_a_body_has_its_code() {
    let server = Server::saying(&[Say::Text("HTTP/1.1 200 OK\r\n\r\n"), Say::Forever("xxxxxxxxxxxxxxxx", 0)]).await;
    let mut authority = authority(&[&server.grant()]);
    authority.limits.http_in = HttpInBytes::new(5000);
    let mut guest = Guest::new(authority);
    let request = guest.request(Method::Get, &server.address.to_string());
    let response = guest.handle(request).await.unwrap();
    let code = guest.read(response).await.unwrap_err();
    assert!(matches!(code, Some(ErrorCode::HttpResponseBodySize(Some(5000)))), "{code:?}");
    assert_eq!(guest.refusal(), "limit-http-in");
}

#[tokio::test]
async fn a_body_that_the_guest_finishes_is_sent_whole_and_one_that_it_forgets_is_not() {
    for finish in [true, false] {
        let server = Server::saying(&[Say::Drain, Say::Text(OK)]).await;
        let mut guest = Guest::new(authority(&[&server.grant()]));
        let request = guest.request(Method::Post, &server.address.to_string());
        let mut view = guest.view();
        let body = view.body(Resource::new_borrow(request.rep())).unwrap().unwrap();
        let stream = view.write(Resource::new_borrow(body.rep())).unwrap().unwrap();
        guest.0.table.get_mut(&stream).unwrap().write("hello".into()).unwrap();
        guest.0.table.delete(stream).unwrap();
        if finish {
            types::HostOutgoingBody::finish(&mut guest.view(), body, None).unwrap_or_else(|error| panic!("{error}"));
        } else {
            // As it goes when a store is dropped: the body goes, and nobody says how it ended.
            drop(guest.0.table.delete(body).unwrap());
        }
        let answer = guest.handle(request).await;
        assert_eq!(answer.is_ok(), finish, "{:?}", answer.err());
        server.all_closed().await;
        assert_eq!(server.requests()[0].ends_with("0\r\n\r\n"), finish, "{:?}", server.requests());
    }
}

#[test]
fn headers_that_the_host_writes_cannot_be_set() {
    let mut guest = Guest::new(authority(&[]));
    for name in ["Host", "connection", "Transfer-Encoding", "te", "Proxy-Authorization", "Upgrade"] {
        let error = guest.view().from_list(vec![(name.to_owned(), b"x".to_vec())]).unwrap_err();
        assert!(matches!(error.downcast(), Ok(HeaderError::Forbidden)), "{name}");
    }
}

#[test]
fn line_breaks_in_headers_and_paths_are_refused() {
    let mut guest = Guest::new(authority(&[]));
    for (name, value) in [("a", "x\r\nhost: evil.com"), ("a\r\nb", "x"), ("a b", "x")] {
        let error = guest.view().from_list(vec![(name.to_owned(), value.into())]).unwrap_err();
        assert!(matches!(error.downcast(), Ok(HeaderError::InvalidSyntax)), "{name}");
    }
    let request = guest.request(Method::Get, "api.example.com");
    let same = || Resource::new_borrow(request.rep());
    let mut view = guest.view();
    assert_eq!(view.set_path_with_query(same(), Some("/a HTTP/1.1\r\nhost: b".to_owned())).unwrap(), Err(()));
    assert_eq!(view.set_method(same(), Method::Other("GET / HTTP/1.1\r\n".to_owned())).unwrap(), Err(()));
    assert_eq!(guest.refusal(), "url-invalid");
}

#[test]
fn an_authority_that_is_none_is_listed_as_refused() {
    let mut guest = Guest::new(authority(&[]));
    let request = guest.request(Method::Get, "api.example.com");
    for bad in ["allowed.com\\@evil.com", "allowed.com/evil", "a b"] {
        let same = Resource::new_borrow(request.rep());
        assert_eq!(guest.view().set_authority(same, Some(bad.to_owned())).unwrap(), Err(()), "{bad}");
        assert_eq!(guest.refusal(), "url-invalid");
    }
}

#[tokio::test]
async fn a_request_without_a_host_is_refused_as_no_address() {
    let mut guest = Guest::new(authority(&[]));
    let request = guest.request(Method::Get, "api.example.com");
    guest.view().set_authority(Resource::new_borrow(request.rep()), None).unwrap().unwrap();
    let Err(ErrorCode::InternalError(Some(text))) = guest.handle(request).await else { panic!("no refusal") };
    assert!(text.starts_with("url-invalid: "), "{text}");
    assert_eq!(guest.refusal(), "url-invalid");
}

#[test]
fn more_headers_than_a_request_may_have_end_the_call_by_that_limit() {
    let mut authority = authority(&[]);
    authority.limits.http_header_bytes = HeaderBytes::new(4096);
    let mut guest = Guest::new(authority);
    let headers = (0..40_000).map(|nth| (format!("h{nth}"), b"x".to_vec())).collect();
    assert!(guest.view().from_list(headers).is_err());
    let Some(Stop::Limit(name, _)) = guest.record().stopped() else { panic!("not stopped") };
    assert_eq!(name.code(), "limit-http-header-bytes");
}

#[test]
fn headers_that_are_copied_count_as_bytes_between_guest_and_host() {
    let mut authority = authority(&[]);
    authority.limits.host_call_bytes = HostCallBytes::new(10_000);
    let mut guest = Guest::new(authority);
    let fields = guest.view().from_list(vec![("a".to_owned(), vec![b'x'; 999])]).unwrap();
    let copy = |guest: &mut Guest| guest.view().clone(Resource::new_borrow(fields.rep()));
    assert_eq!((0..20).take_while(|_| copy(&mut guest).is_ok()).count(), 9);
    let Some(Stop::Limit(name, _)) = guest.record().stopped() else { panic!("not stopped") };
    assert_eq!(name.code(), "limit-host-call-bytes");
}

#[tokio::test]
async fn dropping_the_store_s_data_ends_every_exchange() {
    let server = Server::saying(&[Say::Wait(60_000)]).await;
    let mut guest = Guest::new(authority(&[&server.grant()]));
    for _ in 0..3 {
        let request = guest.request(Method::Get, &server.address.to_string());
        guest.view().handle(request, None).unwrap_or_else(|error| panic!("{error}"));
    }
    while server.open() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    drop(guest);
    server.all_closed().await;
}

#[tokio::test]
async fn a_call_that_ends_while_it_connects_waits_for_that_to_end_and_lists_it() {
    let network = Arc::new(Recorder::stuck());
    let mut guest = Guest::on(authority(&["POST http://name.example.com/**"]), network.clone());
    let request = guest.request(Method::Post, "name.example.com");
    guest.view().handle(request, None).unwrap_or_else(|error| panic!("{error}"));
    while network.lookups().is_empty() {
        tokio::task::yield_now().await;
    }
    let record = guest.0.record.clone();
    drop(guest);
    record.writes_settled().await;
    let uses = record.take_uses().listed;
    assert_eq!((uses.len(), uses[0].target.as_str()), (1, "http://name.example.com/a"));
    assert!(!record.possible_write());
}
