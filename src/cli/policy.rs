//! Whether a page's content security policy lets it load a script and send to an endpoint: the part
//! of the standard that this needs, and nothing about what a policy is otherwise for.

use url::Url;

/// The directives of one policy, in the order in which they decide.
pub(super) struct Policy(Vec<(String, Vec<String>)>);

impl Policy {
    /// Reads a policy; several in one header are split at the comma before.
    pub(super) fn parse(text: &str) -> Self {
        let directives = text.split(';').filter_map(|directive| {
            let mut words = directive.split_ascii_whitespace();
            let name = words.next()?.to_ascii_lowercase();
            Some((name, words.map(str::to_owned).collect()))
        });
        Self(directives.collect())
    }

    /// The directive that decides, and `None` when none does.
    fn deciding(&self, names: &[&str]) -> Option<(&str, &[String])> {
        names.iter().find_map(|name| {
            let (name, sources) = self.0.iter().find(|(directive, _)| directive == name)?;
            Some((name.as_str(), sources.as_slice()))
        })
    }

    /// Why a script is not loaded, if it is not.
    pub(super) fn refuses_script(
        &self,
        script: &Url,
        page: &Url,
        nonce: Option<&str>,
    ) -> Option<String> {
        let (name, sources) = self.deciding(&["script-src-elem", "script-src", "default-src"])?;
        let has_nonce = nonce.is_some_and(|nonce| {
            sources.iter().any(|source| source == &format!("'nonce-{nonce}'"))
        });
        let is_strict = sources.iter().any(|source| source == "'strict-dynamic'");
        let is_listed = !is_strict && sources.iter().any(|source| matches(source, script, page));
        (!has_nonce && !is_listed).then(|| format!("{name} does not allow {script}"))
    }

    /// Why nothing can be sent to an endpoint, if it can not.
    pub(super) fn refuses_endpoint(&self, endpoint: &Url, page: &Url) -> Option<String> {
        let (name, sources) = self.deciding(&["connect-src", "default-src"])?;
        let is_listed = sources.iter().any(|source| matches(source, endpoint, page));
        (!is_listed).then(|| format!("{name} does not allow {endpoint}"))
    }
}

/// Whether a source of a directive includes a URL.
fn matches(source: &str, url: &Url, page: &Url) -> bool {
    match source {
        "*" => true,
        "'self'" => url.origin() == page.origin(),
        _ if source.starts_with('\'') => false,
        _ => match source.strip_suffix(':') {
            Some(scheme) => scheme.eq_ignore_ascii_case(url.scheme()),
            None => host_matches(source, url, page),
        },
    }
}

/// A source such as `https://*.example.com:8443/js/`.
fn host_matches(source: &str, url: &Url, page: &Url) -> bool {
    let (scheme, rest) = source.split_once("://").unwrap_or((page.scheme(), source));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let own_host = url.host_str().unwrap_or_default();
    let is_host = match host.strip_prefix("*.") {
        Some(parent) => own_host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
        None => own_host.eq_ignore_ascii_case(host),
    };
    let is_port = match port {
        Some("*") => true,
        Some(port) => url.port_or_known_default().is_some_and(|own| own.to_string() == port),
        None => url.port().is_none(),
    };
    // What is allowed without encryption is allowed with it.
    let is_scheme = scheme == url.scheme() || (scheme == "http" && url.scheme() == "https");
    let own_path = url.path().trim_start_matches('/');
    let is_path =
        path.is_empty() || own_path == path || (path.ends_with('/') && own_path.starts_with(path));
    is_host && is_port && is_scheme && is_path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(policy: &str, script: bool, endpoint: bool) {
        let url = |text: &str| Url::parse(text).unwrap();
        let page = url("https://example.com/page");
        let policy_read = Policy::parse(policy);
        let refused = policy_read.refuses_script(
            &url("https://stats.example.com/js/script.js"),
            &page,
            Some("abc"),
        );
        assert_eq!(refused.is_none(), script, "{policy}: {refused:?}");
        let refused =
            policy_read.refuses_endpoint(&url("https://stats.example.com/api/event"), &page);
        assert_eq!(refused.is_none(), endpoint, "{policy}: {refused:?}");
    }

    #[test]
    fn the_most_special_directive_decides() {
        check("", true, true);
        check("img-src 'none'", true, true);
        check("default-src 'self'", false, false);
        check("default-src 'self'; script-src https:", true, false);
        check("default-src 'none'; connect-src https://stats.example.com", false, true);
        check("script-src *; script-src-elem 'self'", false, true);
    }

    #[test]
    fn sources_are_hosts_schemes_paths_and_ports() {
        check("default-src stats.example.com", true, true);
        check("default-src *.example.com", true, true);
        check("default-src example.com", false, false);
        check("default-src http://stats.example.com", true, true);
        check("default-src https://stats.example.com:8443", false, false);
        check("default-src https://stats.example.com:443", true, true);
        check("default-src https://stats.example.com/js/", true, false);
        check("default-src 'unsafe-inline'", false, false);
    }

    #[test]
    fn a_nonce_allows_a_script_whatever_its_host() {
        check("script-src 'nonce-abc' 'strict-dynamic'", true, true);
        check("script-src 'nonce-other' 'strict-dynamic' https:", false, true);
    }
}
