//! Where a visit came from: the tags of its first page, its referrer, and what both say together.
//!
//! [`tags`] reads the allow-listed keys of the page's query string, [`source`] knows the names of
//! sources, and [`mod@channel`] sorts them.

mod channel;
mod source;
mod tags;

pub use channel::channel;
pub use source::{Category, category};
pub use tags::{ClickId, Tags};

use super::page::{host_and_path, stored_host};
use crate::event::Attributes;

/// What is stored of where a visit came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acquisition {
    /// The referring page: host and path; empty when there is none, or it is the site itself.
    pub referrer: String,
    /// The name of the source; empty when direct.
    pub source: String,
    /// The channel.
    pub channel: &'static str,
    /// `utm_source`.
    pub utm_source: String,
    /// `utm_medium`, or the kind of the click id in parentheses where that tells it.
    pub utm_medium: String,
    /// `utm_campaign`.
    pub utm_campaign: String,
    /// `utm_content`.
    pub utm_content: String,
    /// `utm_term`.
    pub utm_term: String,
    /// The kind of the click id; empty when there is none.
    pub click_id_kind: &'static str,
}

impl Acquisition {
    /// What tags and referrer say of a visit that began on a page of `own_hostname`.
    pub fn of(tags: &Tags, referrer: Option<&str>, own_hostname: &str) -> Self {
        let referring = referrer.and_then(|referrer| referring(referrer, own_hostname));
        let source = match tags.tagged_source() {
            Some(tagged) => source::named(tagged),
            None => referring.as_ref().map(|(host, _)| source::of_host(host)).unwrap_or_default(),
        };
        let click_id_kind = tags.click_id.map_or("", ClickId::as_str);
        let utm_medium = match (tags.utm_medium.as_str(), source.as_str(), click_id_kind) {
            ("", "Google", "gclid") => "(gclid)".to_owned(),
            ("", "Bing", "msclkid") => "(msclkid)".to_owned(),
            (medium, ..) => medium.to_owned(),
        };
        Self {
            referrer: referring
                .map(|(host, path)| host + path.trim_end_matches('/'))
                .unwrap_or_default(),
            channel: channel(
                &source,
                &tags.utm_source,
                &tags.utm_medium,
                &tags.utm_campaign,
                click_id_kind,
            ),
            source,
            utm_source: tags.utm_source.clone(),
            utm_medium,
            utm_campaign: tags.utm_campaign.clone(),
            utm_content: tags.utm_content.clone(),
            utm_term: tags.utm_term.clone(),
            click_id_kind,
        }
    }
}

impl Acquisition {
    /// The attributes of a visit that came from here.
    pub fn onto(self, attributes: Attributes) -> Attributes {
        Attributes {
            referrer: self.referrer,
            source: self.source,
            channel: self.channel.to_owned(),
            utm_source: self.utm_source,
            utm_medium: self.utm_medium,
            utm_campaign: self.utm_campaign,
            utm_content: self.utm_content,
            utm_term: self.utm_term,
            click_id_kind: self.click_id_kind.to_owned(),
            ..attributes
        }
    }
}

/// The name of the source that a stored referrer (host and path) tells of.
pub fn source_of_referrer(referrer: &str) -> String {
    referrer.split('/').next().map(source::of_host).unwrap_or_default()
}

/// The host and path of a referrer from elsewhere.
fn referring(referrer: &str, own_hostname: &str) -> Option<(String, String)> {
    let (scheme, host, path) = host_and_path(referrer)?;
    let is_page = matches!(scheme.as_str(), "http" | "https" | "android-app");
    let is_local = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    // An address is nobody's name: neither the referrer has it nor the source.
    (is_page && !is_local && host != own_hostname)
        .then(|| (stored_host(&host, "").into_owned(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, referrer: &str, source: &str, channel: &str) {
        let acquisition = Acquisition::of(&Tags::from_query(query), Some(referrer), "example.com");
        assert_eq!(
            (acquisition.source.as_str(), acquisition.channel),
            (source, channel),
            "{query} from {referrer}"
        );
    }

    #[test]
    fn a_referrer_is_known_by_its_name_or_its_host() {
        for (referrer, source, channel) in [
            ("https://www.google.com/", "Google", "Organic Search"),
            ("https://www.google.co.uk/search?q=x", "Google", "Organic Search"),
            ("https://news.google.com/", "Google", "Organic Search"),
            ("https://duckduckgo.com", "DuckDuckGo", "Organic Search"),
            ("https://www.bing.com/search", "Bing", "Organic Search"),
            ("android-app://com.google.android.gm/", "Gmail", "Email"),
            ("https://mail.google.com/mail/u/0", "Gmail", "Email"),
            ("android-app://com.google.android.googlequicksearchbox/", "Google", "Organic Search"),
            ("https://suche.web.de/", "Web.de Suche", "Organic Search"),
            ("https://suche.gmx.net/web/result?q=x", "GMX Suche", "Organic Search"),
            ("https://navigator.web.de/mail", "Web.de", "Email"),
            ("https://t.co/abc", "Twitter", "Organic Social"),
            ("https://l.facebook.com/l.php", "Facebook", "Organic Social"),
            ("https://m.youtube.com/", "YouTube", "Organic Video"),
            ("https://www.amazon.de/dp/1", "Amazon", "Organic Shopping"),
            ("https://chatgpt.com/", "ChatGPT", "AI Assistant"),
            ("https://gemini.google.com/app", "Gemini", "AI Assistant"),
            ("https://www.perplexity.ai/", "Perplexity", "AI Assistant"),
            ("https://news.ycombinator.com/item?id=1", "Hacker News", "Organic Social"),
            ("https://www.blog.example/post", "blog.example", "Referral"),
            ("https://notgoogle.com/", "notgoogle.com", "Referral"),
            ("https://google.evil.example/", "google.evil.example", "Referral"),
            ("https://www.example.com/other", "", "Direct"),
            ("http://localhost:3000/", "", "Direct"),
            ("http://127.0.0.1/", "", "Direct"),
            ("ftp://files.example/", "", "Direct"),
            ("", "", "Direct"),
            ("nonsense", "", "Direct"),
            ("http://84.12.33.99:8080/p", "[ip]", "Referral"),
        ] {
            check("", referrer, source, channel);
        }
    }

    #[test]
    fn a_tag_wins_over_the_referrer() {
        for (query, source, channel) in [
            ("utm_source=newsletter&source=x&ref=y", "Newsletter", "Email"),
            ("source=facebook&ref=y", "Facebook", "Organic Social"),
            ("ref=producthunt", "Product Hunt", "Organic Social"),
            ("utm_source=GOOGLE&utm_medium=cpc", "Google", "Paid Search"),
            ("utm_source=ig", "Instagram", "Organic Social"),
            ("utm_source=fb-ads", "Facebook", "Paid Social"),
            ("utm_source=Partner+One", "Partner One", "Referral"),
        ] {
            check(query, "https://www.bing.com/", source, channel);
        }
    }

    #[test]
    fn a_click_id_tells_the_medium_of_its_own_search_engine() {
        let google = Acquisition::of(
            &Tags::from_query("gclid=secret"),
            Some("https://www.google.com/"),
            "example.com",
        );
        assert_eq!((google.utm_medium.as_str(), google.channel), ("(gclid)", "Paid Search"));
        assert_eq!(google.click_id_kind, "gclid");
        let bing = Acquisition::of(
            &Tags::from_query("gclid=secret"),
            Some("https://www.bing.com/"),
            "example.com",
        );
        assert_eq!((bing.utm_medium.as_str(), bing.channel), ("", "Organic Search"));
    }

    #[test]
    fn a_referrer_is_stored_without_what_may_be_personal() {
        let stored =
            |referrer| Acquisition::of(&Tags::default(), Some(referrer), "example.com").referrer;
        assert_eq!(stored("https://www.blog.example/post/?user=me#x"), "blog.example/post");
        assert_eq!(stored("https://user:pass@blog.example/"), "blog.example");
        assert_eq!(stored("https://example.com/x"), "");
        assert_eq!(stored("http://84.12.33.99:8080/p"), "[ip]/p");
        assert_eq!(stored("http://8.8.8.8/"), "[ip]");
        assert_eq!(stored("http://[2001:db8::7]/p"), "[ip]/p");
        assert_eq!(stored("https://www.xn--mller-kva.test/x"), "müller.test/x");
    }
}
