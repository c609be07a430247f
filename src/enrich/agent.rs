//! The browser, the operating system and the class of device, out of a user agent; and whether it is a program's that
//! visits by itself.
//!
//! The patterns are those of `uap-core`, run by its own crate, whose engine takes linear time. Names
//! are those that people know: what the patterns call `Mobile Safari UI/WKWebView` is an app.

mod bots;

use std::sync::Arc;

use bots::Bots;
use ua_parser::{Regexes, os, user_agent};

use super::remembered::Remembered;
use super::text::clean;

const PATTERNS: &str = include_str!("data/user_agents.json");
/// The longest name or version, in bytes.
const NAME_BYTES_MAX: usize = 60;

/// What a user agent tells. A part that it does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The browser's name.
    pub browser: String,
    /// `major.minor`, or `major`.
    pub browser_version: String,
    /// The operating system's name.
    pub os: String,
    /// `major.minor`, or `major`.
    pub os_version: String,
    /// `Desktop`, `Mobile` or `Tablet`.
    pub device: &'static str,
    /// Whether no person browses with it.
    pub is_bot: bool,
}

/// Reads user agents, and remembers what the last of them told.
pub struct Agents {
    browsers: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
    bots: Bots,
    remembered: Remembered<Arc<Agent>>,
}

impl Default for Agents {
    fn default() -> Self {
        Self::new()
    }
}

impl Agents {
    /// Compiles the patterns: some 40 ms, and 11 MB.
    pub fn new() -> Self {
        // Unwrap safety: the patterns are compiled in, and a test builds them.
        let patterns: Regexes<'static> =
            serde_json::from_str(PATTERNS).expect("the list of patterns is valid");
        let browsers = user_agent::Builder::new()
            .push_all(patterns.user_agent_parsers)
            .and_then(|builder| Ok(builder.build()?));
        let systems = os::Builder::new()
            .push_all(patterns.os_parsers)
            .expect("the patterns are valid")
            .build();
        Self {
            browsers: browsers.expect("the patterns of browsers are valid"),
            systems: systems.expect("the patterns of systems are valid"),
            bots: Bots::new(),
            remembered: Remembered::default(),
        }
    }

    /// What a user agent tells.
    pub fn read(&self, agent: &str) -> Arc<Agent> {
        self.remembered.or_find(agent, || Arc::new(self.parse(agent)))
    }

    /// How often a user agent was remembered, and how often it had to be read.
    pub fn remembered(&self) -> (u64, u64) {
        self.remembered.counts()
    }

    fn parse(&self, agent: &str) -> Agent {
        let browser = self.browsers.extract(agent);
        let system = self.systems.extract(agent);
        let os = system.as_ref().map_or(String::new(), |system| system_name(&system.os, agent));
        Agent {
            browser: browser.as_ref().map_or(String::new(), |found| browser_name(&found.family)),
            browser_version: browser
                .as_ref()
                .map_or(String::new(), |found| version(found.major, found.minor)),
            os_version: system.as_ref().map_or(String::new(), |found| {
                version(found.major.as_deref(), found.minor.as_deref())
            }),
            device: device(&os, agent),
            os,
            is_bot: self.bots.has(agent),
        }
    }
}

fn browser_name(family: &str) -> String {
    let name = match family {
        "Chrome Mobile" | "Chrome Mobile iOS" | "Chromium" => "Chrome",
        "Mobile Safari" => "Safari",
        "Firefox Mobile" | "Firefox iOS" | "Firefox (Shiretoko)" => "Firefox",
        "Edge" | "Edge Mobile" => "Microsoft Edge",
        "Opera Mobile" | "Opera Mini" | "Opera Tablet" => "Opera",
        "Samsung Internet" => "Samsung Browser",
        "IE" | "IE Mobile" => "Internet Explorer",
        "DuckDuckGo Mobile" => "DuckDuckGo Privacy Browser",
        "Mobile Safari UI/WKWebView" | "Chrome Mobile WebView" | "Apple Mail" => "Mobile App",
        "Yandex Browser" => "Yandex",
        "Other" => "",
        other => other,
    };
    clean(name, NAME_BYTES_MAX)
}

fn system_name(family: &str, agent: &str) -> String {
    let name = match family {
        "Mac OS X" => "Mac",
        "Linux" => "GNU/Linux",
        "iOS" if agent.contains("iPad") => "iPadOS",
        "Windows Phone" => "Windows Phone",
        family if family.starts_with("Windows") => "Windows",
        "Other" => "",
        other => other,
    };
    clean(name, NAME_BYTES_MAX)
}

fn version(major: Option<&str>, minor: Option<&str>) -> String {
    let joined = match (major, minor) {
        (None, _) => return String::new(),
        (Some(major), None) => major.to_owned(),
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
    };
    clean(&joined, NAME_BYTES_MAX)
}

fn device(os: &str, agent: &str) -> &'static str {
    let says = |word| agent.contains(word);
    // It has the system of a telephone, and never says that it is one.
    if says("Opera Mini") {
        return "Mobile";
    }
    match os {
        "iPadOS" => "Tablet",
        "iOS" | "Windows Phone" | "KaiOS" | "BlackBerry OS" => "Mobile",
        "Android" | "HarmonyOS" if says("Mobile") => "Mobile",
        "Android" | "HarmonyOS" => "Tablet",
        "Mac" | "Windows" | "GNU/Linux" | "Chrome OS" | "Ubuntu" | "Debian" | "Fedora"
        | "FreeBSD" | "OpenBSD" => "Desktop",
        _ if says("Tablet") => "Tablet",
        _ if says("Mobi") => "Mobile",
        _ if says("X11") => "Desktop",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0";

    #[test]
    fn the_browsers_and_systems_of_the_last_years_are_known() {
        let agents = Agents::new();
        let cases = [
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36"), "Chrome 131.0/Windows 10/Desktop"),
            (format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {CHROME} Safari/537.36"), "Chrome 131.0/Mac 10.15/Desktop"),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36"), "Chrome 131.0/GNU/Linux /Desktop"),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36"), "Chrome 131.0/Chrome OS 14541.0/Desktop"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/131.0.0.0"), "Microsoft Edge 131.0/Windows 10/Desktop"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 OPR/116.0.0.0"), "Opera 116.0/Windows 10/Desktop"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36"), "Chrome 131.0/Android 10/Mobile"),
            (format!("Mozilla/5.0 (Linux; Android 13; SM-X906C) {CHROME} Safari/537.36"), "Chrome 131.0/Android 13/Tablet"),
            ("Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36".to_owned(), "Samsung Browser 26.0/Android 14/Mobile"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1".to_owned(), "Safari 18.1/iOS 18.1/Mobile"),
            ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1".to_owned(), "Safari 17.5/iPadOS 17.5/Tablet"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1".to_owned(), "Chrome 131.0/iOS 17.7/Mobile"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15".to_owned(), "Safari 18.1/Mac 10.15/Desktop"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0".to_owned(), "Firefox 133.0/Windows 10/Desktop"),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0".to_owned(), "Firefox 133.0/Ubuntu /Desktop"),
            ("Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0".to_owned(), "Firefox 133.0/Android 14/Mobile"),
            ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned(), "Internet Explorer 11.0/Windows 10/Desktop"),
            ("Opera/9.80 (Android; Opera Mini/36.2.2254/191.273; U; en) Presto/2.12.423 Version/12.16".to_owned(), "Opera 36.2/Android /Mobile"),
            ("Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10".to_owned(), "Opera 7.1/ /Mobile"),
            (String::new(), " / /"),
        ];
        for (agent, expected) in cases {
            let Agent { browser, browser_version, os, os_version, device, is_bot: _ } =
                &*agents.read(&agent);
            assert_eq!(
                format!("{browser} {browser_version}/{os} {os_version}/{device}"),
                expected,
                "{agent}"
            );
        }
    }

    #[test]
    fn no_user_agent_takes_long() {
        let agents = Agents::new();
        for hostile in ["a".repeat(512), "(".repeat(512), "Mozilla/".repeat(64), "; ".repeat(256)] {
            agents.read(&hostile);
        }
    }
}
