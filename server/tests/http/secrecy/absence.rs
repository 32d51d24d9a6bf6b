//! Requests about records of other tenants are answered like requests about absent records.

use super::observation::Observation;
use super::two_tenants::TwoTenants;

#[tokio::test]
async fn records_of_others_are_answered_like_absent_ones() {
    let scene = TwoTenants::new().await;
    let mut refusals = 0;
    for (caller, api) in &scene.callers {
        for [_, other, absent] in scene.probes() {
            // Every active user may read flags.
            if other.path.starts_with("/flags/for_")
                || other.path.starts_with("/flags/meetings")
                || other.path.contains("flags/for_")
            {
                continue;
            }
            let other = Observation::of_request(api, &other).await;
            let absent = Observation::of_request(api, &absent).await;
            assert_eq!(
                (other.status, &other.headers, &other.body),
                (absent.status, &absent.headers, &absent.body),
                "{caller}: {}",
                other.what
            );
            refusals += usize::from(other.status >= 400);
        }
    }
    assert!(refusals > 80, "{refusals}");
}
