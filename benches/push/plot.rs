//! A growth curve as an SVG: how many on a logarithmic axis, milliseconds on a plain one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// One line of a plot: its name and its points, each a count and milliseconds.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 48.0;
const COLOURS: [&str; 4] = ["#0b6bcb", "#b3541e", "#5f6b76", "#2f7d32"];

/// Writes one plot. `across`: what is counted.
pub(crate) fn write(path: &Path, title: &str, across: &str, lines: &[Line]) {
    let points = || lines.iter().flat_map(|line| &line.points);
    let least = points().map(|it| it.0).fold(f64::INFINITY, f64::min).log10();
    let most = points().map(|it| it.0).fold(1.0, f64::max).log10();
    let top = nice(points().map(|it| it.1).fold(0.0, f64::max));
    let x = |count: f64| {
        LEFT + (WIDTH - LEFT - RIGHT) * (count.log10() - least) / (most - least).max(0.001)
    };
    let y = |ms: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * ms / top;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{title}</text>\n"
    );
    for step in 0..=4 {
        let ms = top * f64::from(step) / 4.0;
        let (at, right) = (y(ms), WIDTH - RIGHT);
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            number(ms)
        );
    }
    let mut counts: Vec<f64> = points().map(|it| it.0).collect();
    counts.sort_by(f64::total_cmp);
    counts.dedup();
    for count in counts {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{count}</text>",
            x(count),
            HEIGHT - BOTTOM + 18.0
        );
    }
    let (middle, below) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0);
    let _ = write!(
        svg,
        "<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\">{across}</text>\n\
         <text x=\"8\" y=\"{}\" font-size=\"11\">ms</text>\n",
        TOP - 2.0
    );
    for (at, line) in lines.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let all: Vec<String> =
            line.points.iter().map(|it| format!("{:.1},{:.1}", x(it.0), y(it.1))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            all.join(" ")
        );
        for point in &all {
            let (x, y) = point.split_once(',').unwrap();
            let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>");
        }
        let Some(last) = line.points.last() else { continue };
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{} {}</text>",
            WIDTH - RIGHT + 10.0,
            y(last.1) + 4.0,
            line.name,
            number(last.1)
        );
    }
    svg.push_str("</svg>\n");
    fs::write(path, svg).unwrap();
}

/// The next 1, 2 or 5 with zeros.
fn nice(most: f64) -> f64 {
    let unit = 10_f64.powf(most.max(0.01).log10().floor());
    [1.0, 2.0, 4.0, 5.0, 8.0, 10.0]
        .map(|step| step * unit)
        .into_iter()
        .find(|it| *it >= most)
        .unwrap()
}

fn number(ms: f64) -> String {
    if ms >= 100.0 {
        format!("{ms:.0}")
    } else if ms >= 10.0 {
        format!("{ms:.1}")
    } else {
        format!("{ms:.2}")
    }
}
