//! `[mail]` and `[[alerts]]`: what is told to whom, without anybody asking.
//!
//! Whom the collector writes to, and whom it calls, stands here and nowhere else: nobody who only uses it can
//! make it send anything anywhere.

use std::fmt;
use std::path::PathBuf;

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

use super::address::is_loopback;
use super::{ConfigError, Secret};
use crate::record::Language;
use crate::site::domain::bare_domain;

/// The most hours that an alert looks at together: it compares with the weeks before.
const HOURS_MAX: u32 = 168;

/// `[mail]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// The server that takes mails; without one nothing is mailed.
    pub server: Option<MailServer>,
    /// Whom mails are from.
    pub from: Option<Address>,
    /// A file of certificates (PEM) that the server's may be signed by, beside those that browsers trust.
    pub authority: Option<PathBuf>,
    /// What is sent regularly.
    pub reports: Vec<MailReport>,
}

/// `[[mail.reports]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailReport {
    /// The domain of the site.
    pub site: Domain,
    /// How often, and about how long.
    pub every: Every,
    /// To whom, each by itself.
    pub to: Vec<Address>,
    /// In which language.
    #[serde(default)]
    pub language: Language,
}

/// A stretch of the calendar that a report is about; it is sent when it is over.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// A day.
    Day,
    /// A week, from Monday on.
    Week,
    /// A month.
    Month,
}

/// `[[alerts]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// The domain of the site.
    pub site: Domain,
    /// What is looked for.
    pub when: When,
    /// Who is written to.
    #[serde(default)]
    pub to: Vec<Address>,
    /// What is called.
    pub webhook: Option<Webhook>,
    /// In which language.
    #[serde(default)]
    pub language: Language,
    /// How many hours are looked at together, 1 to 168.
    hours: Option<u32>,
    /// Fewer visitors in these hours are too few to judge by, 1 or more.
    least: Option<u32>,
    /// How many times as many as usual are a spike, or as few a drop; more than 1.
    factor: Option<f64>,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Many more visitors than usual.
    Spike,
    /// Far fewer.
    Drop,
    /// None at all: pages have lost their tag.
    Silence,
}

impl When {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Drop => "drop",
            Self::Silence => "silence",
        }
    }
}

impl Every {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

impl Alert {
    /// How many hours are looked at together. A drop takes longer than a spike to tell from chance.
    pub fn hours(&self) -> u32 {
        self.hours.unwrap_or(match self.when {
            When::Spike | When::Silence => 1,
            When::Drop => 3,
        })
    }

    /// Fewer visitors than this in these hours are too few to judge by. At these numbers chance alone
    /// hardly ever makes an alert.
    pub fn least(&self) -> u32 {
        self.least.unwrap_or(match self.when {
            When::Spike | When::Silence => 20,
            When::Drop => 50,
        })
    }

    /// How many times as many, or as few.
    pub fn factor(&self) -> f64 {
        self.factor.unwrap_or(3.0)
    }
}

/// The domain of a site, in the form that the catalog has.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(from = "String")]
pub struct Domain(pub String);

impl From<String> for Domain {
    fn from(text: String) -> Self {
        Self(bare_domain(&text))
    }
}

/// An address that mails are from or to: `a@example.com`, or `Name <a@example.com>`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Address(pub Mailbox);

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mailbox = text.parse().map(Self);
        mailbox.map_err(|_| "must be an address such as a@example.com or Name <a@example.com>")
    }
}

/// What an alert is posted to.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Webhook(Url);

impl Webhook {
    /// The address itself. Who knows it may post there too: it is a secret.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

impl TryFrom<String> for Webhook {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let url = Url::parse(&text).ok().filter(|url| {
            let host = url.host_str().unwrap_or_default();
            let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(host);
            // A password in it would not be sent.
            let has_account = !url.username().is_empty() || url.password().is_some();
            is_safe && !host.is_empty() && !has_account
        });
        url.map(Self).ok_or(
            "must be an https:// address, or an http:// one of this machine, without user and password",
        )
    }
}

/// `smtps://user:password@host`, and the like.
#[derive(Clone, Deserialize, PartialEq)]
#[serde(try_from = "String")]
pub struct MailServer {
    /// Its name.
    pub host: String,
    /// Its port, if it is not the usual one.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Who sends, with the password.
    pub account: Option<(String, Secret)>,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From its first byte.
    AtOnce,
    /// As soon as the server has greeted.
    StartTls,
    /// Not at all: it does not leave the machine, and carries no password.
    Nothing,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)
    }
}

impl TryFrom<String> for MailServer {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let rule = "must be smtps://user:password@host or smtp://user:password@host, with a port if it is not the usual one; what is special in the password is percent-encoded";
        let decoded =
            |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
        let url = Url::parse(&text).map_err(|_| rule)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(rule)?.to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(rule);
        }
        let account = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err(rule),
            (user, Some(password)) => {
                let password = Secret(decoded(password).map_err(|_| rule)?);
                Some((decoded(user).map_err(|_| rule)?, password))
            }
        };
        let encryption = match url.scheme() {
            "smtps" => Encryption::AtOnce,
            "smtp" if is_loopback(&host) && account.is_none() => Encryption::Nothing,
            "smtp" => Encryption::StartTls,
            _ => return Err(rule),
        };
        Ok(Self { host, port: url.port(), encryption, account })
    }
}

/// What is to be mailed needs a server, and what is told needs somebody to tell it to.
pub(super) fn check(mail: &Mail, alerts: &[Alert]) -> Result<(), ConfigError> {
    let unset = |key, rule| Err(ConfigError::unset(key, rule));
    let wrong = |key, value: String, rule| Err(ConfigError::out_of_bounds(key, value, rule));
    let mails = !mail.reports.is_empty() || alerts.iter().any(|alert| !alert.to.is_empty());
    match (&mail.server, &mail.from) {
        (None, _) if mails => return unset("mail.server", "the server that takes the mails"),
        (Some(_), None) => return unset("mail.from", "the address that mails are from"),
        _ => {}
    }
    for (place, report) in mail.reports.iter().enumerate() {
        if report.to.is_empty() {
            return unset("mail.reports.to", "a list of addresses");
        }
        let before = mail.reports.iter().take(place);
        let mut alike = before
            .filter(|other| (&other.site, other.every) == (&report.site, report.every))
            .flat_map(|other| &other.to);
        if let Some(twice) = alike.find(|to| report.to.contains(to)) {
            let rule = "in one report only of a site's days, weeks or months";
            return wrong("mail.reports.to", twice.0.email.to_string(), rule);
        }
    }
    for (place, alert) in alerts.iter().enumerate() {
        if alert.to.is_empty() && alert.webhook.is_none() {
            return unset("alerts.to", "a list of addresses, unless there is a webhook");
        }
        if !(1..=HOURS_MAX).contains(&alert.hours()) {
            return wrong("alerts.hours", alert.hours().to_string(), "from 1 to 168");
        }
        if alert.least() == 0 {
            return wrong("alerts.least", "0".to_owned(), "1 or more");
        }
        if alert.when == When::Silence && alert.factor.is_some() {
            let rule = "left out, because alerts.when is silence";
            return wrong("alerts.factor", alert.factor().to_string(), rule);
        }
        if !alert.factor().is_finite() || alert.factor() <= 1.0 {
            return wrong("alerts.factor", alert.factor().to_string(), "more than 1");
        }
        let mut before = alerts.iter().take(place);
        if before.any(|other| (&other.site, other.when) == (&alert.site, alert.when)) {
            let rule = "in one alert only of a site";
            return wrong("alerts.when", alert.when.name().to_owned(), rule);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Environment};
    use super::*;

    fn parsed(text: &str) -> Result<Config, String> {
        Config::parse(text, &Environment::default()).map_err(|error| error.to_string())
    }

    fn server(url: &str) -> Result<MailServer, &'static str> {
        MailServer::try_from(url.to_owned())
    }

    #[test]
    fn a_connection_that_leaves_the_machine_or_has_a_password_is_encrypted() {
        for (url, encryption) in [
            ("smtps://mail.test", Encryption::AtOnce),
            ("smtps://u:p@127.0.0.1:465", Encryption::AtOnce),
            ("smtp://mail.test:587", Encryption::StartTls),
            ("smtp://u:p@localhost", Encryption::StartTls),
            ("smtp://127.0.0.1.mail.test", Encryption::StartTls),
            ("smtp://localhost:1025", Encryption::Nothing),
            ("smtp://127.0.0.1", Encryption::Nothing),
            ("smtp://[::1]", Encryption::Nothing),
        ] {
            assert_eq!(server(url).map(|server| server.encryption), Ok(encryption), "{url}");
        }
        let with_account = server("smtps://me%40a.test:p%2F%3A@mail.test:4650").unwrap();
        let (user, password) = with_account.account.clone().unwrap();
        assert_eq!((&*user, password.expose()), ("me@a.test", "p/:"));
        assert_eq!((&*with_account.host, with_account.port), ("mail.test", Some(4650)));
        assert_eq!(format!("{with_account:?}"), "mail.test");
    }

    #[test]
    fn what_is_wrong_is_said_in_a_line_without_what_is_secret() {
        let mail = "[mail]\nserver = 'smtp://localhost'\nfrom = 'a@a.test'\n";
        let report = "[[mail.reports]]\nsite = 'a.test'\nevery = 'day'\nto = ['b@a.test']\n";
        let alert = "[[alerts]]\nsite = 'a.test'\nwhen = 'spike'\nwebhook = 'https://a.test/x'\n";
        for (text, part) in [
            (
                "[mail]\nserver = 'imap://u:geheim@a.test'".to_owned(),
                "line 2 (server): must be smtps://",
            ),
            ("[mail]\nserver = 'smtp://u@a.test'".to_owned(), "must be smtps://"),
            ("[mail]\nserver = 'smtp://u:geheim@a.test/x'".to_owned(), "must be smtps://"),
            ("[mail]\nserver = 'smtp://u:geheim@a.test'".to_owned(), "mail.from is not set"),
            (report.to_owned(), "mail.server is not set"),
            (
                format!("{mail}[[mail.reports]]\nsite = 'a.test'\nevery = 'hour'\nto = []"),
                "unknown variant `hour`",
            ),
            (
                format!("{mail}[[mail.reports]]\nsite = 'a.test'\nevery = 'day'\nto = []"),
                "mail.reports.to is not set",
            ),
            (
                format!("{mail}[[mail.reports]]\nsite = 'a.test'\nevery = 'day'\nto = ['b']"),
                "must be an address",
            ),
            (
                format!("{mail}{report}{report}"),
                "mail.reports.to is b@a.test, but must be in one report only",
            ),
            (alert.replace("https", "http"), "must be an https:// address"),
            (alert.replace("webhook = 'https://a.test/x'", ""), "alerts.to is not set"),
            (
                alert.replace("webhook = 'https://a.test/x'", "to = ['b@a.test']"),
                "mail.server is not set",
            ),
            (alert.replace("spike", "luck"), "unknown variant `luck`"),
            (
                format!("{alert}{alert}"),
                "alerts.when is spike, but must be in one alert only of a site",
            ),
            (format!("{alert}hours = 169"), "alerts.hours is 169, but must be from 1 to 168"),
            (format!("{alert}hours = 0"), "alerts.hours is 0"),
            (format!("{alert}least = 0"), "alerts.least is 0, but must be 1 or more"),
            (format!("{alert}factor = 1.0"), "alerts.factor is 1, but must be more than 1"),
            (
                format!("{}factor = 2.0", alert.replace("spike", "silence")),
                "alerts.factor is 2, but must be left out",
            ),
        ] {
            let error = parsed(&text).expect_err(&text);
            assert!(error.contains(part), "{error}");
            assert!(!error.contains('\n') && !error.contains("geheim"), "{error}");
        }
        let whole = parsed(&format!("{alert}{mail}{report}")).unwrap();
        assert_eq!((whole.alerts[0].hours(), whole.alerts[0].least()), (1, 20));
        assert!(parsed(&alert.replace("https://a.test", "http://127.0.0.1:9")).is_ok());
        let shown =
            format!("{:?}", parsed("[mail]\nfrom = 'a@a.test'\nserver = 'smtp://u:geheim@a.test'"));
        assert!(shown.contains("a.test") && !shown.contains("geheim"), "{shown}");
    }
}
