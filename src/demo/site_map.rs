//! The sample site: a maker of light backpacks, with a shop, a blog, guides and a search.

/// A page, and how many of a thousand steps lead to it.
pub(super) struct Page {
    pub(super) path: &'static str,
    /// As the first page of a visit.
    pub(super) landing: u32,
    /// As a later one.
    pub(super) next: u32,
    /// How long people read it, in seconds, most of the time.
    pub(super) reading_s: u32,
}

macro_rules! pages {
    ($($path:literal $landing:literal $next:literal $reading_s:literal)*) => {
        pub(super) const PAGES: &[Page] = &[$(Page {
            path: $path, landing: $landing, next: $next, reading_s: $reading_s,
        },)*];
    };
}

pages! {
    "/" 340 150 28
    "/products" 60 140 34
    "/products/ridge-40" 90 110 62
    "/products/summit-55" 40 70 58
    "/products/daytrip-18" 30 50 44
    "/pricing" 40 90 40
    "/sale" 12 24 30
    "/search" 8 60 14
    "/cart" 1 60 35
    "/checkout" 0 24 70
    "/blog" 26 44 22
    "/blog/packing-light" 90 40 140
    "/blog/winter-routes" 70 34 120
    "/blog/how-we-map-trails" 50 20 160
    "/blog/repair-a-zipper" 60 16 150
    "/docs/getting-started" 40 36 95
    "/docs/sizing" 26 30 60
    "/docs/care" 16 16 55
    "/about" 12 30 30
    "/contact" 10 22 40
    "/jobs" 8 10 45
    "/imprint" 2 8 12
}

/// What people search for.
pub(super) const SEARCHES: &[&str] = &[
    "rain cover",
    "ridge 40",
    "repair",
    "size chart",
    "warranty",
    "hip belt",
    "sale",
    "laptop sleeve",
    "returns",
    "waterproof",
    "gift card",
    "tent",
];

/// What people download.
pub(super) const DOWNLOADS: &[&str] = &[
    "https://demo.example/files/catalog-2026.pdf",
    "https://demo.example/files/size-chart.pdf",
    "https://demo.example/files/winter-routes.gpx.zip",
];

/// Where people leave to.
pub(super) const OUTBOUND: &[&str] = &[
    "https://maps.example/trails",
    "https://www.youtube.com/watch?v=ridge40",
    "https://github.com/trail-example/maps",
    "https://partner-shop.example/ridge-40",
];

/// Addresses that lead nowhere.
pub(super) const MISSING: &[&str] =
    &["/products/ridge-35", "/blog/old-post", "/feed.xml", "/wp-login.php"];
