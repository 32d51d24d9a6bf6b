//! Interleaved rounds, measured in CPU time of the calling thread. The median round counts.

use std::hint::black_box;

use crate::allocations;

/// Runs work the given number of times and returns its CPU time in nanoseconds.
pub type Work<'a> = Box<dyn FnMut(u64) -> u64 + 'a>;

#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub round_nanoseconds: u64,
}

impl Effort {
    pub const FULL: Effort = Effort { rounds: 15, round_nanoseconds: 30_000_000 };
    pub const QUICK: Effort = Effort { rounds: 3, round_nanoseconds: 3_000_000 };
}

#[derive(Clone, Copy)]
pub struct Measured {
    /// Nanoseconds per repetition in the median round.
    pub nanoseconds: f64,
    /// Allocations per repetition, rounded to two decimals.
    pub allocations: f64,
}

/// Returns the CPU time of this thread, which excludes the time of other threads.
pub fn thread_nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // Sound: `time` outlives the call, and the clock exists on every supported system.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(outcome, 0, "the thread's CPU clock must be readable");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Creates work that is too short to time one by one. The clock runs around the loop.
pub fn short<'a, Output>(mut work: impl FnMut(u64) -> Output + 'a) -> Work<'a> {
    Box::new(move |repetitions| {
        let start = thread_nanoseconds();
        for repetition in 0..repetitions {
            black_box(work(repetition));
        }
        thread_nanoseconds() - start
    })
}

/// Creates work that consumes an input. Creating the input and dropping the output is not timed.
pub fn long<'a, Input, Output>(
    mut prepare: impl FnMut() -> Input + 'a,
    mut work: impl FnMut(Input) -> Output + 'a,
) -> Work<'a> {
    Box::new(move |repetitions| {
        let mut total = 0;
        for _ in 0..repetitions {
            let input = black_box(prepare());
            let start = thread_nanoseconds();
            let output = black_box(work(input));
            total += thread_nanoseconds() - start;
            drop(output);
        }
        total
    })
}

/// Runs every contestant once per round, so that a slow period of the machine affects all.
pub fn interleaved(contestants: &mut [Work<'_>], effort: Effort) -> Vec<Measured> {
    let repetitions: Vec<u64> = contestants.iter_mut().map(|work| calibrate(work, effort)).collect();
    let mut rounds: Vec<Vec<f64>> = vec![Vec::with_capacity(effort.rounds); contestants.len()];
    for round in 0..effort.rounds {
        // Each round starts with another contestant, so that the order favors none.
        for step in 0..contestants.len() {
            let index = (round + step) % contestants.len();
            let nanoseconds = contestants[index](repetitions[index]);
            rounds[index].push(nanoseconds as f64 / repetitions[index] as f64);
        }
    }
    contestants
        .iter_mut()
        .zip(rounds)
        .map(|(work, rounds)| Measured { nanoseconds: median(rounds), allocations: allocations_of(work) })
        .collect()
}

/// Finds the number of repetitions that fills a round. The search is also the warm-up.
fn calibrate(work: &mut Work<'_>, effort: Effort) -> u64 {
    let mut repetitions = 1;
    loop {
        let nanoseconds = work(repetitions).max(1);
        if nanoseconds * 2 >= effort.round_nanoseconds {
            return (repetitions * effort.round_nanoseconds / nanoseconds).max(1);
        }
        repetitions *= 2;
    }
}

fn allocations_of(work: &mut Work<'_>) -> f64 {
    const REPETITIONS: u64 = 200;
    // One repetition of long work is enough.
    let repetitions = if work(1) > 1_000_000 { 1 } else { REPETITIONS };
    let (_, counted) = allocations::count(|| work(repetitions));
    (counted.allocations as f64 / repetitions as f64 * 100.0).round() / 100.0
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    let middle = rounds.len() / 2;
    match rounds.len() % 2 {
        0 => (rounds[middle - 1] + rounds[middle]) / 2.0,
        _ => rounds[middle],
    }
}
