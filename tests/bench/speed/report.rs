//! Figures side by side with their floors: a table for the eye, JSON for programs, bars as SVG,
//! and the table between the marks of BENCHMARKS.md.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// The ratio of figure to floor, in hundredths, must be this or more.
    RatioAtLeast(u64),
    /// The ratio of figure to floor, in hundredths, must be this or less.
    RatioAtMost(u64),
    /// The figure itself must be this or less, in its own unit.
    AtMost(u64),
    /// Nobody set one.
    None,
}

/// What is counted, and how it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Microseconds,
    Bytes,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) figure: u64,
    /// What the floor is, and its figure in the same unit.
    pub(crate) floor: Option<(String, u64)>,
    pub(crate) goal: Goal,
}

impl Row {
    /// Figure by floor, in hundredths.
    pub(crate) fn ratio_percent(&self) -> Option<u64> {
        let (_, floor) = self.floor.as_ref()?;
        (self.figure * 100).checked_div((*floor).max(1))
    }

    fn met(&self) -> Option<bool> {
        let ratio = self.ratio_percent();
        match self.goal {
            Goal::RatioAtLeast(least) => ratio.map(|ratio| ratio >= least),
            Goal::RatioAtMost(most) => ratio.map(|ratio| ratio <= most),
            Goal::AtMost(most) => Some(self.figure <= most),
            Goal::None => None,
        }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Goal::RatioAtLeast(least) => format!("at least {} ×", hundredths(least)),
            Goal::RatioAtMost(most) => format!("at most {} ×", hundredths(most)),
            Goal::AtMost(most) => format!("at most {}", shown(most, self.unit)),
            Goal::None => "–".to_owned(),
        }
    }

    fn met_text(&self) -> &'static str {
        match self.met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "–",
        }
    }

    fn cells(&self) -> [String; 6] {
        let (floor, of) = match &self.floor {
            Some((of, floor)) => (shown(*floor, self.unit), of.clone()),
            None => ("–".to_owned(), String::new()),
        };
        let floor = if of.is_empty() { floor } else { format!("{floor} ({of})") };
        [
            self.name.clone(),
            shown(self.figure, self.unit),
            floor,
            self.ratio_percent().map_or("–".to_owned(), hundredths),
            self.goal_text(),
            self.met_text().to_owned(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "unit": match self.unit {
                Unit::PerSecond => "per second",
                Unit::Microseconds => "microseconds",
                Unit::Bytes => "bytes",
            },
            "figure": self.figure,
            "floor": self.floor.as_ref().map(|(_, floor)| floor),
            "floorIs": self.floor.as_ref().map(|(of, _)| of),
            "ratioHundredths": self.ratio_percent(),
            "goal": self.goal_text(),
            "met": self.met(),
        })
    }
}

/// A number of hundredths as a decimal.
fn hundredths(n: u64) -> String {
    format!("{}.{:02}", n / 100, n % 100)
}

/// A figure with its unit, to three or four digits.
pub(crate) fn shown(figure: u64, unit: Unit) -> String {
    match unit {
        Unit::PerSecond => format!("{figure}/s"),
        Unit::Microseconds if figure < 10_000 => format!("{figure} µs"),
        Unit::Microseconds if figure < 10_000_000 => {
            format!("{}.{} ms", figure / 1000, figure % 1000 / 100)
        }
        Unit::Microseconds => format!("{}.{} s", figure / 1_000_000, figure % 1_000_000 / 100_000),
        Unit::Bytes if figure < 100_000 => format!("{figure} bytes"),
        Unit::Bytes => format!("{}.{} MB", figure / 1_000_000, figure % 1_000_000 / 100_000),
    }
}

/// A time in whole microseconds.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The middle one of some figures; 0 if there are none.
pub(crate) fn median(mut figures: Vec<u64>) -> u64 {
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied().unwrap_or(0)
}

/// All that was measured, in the order in which it was.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a line and prints it.
    pub(crate) fn add(&mut self, row: Row) {
        println!("{}", line(&row.cells()));
        self.rows.push(row);
    }

    /// Prints the head of the table.
    pub(crate) fn begin() {
        let heads = ["figure", "measured", "floor", "ratio", "goal", "met"];
        println!("{}", line(&heads.map(str::to_owned)));
    }

    /// Writes `speed.json` and `speed.svg` into a folder.
    pub(crate) fn write(&self, folder: &Path, about: &Value) {
        fs::create_dir_all(folder).unwrap();
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let all = json!({ "run": about, "rows": rows });
        let text = serde_json::to_string_pretty(&all).unwrap() + "\n";
        fs::write(folder.join("speed.json"), text).unwrap();
        fs::write(folder.join("speed.svg"), self.chart()).unwrap();
    }

    /// Puts the table between the marks of a page.
    pub(crate) fn write_into(&self, page: &Path, about: &str) {
        const BEGIN: &str = "<!-- measured: begin -->";
        const END: &str = "<!-- measured: end -->";
        let text = fs::read_to_string(page).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect("the page has its marks");
        let (_, after) = rest.split_once(END).expect("the page has its marks");
        let mut table = format!("{about}\n\n| figure | measured | floor | ratio | goal | met |\n");
        table.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for row in &self.rows {
            let _ = writeln!(table, "| {} |", row.cells().join(" | "));
        }
        let whole = format!("{before}{BEGIN}\n{table}{END}{after}");
        fs::write(page, whole).unwrap();
    }

    /// A bar for each row with a goal: how much of the goal was reached. The line is the goal.
    fn chart(&self) -> String {
        let reached = |row: &Row| {
            let ratio = row.ratio_percent();
            match row.goal {
                Goal::RatioAtLeast(least) => ratio.map(|ratio| ratio * 100 / least.max(1)),
                Goal::RatioAtMost(most) => ratio.map(|ratio| most * 100 / ratio.max(1)),
                Goal::AtMost(most) => Some(most * 100 / row.figure.max(1)),
                Goal::None => None,
            }
        };
        let bars: Vec<(&Row, u64)> =
            self.rows.iter().filter_map(|row| reached(row).map(|part| (row, part))).collect();
        let height = bars.len() * 26 + 50;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 {height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <title>Measured figures against their goals</title>\n\
             <rect width=\"900\" height=\"{height}\" fill=\"#fff\"/>\n\
             <text x=\"470\" y=\"20\" fill=\"#333\">the line is the goal; longer is better; \
             cut off at three times the goal</text>\n"
        );
        for (at, (row, part)) in bars.iter().enumerate() {
            let (y, width) = (at * 26 + 34, (part * 130 / 100).clamp(2, 390));
            let colour = if *part >= 100 { "#2a7d4f" } else { "#c0562b" };
            let name = row.name.replace('&', "&amp;").replace('<', "&lt;");
            let _ = writeln!(
                svg,
                "<text x=\"460\" y=\"{}\" text-anchor=\"end\" fill=\"#222\">{name}</text>\n\
                 <rect x=\"470\" y=\"{y}\" width=\"{width}\" height=\"18\" fill=\"{colour}\"/>",
                y + 14
            );
        }
        let _ = writeln!(
            svg,
            "<line x1=\"600\" y1=\"28\" x2=\"600\" y2=\"{}\" stroke=\"#222\" \
             stroke-dasharray=\"4 3\"/>\n</svg>",
            height - 12
        );
        svg
    }
}

fn line(cells: &[String; 6]) -> String {
    let [name, figure, floor, ratio, goal, met] = cells;
    format!("{name:<58} {figure:>12}  {floor:<44} {ratio:>7}  {goal:<18} {met}")
}
