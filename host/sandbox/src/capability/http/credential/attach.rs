//! Adds to a checked request what its grants say.

use std::time::{Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderName, HeaderValue};
use toolcrib_policy::{
    Authority, CredentialGrant, Placement, Refusal, SecretReference, Signature, Template, TemplatePart,
};
use toolcrib_secrets::{MIN_SECRET_BYTES, Secret, percent_encoded};
use wasmtime_wasi_http::WasiBody;

use super::mask::Mask;
use super::vault::{Unavailable, Vault};
use super::{sign, sigv4};
use crate::call::Record;
use crate::capability::http::check::Checked;
use crate::capability::http::error::Failure;
use crate::receipt::{Came, Used};

/// The name in receipts.
const NAME: &str = "credentials";

/// What came of it.
pub(crate) struct Attached {
    /// The body, which a signature may have had to read.
    pub(crate) body: WasiBody,
    /// Hides the credentials in the answer; `None` where there are none.
    pub(crate) mask: Option<Mask>,
    /// What was used.
    pub(crate) references: Vec<SecretReference>,
}

/// Adds the credentials that the grants give to a request, or fails if one of them cannot be had. Those that are kept from
/// it by another side are written down, and it goes without them.
pub(crate) async fn attach(
    authority: &Authority,
    vault: &dyn Vault,
    record: &Record,
    checked: &mut Checked,
    body: WasiBody,
) -> Result<Attached, Failure> {
    let target = checked.target.clone();
    let shown = target.shown();
    let (grants, refusals) = authority.credentials(&target);
    for refusal in &refusals {
        record.refused(NAME, "add", &shown, refusal);
    }
    let Some(first) = grants.first().copied() else {
        return Ok(Attached { body, mask: None, references: Vec::new() });
    };
    let mut adding = Adding { vault, checked, body, hidden: Vec::new(), references: Vec::new() };
    adding.plain_answers();
    // A signature covers the request as it leaves: it comes last.
    let (signatures, plain): (Vec<_>, Vec<_>) =
        grants.into_iter().partition(|grant| matches!(grant.placement(), Placement::Signature(_)));
    for grant in plain.into_iter().chain(signatures) {
        let access = grant.access();
        let used = Used { capability: NAME, access: &access, target: &shown, by: Some(grant), began: Instant::now() };
        match adding.add(grant).await {
            Ok(()) => {
                record.allowed(&used, false);
                record.add(&used, Came { took: used.began.elapsed(), ..Came::default() });
            }
            Err(error) => {
                let refusal: Refusal = authority.credential_unavailable(grant, &target, &error.0);
                record.refused(NAME, &access, &shown, &refusal);
                return Err(Failure::Refused(refusal));
            }
        }
    }
    let Adding { body, hidden, references, .. } = adding;
    match Mask::new(&hidden) {
        Some(mask) => Ok(Attached { body, mask: Some(mask), references }),
        None => {
            let why = "its secrets are too long to be masked in the answer";
            Err(Failure::Refused(authority.credential_unavailable(first, &target, why)))
        }
    }
}

/// A request on its way to its credentials.
struct Adding<'a> {
    vault: &'a dyn Vault,
    checked: &'a mut Checked,
    body: WasiBody,
    /// What the answer must not show.
    hidden: Vec<Secret>,
    references: Vec<SecretReference>,
}

impl Adding<'_> {
    /// Asks for an answer that can be searched, and for all of it.
    fn plain_answers(&mut self) {
        let headers = &mut self.checked.headers;
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.remove(header::RANGE);
        headers.remove(header::IF_RANGE);
    }

    async fn add(&mut self, grant: &CredentialGrant) -> Result<(), Unavailable> {
        match grant.placement() {
            Placement::Header(name, template) => {
                let value = self.filled(template).await?;
                self.header(name, value.reveal())
            }
            Placement::Basic(template) => {
                let pair = self.filled(template).await?;
                let encoded = Secret::new(STANDARD.encode(pair.reveal()));
                self.header(header::AUTHORIZATION.as_str(), &format!("Basic {}", encoded.reveal()))?;
                self.hidden.extend([encoded, pair]);
                Ok(())
            }
            Placement::Query(name, template) => {
                let value = self.filled(template).await?;
                self.query(name, value.reveal())
            }
            Placement::Signature(Signature::HttpMessage { key_id, key }) => {
                let key = self.filled(key).await?;
                sign::http_message(self.checked, key_id, key.reveal().as_bytes(), SystemTime::now()).map_err(unfit)
            }
            Placement::Signature(Signature::AwsSigV4 { key_id, key, session, region, service }) => {
                let key = self.filled(key).await?;
                let session = match session {
                    Some(session) => Some(self.filled(session).await?),
                    None => None,
                };
                let body = std::mem::take(&mut self.body);
                let credential = sigv4::Credential { key_id, key: &key, session: session.as_ref(), region, service };
                self.body = sigv4::sign(self.checked, body, &credential, SystemTime::now()).await?;
                Ok(())
            }
        }
    }

    /// The text of a template with the secrets in it. Each is hidden from here on, and the whole where it is one value.
    async fn filled(&mut self, template: &Template) -> Result<Secret, Unavailable> {
        let mut text = String::new();
        for part in template.parts() {
            match part {
                TemplatePart::Text(plain) => text.push_str(plain),
                TemplatePart::Reference(reference) => {
                    let secret = self.vault.reveal(reference).await?;
                    let bytes = secret.reveal().len();
                    if bytes < MIN_SECRET_BYTES {
                        return Err(Unavailable(format!(
                            "{reference} has {bytes} bytes, and one of less than {MIN_SECRET_BYTES} cannot be masked in answers"
                        )));
                    }
                    text.push_str(secret.reveal());
                    self.hidden.push(secret);
                    self.references.push(reference.clone());
                }
            }
        }
        Ok(Secret::new(text))
    }

    /// Sets a header. Whatever the guest said there is gone.
    fn header(&mut self, name: &str, value: &str) -> Result<(), Unavailable> {
        let name = HeaderName::try_from(name).map_err(|_| unfit("it is not the name of a header"))?;
        let mut value =
            HeaderValue::try_from(value).map_err(|_| unfit("its secret has a byte that no header can hold"))?;
        value.set_sensitive(true);
        self.checked.headers.insert(name, value);
        Ok(())
    }

    /// Sets a parameter of the query. Whatever the guest said under the same name is gone. The target that receipts and
    /// messages show is not touched: it has no query.
    fn query(&mut self, name: &str, value: &str) -> Result<(), Unavailable> {
        let path_and_query = self.checked.uri.path_and_query().map(|text| text.as_str().to_owned()).unwrap_or_default();
        let (path, query) = path_and_query.split_once('?').unwrap_or((&path_and_query, ""));
        let is_ours = |pair: &&str| {
            let key = pair.split('=').next().unwrap_or_default();
            decoded(key) != name
        };
        let mut pairs: Vec<String> =
            query.split('&').filter(|pair| !pair.is_empty()).filter(is_ours).map(str::to_owned).collect();
        pairs.push(format!("{}={}", percent_encoded(name), percent_encoded(value)));
        let uri = http::Uri::builder().path_and_query(format!("{path}?{}", pairs.join("&"))).build();
        self.checked.uri = uri.map_err(|_| unfit("its secret makes no address"))?;
        Ok(())
    }
}

fn unfit(why: &str) -> Unavailable {
    Unavailable(why.to_owned())
}

fn decoded(text: &str) -> String {
    url::form_urlencoded::parse(text.as_bytes()).map(|(key, _)| key.into_owned()).collect()
}
