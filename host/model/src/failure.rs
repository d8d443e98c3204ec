//! What a back end says when it fails, sorted into [`ModelError`].
//!
//! The status decides where it is clear; the rest is told apart by the codes and words that the services use.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::ModelError;

/// The longest explanation that is passed on, in characters.
const MAX_DETAIL: usize = 600;

/// A failed response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a str,
    pub(crate) retry_after: Option<Duration>,
    /// Where the key is set, for the case that it is refused.
    pub(crate) key_advice: &'a str,
}

impl Failure<'_> {
    pub(crate) fn classify(self) -> ModelError {
        let said = Said::read(self.body);
        let detail = match said.message.as_str() {
            "" => format!("status {}", self.status),
            message => format!("status {}: {message}", self.status),
        };
        let retry_after = self.retry_after.or(said.retry_after);
        if let Some(error) = said.by_code(detail.clone(), retry_after) {
            return error;
        }
        match self.status {
            401 | 403 => ModelError::Auth { detail, advice: self.key_advice.to_owned() },
            402 => ModelError::QuotaExhausted { detail },
            404 => ModelError::NotFound { detail },
            413 => ModelError::ContextTooLong { detail },
            429 => ModelError::RateLimited { detail, retry_after },
            408 | 409 | 425 | 500..=599 => ModelError::Unavailable { detail, retry_after },
            300..=399 => ModelError::NotFound { detail: format!("{detail}: it redirects elsewhere") },
            _ => ModelError::BadRequest { detail },
        }
    }
}

/// An error that arrives inside a stream that began well.
pub(crate) fn in_stream(error: &Value) -> ModelError {
    let said = Said::of(error);
    let detail = if said.message.is_empty() { "it gave no reason".to_owned() } else { said.message.clone() };
    let retry_after = said.retry_after;
    if let Some(known) = said.by_code(detail.clone(), retry_after) {
        return known;
    }
    match said.code.as_str() {
        code if ["auth", "permission", "api_key"].iter().any(|word| code.contains(word)) => {
            ModelError::Auth { detail, advice: "check the key and its rights".to_owned() }
        }
        code if code.contains("invalid") => ModelError::BadRequest { detail },
        // The request was accepted: what breaks after that is the service's.
        _ => ModelError::Unavailable { detail, retry_after },
    }
}

/// The parts of an error object that the services share.
struct Said {
    message: String,
    /// Code, type and status in lower case, joined.
    code: String,
    retry_after: Option<Duration>,
}

impl Said {
    fn read(body: &str) -> Self {
        match serde_json::from_str::<Value>(body) {
            Ok(value) => {
                let value = if value.is_array() { &value[0] } else { &value };
                Self::of(value.get("error").unwrap_or(value))
            }
            Err(_) => Self { message: shorten(body), code: String::new(), retry_after: None },
        }
    }

    fn of(error: &Value) -> Self {
        if let Some(text) = error.as_str() {
            return Self { message: shorten(text), code: String::new(), retry_after: None };
        }
        let word = |key: &str| error[key].as_str().unwrap_or_default().to_ascii_lowercase();
        let message = ["message", "detail"].iter().find_map(|key| error[*key].as_str()).unwrap_or_default();
        let delay = error["details"].as_array().into_iter().flatten().find_map(|d| d["retryDelay"].as_str());
        Self {
            message: shorten(message),
            code: [word("code"), word("type"), word("status")].join(" "),
            retry_after: delay.and_then(|delay| delay.strip_suffix('s')).and_then(seconds),
        }
    }

    fn by_code(&self, detail: String, retry_after: Option<Duration>) -> Option<ModelError> {
        let code = |words: &[&str]| words.iter().any(|word| self.code.contains(word));
        let message = self.message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if code(&["insufficient_quota", "billing"]) || says(&["credit balance is too low"]) {
            Some(ModelError::QuotaExhausted { detail })
        } else if code(&["context_length", "request_too_large"])
            || says(&[
                "prompt is too long",
                "maximum context length",
                "context window",
                "exceeds the maximum number of tokens",
                "exceeds the available context size",
            ])
        {
            Some(ModelError::ContextTooLong { detail })
        } else if code(&["content_filter", "content_policy"]) {
            Some(ModelError::Refused { detail })
        } else if code(&["rate_limit", "resource_exhausted"]) {
            Some(ModelError::RateLimited { detail, retry_after })
        } else if code(&["overloaded", "unavailable", "server_error", "api_error"]) {
            Some(ModelError::Unavailable { detail, retry_after })
        } else if code(&["model_not_found"]) {
            Some(ModelError::NotFound { detail })
        } else if says(&["api key not valid"]) {
            Some(ModelError::Auth { detail, advice: "check the key".to_owned() })
        } else {
            None
        }
    }
}

/// One line of at most [`MAX_DETAIL`] characters.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_DETAIL) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Reads `retry-after-ms` (milliseconds) and `retry-after` (seconds or a date), in this order. `now` is the
/// time that a date is measured from; one that is past stands for no wait.
pub(crate) fn retry_after(millis: Option<&str>, plain: Option<&str>, now: SystemTime) -> Option<Duration> {
    let millis = millis.and_then(|text| text.trim().parse::<f64>().ok());
    if let Some(wait) = millis.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok()) {
        return Some(wait);
    }
    let plain = plain?.trim();
    if let Some(wait) = seconds(plain) {
        return Some(wait);
    }
    let date = httpdate::parse_http_date(plain).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn classify(status: u16, body: &str) -> ModelError {
        Failure { status, body, retry_after: None, key_advice: "set OPENAI_API_KEY" }.classify()
    }

    #[test]
    fn statuses_and_codes_are_told_apart() {
        let cases = [
            (401, r#"{"error":{"message":"bad key"}}"#, "auth"),
            (403, "", "auth"),
            (429, r#"{"error":{"type":"rate_limit_error","message":"slow"}}"#, "rate-limited"),
            (429, r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#, "quota-exhausted"),
            (400, r#"{"error":{"message":"Your credit balance is too low"}}"#, "quota-exhausted"),
            (400, r#"{"error":{"code":"context_length_exceeded","message":"x"}}"#, "context-too-long"),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9"}}"#,
                "context-too-long",
            ),
            (400, r#"[{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"API key not valid."}}]"#, "auth"),
            (400, r#"{"error":{"message":"unknown field"}}"#, "bad-request"),
            (404, r#"{"error":"model 'x' not found"}"#, "not-found"),
            (302, "", "not-found"),
            (413, "too big", "context-too-long"),
            (500, "<html>oops</html>", "unavailable"),
            (529, r#"{"error":{"type":"overloaded_error","message":"Overloaded"}}"#, "unavailable"),
        ];
        for (status, body, code) in cases {
            assert_eq!(classify(status, body).code(), code, "{status} {body}");
        }
    }

    #[test]
    fn an_error_says_what_the_service_said_and_what_to_do() {
        let error = classify(401, r#"{"error":{"message":"Incorrect\n key"}}"#);
        insta::assert_snapshot!(error, @"the back end refused the key: status 401: Incorrect key; set OPENAI_API_KEY");
    }

    #[test]
    fn a_delay_in_the_body_counts_when_no_header_gives_one() {
        let body = r#"{"error":{"status":"RESOURCE_EXHAUSTED","message":"q","details":[{"retryDelay":"7.5s"}]}}"#;
        assert_eq!(classify(429, body).retry_after(), Some(Duration::from_millis(7500)));
    }

    #[test]
    fn a_wait_is_read_from_milliseconds_seconds_and_dates() {
        let now = httpdate::parse_http_date("Fri, 01 Jan 2027 00:00:00 GMT").unwrap();
        let read = |millis, plain| retry_after(millis, plain, now).map(|wait| wait.as_millis());
        assert_eq!(read(Some("1500"), Some("9")), Some(1500));
        assert_eq!(read(None, Some(" 9 ")), Some(9000));
        assert_eq!(read(None, Some("0.25")), Some(250));
        assert_eq!(read(None, Some("Fri, 01 Jan 2027 00:00:30 GMT")), Some(30_000));
        assert_eq!(read(None, Some("Thu, 31 Dec 2026 23:59:00 GMT")), Some(0));
        assert_eq!(read(Some("-1"), Some("soon")), None);
        assert_eq!(read(Some("NaN"), Some("1e400")), None);
        assert_eq!(read(None, None), None);
    }

    proptest! {
        #[test]
        fn no_body_and_no_header_makes_it_panic(status in 100u16..1000, body in "\\PC{0,900}", header in "\\PC{0,20}") {
            let error = classify(status, &body);
            prop_assert!(error.to_string().chars().count() < MAX_DETAIL + 200);
            retry_after(Some(&header), Some(&header), SystemTime::UNIX_EPOCH);
        }
    }
}
