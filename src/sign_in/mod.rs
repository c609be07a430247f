//! Signing people in with a provider of OpenID Connect, beside tokens and proxies: [`oidc`] asks the provider,
//! [`id_token`] believes its answer or does not, and [`sessions`] remember who it was.
//!
//! What somebody may do then, members say (`store::catalog`).

mod id_token;
mod oidc;
mod sessions;

pub(crate) use self::oidc::{Flow, Provider, SignInError};
pub(crate) use self::sessions::{SESSION_SECONDS, Sessions};

use crate::config::{Config, ConfigError};

/// The ways in which people sign in beside tokens.
pub struct SignIn {
    /// Whether a proxy says who signed in.
    by_proxy: bool,
    /// Where whoever signed in with a proxy signs out.
    pub(crate) sign_out_url: Option<String>,
    /// The provider, if there is one.
    pub(crate) provider: Option<Provider>,
    /// Whom it has signed in.
    pub(crate) sessions: Sessions,
}

impl SignIn {
    /// The ways that the operator chose.
    ///
    /// # Errors
    /// When the file of the provider's secret can not be read.
    pub fn open(config: &Config) -> Result<Self, ConfigError> {
        let oidc = &config.sign_in.oidc;
        let provider = match &config.public_url {
            Some(url) if !oidc.issuer.is_empty() => Some(Provider::new(oidc, oidc.secret()?, url)),
            _ => None,
        };
        let sign_out_url = config.sign_in.sign_out_url.clone();
        let by_proxy = config.sign_in.header.is_some();
        Ok(Self { by_proxy, sign_out_url, provider, sessions: Sessions::default() })
    }

    /// Whether people can sign in at all, but by a token.
    pub(crate) fn is_set_up(&self) -> bool {
        self.by_proxy || self.provider.is_some()
    }
}

/// So many random bytes, as text.
fn random_text() -> Result<String, getrandom::Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    Ok(base64url(&random))
}

/// As texts of the protocol are encoded.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn of_base64url(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
