//! The chart: a row for each scenario, a mark for each mask, at the percentage that visitors are off by.

use std::fmt::Write;

use super::{Figures, MASKS, OURS, Outcome};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 330.0;
const RIGHT: f64 = 930.0;
const TOP: f64 = 104.0;
const ROW: f64 = 40.0;
/// Percent at both ends of the axis.
const FROM: f64 = -100.0;
const TO: f64 = 40.0;
const STEP: usize = 20;

/// Colours that can be told apart by people who see fewer of them; each series has a shape besides.
const STYLE: &str = "\
svg{font:15px system-ui,sans-serif;background:#fff}\
.back{fill:#fff}text{fill:#24292f}.soft{fill:#57606a;font-size:13px}.grid{stroke:#d8dee4}.zero{stroke:#24292f}\
.m0{fill:#8250df}.m1{fill:#0969da}.m2{fill:#1a7f37}.m3{fill:#bc4c00}.m4{fill:#6e7781}\
@media(prefers-color-scheme:dark){svg{background:#0d1117}.back{fill:#0d1117}text{fill:#e6edf3}.soft{fill:#9198a1}\
.grid{stroke:#30363d}.zero{stroke:#e6edf3}.m0{fill:#be8fff}.m1{fill:#58a6ff}.m2{fill:#3fb950}.m3{fill:#f0883e}.m4{fill:#9198a1}}";

pub(crate) fn chart(results: &[Outcome]) -> String {
    let bottom = TOP + ROW * results.len() as f64;
    let height = bottom + 40.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"t\">\n\
         <title id=\"t\">How far visitors are off, by scenario and by what is used of an address</title>\n\
         <style>{STYLE}</style>\n<rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
         <text x=\"24\" y=\"34\" font-weight=\"600\">Visitors counted, against browsers there were</text>\n"
    );
    let mut x = 32.0;
    for (place, mask) in MASKS.iter().enumerate() {
        mark(&mut svg, place, x, 62.0);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"67\">{}</text>", x + 14.0, mask.name);
        x += 44.0 + 8.2 * mask.name.len() as f64;
    }
    for tick in (0..=((TO - FROM) as usize)).step_by(STEP) {
        let percent = FROM + tick as f64;
        let (x, class) = (at(percent), if percent == 0.0 { "zero" } else { "grid" });
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{bottom}\"/>\
             <text class=\"soft\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}{} %</text>",
            TOP - 10.0,
            bottom + 20.0,
            if percent > 0.0 {
                "+"
            } else if percent < 0.0 {
                "−"
            } else {
                ""
            },
            percent.abs(),
        );
    }
    for (row, Outcome { scenario, figures }) in results.iter().enumerate() {
        let y = TOP + ROW * (row as f64 + 0.5);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 14.0,
            y + 5.0,
            scenario.name.replace('\'', "’"),
        );
        // Ours comes last, over the others.
        let others = (0..figures.len()).filter(|place| *place != OURS);
        for place in others.chain([OURS]) {
            mark(&mut svg, place, at(Figures::off(figures[place].visitors)), y);
        }
    }
    svg + "</svg>\n"
}

fn at(percent: f64) -> f64 {
    let x = LEFT + (percent.clamp(FROM, TO) - FROM) / (TO - FROM) * (RIGHT - LEFT);
    (x * 10.0).round() / 10.0
}

/// The mark of a mask: a disc for ours, and for the others a ring, a diamond, a triangle and a square.
fn mark(svg: &mut String, place: usize, x: f64, y: f64) {
    let shape = match place {
        OURS => format!("<circle class=\"m{place}\" cx=\"{x}\" cy=\"{y}\" r=\"6\"/>"),
        0 => path(
            place,
            x,
            y,
            "m-9 0a9 9 0 1 0 18 0a9 9 0 1 0-18 0m2.5 0a6.5 6.5 0 1 1 13 0a6.5 6.5 0 1 1-13 0",
        ),
        2 => path(place, x, y, "m0-9l4 9-4 9-4-9z"),
        3 => path(place, x, y, "m0-7l7 12h-14z"),
        _ => path(place, x, y, "m-5.5-5.5h11v11h-11z"),
    };
    svg.push_str(&shape);
    svg.push('\n');
}

fn path(place: usize, x: f64, y: f64, drawn: &str) -> String {
    format!("<path class=\"m{place}\" fill-rule=\"evenodd\" d=\"M{x} {y}{drawn}\"/>")
}
