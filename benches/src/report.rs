//! The Markdown report of a run: a list of rows with their figures and verdicts.

use crate::digits::three_digits;
use crate::layout::item;
use crate::measure::Measured;
use crate::peers::Peer;

#[derive(Clone, Copy, PartialEq)]
pub enum Unit {
    Nanoseconds,
    BytesAFlag,
}

/// The way a peer was called. Some peers have a shortcut below their SDK's usual calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The call that the peer's SDK or guide uses.
    Usual,
    /// A call below the SDK, or a cache that repeats an answer.
    Shortcut,
}

/// One figure of a row. A peer with two ways has two figures.
pub struct Cell {
    pub value: f64,
    pub allocations: Option<f64>,
    pub way: Way,
    pub note: &'static str,
}

pub struct Row {
    pub what: &'static str,
    pub unit: Unit,
    pub ours: Cell,
    pub bar: Option<f64>,
    /// True if the bar also forbids allocations of Dezky.
    pub bar_of_allocations: bool,
    pub peers: Vec<(Peer, Cell)>,
    pub bar_of_ratio: Option<f64>,
}

impl Cell {
    pub fn time(measured: Measured) -> Self {
        Self { value: measured.nanoseconds, allocations: None, way: Way::Usual, note: "" }
    }

    pub fn time_and_allocations(measured: Measured) -> Self {
        Self { allocations: Some(measured.allocations), ..Self::time(measured) }
    }

    pub fn bytes(value: f64) -> Self {
        Self { value, allocations: None, way: Way::Usual, note: "" }
    }
}

impl Row {
    /// Creates a row of times without bars and peers.
    pub fn context(what: &'static str, ours: Cell) -> Self {
        Self {
            what,
            unit: Unit::Nanoseconds,
            ours,
            bar: None,
            bar_of_allocations: false,
            peers: Vec::new(),
            bar_of_ratio: None,
        }
    }

    /// Returns the best figure of all peers divided by Dezky's. The bar applies to this ratio.
    pub fn ratio(&self) -> Option<f64> {
        self.ratio_to(|_| true)
    }

    /// Returns the ratio to the best figure of peers called in their usual way.
    pub fn usual_ratio(&self) -> Option<f64> {
        self.ratio_to(|cell| cell.way == Way::Usual)
    }

    fn ratio_to(&self, counts: impl Fn(&Cell) -> bool) -> Option<f64> {
        let values = self.peers.iter().filter(|(_, cell)| counts(cell)).map(|(_, cell)| cell.value);
        values.min_by(f64::total_cmp).map(|value| value / self.ours.value)
    }

    /// Describes every missed bar with its factor. Empty if all bars are met.
    pub fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        if let Some(bar) = self.bar.filter(|bar| self.ours.value > *bar) {
            misses.push(format!("bar missed by {:.2}x", self.ours.value / bar));
        }
        if self.bar_of_allocations && self.ours.allocations.is_some_and(|allocations| allocations > 0.0) {
            misses.push("allocates".to_owned());
        }
        if let (Some(bar), Some(ratio)) = (self.bar_of_ratio, self.ratio())
            && ratio < bar
        {
            misses.push(format!("ratio missed by {:.2}x", bar / ratio));
        }
        misses
    }

    fn has_bars(&self) -> bool {
        self.bar.is_some() || self.bar_of_ratio.is_some() || self.bar_of_allocations
    }

    fn verdict(&self) -> String {
        match (self.has_bars(), self.misses()) {
            (false, _) => "context".to_owned(),
            (true, misses) if misses.is_empty() => "met".to_owned(),
            (true, misses) => misses.join(", "),
        }
    }
}

/// Formats all rows as a Markdown list.
pub fn list(rows: &[Row]) -> String {
    rows.iter().map(entry).collect::<Vec<_>>().join("\n")
}

fn entry(row: &Row) -> String {
    let bar = match (row.bar, row.bar_of_allocations) {
        (Some(bar), true) => format!(" (bar ≤ {}, 0 allocations)", figure(bar, row.unit)),
        (Some(bar), false) => format!(" (bar ≤ {})", figure(bar, row.unit)),
        (None, _) => String::new(),
    };
    let mut items = vec![
        item(0, &format!("**{}**: {}", row.what, row.verdict())),
        item(1, &format!("Dezky: {}{bar}", cell_text(&row.ours, row.unit))),
    ];
    for peer in Peer::ALL {
        let cells = row.peers.iter().filter(|(owner, _)| *owner == peer);
        let texts: Vec<String> = cells.map(|(_, cell)| cell_text(cell, row.unit)).collect();
        if !texts.is_empty() {
            items.push(item(1, &format!("{}: {}", peer.package(), texts.join("; "))));
        }
    }
    if let (Some(ratio), Some(usual)) = (row.ratio(), row.usual_ratio()) {
        let bar = row.bar_of_ratio.map_or_else(String::new, |bar| format!(" (bar ≥ {bar}x)"));
        let usual = format!("fastest in its usual way / Dezky: {usual:.1}x");
        items.push(item(1, &format!("fastest peer / Dezky: {ratio:.1}x{bar}; {usual}")));
    }
    items.join("\n")
}

fn cell_text(cell: &Cell, unit: Unit) -> String {
    let mut text = figure(cell.value, unit);
    if let Some(allocations) = cell.allocations {
        let decimals = if allocations < 10.0 && allocations.fract() > 0.0 { 2 } else { 0 };
        text.push_str(&format!(", {allocations:.decimals$} allocations"));
    }
    if !cell.note.is_empty() {
        text.push_str(&format!(" ({})", cell.note));
    }
    text
}

fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::BytesAFlag => format!("{value:.0} B"),
        // From 999.5 on, three digits would round up to "1000".
        Unit::Nanoseconds if value < 999.5 => format!("{} ns", three_digits(value)),
        Unit::Nanoseconds if value < 999_500.0 => format!("{} µs", three_digits(value / 1_000.0)),
        Unit::Nanoseconds => format!("{} ms", three_digits(value / 1_000_000.0)),
    }
}
