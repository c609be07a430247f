//! A visitor who does not exist, for the audit: a beacon whose user agent, query string, referrer and path
//! hold words that must not be found anywhere afterwards, and whose name is a word that must.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

/// The visitor.
pub struct Canary {
    /// What the event is called: the audit finds it, or it would find nothing.
    pub event: String,
    /// What must not be found.
    pub secret: String,
}

/// The beacon was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// Nobody listens, or the connection broke.
    #[error("nothing answers at {0}: is the collector running?")]
    NoAnswer(SocketAddr),
    /// The answer was not 202.
    #[error("the collector answered {0}")]
    Refused(StatusCode),
    /// The event was not counted.
    #[error("the collector did not count it: {0}")]
    Dropped(String),
}

impl Canary {
    /// One whom nobody has met. `None` when the system gives no random numbers.
    pub fn new() -> Option<Self> {
        let word = || Some(format!("{:016x}", getrandom::u64().ok()?));
        Some(Self {
            event: format!("passerby audit {}", word()?),
            secret: format!("canary{}", word()?),
        })
    }

    /// Visits a site of the collector that listens at an address.
    ///
    /// # Errors
    /// When the event is not counted.
    pub async fn visit(&self, address: SocketAddr, domain: &str) -> Result<(), CanaryError> {
        let secret = &self.secret;
        let beacon = json!({
            "n": self.event, "d": domain, "i": false, "c": true,
            "u": format!("https://{domain}/passerby-audit/{secret}@example.com?email={secret}@example.com&gclid={secret}"),
            "r": format!("https://mail.example/?user={secret}"),
        });
        let agent = format!(
            "Mozilla/5.0 (X11; Linux x86_64; {secret}) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
        );
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/event")
            .header(header::HOST, address.to_string())
            .header(header::USER_AGENT, agent)
            .body(Body::from(beacon.to_string()));
        let no_answer = |_| CanaryError::NoAnswer(address);
        let stream =
            TcpStream::connect(address).await.map_err(|_| CanaryError::NoAnswer(address))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(no_answer)?;
        tokio::spawn(connection);
        // Unwrap safety: the parts of the request are valid ones, whatever the secret.
        let request = request.expect("the request is well-formed");
        let answer = sender.send_request(request).await.map_err(no_answer)?;
        if answer.status() != StatusCode::ACCEPTED {
            return Err(CanaryError::Refused(answer.status()));
        }
        match answer.headers().get("x-passerby-dropped") {
            Some(reason) => {
                Err(CanaryError::Dropped(String::from_utf8_lossy(reason.as_bytes()).into_owned()))
            }
            None => Ok(()),
        }
    }
}
