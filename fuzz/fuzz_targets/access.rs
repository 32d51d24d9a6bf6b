//! Reads any bytes as an access request: both readers agree, and every decision obeys the table.
#![no_main]

use dezky_core::access::{AccessReason, AccessRequest, Action, Principal};
use dezky_core::host;
use dezky_core::model::TenantStatus;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (read, decided) = (AccessRequest::from_json(bytes), host::decide(bytes));
    assert_eq!(read.as_ref().err(), decided.as_ref().err());
    let (Ok(request), Ok(decision)) = (read, decided) else { return };
    assert_eq!(request.decide().to_json(), decision);
    let decision = request.decide();
    assert_eq!(decision.allowed, decision.reason.allows());

    let is_terminated =
        request.resource.tenant.as_ref().is_some_and(|tenant| tenant.status == TenantStatus::Terminated);
    if request.action == Action::FlagEvaluate && is_terminated {
        assert!(!decision.allowed);
    }
    match &request.principal {
        Principal::Key(_) => assert!(!decision.allowed || decision.reason == AccessReason::AllowedKey),
        Principal::Person(person) => {
            assert_ne!(decision.reason, AccessReason::AllowedKey);
            let is_active = person.user.as_ref().is_some_and(|user| user.active);
            let is_first_sign_in = person.user.is_none() && request.action == Action::UserMe;
            assert!(!decision.allowed || is_active || is_first_sign_in);
            assert!(decision.reason != AccessReason::AllowedOperator || person.is_operator());
        }
    }
});
