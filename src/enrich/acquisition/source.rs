//! The names of sources: `l.facebook.com`, `fb` and `com.facebook.katana` are all Facebook.
//!
//! `data/sources.tsv` has a line for each host and tag: key, name, category. A key is a word, a host, a host
//! with any left-hand labels (`*.bing.com`), or one with any top-level domain (`google.*`, `*.google.*`).

use std::collections::HashMap;
use std::sync::LazyLock;

const LIST: &str = include_str!("../data/sources.tsv");

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A search engine.
    Search,
    /// A social network.
    Social,
    /// A place for videos.
    Video,
    /// A shop, or a place to compare them.
    Shopping,
    /// An assistant that answers questions.
    Ai,
    /// Mail, in a browser or an app.
    Email,
    /// A sender of notifications.
    Push,
    /// Anything else with a name.
    Other,
}

#[derive(Clone, Copy)]
struct Known {
    name: &'static str,
    category: Category,
}

/// By key, and by the name itself in lower case.
static KNOWN: LazyLock<HashMap<String, Known>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for (key, name, category) in lines() {
        known.insert(key.to_owned(), Known { name, category });
        known.entry(name.to_lowercase()).or_insert(Known { name, category });
    }
    known
});

/// The hosts and tags of the list.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    lines().map(|(key, ..)| key)
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str, Category)> {
    LIST.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let (key, name, category) = (fields.next()?, fields.next()?, fields.next()?);
        let category = match category {
            "search" => Category::Search,
            "social" => Category::Social,
            "video" => Category::Video,
            "shopping" => Category::Shopping,
            "ai" => Category::Ai,
            "email" => Category::Email,
            "push" => Category::Push,
            _ => Category::Other,
        };
        Some((key, name, category))
    })
}

/// The name of a source that a page was tagged with; the tag itself when it is not known.
pub(super) fn named(tag: &str) -> String {
    let known =
        KNOWN.get(&tag.to_lowercase()).copied().or_else(|| of_known_host(&tag.to_lowercase()));
    known.map_or(tag, |known| known.name).to_owned()
}

/// The name of a source by its host; the host itself when it is not known.
pub(super) fn of_host(host: &str) -> String {
    of_known_host(host).map_or(host, |known| known.name).to_owned()
}

/// The category of a source with a name.
pub fn category(name: &str) -> Option<Category> {
    KNOWN.get(&name.to_lowercase()).map(|known| known.category)
}

fn of_known_host(host: &str) -> Option<Known> {
    KNOWN.get(host).copied().or_else(|| below(host)).or_else(|| under_any_domain(host))
}

/// `*.bing.com` for `www2.bing.com`.
fn below(host: &str) -> Option<Known> {
    parents(host).find_map(|parent| KNOWN.get(&format!("*.{parent}")).copied())
}

/// `google.*` for `google.co.uk`, `*.google.*` for `news.google.de`: the domain may have one label, or two of
/// which the first is short.
fn under_any_domain(host: &str) -> Option<Known> {
    let labels: Vec<&str> = host.split('.').collect();
    let of_domain = |domain_labels: usize| {
        let place = labels.len().checked_sub(domain_labels + 1)?;
        let pattern =
            if place == 0 { format!("{}.*", labels[0]) } else { format!("*.{}.*", labels[place]) };
        KNOWN.get(&pattern).copied()
    };
    let second_is_short = labels.len() >= 3 && labels[labels.len() - 2].len() <= 3;
    of_domain(1).or_else(|| if second_is_short { of_domain(2) } else { None })
}

fn parents(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.').map(|(dot, _)| &host[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_whole() {
        let keys: Vec<&str> = LIST.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(keys.len(), lines().count());
        assert!(
            keys.is_sorted_by(|one, other| one < other),
            "sort data/sources.tsv, and leave nothing in it twice"
        );
        assert!(keys.iter().all(|key| key.to_lowercase() == **key));
    }

    #[test]
    fn every_way_to_write_a_key_is_found() {
        for (host, name) in [
            ("google.de", "Google"),
            ("google.com.au", "Google"),
            ("images.google.fr", "Google"),
            ("cn.bing.com", "Bing"),
            ("amazon.co.uk", "Amazon"),
            ("smile.amazon.com", "Amazon"),
            ("old.reddit.com", "Reddit"),
            ("google.example.com", "google.example.com"),
            ("mygoogle.com", "mygoogle.com"),
        ] {
            assert_eq!(of_host(host), name, "{host}");
        }
    }

    #[test]
    fn a_tag_is_known_whatever_its_case() {
        for (tag, name) in [
            ("FACEBOOK", "Facebook"),
            ("yt", "YouTube"),
            ("Hacker News", "Hacker News"),
            ("My List", "My List"),
        ] {
            assert_eq!(named(tag), name);
        }
        assert_eq!(category("google"), Some(Category::Search));
        assert_eq!(category("blog.example"), None);
    }
}
