//! Samples, and the table.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::time::{Duration, Instant};

/// Times of one subject, sorted.
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// The time below which this share of the samples lies.
    pub(crate) fn at(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0[((last as f64) * share) as usize]
    }

    pub(crate) fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort();
        Samples(samples)
    }
}

/// Takes one sample.
pub(crate) async fn sample<F: Future>(work: impl FnOnce() -> F) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work().await);
    start.elapsed()
}

/// The rows to print.
#[derive(Default)]
pub(crate) struct Table(Vec<[String; 4]>);

impl Table {
    /// A row: what, measured, its ratio to the baseline (or empty), the target (or empty).
    pub(crate) fn row(&mut self, what: &str, measured: String, ratio: String, target: &str) {
        let row = [what.to_owned(), measured, ratio, target.to_owned()];
        println!("{} | {} | {} | {}", row[0], row[1], row[2], row[3]);
        self.0.push(row);
    }

    /// A row with a time and its ratio to a baseline's time.
    pub(crate) fn ratio(&mut self, what: &str, measured: Duration, baseline: Duration, target: &str) {
        let ratio = measured.as_secs_f64() / baseline.as_secs_f64();
        self.row(what, shown(measured), format!("{ratio:.2}"), target);
    }

    pub(crate) fn print(&self) {
        let head = ["what", "measured", "ratio", "target"].map(str::to_owned);
        let width =
            |column: usize| self.0.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2), width(3)];
        println!();
        for row in [&head].into_iter().chain(&self.0) {
            let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            println!("{}", cells.join("  "));
        }
    }
}

/// A time with a unit that fits.
pub(crate) fn shown(time: Duration) -> String {
    match time.as_nanos() {
        0..10_000 => format!("{:.2} µs", time.as_secs_f64() * 1e6),
        10_000..10_000_000 => format!("{:.1} µs", time.as_secs_f64() * 1e6),
        _ => format!("{:.1} ms", time.as_secs_f64() * 1e3),
    }
}
