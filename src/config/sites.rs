//! What is chosen for single sites.

use std::collections::BTreeMap;

use super::ConfigError;
use crate::site::domain::domain_of_a_site;

/// What is chosen for single sites, by the domains that these are registered under: what is written otherwise would hold for no
/// site, without a word.
pub(super) fn by_domain<T>(
    key: &'static str,
    chosen: BTreeMap<String, T>,
) -> Result<BTreeMap<String, T>, ConfigError> {
    let mut sites = BTreeMap::new();
    for (written, own) in chosen {
        let wrong = |rule| ConfigError::out_of_bounds(key, &written, rule);
        let domain = domain_of_a_site(&written)
            .ok_or_else(|| wrong("the domain of a site, such as example.com"))?;
        if sites.insert(domain, own).is_some() {
            return Err(wrong(
                "named once: with www., encoded or in capital letters it is the same site",
            ));
        }
    }
    Ok(sites)
}
