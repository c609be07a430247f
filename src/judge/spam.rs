//! Referrers of visits that nobody made: hosts that want to be seen in reports.

use std::collections::HashSet;
use std::sync::LazyLock;

const LIST: &str = include_str!("../enrich/data/spam.txt");

static HOSTS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| LIST.lines().collect());

/// Whether a referrer is of a host in the list, or below one.
pub(super) fn is_spam(referrer: &str) -> bool {
    let Some((_, rest)) = referrer.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let parents = host.match_indices('.').map(|(dot, _)| &host[dot + 1..]);
    std::iter::once(host.as_str()).chain(parents).any(|host| HOSTS.contains(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_host_and_what_is_below_it_are_spam() {
        for referrer in
            ["https://semalt.com/", "http://x.y.semalt.com/page?z", "https://SEMALT.com"]
        {
            assert!(is_spam(referrer), "{referrer}");
        }
        for referrer in [
            "https://notsemalt.com/",
            "https://example.com/?u=https://semalt.com/",
            "semalt.com",
            "",
        ] {
            assert!(!is_spam(referrer), "{referrer}");
        }
    }

    #[test]
    fn every_listed_host_is_spam_and_the_list_is_sorted() {
        let hosts: Vec<&str> = LIST.lines().collect();
        assert!(
            hosts.is_sorted_by(|one, other| one < other),
            "sort data/spam.txt, and leave nothing in it twice"
        );
        assert!(hosts.iter().all(|host| is_spam(&format!("https://{host}/"))));
    }
}
