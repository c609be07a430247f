//! The authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636): the browser is sent to the provider
//! and comes back with a code, which is exchanged for the provider's word for who it is.
//!
//! What of a flow must be known when the browser comes back, the browser keeps itself, in a cookie: so nobody can
//! make the collector remember flows, and who comes back without having gone is not signed in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::id_token::{Expected, Keys, Unbelievable, claims};
use super::{base64url, random_text};
use crate::config::{Oidc, Secret};
use crate::outgoing::{Browser, FetchError, browser, fetch};
use crate::site::member::Person;

/// For how long what the provider says of itself is believed.
const METADATA_AGE: SignedDuration = SignedDuration::from_mins(10);

/// Where a provider is asked, as it says itself.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What the provider gives for a code.
#[derive(Deserialize)]
struct Granted {
    id_token: String,
    access_token: Option<String>,
}

/// One way to the provider and back: a secret that only the browser has, and what follows from it.
pub(crate) struct Flow(String);

impl Flow {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(crate) fn begin() -> Result<Self, getrandom::Error> {
        random_text().map(Self)
    }

    /// The one that a browser shows.
    pub(crate) fn shown(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    /// What the browser keeps.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// What comes back with the code.
    pub(crate) fn state(&self) -> String {
        self.derived("state")
    }

    fn nonce(&self) -> String {
        self.derived("nonce")
    }

    fn verifier(&self) -> String {
        self.derived("verifier")
    }

    fn challenge(&self) -> String {
        base64url(&Sha256::digest(self.verifier().as_bytes()))
    }

    fn derived(&self, what: &str) -> String {
        // Unwrap safety: a key of HMAC may have any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes())
            .unwrap_or_else(|_| unreachable!("a key of HMAC may have any length"));
        mac.update(what.as_bytes());
        base64url(&mac.finalize().into_bytes())
    }
}

/// So many sign-ins ask the provider at once.
const TURNS_MAX: usize = 8;
/// So many wait for others to have done so.
const WAITING_MAX: usize = 64;
/// How long one waits for the others.
const TURN_PATIENCE: Duration = Duration::from_secs(10);

/// Nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// The provider does not answer.
    #[error(transparent)]
    Away(#[from] FetchError),
    /// The provider answers with something else than the protocol has.
    #[error("{url} answers with {status}, or not as OpenID Connect has it")]
    Odd { url: Url, status: u16 },
    /// What the provider says of itself does not fit what the operator says of it.
    #[error(
        "sign_in.oidc.issuer is {asked}, but the provider there calls itself {told}: give it letter by letter"
    )]
    OtherIssuer { asked: String, told: String },
    /// The code is none, was used, or is too old.
    #[error("the provider does not take the code or the client: {0}")]
    Code(String),
    /// Its word is not to be believed.
    #[error(transparent)]
    Unbelievable(#[from] Unbelievable),
    /// Its word has no name, or one that is none.
    #[error(
        "the provider does not say `{0}` of who signed in, or it is no name: look at sign_in.oidc.claim and scopes"
    )]
    NoName(String),
    /// Anybody may write any address with it.
    #[error(
        "the provider does not say that the address of who signed in is verified (email_verified)"
    )]
    NotVerified,
    /// As many as may sign in at once do so.
    #[error("too many sign in at the same moment")]
    Busy,
}

/// A provider that signs people in.
pub(crate) struct Provider {
    issuer: String,
    client_id: String,
    client_secret: Option<Secret>,
    scopes: String,
    claim: String,
    redirect_uri: String,
    browser: Browser,
    metadata: Mutex<Option<(Timestamp, Arc<Metadata>)>>,
    /// Whoever asks the provider has one: anybody may begin, and a slow provider would gather them.
    turns: Semaphore,
    waiting: Semaphore,
}

impl Provider {
    /// The path to which browsers come back.
    pub(crate) const DONE: &str = "/sign-in/oidc/done";

    /// The provider that the operator names, for the collector at that address.
    pub(crate) fn new(config: &Oidc, client_secret: Option<Secret>, public_url: &str) -> Self {
        Self {
            issuer: config.issuer.clone(),
            client_id: config.client_id.clone(),
            client_secret,
            scopes: config.scopes.join(" "),
            claim: config.claim.clone(),
            redirect_uri: format!("{public_url}{}", Self::DONE),
            browser: browser(),
            metadata: Mutex::default(),
            turns: Semaphore::new(TURNS_MAX),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// What people know it by.
    pub(crate) fn name(&self) -> String {
        let host = Url::parse(&self.issuer).ok();
        host.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whether an answer that names its issuer (RFC 9207) is this one's.
    pub(crate) fn is(&self, issuer: &str) -> bool {
        self.issuer == issuer
    }

    /// Where the browser is sent.
    pub(crate) async fn begin(&self, flow: &Flow, now: Timestamp) -> Result<Url, SignInError> {
        let mut url = self.metadata(now).await?.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &self.scopes)
            .append_pair("state", &flow.state())
            .append_pair("nonce", &flow.nonce())
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Who it is that came back with a code.
    pub(crate) async fn finish(
        &self,
        flow: &Flow,
        code: &str,
        now: Timestamp,
    ) -> Result<Person, SignInError> {
        let metadata = self.metadata(now).await?;
        let _turn = self.turn().await?;
        let granted = self.exchange(&metadata, flow, code).await?;
        let keys: Keys = self.read(&metadata.jwks_uri, None).await?;
        let nonce = flow.nonce();
        let (issuer, client_id) = (self.issuer.as_str(), self.client_id.as_str());
        let expected = Expected { issuer, client_id, nonce: &nonce, now };
        let mut said = claims(&granted.id_token, &keys, &expected)?;
        // Some providers tell more only where they are asked for it, of the same person.
        let is_whole = said.contains_key(&self.claim)
            && (self.claim != "email" || said.contains_key("email_verified"));
        if !is_whole
            && let (Some(url), Some(token)) = (&metadata.userinfo_endpoint, &granted.access_token)
        {
            let more: Map<String, Value> = self.read(url, Some(token)).await?;
            if more.get("sub") == said.get("sub") {
                said = more;
            }
        }
        self.person(&said)
    }

    /// A turn to ask the provider. Anybody may come with a code that is none, and would take all of them from those who
    /// have one: so whoever comes waits a while, and they are served in their order. Those who are too many are refused at once, for
    /// each that waits holds a connection.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, SignInError> {
        let _place = self.waiting.try_acquire().map_err(|_| SignInError::Busy)?;
        let turn = tokio::time::timeout(TURN_PATIENCE, self.turns.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or(SignInError::Busy)
    }

    fn person(&self, said: &Map<String, Value>) -> Result<Person, SignInError> {
        let name = said.get(&self.claim).and_then(Value::as_str).and_then(Person::named);
        let name = name.ok_or_else(|| SignInError::NoName(self.claim.clone()))?;
        let is_verified = said.get("email_verified").is_some_and(|is| *is == true || is == "true");
        if self.claim == "email" && !is_verified {
            return Err(SignInError::NotVerified);
        }
        Ok(name)
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        flow: &Flow,
        code: &str,
    ) -> Result<Granted, SignInError> {
        let url = &metadata.token_endpoint;
        let odd = |status: u16| SignInError::Odd { url: url.clone(), status };
        let request = self.asks_for_tokens(metadata, flow, code).map_err(|_| odd(0))?;
        let answer = fetch(&self.browser, request, url.clone()).await?;
        if answer.status.is_client_error() {
            let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let said = said["error"].as_str().unwrap_or("it does not say why");
            return Err(SignInError::Code(said.chars().take(80).collect()));
        }
        serde_json::from_slice(&answer.body).map_err(|_| odd(answer.status.as_u16()))
    }

    fn asks_for_tokens(
        &self,
        metadata: &Metadata,
        flow: &Flow,
        code: &str,
    ) -> Result<Request<Full<Bytes>>, axum::http::Error> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("code_verifier", &flow.verifier());
        let mut request = Request::post(metadata.token_endpoint.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        // In the header, unless the provider knows only the other way.
        let ways = metadata.token_endpoint_auth_methods_supported.as_ref();
        let in_header = ways.is_none_or(|ways| ways.iter().any(|way| way == "client_secret_basic"));
        match &self.client_secret {
            Some(secret) if in_header => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(&self.client_id), encoded(secret.expose()));
                let value = format!("Basic {}", STANDARD.encode(pair));
                request = request.header(header::AUTHORIZATION, value);
            }
            secret => {
                form.append_pair("client_id", &self.client_id);
                if let Some(secret) = secret {
                    form.append_pair("client_secret", secret.expose());
                }
            }
        }
        request.body(Full::from(form.finish()))
    }

    /// What the provider says of itself: as of late, or asked anew.
    async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, SignInError> {
        let is_fresh = |read: Timestamp| now.duration_since(read).abs() < METADATA_AGE;
        let known = || {
            let known = self.metadata.lock().unwrap_or_else(PoisonError::into_inner).clone();
            known.filter(|(read, _)| is_fresh(*read)).map(|(_, metadata)| metadata)
        };
        if let Some(metadata) = known() {
            return Ok(metadata);
        }
        let _turn = self.turn().await?;
        // Who had the turn before may have asked for it.
        if let Some(metadata) = known() {
            return Ok(metadata);
        }
        let place =
            format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let url = Url::parse(&place).map_err(|_| SignInError::OtherIssuer {
            asked: self.issuer.clone(),
            told: "nothing".to_owned(),
        })?;
        let metadata: Arc<Metadata> = Arc::new(self.read(&url, None).await?);
        if metadata.issuer != self.issuer {
            let (asked, told) = (self.issuer.clone(), metadata.issuer.clone());
            return Err(SignInError::OtherIssuer { asked, told });
        }
        let ours = url.scheme();
        let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint];
        let rest = [Some(&metadata.jwks_uri), metadata.userinfo_endpoint.as_ref()];
        let all = endpoints.into_iter().chain(rest.into_iter().flatten());
        // What is asked over TLS does not lead to where everybody listens.
        if let Some(bare) =
            all.into_iter().find(|url| url.scheme() != "https" && url.scheme() != ours)
        {
            return Err(SignInError::Odd { url: bare.clone(), status: 0 });
        }
        let read = Some((now, Arc::clone(&metadata)));
        *self.metadata.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(metadata)
    }

    /// A document of the provider's, in JSON.
    async fn read<T: DeserializeOwned>(
        &self,
        url: &Url,
        token: Option<&str>,
    ) -> Result<T, SignInError> {
        let odd = |status: u16| SignInError::Odd { url: url.clone(), status };
        let mut request = Request::get(url.as_str()).header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::<Bytes>::default()).map_err(|_| odd(0))?;
        let answer = fetch(&self.browser, request, url.clone()).await?;
        let status = answer.status.as_u16();
        let read = serde_json::from_slice(&answer.body).ok();
        read.filter(|_| answer.status.is_success()).ok_or_else(|| odd(status))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn provider(claim: &str) -> Provider {
        let config = Oidc {
            issuer: "https://id.test".into(),
            client_id: "passerby".into(),
            claim: claim.into(),
            ..Oidc::default()
        };
        Provider::new(&config, None, "https://stats.test")
    }

    fn person(claim: &str, said: Value) -> Result<Person, SignInError> {
        provider(claim).person(said.as_object().unwrap())
    }

    #[test]
    fn an_address_that_is_not_verified_signs_nobody_in() {
        let verified = |is: Value| json!({ "email": "anna@a.test", "email_verified": is });
        assert_eq!(person("email", verified(json!(true))).unwrap().name(), "anna@a.test");
        assert!(person("email", verified(json!("true"))).is_ok());
        for is in [json!(false), json!("false"), json!(1), Value::Null] {
            let refused = person("email", verified(is.clone()));
            assert!(matches!(refused, Err(SignInError::NotVerified)), "{is}");
        }
        assert!(person("email", json!({ "email": "anna@a.test" })).is_err());
        // Another claim is the provider's own.
        assert_eq!(person("sub", json!({ "sub": "Xy7" })).unwrap().name(), "Xy7");
        for said in [json!({}), json!({ "sub": 7 }), json!({ "sub": "" }), json!({ "sub": "a b" })]
        {
            assert!(matches!(person("sub", said), Err(SignInError::NoName(_))));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_while_others_have_every_turn_waits_for_one() {
        let provider = provider("email");
        let taken = provider.turns.acquire_many(u32::try_from(TURNS_MAX).unwrap()).await.unwrap();
        let (waited, ()) = tokio::join!(provider.turn(), async {
            tokio::time::sleep(TURN_PATIENCE / 2).await;
            drop(taken);
        });
        assert!(waited.is_ok());
        let taken = provider.turns.acquire_many(u32::try_from(TURNS_MAX - 1).unwrap()).await;
        assert!(matches!(provider.turn().await, Err(SignInError::Busy)));
        // Of too many who wait the next is told at once.
        let all = provider.waiting.acquire_many(u32::try_from(WAITING_MAX).unwrap()).await;
        let begun = tokio::time::Instant::now();
        assert!(matches!(provider.turn().await, Err(SignInError::Busy)));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop((taken, waited, all));
    }

    #[test]
    fn what_follows_from_a_flow_tells_nothing_of_it() {
        let (flow, other) = (Flow::begin().unwrap(), Flow::begin().unwrap());
        let parts = [flow.state(), flow.nonce(), flow.verifier(), flow.challenge()];
        assert!(parts.iter().all(|part| part.len() == 43 && *part != flow.0));
        assert_ne!(flow.state(), flow.nonce());
        assert_ne!(flow.state(), other.state());
        assert_eq!(Flow::shown(flow.secret()).state(), flow.state());
    }
}
