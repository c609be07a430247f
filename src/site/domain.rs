//! The domain that a site is known by, as it is registered and as everything that names a site is read.

/// The longest domain, in bytes (RFC 1035).
const DOMAIN_BYTES_MAX: usize = 253;

/// A domain as sites are registered under it.
pub fn bare_domain(domain: &str) -> String {
    let domain = domain.trim().to_ascii_lowercase();
    domain.strip_prefix("www.").map(str::to_owned).unwrap_or(domain)
}

/// The same, if a site can have it: a host name, which a path may follow (`example.com/shop` is a site of its own, as in
/// the field).
pub fn domain_of_a_site(domain: &str) -> Option<String> {
    let bare = bare_domain(domain);
    let in_a_domain =
        |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | ':');
    let is_valid = !bare.is_empty()
        && bare.len() <= DOMAIN_BYTES_MAX
        && bare.chars().all(|character| in_a_domain(character) || character == '/')
        && !bare.starts_with(['.', '-', '/', ':'])
        && !bare.contains("//");
    is_valid.then_some(bare)
}
