//! x
use dezky_core::*;
#[test]
fn t() {
    assert_eq!(rollout_position("t1", "flag-a"), 6334);
    assert_eq!(rollout_position("acme", "new-portal") / 100, 69);
    assert_eq!(rollout_position("00000000-0000-4000-8000-000000000001", "billing-v2") / 100, 15);
}
