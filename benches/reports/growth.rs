//! The chart of growth: how long the processors are busy with an answer, over how many events there are, both in powers of ten. A line
//! that rises as the dotted one does grows with the number of events.

use std::fmt::Write;

use crate::Year;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Left, top, right and bottom of the drawing.
const FRAME: [f64; 4] = [56.0, 24.0, 500.0, 376.0];
/// What the axis of milliseconds reaches from and to.
const MILLISECONDS: [f64; 2] = [1.0, 10_000.0];
/// Told apart also by those who tell few colours apart.
const COLOURS: [&str; 6] = ["#3b5bdb", "#e8590c", "#2b8a3e", "#862e9c", "#c92a2a", "#0b7285"];

/// The chart of several years, as SVG.
pub(crate) fn chart(years: &[Year]) -> String {
    let events = |year: &Year| year.events as f64;
    let fewest = years.iter().map(events).fold(f64::INFINITY, f64::min);
    let most = years.iter().map(events).fold(fewest * 10.0, f64::max);
    let place = |value: f64, [from, to]: [f64; 2], low: f64, high: f64| {
        low + (high - low) * (value / from).ln() / (to / from).ln()
    };
    let x = |events: f64| place(events, [fewest, most], FRAME[0], FRAME[2]);
    let y = |ms: f64| place(ms.max(MILLISECONDS[0]), MILLISECONDS, FRAME[3], FRAME[1]);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\" role=\"img\" aria-label=\"Milliseconds of the processors an answer takes, by number of events\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    for ms in [1.0, 10.0, 100.0, 1_000.0, 10_000.0] {
        let (at, label) =
            (y(ms), if ms < 1_000.0 { format!("{ms} ms") } else { format!("{} s", ms / 1e3) });
        let [left, _, right, _] = FRAME;
        line(&mut svg, &[(left, at), (right, at)], "#dee2e6", "");
        text(&mut svg, (left - 6.0, at + 4.0), "end", "#495057", &label);
    }
    for year in years {
        let label = format!("{:.0} million", events(year) / 1e6);
        text(&mut svg, (x(events(year)), FRAME[3] + 22.0), "middle", "#495057", &label);
    }
    let as_events_do = [(x(fewest), y(10.0)), (x(most), y(10.0 * most / fewest))];
    line(&mut svg, &as_events_do, "#868e96", " stroke-dasharray=\"2 5\"");
    let mut labels = vec![(as_events_do[1].1, "#868e96", "(as the events grow)")];
    let Some(last) = years.last() else { return svg + "</svg>\n" };
    let lines =
        last.costs.iter().enumerate().filter_map(|(at, cost)| Some((at, cost.question.line?)));
    for ((at, name), colour) in lines.zip(COLOURS.iter().cycle()) {
        let point = |year: &Year| (x(events(year)), y(year.costs[at].cpu));
        let points: Vec<(f64, f64)> = years.iter().map(point).collect();
        line(&mut svg, &points, colour, " stroke-width=\"2.5\"");
        labels.extend(points.last().map(|(_, end)| (*end, *colour, name)));
    }
    // No label stands on another.
    labels.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut lowest = f64::NEG_INFINITY;
    for (end, colour, name) in labels {
        lowest = end.max(lowest + 17.0);
        text(&mut svg, (FRAME[2] + 10.0, lowest + 4.0), "start", colour, name);
    }
    svg + "</svg>\n"
}

fn line(svg: &mut String, points: &[(f64, f64)], colour: &str, more: &str) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let points = points.join(" ");
    let _ =
        writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\"{more}/>");
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, colour: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>"
    );
}
