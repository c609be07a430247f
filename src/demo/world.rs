//! The people and the places: where visitors are, what they browse with, and what sent them.
//!
//! Names, codes and GeoNames ids are facts; the shares are of our making.

/// A city with visitors.
pub(super) struct City {
    /// How many of all visitors are there, beside other cities.
    pub(super) weight: u32,
    pub(super) country: &'static str,
    pub(super) region: &'static str,
    pub(super) region_name: &'static str,
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) language: &'static str,
    /// Hours ahead of UTC, in winter.
    pub(super) utc_offset: i64,
}

macro_rules! cities {
    ($($weight:literal $country:literal $region:literal $region_name:literal $id:literal $name:literal $language:literal $offset:literal)*) => {
        pub(super) const CITIES: &[City] = &[$(City {
            weight: $weight, country: $country, region: $region, region_name: $region_name,
            id: $id, name: $name, language: $language, utc_offset: $offset,
        },)*];
    };
}

cities! {
    90 "DE" "DE-BE" "Berlin" 2950159 "Berlin" "de" 1
    62 "DE" "DE-HH" "Hamburg" 2911298 "Hamburg" "de" 1
    70 "DE" "DE-BY" "Bavaria" 2867714 "Munich" "de" 1
    48 "DE" "DE-NW" "North Rhine-Westphalia" 2886242 "Cologne" "de" 1
    40 "DE" "DE-HE" "Hesse" 2925533 "Frankfurt am Main" "de" 1
    44 "AT" "AT-9" "Vienna" 2761369 "Vienna" "de" 1
    40 "CH" "CH-ZH" "Zurich" 2657896 "Zurich" "de" 1
    78 "GB" "GB-ENG" "England" 2643743 "London" "en" 0
    22 "GB" "GB-ENG" "England" 2643123 "Manchester" "en" 0
    50 "FR" "FR-IDF" "Île-de-France" 2988507 "Paris" "fr" 1
    16 "FR" "FR-ARA" "Auvergne-Rhône-Alpes" 2996944 "Lyon" "fr" 1
    26 "ES" "ES-MD" "Madrid" 3117735 "Madrid" "es" 1
    20 "ES" "ES-CT" "Catalonia" 3128760 "Barcelona" "es" 1
    18 "IT" "IT-62" "Lazio" 3169070 "Rome" "it" 1
    24 "IT" "IT-25" "Lombardy" 3173435 "Milan" "it" 1
    36 "NL" "NL-NH" "North Holland" 2759794 "Amsterdam" "nl" 1
    16 "BE" "BE-BRU" "Brussels Capital" 2800866 "Brussels" "nl" 1
    16 "DK" "DK-84" "Capital Region" 2618425 "Copenhagen" "da" 1
    22 "SE" "SE-AB" "Stockholm" 2673730 "Stockholm" "sv" 1
    14 "NO" "NO-03" "Oslo" 3143244 "Oslo" "nb" 1
    12 "FI" "FI-18" "Uusimaa" 658225 "Helsinki" "fi" 2
    26 "PL" "PL-14" "Mazovia" 756135 "Warsaw" "pl" 1
    16 "CZ" "CZ-10" "Prague" 3067696 "Prague" "cs" 1
    10 "HU" "HU-BU" "Budapest" 3054643 "Budapest" "hu" 1
    10 "RO" "RO-B" "Bucharest" 683506 "Bucharest" "ro" 2
    8 "GR" "GR-I" "Attica" 264371 "Athens" "el" 2
    12 "PT" "PT-11" "Lisbon" 2267057 "Lisbon" "pt" 0
    14 "IE" "IE-L" "Leinster" 2964574 "Dublin" "en" 0
    60 "US" "US-NY" "New York" 5128581 "New York" "en" -5
    44 "US" "US-CA" "California" 5368361 "Los Angeles" "en" -8
    46 "US" "US-CA" "California" 5391959 "San Francisco" "en" -8
    28 "US" "US-IL" "Illinois" 4887398 "Chicago" "en" -6
    26 "US" "US-WA" "Washington" 5809844 "Seattle" "en" -8
    20 "US" "US-MA" "Massachusetts" 4930956 "Boston" "en" -5
    20 "US" "US-TX" "Texas" 4671654 "Austin" "en" -6
    24 "CA" "CA-ON" "Ontario" 6167865 "Toronto" "en" -5
    12 "CA" "CA-BC" "British Columbia" 6173331 "Vancouver" "en" -8
    10 "CA" "CA-QC" "Quebec" 6077243 "Montreal" "fr" -5
    12 "MX" "MX-CMX" "Mexico City" 3530597 "Mexico City" "es" -6
    20 "BR" "BR-SP" "São Paulo" 3448439 "São Paulo" "pt" -3
    10 "BR" "BR-RJ" "Rio de Janeiro" 3451190 "Rio de Janeiro" "pt" -3
    10 "AR" "AR-C" "Buenos Aires F.D." 3435910 "Buenos Aires" "es" -3
    6 "CL" "CL-RM" "Santiago Metropolitan" 3871336 "Santiago" "es" -4
    8 "CO" "CO-DC" "Bogotá D.C." 3688689 "Bogotá" "es" -5
    24 "JP" "JP-13" "Tokyo" 1850147 "Tokyo" "ja" 9
    8 "JP" "JP-27" "Osaka" 1853909 "Osaka" "ja" 9
    12 "KR" "KR-11" "Seoul" 1835848 "Seoul" "ko" 9
    20 "AU" "AU-NSW" "New South Wales" 2147714 "Sydney" "en" 10
    14 "AU" "AU-VIC" "Victoria" 2158177 "Melbourne" "en" 10
    8 "NZ" "NZ-AUK" "Auckland" 2193733 "Auckland" "en" 12
    26 "IN" "IN-KA" "Karnataka" 1277333 "Bengaluru" "en" 5
    20 "IN" "IN-MH" "Maharashtra" 1275339 "Mumbai" "en" 5
    12 "IN" "IN-DL" "Delhi" 1273294 "Delhi" "hi" 5
    14 "SG" "SG-01" "Central Singapore" 1880252 "Singapore" "en" 8
    8 "ID" "ID-JK" "Jakarta" 1642911 "Jakarta" "id" 7
    8 "PH" "PH-00" "Metro Manila" 1701668 "Manila" "en" 8
    6 "TH" "TH-10" "Bangkok" 1609350 "Bangkok" "th" 7
    8 "VN" "VN-SG" "Ho Chi Minh" 1566083 "Ho Chi Minh City" "vi" 7
    14 "TR" "TR-34" "Istanbul" 745044 "Istanbul" "tr" 3
    10 "IL" "IL-TA" "Tel Aviv" 293397 "Tel Aviv" "he" 2
    6 "AE" "AE-DU" "Dubai" 292223 "Dubai" "ar" 4
    4 "EG" "EG-C" "Cairo" 360630 "Cairo" "ar" 2
    6 "NG" "NG-LA" "Lagos" 2332459 "Lagos" "en" 1
    4 "KE" "KE-30" "Nairobi" 184745 "Nairobi" "en" 3
    6 "ZA" "ZA-GP" "Gauteng" 993800 "Johannesburg" "en" 2
    4 "ZA" "ZA-WC" "Western Cape" 3369157 "Cape Town" "en" 2
    10 "UA" "UA-30" "Kyiv" 703448 "Kyiv" "uk" 2
    10 "TW" "TW-TPE" "Taipei" 1668341 "Taipei" "zh" 8
    8 "HK" "HK" "Hong Kong" 1819729 "Hong Kong" "zh" 8
}

/// A browser on a system.
pub(super) struct Browser {
    pub(super) weight: u32,
    pub(super) name: &'static str,
    /// The major version on the first day, and how many come out in a year.
    pub(super) version: (f64, f64),
    pub(super) os: &'static str,
    pub(super) os_versions: &'static [&'static str],
    pub(super) device: &'static str,
}

macro_rules! browsers {
    ($($weight:literal $name:literal $first:literal $a_year:literal $os:literal [$($version:literal)*] $device:literal)*) => {
        pub(super) const BROWSERS: &[Browser] = &[$(Browser {
            weight: $weight, name: $name, version: ($first, $a_year), os: $os, os_versions: &[$($version),*], device: $device,
        },)*];
    };
}

browsers! {
    260 "Chrome" 131.0 13.0 "Windows" ["10" "10" "11"] "Desktop"
    120 "Chrome" 131.0 13.0 "Mac" ["10.15"] "Desktop"
    36 "Chrome" 131.0 13.0 "GNU/Linux" [""] "Desktop"
    14 "Chrome" 131.0 13.0 "Chrome OS" ["14541.0"] "Desktop"
    150 "Chrome" 131.0 13.0 "Android" ["13" "14" "15" "15"] "Mobile"
    10 "Chrome" 131.0 13.0 "Android" ["12" "13" "14"] "Tablet"
    150 "Safari" 18.1 8.0 "iOS" ["17.6" "18.1" "18.3" "26.0"] "Mobile"
    16 "Safari" 18.1 8.0 "iPadOS" ["17.5" "18.1"] "Tablet"
    80 "Safari" 18.1 8.0 "Mac" ["10.15"] "Desktop"
    54 "Firefox" 133.0 13.0 "Windows" ["10" "11"] "Desktop"
    22 "Firefox" 133.0 13.0 "GNU/Linux" [""] "Desktop"
    18 "Firefox" 133.0 13.0 "Ubuntu" [""] "Desktop"
    14 "Firefox" 133.0 13.0 "Android" ["13" "14"] "Mobile"
    62 "Microsoft Edge" 131.0 13.0 "Windows" ["10" "11"] "Desktop"
    34 "Samsung Browser" 26.0 3.0 "Android" ["13" "14"] "Mobile"
    14 "Opera" 115.0 12.0 "Windows" ["10"] "Desktop"
    8 "DuckDuckGo Privacy Browser" 17.0 4.0 "iOS" ["18.1"] "Mobile"
}

/// What sends visitors.
pub(super) struct Origin {
    /// On the first day, and on the last.
    pub(super) weight: (u32, u32),
    pub(super) referrer: &'static str,
    /// The query string of the page that it leads to.
    pub(super) query: &'static str,
    /// Where it leads to; empty for wherever such visits begin.
    pub(super) landing: &'static str,
    /// How many of a hundred such visits see one page only.
    pub(super) bounce: u32,
}

macro_rules! origins {
    ($($name:ident: $(($first:literal $last:literal $referrer:literal $query:literal $landing:literal $bounce:literal))*)*) => {$(
        pub(super) const $name: &[Origin] = &[$(Origin {
            weight: ($first, $last), referrer: $referrer, query: $query, landing: $landing, bounce: $bounce,
        },)*];
    )*};
}

origins! {
    EVERYDAY:
    (300 290 "" "" "" 50)
    (300 250 "https://www.google.com/" "" "" 48)
    (26 30 "https://www.bing.com/search" "" "" 46)
    (24 28 "https://duckduckgo.com/" "" "" 44)
    (8 9 "https://www.ecosia.org/search" "" "" 45)
    (5 6 "https://search.brave.com/search" "" "" 45)
    (12 70 "https://chatgpt.com/" "utm_source=chatgpt.com" "" 38)
    (4 24 "https://www.perplexity.ai/" "" "" 36)
    (2 18 "https://claude.ai/" "" "" 34)
    (2 12 "https://gemini.google.com/app" "" "" 38)
    (22 20 "https://www.linkedin.com/feed/" "" "" 58)
    (20 16 "https://t.co/aBcDeF" "" "/blog/packing-light" 66)
    (14 20 "https://www.reddit.com/r/Ultralight/" "" "/blog/packing-light" 60)
    (8 10 "https://bsky.app/profile/trail.example" "" "/blog/winter-routes" 62)
    (14 12 "https://www.youtube.com/watch" "" "/products/ridge-40" 50)
    (10 10 "https://www.instagram.com/" "utm_source=ig&utm_medium=social&utm_campaign=trail-stories" "/products" 63)
    (10 12 "https://github.com/trail-example/maps" "" "/docs/getting-started" 35)
    (12 12 "https://outdoor-review.example/backpacks-2026" "" "/products/ridge-40" 42)
    (8 8 "https://hikers-forum.example/t/1234" "" "/blog/winter-routes" 46)
    (34 40 "https://www.google.com/" "utm_source=google&utm_medium=cpc&utm_campaign=brand&gclid=x" "/" 40)
    (26 34 "https://www.google.com/" "utm_source=google&utm_medium=cpc&utm_campaign=backpacks&utm_term=light+backpack&gclid=x" "/products/ridge-40" 46)
    (10 12 "https://www.bing.com/" "utm_source=bing&utm_medium=cpc&utm_campaign=backpacks&msclkid=x" "/products/ridge-40" 46)
    (16 22 "https://www.facebook.com/" "utm_source=facebook&utm_medium=paid&utm_campaign=retargeting&utm_content=carousel&fbclid=x" "/pricing" 58)
    (10 10 "" "utm_source=newsletter&utm_medium=email&utm_campaign=welcome" "/docs/getting-started" 32)
    (6 8 "" "utm_source=trail-partners&utm_medium=affiliate&utm_campaign=partners" "/products" 44)

    NEWSLETTER:
    (100 100 "" "utm_source=newsletter&utm_medium=email&utm_campaign=monthly-letter" "/blog/winter-routes" 34)

    FRONT_PAGE:
    (80 80 "https://news.ycombinator.com/item" "" "/blog/how-we-map-trails" 74)
    (12 12 "https://lobste.rs/s/abcdef" "" "/blog/how-we-map-trails" 70)
    (14 14 "https://t.co/GhIjKl" "" "/blog/how-we-map-trails" 72)

    SPRING_SALE:
    (60 60 "https://www.google.com/" "utm_source=google&utm_medium=cpc&utm_campaign=spring-sale&gclid=x" "/sale" 44)
    (40 40 "https://www.instagram.com/" "utm_source=instagram&utm_medium=paid&utm_campaign=spring-sale&utm_content=story" "/sale" 56)
    (30 30 "" "utm_source=newsletter&utm_medium=email&utm_campaign=spring-sale" "/sale" 36)

    WINTER_SALE:
    (70 70 "https://www.google.com/" "utm_source=google&utm_medium=cpc&utm_campaign=winter-sale&gclid=x" "/sale" 44)
    (40 40 "https://www.facebook.com/" "utm_source=facebook&utm_medium=paid&utm_campaign=winter-sale&utm_content=video" "/sale" 56)
    (36 36 "" "utm_source=newsletter&utm_medium=email&utm_campaign=winter-sale" "/sale" 36)
}
