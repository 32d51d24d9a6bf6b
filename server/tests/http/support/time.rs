//! Waiting for events and for whole seconds, always with a deadline.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep};

/// The deadline of events that certainly happen; longer than every time limit of the server.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Repeats a check until it returns a value; fails after [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(Instant::now() < deadline, "this never happened: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// The whole seconds since 1970.
pub fn unix_seconds() -> i64 {
    since_epoch().as_secs() as i64
}

/// Waits until this second since 1970 has begun.
pub async fn until_second(second: i64) {
    loop {
        let begin = Duration::from_secs(second.try_into().unwrap());
        match begin.checked_sub(since_epoch()) {
            Some(rest) if !rest.is_zero() => sleep(rest).await,
            _ => return,
        }
    }
}

/// Waits until the next second begins, so that later events are newer than tokens issued before.
pub async fn next_second() {
    until_second(unix_seconds() + 1).await;
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
