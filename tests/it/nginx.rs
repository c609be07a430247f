//! Debian's nginx, as `make proxies` gets it, with a configuration of a test's own.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::eventually;

/// An nginx on a port of its own.
pub(crate) struct Nginx {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Nginx {
    /// Starts one. `http` makes, of its port, what is configured beyond the places of its files.
    pub(crate) async fn start(http: impl Fn(u16) -> String) -> Self {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../proxies/usr/sbin/nginx");
        assert!(program.exists(), "there is no {}: run `make proxies`", program.display());
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().display();
        // Free for a moment, and nobody else's in the next: as good as asking the system goes with a program that does
        // not tell its port.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let user = match rustix::process::getuid().is_root() {
            true => "user root;",
            false => "",
        };
        let configuration = format!(
            "{user} daemon off; pid {place}/pid; error_log stderr; worker_processes 1; events {{}}
             http {{
               access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
               fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
               {http}
             }}",
            http = http(port),
        );
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = Command::new(program)
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(directory.path())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let nginx = Self { child, port, _directory: directory };
        eventually("nginx listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        nginx
    }

    /// Where it listens.
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked to end: killed, it would leave its workers.
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}
