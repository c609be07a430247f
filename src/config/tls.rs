//! `[tls]`: the listener encrypts by itself.

use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;

/// `[tls]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The chain of certificates, in PEM form, the collector's own first.
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM form.
    pub key: Option<PathBuf>,
}

impl Tls {
    /// Both files or neither; and then pages and cookies have to know that they are served encrypted.
    pub(super) fn check(&self, public_url: Option<&str>) -> Result<(), ConfigError> {
        match (&self.certificate, &self.key) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(ConfigError::unset("tls.key", "the key of tls.certificate")),
            (None, Some(_)) => {
                Err(ConfigError::unset("tls.certificate", "the certificate of tls.key"))
            }
            (Some(_), Some(_)) => {
                let rule = "the https:// address that browsers use, because tls is set";
                match public_url {
                    Some(url) if url.starts_with("https://") => Ok(()),
                    Some(other) => Err(ConfigError::out_of_bounds("public_url", other, rule)),
                    None => Err(ConfigError::unset("public_url", rule)),
                }
            }
        }
    }
}
