//! `[sign_in]` and `[sign_in.oidc]`: signing in beside tokens.

use std::path::PathBuf;

use serde::Deserialize;

use super::address::{is_address, is_loopback};
use super::{ConfigError, Secret};
use crate::privacy::PersonHeader;

/// `[sign_in]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// The header in which proxies of `trusted_proxies` say who signed in with them.
    pub header: Option<PersonHeader>,
    /// Where whoever signed in with a proxy signs out.
    pub sign_out_url: Option<String>,
    /// The provider of OpenID Connect that signs people in.
    pub oidc: Oidc,
}

impl SignIn {
    /// A header is believed of somebody, and whoever signed in can sign out.
    pub(super) fn check(
        &self,
        has_trusted_proxies: bool,
        public_url: Option<&str>,
    ) -> Result<(), ConfigError> {
        if self.header.is_some() && !has_trusted_proxies {
            let rule = "the networks of the proxies that sign_in.header is believed of";
            return Err(ConfigError::out_of_bounds("trusted_proxies", "empty", rule));
        }
        match &self.sign_out_url {
            Some(url) if !["/", "https://", "http://"].iter().any(|it| url.starts_with(it)) => {
                let rule = "a path that begins with a slash, or an https:// address";
                Err(ConfigError::out_of_bounds("sign_in.sign_out_url", url, rule))
            }
            _ => self.oidc.check(public_url),
        }
    }
}

/// `[sign_in.oidc]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {
    /// Its address, letter by letter as it calls itself; empty: there is none.
    pub issuer: String,
    /// What it calls this collector.
    pub client_id: String,
    /// What the collector proves that by; without one it is a public client.
    pub client_secret: Option<Secret>,
    /// The file that holds it, instead.
    pub client_secret_file: Option<PathBuf>,
    /// What it is asked for.
    pub scopes: Vec<String>,
    /// What of its answer is the name of a member.
    pub claim: String,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            client_secret_file: None,
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            claim: "email".to_owned(),
        }
    }
}

impl Oidc {
    /// Nothing, or everything that a sign-in needs.
    fn check(&self, public_url: Option<&str>) -> Result<(), ConfigError> {
        let wrong = |key, value: &str, rule| {
            let value = if value.is_empty() { "not set" } else { value };
            Err(ConfigError::out_of_bounds(key, value, rule))
        };
        let is_asked_for = !self.client_id.is_empty()
            || self.client_secret.is_some()
            || self.client_secret_file.is_some();
        if self.issuer.is_empty() && !is_asked_for {
            return Ok(());
        }
        // What goes over the wire in the clear, anybody on the way can change.
        let is_safe = url::Url::parse(&self.issuer).is_ok_and(|url| {
            let is_here = url.host_str().is_some_and(is_loopback);
            url.scheme() == "https" || (url.scheme() == "http" && is_here)
        });
        if !is_safe {
            let rule = "the https:// address of the provider, as it calls itself";
            return wrong("sign_in.oidc.issuer", &self.issuer, rule);
        }
        if self.client_id.is_empty() {
            let rule = "what the provider calls this collector";
            return wrong("sign_in.oidc.client_id", "", rule);
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            let rule = "a list with openid in it";
            return wrong("sign_in.oidc.scopes", &self.scopes.join(","), rule);
        }
        if !public_url.is_some_and(is_address) {
            let rule = "the address to which sign_in.oidc sends browsers back";
            return wrong("public_url", public_url.unwrap_or_default(), rule);
        }
        Ok(())
    }

    /// The secret, from the file if there is one.
    ///
    /// # Errors
    /// When the file can not be read.
    pub fn secret(&self) -> Result<Option<Secret>, ConfigError> {
        let Some(file) = &self.client_secret_file else { return Ok(self.client_secret.clone()) };
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| ConfigError::Secret {
            path: file.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Some(Secret(text.trim().to_owned())))
    }
}
