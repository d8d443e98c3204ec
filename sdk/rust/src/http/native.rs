//! Natively, requests go to the test: see [`crate::testing::with_http`].

use super::{Cause, Error, Request, Response, Url};
use crate::testing;

/// The rest of a body.
#[derive(Debug)]
pub(crate) struct Body(Vec<u8>);

impl Body {
    #[expect(clippy::unnecessary_wraps, reason = "the shape of the other target")]
    pub(crate) fn chunk(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let rest = self.0.split_off(most.min(self.0.len()));
        Ok(std::mem::replace(&mut self.0, rest))
    }
}

pub(crate) fn send(request: &Request, url: &Url) -> Result<Response, Error> {
    let Some(reply) = testing::answer(request) else {
        let message = "a native test has no network; answer the request with `testing::with_http`";
        return Err(Error::new(Cause::Denied, message));
    };
    let reply = reply?;
    Ok(Response::new(request, url, reply.status, reply.headers, Body(reply.body)))
}
