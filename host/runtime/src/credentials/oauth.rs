//! Access tokens (RFC 6749): got when they are first needed, kept in memory, and renewed before they expire.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use serde::Deserialize;
use tokio::sync::Mutex;
use toolcrib_policy::{
    ClientAuthentication, OAuthClient, OAuthFlow, SecretName, SecretReference, Template, TemplatePart,
};
use toolcrib_sandbox::{Network, Unavailable, own_request};
use toolcrib_secrets::Secret;
use url::form_urlencoded;

use super::Secrets;

/// The longest answer of a token endpoint.
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// How long a token counts whose server does not say.
const USUAL_LIFE: Duration = Duration::from_secs(5 * 60);
/// How long before its end a token is renewed, so that it does not end on its way; a tenth of its life where that is less.
const AHEAD: Duration = Duration::from_secs(30);
/// How old a token must be to be given up because a server did not accept it: a tool that provokes refusals does not make
/// the host ask for one token after the other.
const TRUSTED_FOR: Duration = Duration::from_secs(60);

/// The tokens of one client. Whoever needs one while it is being got waits for it.
pub(super) struct Tokens {
    name: SecretName,
    client: Arc<OAuthClient>,
    secrets: Secrets,
    network: Arc<dyn Network>,
    kept: Mutex<Option<Token>>,
}

struct Token {
    access: Secret,
    got: Instant,
    renew: Instant,
}

/// What a token endpoint answers (RFC 6749, 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<f64>,
    refresh_token: Option<String>,
}

/// What it answers where it gives none (RFC 6749, 5.2). Its description is not read: it may repeat what was sent.
#[derive(Deserialize)]
struct Denied {
    error: String,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.name)
    }
}

impl Tokens {
    pub(super) fn new(name: SecretName, client: Arc<OAuthClient>, secrets: Secrets, network: Arc<dyn Network>) -> Self {
        Self { name, client, secrets, network, kept: Mutex::default() }
    }

    /// A token that has not expired.
    pub(super) async fn access(&self) -> Result<Secret, Unavailable> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| Instant::now() < token.renew) {
            return Ok(token.access.clone());
        }
        let token = self.fetch().await?;
        let access = token.access.clone();
        *kept = Some(token);
        Ok(access)
    }

    /// A server did not accept the token: it may have been revoked.
    pub(super) async fn rejected(&self) {
        self.kept.lock().await.take_if(|token| token.got.elapsed() > TRUSTED_FOR);
    }

    async fn fetch(&self) -> Result<Token, Unavailable> {
        let asked = Instant::now();
        let request = self.request().await?;
        let authority = Arc::new(self.client.authority());
        let answer = own_request(self.network.clone(), authority, request, MAX_ANSWER_BYTES).await;
        let answer = answer.map_err(|error| self.failed(&error.to_string()))?;
        let granted = self.granted(answer.status(), answer.body())?;
        if let (OAuthFlow::RefreshToken(name), Some(new)) = (&self.client.flow, granted.refresh_token)
            && let Err(error) = self.secrets.set(name, Secret::new(new)).await
        {
            tracing::warn!(client = %self.name, %error, "the server gave a new refresh token, which could not be kept");
        }
        let life = granted.expires_in.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
        let life = life.map_or(USUAL_LIFE, |seconds| Duration::from_secs_f64(seconds.min(31_536_000.0)));
        let renew = asked + life.saturating_sub(AHEAD.min(life / 10));
        Ok(Token { access: Secret::new(granted.access_token), got: asked, renew })
    }

    async fn request(&self) -> Result<Request<Bytes>, Unavailable> {
        let client = &self.client;
        let secret = match &client.client_secret {
            Some(template) => Some(self.filled(template).await?),
            None => None,
        };
        let refresh = match &client.flow {
            OAuthFlow::ClientCredentials => None,
            OAuthFlow::RefreshToken(name) => Some(self.secrets.get(name).await?),
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", if refresh.is_some() { "refresh_token" } else { "client_credentials" });
        form.extend_pairs(refresh.iter().map(|token| ("refresh_token", token.reveal())));
        form.extend_pairs(client.scope.iter().map(|scope| ("scope", scope)));
        form.extend_pairs(&client.parameters);
        let target = client.token_url();
        let url = format!("{}://{}{}", target.scheme, target.authority(), target.path_and_query());
        let mut request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity");
        match (&secret, client.authentication) {
            (Some(secret), ClientAuthentication::Basic) => {
                request = request.header(header::AUTHORIZATION, basic(&client.client_id, secret));
            }
            // A public client has nothing but its name.
            (secret, _) => {
                form.append_pair("client_id", &client.client_id);
                form.extend_pairs(secret.iter().map(|secret| ("client_secret", secret.reveal())));
            }
        }
        let body = Bytes::from(form.finish());
        let request = request.header(header::CONTENT_LENGTH, body.len()).body(body);
        request.map_err(|_| self.failed("its settings make no request"))
    }

    async fn filled(&self, template: &Template) -> Result<Secret, Unavailable> {
        let mut text = String::new();
        for part in template.parts() {
            match part {
                TemplatePart::Text(plain) => text.push_str(plain),
                TemplatePart::Reference(SecretReference::Secret(name)) => {
                    text.push_str(self.secrets.get(name).await?.reveal());
                }
                TemplatePart::Reference(SecretReference::OAuth(_)) => {
                    return Err(self.failed("a token cannot be got with another token"));
                }
            }
        }
        Ok(Secret::new(text))
    }

    fn granted(&self, status: StatusCode, body: &[u8]) -> Result<Granted, Unavailable> {
        if status.is_success() {
            // What the reader of JSON says could show a part of the text.
            let granted: Granted =
                serde_json::from_slice(body).map_err(|_| self.failed("the server's answer has no token"))?;
            return if granted.access_token.is_empty() {
                Err(self.failed("the server's answer has no token"))
            } else {
                Ok(granted)
            };
        }
        let error = serde_json::from_slice::<Denied>(body).map(|denied| denied.error).unwrap_or_default();
        let code = error.len() <= 40 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let code = if code && !error.is_empty() { format!(" ({error})") } else { String::new() };
        Err(self.failed(&format!("the server answered {}{code}", status.as_u16())))
    }

    fn failed(&self, why: &str) -> Unavailable {
        let target = self.client.token_url();
        Unavailable(format!("no token for `{{oauth:{}}}` from {}: {why}", self.name, target.shown()))
    }
}

/// HTTP Basic, each part encoded as in a form before (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &Secret) -> HeaderValue {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encoded(id), encoded(secret.reveal())));
    let value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair.reveal())));
    // Base64 has nothing that a header cannot hold.
    let mut value = value.unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
