//! A mail server, chasquid of Debian's archive as `make mailserver` gets it, with a box for whatever arrives.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mailparse::{MailHeaderMap, ParsedMail};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::eventually;

/// The password of the accounts.
pub(super) const PASSWORD: &str = "sehr/geheim:";
/// The same in a URL.
const ENCODED: &str = "sehr%2Fgeheim%3A";

/// A mail server on ports of its own. It has the accounts `stats`, `anna` and `bert`, all at `mail.test`.
pub(super) struct Office {
    child: Option<Child>,
    directory: TempDir,
    ports: [u16; 3],
}

/// A mail that has arrived.
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) to: String,
    pub(super) id: String,
    pub(super) raw: String,
    pub(super) text: String,
    pub(super) html: String,
}

fn binary(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../mailserver/usr/bin").join(name);
    assert!(path.exists(), "there is no {}: run `make mailserver`", path.display());
    path
}

impl Office {
    pub(super) async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let free = |_| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            (listener.local_addr().unwrap().port(), listener)
        };
        // Bound together, so that they differ.
        let ports = [0, 1, 2].map(free).map(|(port, _listener)| port);
        let mut office = Self { child: None, directory, ports };
        office.furnish();
        office.reopen().await;
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn furnish(&self) {
        let (config, certificates) = (self.path("config"), self.path("config/certs/localhost"));
        for directory in [&certificates, &self.path("config/domains/mail.test"), &self.path("box")]
        {
            std::fs::create_dir_all(directory).unwrap();
        }
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.certificate(), made.cert.pem()).unwrap();
        std::fs::write(certificates.join("privkey.pem"), made.signing_key.serialize_pem()).unwrap();
        let [plain, start_tls, tls] = self.ports;
        let (root, here) = (self.directory.path().display(), "127.0.0.1");
        let text = format!(
            "hostname: \"localhost\"
             smtp_address: \"{here}:{plain}\"
             submission_address: \"{here}:{start_tls}\"
             submission_over_tls_address: \"{here}:{tls}\"
             mail_delivery_agent_bin: \"/bin/sh\"
             mail_delivery_agent_args: \"-c\"
             mail_delivery_agent_args: \"cat > {root}/box/$$.part && mv {root}/box/$$.part {root}/box/$$.eml\"
             data_dir: \"{root}/data\"
             mail_log_path: \"<stderr>\""
        );
        std::fs::write(config.join("chasquid.conf"), text).unwrap();
        for user in ["stats", "anna", "bert"] {
            let added = Command::new(binary("chasquid-util"))
                .arg(format!("-C={}", config.display()))
                .args(["user-add", &format!("{user}@mail.test"), &format!("--password={PASSWORD}")])
                .output()
                .unwrap();
            assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        }
    }

    /// The certificate that it signed itself.
    pub(super) fn certificate(&self) -> PathBuf {
        self.path("config/certs/localhost/fullchain.pem")
    }

    /// Its address for those of this machine: not encrypted, without an account.
    pub(super) fn plain(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.ports[0])
    }

    /// Its address for those who have an account, with a password and encryption.
    pub(super) fn with_account(&self, scheme: &str) -> String {
        let port = self.ports[if scheme == "smtps" { 2 } else { 1 }];
        format!("{scheme}://stats%40mail.test:{ENCODED}@localhost:{port}")
    }

    pub(super) fn close(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(super) async fn reopen(&mut self) {
        let log = std::fs::File::create(self.path("log")).unwrap();
        let child = Command::new(binary("chasquid"))
            .arg(format!("--config_dir={}", self.path("config").display()))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        for port in self.ports {
            eventually("the mail server listens", async || {
                TcpStream::connect(("127.0.0.1", port)).await.ok()
            })
            .await;
        }
    }

    /// What has arrived, in no order.
    pub(super) fn mails(&self) -> Vec<Mail> {
        let entries = std::fs::read_dir(self.path("box")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let whole = paths.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        whole.map(|path| Mail::read(&std::fs::read(path).unwrap())).collect()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.close();
    }
}

impl Mail {
    fn read(raw: &[u8]) -> Self {
        let mail = mailparse::parse_mail(raw).unwrap();
        let header = |name| mail.headers.get_first_value(name).unwrap();
        let part = |kind: &str| {
            let is_of_kind = |part: &&ParsedMail<'_>| part.ctype.mimetype == kind;
            mail.parts().find(is_of_kind).unwrap().get_body().unwrap()
        };
        Self {
            subject: header("subject"),
            to: header("to"),
            id: header("message-id"),
            raw: String::from_utf8_lossy(raw).into_owned(),
            text: part("text/plain"),
            html: part("text/html"),
        }
    }
}
