//! The user agents of browsers, as often as they are met.
//!
//! Families follow StatCounter's figures for the world in 2025, rounded; versions are an assumption: most
//! browsers are of the current version or the one before, and the rest is spread far behind. Texts are as browsers
//! send them now, with everything but the major version frozen (Chrome's user agent reduction, and
//! what Safari and Firefox freeze).

use rand::RngExt;
use rand::rngs::SmallRng;

/// What a browser runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    Phone,
    Desktop,
    Tablet,
}

/// Of a hundred browsers, how many are on a phone and on a desktop; the others are on a tablet.
const PHONES: u32 = 57;
const DESKTOPS: u32 = 41;

/// Families of a kind of device, each with its weight.
const PHONE: [(u32, Family); 7] = [
    (600, Family::Chrome("Linux; Android 10; K", " Mobile", "")),
    (225, Family::Safari),
    (40, Family::Chrome("Linux; Android 10; K", " Mobile", "SamsungBrowser")),
    (35, Family::Chrome("iPhone; CPU iPhone OS 18_6 like Mac OS X", " Mobile/15E148", "CriOS")),
    (10, Family::Firefox("Android 15; Mobile")),
    (15, Family::Chrome("Linux; Android 10; K", " Mobile", "OPR")),
    (75, Family::InApp),
];
const DESKTOP: [(u32, Family); 9] = [
    (520, Family::Chrome("Windows NT 10.0; Win64; x64", "", "")),
    (100, Family::Chrome("Macintosh; Intel Mac OS X 10_15_7", "", "")),
    (40, Family::Chrome("X11; Linux x86_64", "", "")),
    (130, Family::Chrome("Windows NT 10.0; Win64; x64", "", "Edg")),
    (90, Family::MacSafari),
    (50, Family::Firefox("Windows NT 10.0; Win64; x64")),
    (15, Family::Firefox("X11; Linux x86_64")),
    (10, Family::Firefox("Macintosh; Intel Mac OS X 10.15")),
    (45, Family::Chrome("Windows NT 10.0; Win64; x64", "", "OPR")),
];
const TABLET: [(u32, Family); 3] = [
    (500, Family::MacSafari),
    (400, Family::Chrome("Linux; Android 10; K", "", "")),
    (100, Family::InApp),
];

/// Of a thousand browsers that renew themselves, how many are so many versions behind.
const BEHIND: [(u32, u32); 7] = [(620, 0), (190, 1), (55, 2), (30, 3), (25, 4), (20, 6), (60, 8)];
/// The systems of Apple's phones that are met; Safari's version goes with them.
const IOS: [(u32, &str, &str); 8] = [
    (330, "18_6", "26.0"),
    (200, "18_6_2", "18.6"),
    (120, "18_7", "26.1"),
    (90, "18_5", "18.5"),
    (80, "17_6_1", "17.6"),
    (70, "16_7_11", "16.6"),
    (60, "18_3_2", "18.3.1"),
    (50, "15_8_4", "15.6.6"),
];
const CURRENT: u32 = 142;

#[derive(Clone, Copy)]
enum Family {
    /// System, mark of a phone, and the name that is added.
    Chrome(&'static str, &'static str, &'static str),
    Safari,
    MacSafari,
    Firefox(&'static str),
    /// The browser inside of another program, which tells the very device.
    InApp,
}

/// What a browser of everybody runs on.
pub(super) fn device(rng: &mut SmallRng) -> Device {
    match rng.random_range(0..100) {
        roll if roll < PHONES => Device::Phone,
        roll if roll < PHONES + DESKTOPS => Device::Desktop,
        _ => Device::Tablet,
    }
}

/// The text of a browser's user agent.
pub(super) fn agent(rng: &mut SmallRng, device: Device) -> String {
    let family = match device {
        Device::Phone => pick(rng, &PHONE),
        Device::Desktop => pick(rng, &DESKTOP),
        Device::Tablet => pick(rng, &TABLET),
    };
    text(rng, family)
}

/// The browser that an office has put on all of its machines.
pub(super) fn of_an_office(rng: &mut SmallRng) -> String {
    let name = if rng.random_range(0..100) < 55 { "Edg" } else { "" };
    chrome("Windows NT 10.0; Win64; x64", "", name, CURRENT - rng.random_range(0..2))
}

pub(super) fn pick<T: Copy>(rng: &mut SmallRng, weighted: &[(u32, T)]) -> T {
    let mut roll = rng.random_range(0..weighted.iter().map(|(weight, _)| weight).sum::<u32>());
    for &(weight, item) in weighted {
        match roll.checked_sub(weight) {
            None => return item,
            Some(rest) => roll = rest,
        }
    }
    weighted[weighted.len() - 1].1
}

fn text(rng: &mut SmallRng, family: Family) -> String {
    match family {
        Family::Chrome(system, mark, name) => chrome(system, mark, name, version(rng)),
        Family::Safari => {
            let (_, system, version) = IOS[place(rng, &IOS.map(|(weight, ..)| weight))];
            format!(
                "Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/{version} Mobile/15E148 Safari/604.1"
            )
        }
        Family::MacSafari => {
            let (_, _, version) = IOS[place(rng, &IOS.map(|(weight, ..)| weight))];
            format!(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/{version} Safari/605.1.15"
            )
        }
        Family::Firefox(system) => {
            let version = version(rng);
            format!("Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0")
        }
        Family::InApp => {
            let model = rng.random_range(0..400u32);
            let version = version(rng);
            format!(
                "Mozilla/5.0 (Linux; Android 15; M-{model}; wv) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Version/4.0 Chrome/{version}.0.7444.{} Mobile Safari/537.36",
                rng.random_range(40..180)
            )
        }
    }
}

fn chrome(system: &str, mark: &str, name: &str, version: u32) -> String {
    let added = match name {
        "" => String::new(),
        "OPR" => format!(" OPR/{}.0.0.0", version - 18),
        "SamsungBrowser" => format!(" SamsungBrowser/{}.0", version / 5),
        name => format!(" {name}/{version}.0.0.0"),
    };
    format!(
        "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0{mark} Safari/537.36{added}"
    )
}

fn version(rng: &mut SmallRng) -> u32 {
    let behind = pick(rng, &BEHIND);
    // The last step stands for all that is older.
    CURRENT - if behind == 8 { 8 + rng.random_range(0..40) } else { behind }
}

fn place(rng: &mut SmallRng, weights: &[u32]) -> usize {
    let places: Vec<(u32, usize)> = weights.iter().copied().zip(0..).collect();
    pick(rng, &places)
}
