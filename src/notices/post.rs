//! Mails: how they are made, and the server that takes them.

use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow, bail};
use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use sha2::{Digest, Sha256};

use crate::config::{Encryption, Mail};
use crate::hex;
use crate::web::letter::Letter;

/// How long the server may take for one command.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a whole mail may take.
const WHOLE_PATIENCE: Duration = Duration::from_secs(120);

/// There is no server to mail by.
#[derive(Debug, thiserror::Error)]
#[error("mail.server is not set")]
pub(super) struct NoServer;

/// What mails.
pub struct Post {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Post {
    /// As the configuration says, if it has a server.
    ///
    /// # Errors
    /// When `mail.authority` is not a file of certificates.
    pub fn of(mail: &Mail) -> anyhow::Result<Option<Self>> {
        let (Some(server), Some(from)) = (&mail.server, &mail.from) else { return Ok(None) };
        let host = server.host.trim_matches(['[', ']']);
        let mut tls = TlsParameters::builder(host.to_owned());
        if let Some(path) = &mail.authority {
            let unreadable = || format!("mail.authority {} can not be read", path.display());
            let text = std::fs::read(path).with_context(unreadable)?;
            if !text.windows(5).any(|five| five == b"BEGIN") {
                bail!("mail.authority {} has no certificates in PEM form", path.display());
            }
            tls = tls.add_root_certificate(Certificate::from_pem(&text).with_context(unreadable)?);
        }
        let tls = tls.build().context("mails can not be encrypted")?;
        let (encryption, port) = match server.encryption {
            Encryption::AtOnce => (Tls::Wrapper(tls), 465),
            Encryption::StartTls => (Tls::Required(tls), 587),
            Encryption::Nothing => (Tls::None, 25),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(server.port.unwrap_or(port))
            .tls(encryption)
            .hello_name(ClientId::Domain(from.0.email.domain().to_owned()))
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = &server.account {
            let password = password.expose().to_owned();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Some(Self { from: from.0.clone(), transport: transport.build() }))
    }

    /// Sends one mail to one address. `name` is the mail's own: one that is sent again goes by the same, so that
    /// a reader's mailbox can tell.
    ///
    /// # Errors
    /// When the server is not there, or does not take it.
    pub(crate) async fn send(
        &self,
        to: &Mailbox,
        letter: Letter,
        name: &str,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let since_1970 = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0));
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to.clone())
            .subject(letter.subject)
            .date(SystemTime::UNIX_EPOCH + since_1970)
            .message_id(Some(self.message_id(to, name)))
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))?;
        // Nobody's "I am away" comes back.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
        match tokio::time::timeout(WHOLE_PATIENCE, self.transport.send(message)).await {
            // It tells its cause by itself.
            Ok(sent) => sent.map(drop).map_err(|error| anyhow!("{error}")),
            Err(_) => bail!("the server did not take it within two minutes"),
        }
    }

    fn message_id(&self, to: &Mailbox, name: &str) -> String {
        let digest = Sha256::digest(format!("{} {name}", to.email));
        let half = hex::encode(&digest[..16]);
        format!("<{half}@{}>", self.from.email.domain())
    }
}
