//! `passerby check URL`: loads a page, and says whether it is counted, or what is in the way.
//!
//! It reads what the server sends and runs no script. So it can not see a tag that a tag manager or an
//! application adds, nor a blocker in a visitor's browser. It reports with a beacon that is empty and is
//! refused, so nothing is counted; and asks with another what the proxies in front tell of a visitor's address.

use std::io::Read;

use anyhow::{Context as _, anyhow, bail};
use axum::body::Body;
use axum::http::{HeaderName, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::read::GzDecoder;
use html5gum::{Token, Tokenizer};
use http_body_util::Full;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha384};
use url::Url;

use super::Context;
use super::check::Finding;
use super::policy::Policy;
use super::remote::{Remote, answer_of, segment, text, with};
use crate::http::probe;
use crate::outgoing::{ANSWER_BYTES_MAX, Answer, Browser, browser, fetch};
use crate::privacy::{Reach, Way};
use crate::script::Name;
use crate::site::domain::bare_domain;

/// How often a page may send its reader on.
const REDIRECTS_MAX: usize = 5;

/// How a file begins that is compressed.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// A page as its server sends it.
struct Page {
    url: Url,
    policies: Vec<Policy>,
    tags: Vec<Tag>,
}

/// A tag that brings the script.
struct Tag {
    src: Url,
    domain: Option<String>,
    api: Option<String>,
    nonce: Option<String>,
    integrity: Option<String>,
}

pub(super) async fn findings(context: &Context, url: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |what, outcome: anyhow::Result<String>| {
        let outcome = outcome.map_err(|error| format!("{error:#}"));
        let is_ok = outcome.is_ok();
        findings.push(Finding { what, outcome });
        is_ok
    };
    let browser = browser();
    let page = match load(&browser, url, &context.config.script.paths).await {
        Ok(page) => page,
        Err(error) => {
            note("page", Err(error));
            return findings;
        }
    };
    note("page", Ok(format!("{} was loaded", page.url)));
    let tag = match page.tags.as_slice() {
        [tag] => tag,
        tags => {
            note("tag", wrong_number(tags));
            return findings;
        }
    };
    note("tag", Ok(tag.src.to_string()));
    note("site", site(context, &page, tag).await);
    let script = script(&browser, tag).await;
    let endpoint = endpoint(tag, script.as_deref().unwrap_or_default());
    note("script", script.map(|text| format!("{} bytes", text.len())));
    match endpoint {
        Ok(endpoint) => {
            note("policy", allowed(&page, tag, &endpoint));
            if note("endpoint", reachable(&browser, &page, &endpoint).await) {
                note("addresses", addresses(context, &browser, &endpoint).await);
            }
        }
        Err(error) => {
            note("endpoint", Err(error));
        }
    }
    findings
}

async fn get(browser: &Browser, url: Url) -> anyhow::Result<Answer> {
    let mut url = url;
    for _ in 0..=REDIRECTS_MAX {
        let request = Request::get(url.as_str())
            .header(header::ACCEPT_ENCODING, "gzip")
            .body(Full::default())?;
        let answer = fetch(browser, request, url.clone()).await?;
        let on = answer.headers.get(header::LOCATION).and_then(|on| on.to_str().ok());
        match on.filter(|_| answer.status.is_redirection()) {
            Some(on) => url = url.join(on)?,
            None => return Ok(answer),
        }
    }
    bail!("{url} sends its reader on and on")
}

async fn load(browser: &Browser, url: &str, paths: &[String]) -> anyhow::Result<Page> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.context("the page's address must begin with http:// or https://")?;
    let answer = get(browser, url).await?;
    if !answer.status.is_success() {
        bail!("{} answers with {}", answer.url, answer.status);
    }
    let text = readable(&answer)?;
    let policies = answer.headers.get_all(header::CONTENT_SECURITY_POLICY);
    let policies = policies.iter().filter_map(|policy| policy.to_str().ok());
    let mut page = Page {
        policies: policies.flat_map(|policy| policy.split(',')).map(Policy::parse).collect(),
        tags: Vec::new(),
        url: answer.url,
    };
    page.read(&String::from_utf8_lossy(&text), paths);
    Ok(page)
}

impl Page {
    /// Finds the tags and the policies in the text of the page.
    fn read(&mut self, html: &str, paths: &[String]) {
        for token in Tokenizer::new(html).flatten() {
            let Token::StartTag(tag) = token else { continue };
            let attribute = |name: &str| {
                let value = tag.attributes.get(name.as_bytes())?;
                Some(String::from_utf8_lossy(value).into_owned())
            };
            if tag.name.as_slice() == b"script" {
                let Some(src) = attribute("src").and_then(|src| self.url.join(&src).ok()) else {
                    continue;
                };
                let found = Tag {
                    domain: attribute("data-domain"),
                    api: attribute("data-api"),
                    nonce: attribute("nonce"),
                    integrity: attribute("integrity"),
                    src,
                };
                if found.is_ours(paths) {
                    self.tags.push(found);
                }
            }
            let is_policy = attribute("http-equiv")
                .is_some_and(|name| name.eq_ignore_ascii_case("content-security-policy"));
            if tag.name.as_slice() == b"meta" && is_policy {
                self.policies.extend(attribute("content").map(|policy| Policy::parse(&policy)));
            }
        }
    }
}

impl Tag {
    /// A tag that names a site, or whose script has one of the names; modules count nothing themselves.
    fn is_ours(&self, paths: &[String]) -> bool {
        let file = self.src.path().rsplit('/').next().unwrap_or_default();
        let is_module = file.starts_with("vitals.") || file.starts_with("errors.");
        let is_named = self.src.path().contains("/js/") && Name::parse(file).is_some();
        !is_module
            && (self.domain.is_some()
                || is_named
                || paths.iter().any(|path| path == self.src.path()))
    }

    /// The domains that events are for, as the tag or its script's name says.
    fn domains(&self, page: &Url) -> Vec<String> {
        let file = self.src.path().rsplit('/').next().unwrap_or_default();
        let of_name =
            Name::parse(&percent_decode_str(file).decode_utf8_lossy()).and_then(|name| name.site);
        let told = of_name.or_else(|| self.domain.clone());
        let told = told.or_else(|| page.host_str().map(str::to_owned)).unwrap_or_default();
        told.split(',').map(bare_domain).filter(|domain| !domain.is_empty()).collect()
    }
}

/// The text of a page or script, unpacked as a browser does it, if what its server says of it is true.
fn readable(answer: &Answer) -> anyhow::Result<Bytes> {
    let url = &answer.url;
    let is_packed = |body: &[u8]| body.starts_with(GZIP);
    let encoding = told(answer, &header::CONTENT_ENCODING);
    let text = match encoding.as_str() {
        "" | "identity" => answer.body.clone(),
        "gzip" => {
            let mut text = Vec::new();
            let mut unpacked = GzDecoder::new(&answer.body[..]).take(ANSWER_BYTES_MAX as u64);
            unpacked.read_to_end(&mut text).map_err(|_| {
                anyhow!("{url} says that it is compressed with gzip, and is not: a proxy must leave content-encoding as it is")
            })?;
            text.into()
        }
        other => bail!("{url} is encoded as {other}, which was not asked for"),
    };
    if is_packed(&text) {
        let found = if encoding.is_empty() {
            "is compressed and does not say so: a proxy lost content-encoding"
        } else {
            "is compressed twice: once by a proxy that must leave it as it is"
        };
        bail!("{url} {found}");
    }
    let kind = told(answer, &header::CONTENT_TYPE);
    let charset = kind.split_once("charset=").map_or("", |(_, charset)| charset.trim_matches('"'));
    // What most of them have in common is ASCII.
    let has_ascii =
        !["utf-16", "utf-32", "iso-2022", "ucs-2"].iter().any(|wide| charset.starts_with(wide));
    let is_as_told = charset.is_empty() || charset == "utf-8" || (has_ascii && text.is_ascii());
    if std::str::from_utf8(&text).is_ok() && !is_as_told {
        bail!(
            "{url} is UTF-8, and is served as {charset}: browsers read something else (nginx: `charset utf-8`)"
        );
    }
    Ok(text)
}

/// The value of a header in lower case; empty without one.
fn told(answer: &Answer, name: &HeaderName) -> String {
    let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().trim().to_ascii_lowercase()
}

fn wrong_number(tags: &[Tag]) -> anyhow::Result<String> {
    if tags.is_empty() {
        bail!(
            "the page has no tag: paste the one that `passerby tag` shows (a tag that another script adds can not be \
             seen from here)"
        );
    }
    let sources: Vec<&str> = tags.iter().map(|tag| tag.src.as_str()).collect();
    bail!("the page has {} tags, and needs one: {}", tags.len(), sources.join(", "))
}

async fn site(context: &Context, page: &Page, tag: &Tag) -> anyhow::Result<String> {
    let domains = tag.domains(&page.url);
    let counted = with(context, async |remote| {
        let mut counted = Vec::new();
        for domain in &domains {
            counted.push(counted_as(remote, domain).await?);
        }
        Ok(counted.join(", "))
    })
    .await?;
    let host = bare_domain(page.url.host_str().unwrap_or_default());
    if domains.contains(&host) {
        Ok(counted)
    } else {
        Ok(format!("{counted} (the page's own host is {host})"))
    }
}

/// The domain, if what is sent for it is counted: that which a site had before is, too.
async fn counted_as(remote: &mut Remote, domain: &str) -> anyhow::Result<String> {
    let path = format!("/api/v1/sites/{}", segment(domain));
    let answer = remote.send(Method::GET, &path, Body::empty()).await?;
    // The owner may read every site that there is.
    if answer.0 == StatusCode::UNAUTHORIZED {
        bail!(
            "{domain} is no registered site: `passerby site add {domain}`, or another data-domain"
        );
    }
    let site = answer_of(answer)?;
    Ok(match text(&site, "domain") {
        same if same == domain => same.to_owned(),
        now => format!("{domain} (by now {now})"),
    })
}

/// The text of the script, if it is the one that the tag means.
async fn script(browser: &Browser, tag: &Tag) -> anyhow::Result<String> {
    let answer = get(browser, tag.src.clone()).await?;
    if !answer.status.is_success() {
        bail!("{} answers with {}", answer.url, answer.status);
    }
    let text = readable(&answer)?;
    let kind = told(&answer, &header::CONTENT_TYPE);
    let is_taken_at_its_word = told(&answer, &header::X_CONTENT_TYPE_OPTIONS) == "nosniff";
    if is_taken_at_its_word && !kind.contains("javascript") {
        bail!("{} has the content type {kind:?}, as which no browser runs a script", answer.url);
    }
    let integrity = format!("sha384-{}", STANDARD.encode(Sha384::digest(&text)));
    if tag.integrity.as_ref().is_some_and(|pinned| !pinned.contains(&integrity)) {
        bail!(
            "the tag pins another script than is served; `passerby tag --pinned` shows the one that is"
        );
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    if !text.contains("plausible") {
        bail!("{} is not the page script", answer.url);
    }
    Ok(text)
}

/// Where the script sends: the tag's word, or what the collector wrote into the script, or its own host.
fn endpoint(tag: &Tag, script: &str) -> anyhow::Result<Url> {
    let written = script.split_once("\"endpoint\":\"").and_then(|(_, rest)| rest.split('"').next());
    let told = tag.api.as_deref().or(written).unwrap_or("/api/event");
    tag.src.join(told).with_context(|| format!("data-api is {told}, which is no address"))
}

fn allowed(page: &Page, tag: &Tag, endpoint: &Url) -> anyhow::Result<String> {
    for policy in &page.policies {
        let refused = policy
            .refuses_script(&tag.src, &page.url, tag.nonce.as_deref())
            .or_else(|| policy.refuses_endpoint(endpoint, &page.url));
        if let Some(refused) = refused {
            bail!("the page's content security policy is in the way: {refused}");
        }
    }
    Ok(match page.policies.len() {
        0 => "the page has none".to_owned(),
        _ => "script and endpoint are allowed".to_owned(),
    })
}

/// Sends a beacon that nobody counts, and looks whether a collector refuses it.
async fn reachable(browser: &Browser, page: &Page, endpoint: &Url) -> anyhow::Result<String> {
    let request = Request::post(endpoint.as_str())
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Full::from("{}"))?;
    let answer = fetch(browser, request, endpoint.clone()).await?;
    if answer.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        bail!(
            "{endpoint} answers that the beacon is compressed, and it was not: a proxy adds content-encoding to requests"
        );
    }
    if answer.status != StatusCode::BAD_REQUEST
        || !answer.headers.contains_key("x-passerby-dropped")
    {
        bail!(
            "{endpoint} answers with {}, and not as a collector does: a proxy must pass POST on",
            answer.status
        );
    }
    let is_shared = answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    if endpoint.origin() != page.url.origin() && !is_shared {
        bail!(
            "{endpoint} lost the header access-control-allow-origin on its way: a proxy must leave it"
        );
    }
    Ok(endpoint.to_string())
}

/// Whether the collector learns a visitor's address. It does not tell which: only how it was found.
async fn addresses(context: &Context, browser: &Browser, endpoint: &Url) -> anyhow::Result<String> {
    let told =
        with(context, async |remote| remote.call(Method::GET, "/api/v1/probe", None).await).await?;
    let request = Request::post(endpoint.as_str())
        .header(probe::ASKS, "forwarding")
        .header(header::AUTHORIZATION, format!("Bearer {}", text(&told, "secret")))
        .body(Full::default())?;
    let answer = fetch(browser, request, endpoint.clone()).await?;
    if answer.status == StatusCode::UNAUTHORIZED {
        bail!(
            "another collector answers at {endpoint} than runs on {}, or a proxy loses the header authorization",
            context.config.data_dir.display()
        );
    }
    let way: Way = serde_json::from_slice(&answer.body)
        .ok()
        .with_context(|| format!("{endpoint} does not tell how it finds addresses"))?;
    way_of(&way, answer.port == Some(way.peer_port))
}

/// What a way means, on which this program's request came; `is_direct` when nobody stands in between. A header that
/// forwards an address is a proxy's then, because the request had none.
fn way_of(way: &Way, is_direct: bool) -> anyhow::Result<String> {
    const LOST: &str = "all visitors have one address";
    match (way.header.as_deref(), way.hops_before) {
        (Some(header), Some(0)) => Ok(match way.client {
            Reach::Public => format!("a trusted proxy forwards them ({header})"),
            Reach::Private => format!(
                "a trusted proxy forwards them ({header}); this one is private, which is right if the proxy is in a \
                 network of its own with this machine"
            ),
        }),
        (Some(header), Some(_)) => bail!(
            "{header} has more than one address, and the last that is not trusted is another proxy's: add that proxy to \
             trusted_proxies"
        ),
        (Some(header), None) if way.is_peer_trusted => bail!(
            "a trusted proxy sends {header}, which is not read, or holds no address: set X-Forwarded-For to the \
             visitor's address, or {LOST}"
        ),
        (Some(header), None) => bail!(
            "a proxy sends {header} and is not in trusted_proxies, so that it is not believed: {LOST}, the proxy's"
        ),
        (None, _) if is_direct => Ok("this machine is connected without a proxy".to_owned()),
        (None, _) if way.is_peer_trusted => bail!(
            "a trusted proxy forwards no address: set X-Forwarded-For to the visitor's, or {LOST}, the proxy's"
        ),
        (None, _) if way.peer == Reach::Private => bail!(
            "something in between connects from a private address and forwards none: set X-Forwarded-For there, and add \
             it to trusted_proxies, or {LOST}"
        ),
        (None, _) => Ok("the connection's own; no proxy shows itself".to_owned()),
    }
}
