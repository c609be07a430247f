//! User agents of programs that visit by themselves.

use regex::bytes::{RegexSet, RegexSetBuilder};

/// Words that others collected, see `data/README.md`.
const WORDS: &str = include_str!("../data/bots.txt");
/// Words of which that list has forms that a linear-time engine does not know, in ours.
const OWN: [&str; 7] = [
    r"bots?(?:\b|_)",
    "scan",
    "http",
    r"java(?:[^;s]|$)",
    r"^google-|google-inspectiontool|googleother|apis-google|mediapartners-google|google favicon|google-read-aloud",
    "^curl",
    r"^axios|^go-http|^okhttp|^got ",
];
/// What makes a word of a bot out of something else: a brand of telephones, an app, a library's name.
const INNOCENT: [&str; 3] = ["cubot", "camscan", "libhttp"];

pub(super) struct Bots {
    words: RegexSet,
}

impl Bots {
    pub(super) fn new() -> Self {
        let words = RegexSetBuilder::new(WORDS.lines().chain(OWN))
            .case_insensitive(true)
            .unicode(false)
            .build();
        // Unwrap safety: the words are compiled in, and a test builds them.
        Self { words: words.expect("the list of bots is valid") }
    }

    /// A browser says who it is: what does not is no browser.
    pub(super) fn has(&self, agent: &str) -> bool {
        agent.trim().is_empty() || self.is_bot(&agent.to_ascii_lowercase())
    }

    fn is_bot(&self, agent: &str) -> bool {
        match INNOCENT.iter().any(|word| agent.contains(word)) {
            true => self.words.is_match(
                INNOCENT
                    .iter()
                    .fold(agent.to_owned(), |agent, word| agent.replace(word, ""))
                    .as_bytes(),
            ),
            false => self.words.is_match(agent.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bots;

    #[test]
    fn bots_are_known_by_their_words() {
        let bots = Bots::new();
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
            "Mozilla/5.0 (Macintosh) AppleWebKit/600 (KHTML, like Gecko) Version/8 Safari/600 (Applebot/0.1)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
            "Twitterbot/1.0",
            "curl/8.5.0",
            "Wget/1.21",
            "python-requests/2.32.3",
            "Go-http-client/2.0",
            "okhttp/4.12.0",
            "Java/17.0.1",
            "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
            "Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
            "Mozilla/5.0 (compatible; DuckDuckBot-Https/1.1; https://duckduckgo.com/duckduckbot)",
            "Mozilla/5.0 (X11; Linux x86_64) Chrome-Lighthouse",
            "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
            "",
            "  ",
        ] {
            assert!(bots.has(agent), "{agent} was taken for a browser");
        }
    }

    #[test]
    fn browsers_of_the_last_years_are_no_bots() {
        let bots = Bots::new();
        for agent in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/343.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 11; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UD1A.230803.041; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.39 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/489.0.0.66.81;]",
            "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; U; Android 13; en-US; M2102J20SG) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.5.2.1301 Mobile Safari/537.36",
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Vivaldi/7.0.3495.15",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 OPR/116.0.0.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 YaBrowser/24.12.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15 Ddg/17.6",
        ] {
            assert!(!bots.has(agent), "{agent} was taken for a bot");
        }
    }
}
