//! How far visitors and visits are off, in a world where the truth is known.
//!
//! [`population`] draws people, their browsers and their networks; [`measure`] lets the product's own wall
//! and its own visits look at them, once for each way of shortening addresses; [`document`] and [`chart`]
//! tell the differences.
//!
//! Addresses exist here as texts alone. They get to the wall as those of real visitors do, in the header of a
//! trusted proxy, and come out of it as visitor ids.

mod agents;
mod chart;
mod document;
mod measure;
mod population;

pub(crate) use chart::chart;
pub(crate) use document::document;
pub(crate) use measure::{Figures, measure};
#[cfg(test)]
use population::Hit;
use population::{SCENARIOS, Scenario};

/// Where the document is.
pub(crate) const DOCUMENT: &str = "docs/privacy-accuracy.md";
/// Where its chart is.
pub(crate) const CHART: &str = "docs/images/privacy-accuracy.svg";

/// What is used of an address.
#[derive(Clone, Copy)]
pub(crate) struct Mask {
    pub(crate) name: &'static str,
    /// Leading bits of IPv4 and IPv6; `None` uses nothing of an address.
    pub(crate) bits: Option<(u8, u8)>,
}

/// Ours is the second.
pub(crate) const MASKS: [Mask; 5] = [
    Mask { name: "whole address", bits: Some((32, 128)) },
    Mask { name: "/24, /48", bits: Some((24, 48)) },
    Mask { name: "/28, /56", bits: Some((28, 56)) },
    Mask { name: "/16, /32", bits: Some((16, 32)) },
    Mask { name: "user agent alone", bits: None },
];
/// The place of ours among them.
pub(crate) const OURS: usize = 1;

/// What was found of a scenario, one for each mask.
pub(crate) struct Outcome {
    pub(crate) scenario: Scenario,
    pub(crate) figures: Vec<Figures>,
}

/// Runs everything.
pub(crate) async fn results() -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for scenario in SCENARIOS {
        let hits = population::hits(&scenario);
        let mut figures = Vec::new();
        for mask in MASKS {
            figures.push(measure(&hits, mask).await);
        }
        outcomes.push(Outcome { scenario, figures });
    }
    outcomes
}

/// Browsers of which each has an address of its own and all have one agent, and the same with one address:
/// what the measurement must find of them is known beforehand.
#[cfg(test)]
pub(crate) fn known(browsers: u32, addresses: u32) -> Vec<Hit> {
    (0..browsers)
        .map(|browser| Hit {
            second: population::START + 3_600 + i64::from(browser),
            browser,
            address: population::ipv4(0xf000_0000 + (browser % addresses) * 256),
            agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
                .to_owned(),
        })
        .collect()
}
