//! The table.

use crate::digits::three_digits;
use crate::load::median;

/// One line of it.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// Ours, in words.
    pub ours: String,
    /// The bare handler's, or the disk's, in words.
    pub beside: String,
    /// What is held against bars. Empty for context.
    pub bars: Vec<Bar>,
}

/// A figure and what it must be.
pub struct Bar {
    /// What it is of, with its unit.
    pub name: &'static str,
    /// The figure.
    pub value: f64,
    /// What it is held against.
    pub bar: f64,
    /// Which side is good.
    pub side: Side,
}

/// Which side of a bar is good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The figure is to be at most the bar.
    AtMost,
    /// The figure is to be at least the bar.
    AtLeast,
}

impl Bar {
    /// At most so much.
    pub fn at_most(name: &'static str, value: f64, bar: f64) -> Bar {
        Bar { name, value, bar, side: Side::AtMost }
    }

    /// At least so much.
    pub fn at_least(name: &'static str, value: f64, bar: f64) -> Bar {
        Bar { name, value, bar, side: Side::AtLeast }
    }

    /// A figure that could not be computed meets nothing.
    fn is_met(&self) -> bool {
        match self.side {
            Side::AtMost => self.value <= self.bar,
            Side::AtLeast => self.value >= self.bar,
        }
    }

    fn factor(&self) -> f64 {
        match self.side {
            Side::AtMost => self.value / self.bar,
            Side::AtLeast => self.bar / self.value,
        }
    }

    fn miss(&self) -> String {
        match self.value.is_nan() {
            true => format!("{} not measured", self.name),
            false => format!("{} missed by {:.2}x", self.name, self.factor()),
        }
    }

    fn text(&self) -> String {
        let sign = if self.side == Side::AtMost { "≤" } else { "≥" };
        let value = if self.value.is_nan() { "-".to_owned() } else { three_digits(self.value) };
        format!("{} {sign} {} ({value})", self.name, three_digits(self.bar))
    }
}

impl Row {
    /// Whether any bar is missed.
    pub fn is_missed(&self) -> bool {
        self.bars.iter().any(|bar| !bar.is_met())
    }

    fn line(&self) -> String {
        let bars: Vec<String> = self.bars.iter().map(Bar::text).collect();
        let misses: Vec<String> = self.bars.iter().filter(|bar| !bar.is_met()).map(Bar::miss).collect();
        let verdict = match (bars.is_empty(), misses.is_empty()) {
            (true, _) => "context".to_owned(),
            (false, true) => "met".to_owned(),
            (false, false) => misses.join(", "),
        };
        let bars = if bars.is_empty() { "-".to_owned() } else { bars.join("; ") };
        format!("| {} | {} | {} | {bars} | {verdict} |", self.what, self.ours, self.beside)
    }
}

/// All of it.
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        "| what | ours | beside it | bars (figure) | verdict |".to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    lines.extend(rows.iter().map(Row::line));
    lines.join("\n")
}

/// The median of a figure of every round.
pub fn middle<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    median(rounds.iter().map(figure).collect())
}

/// Nanoseconds, readable.
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        value if value < 999.5 => format!("{} ns", three_digits(value)),
        value if value < 999_500.0 => format!("{} µs", three_digits(value / 1e3)),
        value => format!("{} ms", three_digits(value / 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bars: Vec<Bar>) -> Row {
        Row { what: "it".to_owned(), ours: "1".to_owned(), beside: "2".to_owned(), bars }
    }

    #[test]
    fn a_bar_is_met_from_its_good_side_only() {
        assert!(!row(vec![Bar::at_most("ms", 2.0, 2.0), Bar::at_least("/s", 3.0, 2.0)]).is_missed());
        assert!(row(vec![Bar::at_most("ms", 2.1, 2.0)]).is_missed());
        assert!(row(vec![Bar::at_least("/s", 1.9, 2.0)]).is_missed());
        assert!(row(vec![Bar::at_most("ms", f64::NAN, 2.0)]).is_missed());
    }

    #[test]
    fn a_line_says_by_how_much() {
        let line = row(vec![Bar::at_least("acknowledged/s", 800.0, 2_000.0)]).line();
        assert_eq!(line, "| it | 1 | 2 | acknowledged/s ≥ 2000 (800) | acknowledged/s missed by 2.50x |");
        assert!(row(Vec::new()).line().ends_with("| - | context |"));
        let line = row(vec![Bar::at_most("kB", f64::NAN, 25.0)]).line();
        assert_eq!(line, "| it | 1 | 2 | kB ≤ 25 (-) | kB not measured |");
    }
}
