//! TLS on the collector's own listener: certificate files, read anew when they have been replaced.
//!
//! Without `[tls]` the listener speaks plain HTTP/1.1, for a proxy in front of it or for a machine alone;
//! with it, HTTP/1.1 or HTTP/2 as the client chooses (ALPN), over TLS 1.2 or 1.3.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::telemetry::ToldOnce;

/// The name of HTTP/2 in the handshake.
pub(super) const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// The certificate and its key can not be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there, or may not be read.
    #[error("{key} {path} can not be read ({error}): check the path and its owner")]
    Unreadable {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file has not what it should have.
    #[error("{key} {path} is not {wanted} in PEM form")]
    NotPem {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: String,
        /// What it should have.
        wanted: &'static str,
    },
    /// They are not of each other, or of a kind that is not known.
    #[error("tls.certificate and tls.key do not fit: {0}")]
    DoNotFit(#[from] rustls::Error),
}

/// What connections are encrypted with.
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Current>,
    refused: ToldOnce,
}

struct Current {
    /// The contents of the files that `config` was made of.
    files: Files,
    config: Arc<ServerConfig>,
}

#[derive(PartialEq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`], which names the key of the configuration.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let current = RwLock::new(Current::of(Files::read(certificate, key)?, certificate, key)?);
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok(Self { certificate, key, current, refused: ToldOnce::default() })
    }

    /// Takes up files that have been replaced, for connections from now on. Files that do not fit,
    /// because only one of them has been replaced yet or for good, leave everything as it was. A timer calls it.
    pub fn reload_if_replaced(&self) {
        match self.news() {
            None => {}
            Some(Ok(())) => tracing::info!("the certificate was replaced"),
            Some(Err(error)) => {
                tracing::warn!(%error, "the new certificate can not be used; the old one goes on");
            }
        }
    }

    /// What is to be told of the files: that they were taken up, or, once, what is wrong with them.
    fn news(&self) -> Option<Result<(), TlsError>> {
        match self.reload() {
            Ok(is_new) => {
                self.refused.is_over();
                is_new.then_some(Ok(()))
            }
            Err(error) => self.refused.is_new(&error).then_some(Err(error)),
        }
    }

    fn reload(&self) -> Result<bool, TlsError> {
        let files = Files::read(&self.certificate, &self.key)?;
        if self.current.read().unwrap_or_else(PoisonError::into_inner).files == files {
            return Ok(false);
        }
        let current = Current::of(files, &self.certificate, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(true)
    }

    /// What a new connection is encrypted with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current.config))
    }
}

impl Files {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |name, path: &Path| {
            std::fs::read(path).map_err(|error| TlsError::Unreadable {
                key: name,
                path: path.display().to_string(),
                error,
            })
        };
        Ok(Self { certificate: read("tls.certificate", certificate)?, key: read("tls.key", key)? })
    }
}

impl Current {
    fn of(files: Files, certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let not_pem = |key, path: &Path, wanted| TlsError::NotPem {
            key,
            path: path.display().to_string(),
            wanted,
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&files.certificate)
            .collect::<Result<_, _>>()
            .ok()
            .filter(|chain: &Vec<_>| !chain.is_empty())
            .ok_or_else(|| not_pem("tls.certificate", certificate, "a chain of certificates"))?;
        let private = PrivateKeyDer::from_pem_slice(&files.key)
            .map_err(|_| not_pem("tls.key", key, "a private key"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, private)?;
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        Ok(Self { files, config: Arc::new(config) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made {
        directory: tempfile::TempDir,
    }

    impl Made {
        fn new() -> Self {
            let made = Self { directory: tempfile::tempdir().unwrap() };
            made.replace(true, true);
            made
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn replace(&self, certificate: bool, key: bool) {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            if certificate {
                std::fs::write(self.path("cert"), made.cert.pem()).unwrap();
            }
            if key {
                std::fs::write(self.path("key"), made.signing_key.serialize_pem()).unwrap();
            }
        }

        fn open(&self) -> Result<Certificates, TlsError> {
            Certificates::open(&self.path("cert"), &self.path("key"))
        }
    }

    #[test]
    fn files_that_were_replaced_are_taken_up_once_both_have_been() {
        let made = Made::new();
        let certificates = made.open().unwrap();
        assert!(!certificates.reload().unwrap());
        made.replace(true, false);
        assert!(matches!(certificates.reload(), Err(TlsError::DoNotFit(_))));
        made.replace(true, true);
        assert!(certificates.reload().unwrap());
        assert!(!certificates.reload().unwrap());
        std::fs::remove_file(made.path("key")).unwrap();
        assert!(certificates.reload().is_err());
        // What there was goes on.
        let _ = certificates.acceptor();
    }

    #[test]
    fn what_is_wrong_is_told_once_until_it_is_mended_or_something_else_is() {
        let made = Made::new();
        let certificates = made.open().unwrap();
        assert!(certificates.news().is_none());
        made.replace(true, false);
        assert!(matches!(certificates.news(), Some(Err(TlsError::DoNotFit(_)))));
        assert!(certificates.news().is_none());
        std::fs::remove_file(made.path("key")).unwrap();
        assert!(matches!(certificates.news(), Some(Err(TlsError::Unreadable { .. }))));
        assert!(certificates.news().is_none());
        made.replace(true, true);
        assert!(matches!(certificates.news(), Some(Ok(()))));
        std::fs::remove_file(made.path("key")).unwrap();
        assert!(matches!(certificates.news(), Some(Err(TlsError::Unreadable { .. }))));
    }

    #[test]
    fn what_is_wrong_names_the_key_of_the_configuration() {
        let refused = |made: &Made| made.open().err().expect("it was taken").to_string();
        let made = Made::new();
        std::fs::write(made.path("cert"), "nothing").unwrap();
        let error = refused(&made);
        assert!(error.contains("tls.certificate") && error.contains("PEM"), "{error}");
        made.replace(true, true);
        std::fs::write(made.path("key"), "nothing").unwrap();
        assert!(refused(&made).contains("tls.key"));
        std::fs::remove_file(made.path("key")).unwrap();
        assert!(refused(&made).contains("can not be read"));
    }
}
