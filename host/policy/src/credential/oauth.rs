//! `[oauth.NAME]`: where access tokens come from (RFC 6749).

use std::collections::BTreeMap;
use std::sync::Arc;

use toolcrib_secrets::SecretName;

use super::template::{SecretReference, Template};
use crate::authority::Authority;
use crate::error::{PolicyError, PolicyProblem};
use crate::http::{HttpGrant, HttpTarget, Scheme};
use crate::reader::Node;

/// The clients of a file, by name.
pub(crate) type OAuthClients = BTreeMap<SecretName, Arc<OAuthClient>>;

/// A client of an authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthClient {
    /// How tokens are got.
    pub flow: OAuthFlow,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`; a public client has none.
    pub client_secret: Option<Template>,
    /// How the client says who it is.
    pub authentication: ClientAuthentication,
    /// `scope`, the names with spaces between.
    pub scope: Option<String>,
    /// Parameters beyond the standard, such as `audience` or `resource`.
    pub parameters: BTreeMap<String, String>,
    token_url: HttpTarget,
    grant: HttpGrant,
}

/// How tokens are got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthFlow {
    /// The client's own credentials (RFC 6749, 4.4).
    ClientCredentials,
    /// A refresh token that a person's consent once gave (RFC 6749, 6). The secret is replaced where the server gives a
    /// new one.
    RefreshToken(SecretName),
}

/// How a client says who it is (RFC 6749, 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// HTTP Basic.
    #[default]
    Basic,
    /// In the form.
    Form,
}

impl OAuthClient {
    /// The token endpoint: a `POST`.
    pub fn token_url(&self) -> &HttpTarget {
        &self.token_url
    }

    /// The authority to ask the token endpoint, and for nothing else.
    pub fn authority(&self) -> Authority {
        Authority::of_host(self.grant.clone())
    }

    /// The port of the token endpoint.
    pub(crate) fn port(&self) -> u16 {
        self.token_url.port
    }

    /// Everything that it refers to.
    pub fn references(&self) -> Vec<SecretReference> {
        let mut references: Vec<_> = self.client_secret.iter().flat_map(Template::references).cloned().collect();
        if let OAuthFlow::RefreshToken(name) = &self.flow {
            references.push(SecretReference::Secret(name.clone()));
        }
        references
    }

    /// The client as a reviewer compares it; secrets by their names.
    pub(crate) fn shown(&self) -> String {
        let flow = match &self.flow {
            OAuthFlow::ClientCredentials => "client-credentials".to_owned(),
            OAuthFlow::RefreshToken(name) => format!("refresh-token {{secret:{name}}}"),
        };
        let secret = self.client_secret.as_ref().map(|secret| format!(" client-secret {secret}")).unwrap_or_default();
        let how = match self.authentication {
            ClientAuthentication::Basic => "basic",
            ClientAuthentication::Form => "form",
        };
        let scope = self.scope.as_ref().map(|scope| format!(" scope {scope:?}")).unwrap_or_default();
        let parameters: String = self.parameters.iter().map(|(key, value)| format!(" {key}={value:?}")).collect();
        format!("{flow} from {} as {:?} ({how}){secret}{scope}{parameters}", self.grant, self.client_id)
    }

    fn read(node: Node<'_>, name: &str) -> Result<Self, PolicyError> {
        let mut table = node.table(format!("`[oauth.{name}]`"))?;
        let missing = |key, example| PolicyProblem::Missing { key, example }.at(node.place());
        let url =
            table.take("token-url").ok_or_else(|| missing("token-url", "write the address of the token endpoint"))?;
        let via = table.take("via").map(|node| Ok((node, node.text()?))).transpose()?;
        let (token_url, grant) = endpoint(&url, via)?;
        let refresh = table.take("refresh-token").map(|node| refresh_token(&node)).transpose()?;
        let client_id = table.take("client-id").ok_or_else(|| missing("client-id", "write `client-id = \"…\"`"))?;
        let client = Self {
            client_id: client_id.text()?.to_owned(),
            client_secret: table.take("client-secret").map(|node| secret_text(&node)).transpose()?,
            authentication: table.take("client-authentication").map_or(Ok(ClientAuthentication::Basic), how)?,
            scope: table.take("scope").map(|node| node.text().map(str::to_owned)).transpose()?,
            parameters: table.take("parameters").map_or(Ok(BTreeMap::new()), |node| parameters(&node))?,
            flow: refresh.map_or(OAuthFlow::ClientCredentials, OAuthFlow::RefreshToken),
            token_url,
            grant,
        };
        if client.flow == OAuthFlow::ClientCredentials && client.client_secret.is_none() {
            return Err(missing(
                "client-secret",
                "write `client-secret = \"{secret:NAME}\"`, or `refresh-token` for tokens that a person consented to",
            ));
        }
        table.finish()?;
        Ok(client)
    }
}

/// Reads `[oauth]`: a table for each client.
pub(crate) fn read(node: Node<'_>) -> Result<OAuthClients, PolicyError> {
    let mut clients = OAuthClients::new();
    for node in node.table("`[oauth]`".to_owned())?.all() {
        let name: SecretName = node.key().parse().map_err(|error| node.wrong(node.key(), error))?;
        let client = OAuthClient::read(node, name.as_str())?;
        clients.insert(name, Arc::new(client));
    }
    Ok(clients)
}

fn endpoint(node: &Node<'_>, via: Option<(Node<'_>, &str)>) -> Result<(HttpTarget, HttpGrant), PolicyError> {
    let text = node.text()?;
    let target = HttpTarget::parse("POST", text).map_err(|error| node.wrong(text, error))?;
    let line = crate::http::HttpPattern::exactly(&target).to_string();
    let line = via.map_or(line.clone(), |(_, via)| format!("{line} via {via}"));
    let grant = HttpGrant::parse(&line).map_err(|error| match via {
        Some((via, range)) => via.wrong(range, error),
        None => node.wrong(text, error),
    })?;
    let here = grant.pattern().door().is_some_and(|door| door.host.is_this_machine());
    if target.scheme == Scheme::Http && !here {
        return Err(node.wrong(text, "secrets would travel unencrypted: use `https`"));
    }
    Ok((target, grant))
}

fn refresh_token(node: &Node<'_>) -> Result<SecretName, PolicyError> {
    let template = secret_text(node)?;
    match template.parts() {
        [super::TemplatePart::Reference(SecretReference::Secret(name))] => Ok(name.clone()),
        _ => Err(node.wrong(node.text()?, "write `{secret:NAME}` alone: the host replaces it when the server does")),
    }
}

/// A template of secrets alone: a token is not got with another token.
fn secret_text(node: &Node<'_>) -> Result<Template, PolicyError> {
    let text = node.text()?;
    let template = Template::read(node)?;
    if template.references().any(|reference| matches!(reference, SecretReference::OAuth(_))) {
        return Err(node.wrong(text, "a token cannot be got with another token: write `{secret:NAME}`"));
    }
    Ok(template)
}

fn how(node: Node<'_>) -> Result<ClientAuthentication, PolicyError> {
    match node.text()? {
        "basic" => Ok(ClientAuthentication::Basic),
        "form" => Ok(ClientAuthentication::Form),
        other => Err(node.wrong(other, "write `basic` or `form`")),
    }
}

fn parameters(node: &Node<'_>) -> Result<BTreeMap<String, String>, PolicyError> {
    const OWN: &[&str] = &["grant_type", "client_id", "client_secret", "refresh_token", "scope"];
    let table = node.table("`parameters`".to_owned())?;
    let entry = |node: Node<'_>| {
        let key = node.key();
        if OWN.contains(&key) {
            return Err(node.wrong(key, "the host writes this parameter itself"));
        }
        Ok((key.to_owned(), node.text()?.to_owned()))
    };
    table.all().map(entry).collect()
}
