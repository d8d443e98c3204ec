//! One entry of `credentials`: to which requests a secret goes, and where in them.

use std::fmt;

use super::pattern::CredentialPattern;
use super::template::{SecretReference, Template};
use crate::error::{PolicyError, PolicyProblem};
use crate::http::{HttpTarget, Scheme};
use crate::reader::{Node, Source, Table};

/// Headers that say where a message goes and where it ends, or that a credential could not be in: the host writes them.
const NOT_CREDENTIALS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "range",
    "signature",
    "signature-input",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// An operator's grant: requests that match get a credential, added by the host where the plugin cannot see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialGrant {
    pattern: CredentialPattern,
    placement: Placement,
    /// Whether it may travel without TLS to another machine.
    cleartext: bool,
}

/// Where a credential goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// Into a header, whose name is in lower case.
    Header(String, Template),
    /// Into the query, under a name.
    Query(String, Template),
    /// Into `Authorization`, as `user:password` of HTTP Basic (RFC 7617).
    Basic(Template),
    /// Nowhere: it signs the request.
    Signature(Signature),
}

/// How a request is signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Signature {
    /// HTTP Message Signatures (RFC 9421) with `hmac-sha256`, over the method, the target URI and the time.
    HttpMessage {
        /// `keyid`: how the server knows the key.
        key_id: String,
        /// The key.
        key: Template,
    },
    /// AWS Signature Version 4, over the whole request.
    AwsSigV4 {
        /// The access key id, which is no secret.
        key_id: String,
        /// The secret access key.
        key: Template,
        /// The session token of temporary credentials.
        session: Option<Template>,
        /// Such as `eu-central-1`.
        region: String,
        /// Such as `s3`.
        service: String,
    },
}

impl CredentialGrant {
    /// The requests that it is for.
    pub fn pattern(&self) -> &CredentialPattern {
        &self.pattern
    }

    /// Where it goes.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Whether it is for this request.
    pub(crate) fn is_for(&self, target: &HttpTarget) -> bool {
        self.pattern.matches(target)
    }

    /// Everything that it refers to.
    pub fn references(&self) -> Vec<&SecretReference> {
        match &self.placement {
            Placement::Header(_, template) | Placement::Query(_, template) | Placement::Basic(template) => {
                template.references().collect()
            }
            Placement::Signature(Signature::HttpMessage { key, .. }) => key.references().collect(),
            Placement::Signature(Signature::AwsSigV4 { key, session, .. }) => {
                key.references().chain(session.iter().flat_map(Template::references)).collect()
            }
        }
    }

    /// What is done, in words for a receipt: `header authorization`.
    pub fn access(&self) -> String {
        match &self.placement {
            Placement::Header(name, _) => format!("header {name}"),
            Placement::Query(name, _) => format!("query {name}"),
            Placement::Basic(_) => "header authorization".to_owned(),
            Placement::Signature(Signature::HttpMessage { .. }) => "sign http-message".to_owned(),
            Placement::Signature(Signature::AwsSigV4 { .. }) => "sign aws-sigv4".to_owned(),
        }
    }

    /// The place of a request that is written.
    pub(crate) fn place(&self) -> (&'static str, &str) {
        match &self.placement {
            Placement::Header(name, _) => ("header", name),
            Placement::Query(name, _) => ("query", name),
            Placement::Basic(_) | Placement::Signature(Signature::AwsSigV4 { .. }) => ("header", "authorization"),
            Placement::Signature(Signature::HttpMessage { .. }) => ("header", "signature"),
        }
    }

    /// Reads `{ for = "https://…/**", header = "Authorization", value = "Bearer {secret:github}" }`.
    pub(crate) fn read(node: Node<'_>) -> Result<Self, PolicyError> {
        let mut table = node.table("an entry of `credentials`".to_owned())?;
        table.only(KEYS)?;
        let pattern = required(&mut table, &node, "for", EXAMPLE)?;
        let text = pattern.text()?;
        let parsed = CredentialPattern::parse(text).map_err(|error| pattern.wrong(text, error))?;
        let Some(door) = parsed.http().door() else {
            return Err(pattern.wrong(text, "name the host that the credential goes to"));
        };
        let cleartext = table.take("cleartext").map_or(Ok(false), |node| node.boolean())?;
        if door.scheme == Scheme::Http && !door.host.is_this_machine() && !cleartext {
            return Err(pattern.wrong(
                text,
                "the credential would travel unencrypted: use `https`, or say that it may with `cleartext = true`",
            ));
        }
        let placement = placement(&mut table, &node)?;
        table.finish()?;
        Ok(Self { pattern: parsed, placement, cleartext })
    }

    /// Reads an entry as it stands between the brackets of the list.
    pub(crate) fn parse(line: &str) -> Result<Self, PolicyError> {
        let text = format!("credential = {}", line.trim());
        let source = Source { text: &text, origin: "the credential" };
        let root = source.parse()?;
        let mut table = Table::root(source, root.get_ref());
        let missing = || PolicyProblem::Missing { key: "credential", example: EXAMPLE }.at(source.whole());
        let node = table.take("credential").ok_or_else(missing)?;
        let read = Self::read(node)?;
        table.finish()?;
        Ok(read)
    }
}

/// Every key of an entry, of whatever kind.
const KEYS: &[&str] = &[
    "for",
    "cleartext",
    "header",
    "query",
    "value",
    "basic",
    "sign",
    "key-id",
    "key",
    "session-token",
    "region",
    "service",
];

const EXAMPLE: &str =
    "write `{ for = \"https://api.example.com/**\", header = \"Authorization\", value = \"Bearer {secret:NAME}\" }`";
const QUERY_EXAMPLE: &str =
    "write `{ for = \"https://api.example.com/**\", query = \"key\", value = \"{secret:NAME}\" }`";
const MESSAGE_EXAMPLE: &str = "write `{ for = \"https://api.example.com/**\", sign = \"http-message\", \
                               key-id = \"…\", key = \"{secret:NAME}\" }`";
const AWS_EXAMPLE: &str = "write `{ for = \"https://s3.eu-central-1.amazonaws.com/**\", sign = \"aws-sigv4\", \
                           key-id = \"…\", key = \"{secret:NAME}\", region = \"eu-central-1\", service = \"s3\" }`";

fn required<'a>(
    table: &mut Table<'a>,
    node: &Node<'_>,
    key: &'static str,
    example: &'static str,
) -> Result<Node<'a>, PolicyError> {
    let missing = || PolicyProblem::Missing { key, example }.at(node.place());
    table.take(key).ok_or_else(missing)
}

fn placement(table: &mut Table<'_>, node: &Node<'_>) -> Result<Placement, PolicyError> {
    let found = ["header", "query", "basic", "sign"].map(|key| table.take(key));
    let given = found.iter().flatten().count();
    if given != 1 {
        let problem = if given == 0 { "say where it goes" } else { "it goes to one place" };
        return Err(node.wrong(
            "{ … }",
            format!("{problem}: `header` or `query` with `value`, `basic`, or `sign` with `key` and `key-id`"),
        ));
    }
    match found {
        [Some(header), ..] => {
            let value = required(table, node, "value", EXAMPLE)?;
            Ok(Placement::Header(header_name(&header)?, Template::read(&value)?))
        }
        [_, Some(query), ..] => {
            let value = required(table, node, "value", QUERY_EXAMPLE)?;
            Ok(Placement::Query(query_name(&query)?, Template::read(&value)?))
        }
        [_, _, Some(basic), _] => user_and_password(&basic).map(Placement::Basic),
        [.., Some(sign)] => signature(&sign, table, node).map(Placement::Signature),
        [None, None, None, None] => Err(node.wrong("{ … }", EXAMPLE)),
    }
}

fn header_name(node: &Node<'_>) -> Result<String, PolicyError> {
    let text = node.text()?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let name = text.to_ascii_lowercase();
    if text.is_empty() || text.len() > 100 || !text.bytes().all(token) {
        return Err(node.wrong(text, "it is not the name of a header"));
    }
    if NOT_CREDENTIALS.contains(&name.as_str()) || name.starts_with("proxy-") {
        return Err(node.wrong(text, "the host writes this header itself, or it says how a message is read"));
    }
    Ok(name)
}

fn query_name(node: &Node<'_>) -> Result<String, PolicyError> {
    let text = node.text()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~[]".contains(&byte);
    if text.is_empty() || text.len() > 100 || !text.bytes().all(fits) {
        return Err(node.wrong(text, "write a name of letters, digits, `-`, `.`, `_`, `~`, `[` and `]`"));
    }
    Ok(text.to_owned())
}

fn user_and_password(node: &Node<'_>) -> Result<Template, PolicyError> {
    let text = node.text()?;
    // A reference has a colon of its own.
    let outside: String = text.split('{').map(|part| part.rsplit('}').next().unwrap_or_default()).collect();
    if !outside.contains(':') {
        return Err(node.wrong("…", "write `user:{secret:NAME}`"));
    }
    Template::read(node)
}

fn signature(sign: &Node<'_>, table: &mut Table<'_>, node: &Node<'_>) -> Result<Signature, PolicyError> {
    let (aws, example) = match sign.text()? {
        "http-message" => (false, MESSAGE_EXAMPLE),
        "aws-sigv4" => (true, AWS_EXAMPLE),
        other => return Err(sign.wrong(other, "write `http-message` (RFC 9421) or `aws-sigv4`")),
    };
    let key_id = word(&required(table, node, "key-id", example)?)?;
    let key = Template::read(&required(table, node, "key", example)?)?;
    if !aws {
        return Ok(Signature::HttpMessage { key_id, key });
    }
    Ok(Signature::AwsSigV4 {
        key_id,
        key,
        session: table.take("session-token").map(|node| Template::read(&node)).transpose()?,
        region: word(&required(table, node, "region", example)?)?,
        service: word(&required(table, node, "service", example)?)?,
    })
}

/// A plain word, which can stand in a quoted string of a header.
fn word(node: &Node<'_>) -> Result<String, PolicyError> {
    let text = node.text()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/@+=".contains(&byte);
    if text.is_empty() || text.len() > 200 || !text.bytes().all(fits) {
        return Err(node.wrong(text, "write letters, digits and `-._:/@+=` only"));
    }
    Ok(text.to_owned())
}

/// As an entry of the list: TOML that [`CredentialGrant::parse`] reads.
impl fmt::Display for CredentialGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &dyn fmt::Display| toml::Value::from(text.to_string()).to_string();
        write!(f, "{{ for = {}", text(&self.pattern))?;
        let mut pair = |key: &str, value: &dyn fmt::Display| write!(f, ", {key} = {}", text(value));
        match &self.placement {
            Placement::Header(name, template) => {
                pair("header", name)?;
                pair("value", template)?;
            }
            Placement::Query(name, template) => {
                pair("query", name)?;
                pair("value", template)?;
            }
            Placement::Basic(template) => pair("basic", template)?,
            Placement::Signature(Signature::HttpMessage { key_id, key }) => {
                pair("sign", &"http-message")?;
                pair("key-id", key_id)?;
                pair("key", key)?;
            }
            Placement::Signature(Signature::AwsSigV4 { key_id, key, session, region, service }) => {
                pair("sign", &"aws-sigv4")?;
                pair("key-id", key_id)?;
                pair("key", key)?;
                session.iter().try_for_each(|session| pair("session-token", session))?;
                pair("region", region)?;
                pair("service", service)?;
            }
        }
        f.write_str(if self.cleartext { ", cleartext = true }" } else { " }" })
    }
}
