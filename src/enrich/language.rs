//! The language that a visitor prefers, out of `Accept-Language`.

/// The longest header that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 256;

/// The primary tag (`de` of `de-AT`) of the language with the highest weight, the first of equals; empty
/// when the header tells none.
pub fn primary_tag(accept_language: &str) -> String {
    let header =
        accept_language.get(..accept_language.len().min(HEADER_BYTES_MAX)).unwrap_or_default();
    let mut best = ("", 0.0);
    for (tag, weight) in header.split(',').filter_map(weighted) {
        if weight > best.1 {
            best = (tag, weight);
        }
    }
    best.0.to_ascii_lowercase()
}

fn weighted(range: &str) -> Option<(&str, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let primary = parts.next()?.split(['-', '_']).next()?;
    let is_language =
        (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
    let weight = parts
        .find_map(|parameter| parameter.strip_prefix("q="))
        .map_or(Some(1.0), |weight| weight.parse().ok())?;
    (is_language && (0.0..=1.0).contains(&weight)).then_some((primary, weight))
}

#[cfg(test)]
mod tests {
    use super::primary_tag;

    #[test]
    fn the_language_with_the_highest_weight_is_the_preferred_one() {
        for (header, expected) in [
            ("de", "de"),
            ("de-DE,de;q=0.9,en;q=0.8", "de"),
            ("en;q=0.5, fr;q=0.9", "fr"),
            ("EN-us", "en"),
            ("*", ""),
            ("*, pt-BR;q=0.5", "pt"),
            ("", ""),
            ("x", ""),
            ("en;q=2, de;q=0.1", "de"),
            ("en;q=nan, de;q=0.1", "de"),
            ("de;q=0", ""),
            ("yue-Hant-HK", "yue"),
            ("12-ab", ""),
            ("<script>", ""),
        ] {
            assert_eq!(primary_tag(header), expected, "{header}");
        }
        assert_eq!(primary_tag(&"ä".repeat(1000)), "");
    }
}
