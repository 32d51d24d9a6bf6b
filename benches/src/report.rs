//! The one Markdown table that a run prints, and the verdict on each of its rows.

use crate::digits::three_digits;
use crate::measure::Measured;
use crate::peers::Peer;

#[derive(Clone, Copy, PartialEq)]
pub enum Unit {
    Nanoseconds,
    BytesAFlag,
}

/// How a peer was asked; some have two ways, and the quicker leaves out what their SDKs always do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// What the peer's own SDK or guide calls.
    Usual,
    /// What can be called below that, or a shortcut that does not decide at all.
    Shortcut,
}

/// One figure of the table; a peer that has two ways of answering has two.
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
    /// Whether the bar also says that ours may not allocate.
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
    /// A row of times with no bars and no peers, to be told more.
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

    /// How many times faster (or smaller) ours is than the best figure of any peer; this is what the bar is for.
    pub fn ratio(&self) -> Option<f64> {
        self.ratio_to(|_| true)
    }

    /// The same with every peer asked in its usual way.
    pub fn usual_ratio(&self) -> Option<f64> {
        self.ratio_to(|cell| cell.way == Way::Usual)
    }

    fn ratio_to(&self, counts: impl Fn(&Cell) -> bool) -> Option<f64> {
        let values = self.peers.iter().filter(|(_, cell)| counts(cell)).map(|(_, cell)| cell.value);
        values.min_by(f64::total_cmp).map(|value| value / self.ours.value)
    }

    /// By how much each bar is missed, in words; empty where all are met.
    pub fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        if let Some(bar) = self.bar.filter(|bar| self.ours.value > *bar) {
            misses.push(format!("bar missed by {:.2}x", self.ours.value / bar));
        }
        if self.bar_of_allocations && self.ours.allocations.is_some_and(|allocations| allocations > 0.0) {
            misses.push("it allocates".to_owned());
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

pub fn table(rows: &[Row]) -> String {
    let mut lines = Vec::with_capacity(rows.len() + 2);
    let packages = Peer::ALL.map(Peer::package).join(" | ");
    lines.push(format!("| what | ours | bar | {packages} | fastest peer / ours | its bar | fastest in its usual way / ours | verdict |"));
    lines.push(format!("| --- |{}", " --- |".repeat(6 + Peer::ALL.len())));
    lines.extend(rows.iter().map(line));
    lines.join("\n")
}

fn line(row: &Row) -> String {
    let dash = || "-".to_owned();
    let bar = match (row.bar, row.bar_of_allocations) {
        (Some(bar), true) => format!("≤ {}, 0 allocations", figure(bar, row.unit)),
        (Some(bar), false) => format!("≤ {}", figure(bar, row.unit)),
        (None, _) => dash(),
    };
    let mut columns = vec![row.what.to_owned(), cell_text(&row.ours, row.unit), bar];
    columns.extend(Peer::ALL.map(|peer| {
        let cells = row.peers.iter().filter(|(owner, _)| *owner == peer);
        let texts: Vec<String> = cells.map(|(_, cell)| cell_text(cell, row.unit)).collect();
        if texts.is_empty() { dash() } else { texts.join("; ") }
    }));
    columns.push(row.ratio().map_or_else(dash, |ratio| format!("{ratio:.1}x")));
    columns.push(row.bar_of_ratio.map_or_else(dash, |bar| format!("≥ {bar}x")));
    columns.push(row.usual_ratio().map_or_else(dash, |ratio| format!("{ratio:.1}x")));
    columns.push(row.verdict());
    format!("| {} |", columns.join(" | "))
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
        // Just below a thousand, three digits would round up to "1000".
        Unit::Nanoseconds if value < 999.5 => format!("{} ns", three_digits(value)),
        Unit::Nanoseconds if value < 999_500.0 => format!("{} µs", three_digits(value / 1_000.0)),
        Unit::Nanoseconds => format!("{} ms", three_digits(value / 1_000_000.0)),
    }
}
