//! The Markdown report: a list of rows with their figures, bars and verdicts.

use crate::digits::three_digits;
use crate::layout::item;
use crate::load::median;

/// One row of the report.
pub struct Row {
    /// The name of the measurement.
    pub what: String,
    /// The figures of Dezky, as text.
    pub ours: String,
    /// The figures for comparison, as text. Empty without a comparison.
    pub beside: String,
    /// The figures with bars. Empty for context.
    pub bars: Vec<Bar>,
}

/// A figure with its limit.
pub struct Bar {
    /// The name of the figure with its unit.
    pub name: &'static str,
    /// The measured value of the figure.
    pub value: f64,
    /// The limit for the value.
    pub bar: f64,
    /// The side of the limit on which the bar is met.
    pub side: Side,
}

/// The side of a limit on which a bar is met.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The value must be at most the limit.
    AtMost,
    /// The value must be at least the limit.
    AtLeast,
}

impl Bar {
    /// Creates a bar with a maximum.
    pub fn at_most(name: &'static str, value: f64, bar: f64) -> Bar {
        Bar { name, value, bar, side: Side::AtMost }
    }

    /// Creates a bar with a minimum.
    pub fn at_least(name: &'static str, value: f64, bar: f64) -> Bar {
        Bar { name, value, bar, side: Side::AtLeast }
    }

    /// Returns whether the bar is met. A value that is NaN never meets it.
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
    /// Returns whether any bar is missed.
    pub fn is_missed(&self) -> bool {
        self.bars.iter().any(|bar| !bar.is_met())
    }

    fn entry(&self) -> String {
        let misses: Vec<String> = self.bars.iter().filter(|bar| !bar.is_met()).map(Bar::miss).collect();
        let verdict = match (self.bars.is_empty(), misses.is_empty()) {
            (true, _) => "context".to_owned(),
            (false, true) => "met".to_owned(),
            (false, false) => misses.join(", "),
        };
        let mut items = vec![
            item(0, &format!("**{}**: {verdict}", self.what)),
            item(1, &format!("Dezky: {}", self.ours)),
        ];
        items.extend(self.beside.split("; ").filter(|part| !part.is_empty()).map(|part| item(1, part)));
        if !self.bars.is_empty() {
            let bars: Vec<String> = self.bars.iter().map(Bar::text).collect();
            items.push(item(1, &format!("bars: {}", bars.join("; "))));
        }
        items.join("\n")
    }
}

/// Formats all rows as a Markdown list.
pub fn list(rows: &[Row]) -> String {
    rows.iter().map(Row::entry).collect::<Vec<_>>().join("\n")
}

/// Returns the median of a figure over all rounds.
pub fn middle<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    median(rounds.iter().map(figure).collect())
}

/// Formats a duration in nanoseconds with a suitable unit.
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
    fn an_entry_names_the_factor_of_a_miss() {
        let entry = row(vec![Bar::at_least("acknowledged/s", 800.0, 2_000.0)]).entry();
        let figures = "  - Dezky: 1\n  - 2";
        let bars = "  - bars: acknowledged/s ≥ 2000 (800)";
        assert_eq!(entry, format!("- **it**: acknowledged/s missed by 2.50x\n{figures}\n{bars}"));
        assert_eq!(row(Vec::new()).entry(), format!("- **it**: context\n{figures}"));
        let entry = row(vec![Bar::at_most("kB", f64::NAN, 25.0)]).entry();
        let bars = "  - bars: kB ≤ 25 (-)";
        assert_eq!(entry, format!("- **it**: kB not measured\n{figures}\n{bars}"));
    }

    #[test]
    fn long_entries_are_wrapped_at_100_columns() {
        let long = Row { what: "a long name ".repeat(20), ..row(Vec::new()) };
        let entry = long.entry();
        assert!(entry.lines().count() > 3);
        assert!(entry.lines().all(|line| line.chars().count() <= 100), "{entry}");
    }
}
