//! HTTP Message Signatures (RFC 9421) with a shared key.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, header};
use ring::hmac;

use crate::capability::http::check::Checked;

/// Headers of the guest that a signature covers where they are there: what the body is, and its digest (RFC 9530).
const COVERED_HEADERS: &[&str] = &["content-type", "content-digest"];

/// Signs the method, the whole target, the time, and the headers that say what the body is.
pub(super) fn http_message(
    checked: &mut Checked,
    key_id: &str,
    key: &[u8],
    now: SystemTime,
) -> Result<(), &'static str> {
    let query = checked.uri.path_and_query().map(|text| text.as_str()).unwrap_or("/");
    let target = &checked.target;
    let uri = format!("{}://{}{query}", target.scheme, target.authority());
    let mut components = vec![("@method", target.method.to_string()), ("@target-uri", uri)];
    for name in COVERED_HEADERS {
        if let Some(value) = field(&checked.headers, name)? {
            components.push((name, value));
        }
    }
    let created = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let parameters = parameters(&components, &format!("created={created};keyid=\"{key_id}\";alg=\"hmac-sha256\""));
    let signature = signature(&components, &parameters, key);
    let headers = &mut checked.headers;
    let text = |text: String| HeaderValue::try_from(text).map_err(|_| "its key id makes no header");
    headers.insert("signature-input", text(format!("toolcrib={parameters}"))?);
    headers.insert("signature", text(format!("toolcrib=:{signature}:"))?);
    Ok(())
}

/// The value of a field (RFC 9421, 2.1): its lines with `, ` between.
fn field(headers: &HeaderMap, name: &str) -> Result<Option<String>, &'static str> {
    let mut lines = Vec::new();
    for value in headers.get_all(header::HeaderName::try_from(name).map_err(|_| "a header has no name")?) {
        lines.push(value.to_str().map_err(|_| "a header that is to be signed is not ASCII")?.trim());
    }
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

/// The parameters of a signature, as they are sent and as they are signed (RFC 9421, 2.3).
fn parameters(components: &[(&str, String)], rest: &str) -> String {
    let names: Vec<String> = components.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    format!("({});{rest}", names.join(" "))
}

/// The signature over its base (RFC 9421, 2.5), in base64.
fn signature(components: &[(&str, String)], parameters: &str, key: &[u8]) -> String {
    let mut base = String::new();
    for (name, value) in components {
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {parameters}"));
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), base.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_has_its_signature() {
        // RFC 9421, B.2.5, with the key of B.1.5.
        let key = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
        let components = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT".to_owned()),
            ("@authority", "example.com".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        let parameters = parameters(&components, "created=1618884473;keyid=\"test-shared-secret\"");
        let signature = signature(&components, &parameters, &STANDARD.decode(key).unwrap());
        assert_eq!(signature, "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
    }
}
