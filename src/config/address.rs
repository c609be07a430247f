//! Addresses of the web, as several sections have them.

/// Whether a text begins like an address that is asked over HTTP.
pub(super) fn is_address(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// Whether a host of a URL is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let is_number = |part: &str| part.parse::<u8>().is_ok();
    let in_net_127 = host.starts_with("127.") && host.split('.').count() == 4;
    host == "localhost" || host == "[::1]" || in_net_127 && host.split('.').all(is_number)
}
