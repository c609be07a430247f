//! The document: tables, what they mean, and what the model is.

use std::fmt::Write;

use super::{Figures, MASKS, OURS, Outcome};

pub(crate) fn document(results: &[Outcome]) -> String {
    let mut text = String::from(BEGINNING);
    table(&mut text, results, |figures| figures.visitors);
    text += BETWEEN;
    table(&mut text, results, |figures| figures.visits);
    text += CAUSES;
    text += "| | visitors there were | merged with another | counted more than once |\n|---|--:|--:|--:|\n";
    for Outcome { scenario, figures } in results {
        let ours = &figures[OURS];
        let (merged, split) = (ours.of_visitors(ours.merged), ours.of_visitors(ours.split));
        let _ = writeln!(
            text,
            "| {} | {} | {merged:.1} % | {split:.1} % |",
            scenario.name, ours.visitors.0
        );
    }
    text + ENDING
}

/// How far the counts are off, for each scenario and mask.
fn table(text: &mut String, results: &[Outcome], counts: fn(&Figures) -> (usize, usize)) {
    for mask in MASKS {
        let _ = write!(text, "| {} ", mask.name);
    }
    let heads = text.split_off(text.rfind('\n').map_or(0, |end| end + 1));
    let _ = writeln!(text, "| {heads}|\n|---{}|", "|--:".repeat(MASKS.len()));
    for Outcome { scenario, figures } in results {
        let _ = write!(text, "| {} ", scenario.name);
        for (place, figures) in figures.iter().enumerate() {
            let strong = if place == OURS { "**" } else { "" };
            let _ = write!(text, "| {strong}{}{strong} ", signed(Figures::off(counts(figures))));
        }
        text.push_str("|\n");
    }
}

/// With a sign that is as wide as a digit, and none for nothing.
fn signed(percent: f64) -> String {
    let text = format!("{percent:+.1} %").replace('-', "−");
    if text == "+0.0 %" || text == "−0.0 %" { "0.0 %".to_owned() } else { text }
}

const BEGINNING: &str = "\
# How right the numbers are

Passerby recognises a visitor by the shortened address and the user agent, for a day. That is wrong in two
directions: people who share both are counted as one, and somebody whose address changes is counted again.
This is how far it goes, in a world where the truth is known.

    cargo run --release --example accuracy

writes this page and its chart. It draws people, browsers and networks from a fixed seed and sends their requests
through the collector's own wall (`src/privacy`) and visits (`src/session`), once for each way of shortening addresses.
A test holds this page to what the command writes.

![How far visitors are off, by scenario and by what is used of an address](images/privacy-accuracy.svg)

## Visitors

Difference of the visitors of a day from the browsers that there were, which is what a cookie would count that nobody
deletes. Passerby's own way (`privacy.ipv4_prefix = 24`, `privacy.ipv6_prefix = 48`) is in bold.

";

const BETWEEN: &str = "
## Visits

Difference of the visits from those that each browser made, by the same rules (30 minutes).

";

const CAUSES: &str = "
## Why

Two errors of opposite directions hide each other in a difference. With /24 and /48:

";

const ENDING: &str = "
## What this means for you

- **Compare a site with itself.** The error follows from the networks of a site's visitors, which change slowly. It grows
  with their density, though: where visitors share networks, twice the visitors are counted as less than twice.
- **Visits are nearer to the truth than visitors.** Two people who are taken for one must also come within the same half
  hour to be one visit. Page views and events are not concerned at all: they are counted, not recognised.
- **A site with visitors from all over a country loses hardly anybody to shortened addresses.** /24 and /48 differ from the
  whole address by a few percent. What it counts too much comes from phones that change between networks, and no use of
  addresses helps against that.
- **A site of one town, one campus or one company is counted too low.** Its visitors share networks, and many of them the
  browser. `privacy.ipv4_prefix = 28` and `privacy.ipv6_prefix = 56` help a town and cost privacy: up to 16 IPv4
  lines, or a single one with IPv6, then stand behind a number. An office behind one address with equal browsers is one
  visitor with every setting.
- **The user agent alone, or /16, is of no use** for counting visitors.
- **Visitors of a week or a month are the sum of its days.** Nobody can be recognised on another day, so whoever comes on three
  days is three visitors. That is meant, and is not in these tables.

The goal was an error of visitors of 5 % for everybody's mix. It is missed where phones are: how far depends on how
often a phone changes its network between two visits of a day.

## The model

Two days. Each browser has a device, a user agent, a network, and one to three visits of one to ten pages.
All addresses are of ranges that nobody has (240.0.0.0/4 and fd00::/8).

| Assumption | Value | Where from |
|---|---|---|
| Phones, desktops, tablets | 57, 41 and 2 % | StatCounter Global Stats, world, 2025, rounded |
| Families of browsers | of all: Chrome about 66 %, Safari 18 %, Edge 5 %, Firefox 3 %, and within each kind of device | StatCounter Global Stats, world, 2025, rounded |
| Browsers inside of other programs | 7.5 % of phones, which tell model and version | assumed |
| Versions | 62 % the current one, 19 % the one before, the rest up to 48 behind | assumed |
| What a user agent tells | major version only; Android and macOS frozen | Chrome's user agent reduction; Safari and Firefox as they are |
| IPv6 | 55 % of homes, 65 % of phones | about half of the users whom Google's statistics of IPv6 see, phones more than homes |
| Prefix of a home | /56 | RIPE-690 recommends it for homes |
| Prefix of a phone | /64 | RFC 6459 |
| Address within a prefix | one for a day | RFC 8981, temporary addresses |
| Visits that fall back to IPv4 | 3 % | assumed (RFC 8305 is the mechanism) |
| Homes of a country, of a town | 20 million, 40,000; neighbours have neighbouring addresses | assumed; a /24 is then 256 homes |
| Homes behind a carrier's NAT | 20 %, 32 to an address | assumed |
| Homes with another address each morning | 10 % | assumed |
| Carriers | 4 with 12 regions, 64 phones to an IPv4 address; one of the four gives each connection another | that there are both kinds: Richter et al., *A Multi-perspective Analysis of Carrier-Grade NAT Deployment*, IMC 2016; the shares are assumed |
| Phones that are attached anew | before half of the visits over a carrier | assumed |
| Visits of phones over a carrier | 30 % among everybody | assumed |
| Office | one IPv4 address, 75 % with the browser of the house | assumed |
| At work | 12 % of everybody | assumed |
| Visits, pages, pauses | 72 % one visit a day; 45 % one page | assumed |

## Limits

- It is a model. Where it says *assumed* nobody measured, and another country has other networks. The two that
  matter most are how often phones change networks and how close to each other a site's visitors live.
- A truth of browsers is not one of people: who uses a phone and a desktop is two visitors here, as with cookies.
- Virtual private networks, company networks that span countries, universities, and Apple's Private Relay are not in it.
  Each of them puts many people behind few addresses, or one person behind several.
- Robots that pass for browsers are not in it.
- Restarts of the collector are not in it either: the day's salt survives them in memory.
";
