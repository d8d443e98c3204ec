//! Asks for each of its arguments, a scheme and an authority and a path with a bar between them; prints what came of it.
//! An argument that begins with `+` is a header for the requests after it.
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, Method, OutgoingRequest, Scheme};

fn main() {
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for argument in std::env::args().skip(1) {
        if let Some(header) = argument.strip_prefix('+') {
            let (name, value) = header.split_once(':').expect("a header");
            headers.push((name.to_owned(), value.as_bytes().to_owned()));
            continue;
        }
        match ask(&argument, &headers) {
            Ok(status) => println!("{status}\t{argument:?}"),
            Err(why) => println!("{why}\t{argument:?}"),
        }
    }
}

fn ask(argument: &str, headers: &[(String, Vec<u8>)]) -> Result<u16, String> {
    let mut parts = argument.splitn(4, '|');
    let mut part = || parts.next().unwrap_or_default();
    let (method, scheme, authority, path) = (part(), part(), part(), part());
    let fields = Fields::from_list(headers).map_err(|error| format!("headers: {error:?}"))?;
    let request = OutgoingRequest::new(fields);
    let method = if method == "GET" { Method::Get } else { Method::Other(method.to_owned()) };
    request.set_method(&method).map_err(|()| "no such method")?;
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).map_err(|()| "no such scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "no such authority")?;
    request.set_path_with_query(Some(path)).map_err(|()| "no such path")?;
    let future = handle(request, None).map_err(said)?;
    future.subscribe().block();
    let answer = future.get().expect("it is ready").expect("it is taken once").map_err(said)?;
    Ok(answer.status())
}

fn said(code: ErrorCode) -> String {
    match code {
        ErrorCode::InternalError(Some(text)) => text,
        code => format!("{code:?}"),
    }
}
