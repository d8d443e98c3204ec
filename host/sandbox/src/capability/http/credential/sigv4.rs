//! AWS Signature Version 4: a signature over the whole request, its body included.

use std::time::SystemTime;

use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full, Limited};
use ring::{digest, hmac};
use toolcrib_secrets::{Secret, percent_encoded};
use wasmtime_wasi_http::WasiBody;

use super::vault::Unavailable;
use crate::capability::http::check::Checked;

/// The longest body that is signed, which has to be held while its digest is made. Larger objects are uploaded in parts.
const MAX_BODY_BYTES: usize = 8 << 20;

/// Whose signature it is.
pub(super) struct Credential<'a> {
    pub(super) key_id: &'a str,
    pub(super) key: &'a Secret,
    pub(super) session: Option<&'a Secret>,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// Signs a request, and gives its body back.
pub(super) async fn sign(
    checked: &mut Checked,
    body: WasiBody,
    credential: &Credential<'_>,
    now: SystemTime,
) -> Result<WasiBody, Unavailable> {
    let unfit = |why: &str| Unavailable(why.to_owned());
    let whole = Limited::new(body, MAX_BODY_BYTES).collect().await;
    let bytes = whole.map_err(|_| unfit("its body could not be read whole, or is longer than 8 MiB"))?.to_bytes();
    let date = amz_date(now);
    let payload = hex(digest::digest(&digest::SHA256, &bytes).as_ref());
    let headers = &mut checked.headers;
    let value =
        |text: &str| HeaderValue::try_from(text).map_err(|_| unfit("a secret has a byte that no header can hold"));
    headers.insert("x-amz-date", value(&date)?);
    headers.insert("x-amz-content-sha256", value(&payload)?);
    headers.remove("x-amz-security-token");
    if let Some(session) = credential.session {
        let mut token = value(session.reveal())?;
        token.set_sensitive(true);
        headers.insert("x-amz-security-token", token);
    }
    let method = checked.target.method.as_str();
    let query = checked.uri.query().unwrap_or_default();
    let request = Canonical::of(method, checked.uri.path(), query, &checked.headers, &payload, credential.service);
    let authorization = request.authorization(credential, &date);
    checked.headers.insert(http::header::AUTHORIZATION, value(&authorization)?);
    Ok(Full::new(bytes).map_err(|never| match never {}).boxed_unsync())
}

/// The canonical request, with the names of the headers that it covers.
struct Canonical {
    text: String,
    signed: String,
}

impl Canonical {
    fn of(method: &str, path: &str, query: &str, headers: &HeaderMap, payload: &str, service: &str) -> Self {
        let covered = |name: &str| name == "host" || name == "content-type" || name.starts_with("x-amz-");
        let mut lines: Vec<(String, String)> = headers
            .keys()
            .filter(|name| covered(name.as_str()))
            .map(|name| (name.to_string(), joined(headers, name)))
            .collect();
        lines.sort();
        let signed = lines.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let headers: String = lines.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let text = format!(
            "{method}\n{}\n{}\n{headers}\n{signed}\n{payload}",
            canonical_path(path, service),
            canonical_query(query)
        );
        Canonical { text, signed }
    }

    fn authorization(&self, credential: &Credential<'_>, date: &str) -> String {
        let Credential { key_id, key, region, service, .. } = credential;
        let day = &date[..8];
        let scope = format!("{day}/{region}/{service}/aws4_request");
        let digest = hex(digest::digest(&digest::SHA256, self.text.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        let secret = Secret::new(format!("AWS4{}", key.reveal()));
        let mut derived = mac(secret.reveal().as_bytes(), day);
        for part in [region, service, "aws4_request"] {
            derived = mac(derived.as_ref(), part);
        }
        let signature = hex(mac(derived.as_ref(), &to_sign).as_ref());
        format!("AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={}, Signature={signature}", self.signed)
    }
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The lines of a header, each with its white space folded.
fn joined(headers: &HeaderMap, name: &http::HeaderName) -> String {
    let fold = |value: &HeaderValue| {
        String::from_utf8_lossy(value.as_bytes()).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    };
    headers.get_all(name).iter().map(fold).collect::<Vec<_>>().join(",")
}

/// The path is encoded once more for every service but S3.
fn canonical_path(path: &str, service: &str) -> String {
    if service == "s3" {
        return path.to_owned();
    }
    path.split('/').map(percent_encoded).collect::<Vec<_>>().join("/")
}

/// The query, its pairs encoded in one way and sorted.
fn canonical_query(query: &str) -> String {
    let normal = |text: &str| percent_encoded(&percent_decoded(text));
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (normal(key), normal(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

/// The text of a component; a byte that is not UTF-8 is one that no service takes.
fn percent_decoded(text: &str) -> String {
    url::form_urlencoded::parse(text.replace('+', "%2B").as_bytes()).map(|(key, _)| key.into_owned()).collect()
}

/// `20150830T123600Z`.
fn amz_date(now: SystemTime) -> String {
    let at = time::OffsetDateTime::from(now);
    let (date, time) = (at.date(), at.time());
    let day = format!("{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day());
    format!("{day}T{:02}{:02}{:02}Z", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The key that the documentation of the method uses in its examples.
    const KEY_ID: &str = "AKIDEXAMPLE";
    const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn signature(request: &Canonical, service: &str) -> String {
        let key = Secret::new(KEY.to_owned());
        let credential = Credential { key_id: KEY_ID, key: &key, session: None, region: "us-east-1", service };
        let text = request.authorization(&credential, "20150830T123600Z");
        text.rsplit("Signature=").next().unwrap().to_owned()
    }

    #[test]
    fn the_examples_of_the_method_have_their_signatures() {
        // `get-vanilla` of the published test suite.
        let vanilla = headers(&[("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")]);
        let request = Canonical::of("GET", "/", "", &vanilla, EMPTY, "service");
        assert_eq!(signature(&request, "service"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        // `ListUsers` of the documentation.
        let list = headers(&[
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ]);
        let request = Canonical::of("GET", "/", "Version=2010-05-08&Action=ListUsers", &list, EMPTY, "iam");
        assert_eq!(signature(&request, "iam"), "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| amz_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "19700101T000000Z");
        assert_eq!(at(1_440_938_160), "20150830T123600Z");
        assert_eq!(at(951_782_399), "20000228T235959Z");
        assert_eq!(at(951_868_799), "20000229T235959Z");
        assert_eq!(at(1_801_439_999), "20270131T235959Z");
    }

    #[test]
    fn paths_and_queries_have_one_spelling() {
        assert_eq!(canonical_path("/a b/%20", "s3"), "/a b/%20");
        assert_eq!(canonical_path("/docs/a%20b", "execute-api"), "/docs/a%2520b");
        assert_eq!(canonical_query("b=2&a=%7e&c&a=x+y"), "a=x%2By&a=~&b=2&c=");
    }
}
