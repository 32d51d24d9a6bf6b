//! The phases of a client, the only transitions between them, and the public status of each.
//!
//! `sdk-wasm/typescript/shared/live/phase.ts` has the same phases and transitions under the same
//! names.

use super::ClientStatus;

/// The state of a client towards its server: which rules it has, and how its last fetch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// No rules yet, and the first fetch has not ended.
    Connecting,
    /// No rules yet, and the last fetch failed.
    ConnectingFailed,
    /// The rules come from a snapshot or a file; no fetch has ended yet.
    Provisional,
    /// The last fetch succeeded, so the rules are those of the server.
    Confirmed,
    /// The last fetch failed; the rules are not stale yet.
    Unconfirmed,
    /// The rules are stale, and no fetch has ended yet.
    StaleProvisional,
    /// The rules are stale: the last fetch succeeded, but too long ago.
    StaleConfirmed,
    /// The rules are stale, and the last fetch failed.
    StaleUnconfirmed,
    /// The server refuses the key. Other failures do not end this phase, only a success does.
    Refused,
    /// The client is closed, and its last request tells the server. No transition leaves this
    /// phase.
    SigningOff,
    /// The client is closed, and the server need not be told. No transition leaves this phase.
    Closed,
}

/// Something that moves a client from one phase to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PhaseEvent {
    /// The client starts with a snapshot or a file, before the server has answered.
    Started,
    /// A fetch succeeded, so the rules are confirmed.
    Succeeded,
    /// A fetch failed, and the key was not the reason.
    Failed,
    /// A fetch failed because the server refuses the key.
    Refused,
    /// The server has not confirmed the rules in time: within `stale_after`, or at the start.
    Expired,
    /// Another thread takes over after a pause; the server does not know it yet.
    Resumed,
    /// The client was closed.
    Closed,
}

impl Phase {
    /// Every phase, in the order of its number.
    pub(super) const ALL: [Phase; 11] = [
        Phase::Connecting,
        Phase::ConnectingFailed,
        Phase::Provisional,
        Phase::Confirmed,
        Phase::Unconfirmed,
        Phase::StaleProvisional,
        Phase::StaleConfirmed,
        Phase::StaleUnconfirmed,
        Phase::Refused,
        Phase::SigningOff,
        Phase::Closed,
    ];

    /// The phase after an event.
    pub(super) const fn after(self, event: PhaseEvent) -> Phase {
        use Phase::*;
        match (self, event) {
            (SigningOff | Closed, _) => self,
            (Confirmed | StaleConfirmed, PhaseEvent::Closed) => SigningOff,
            (_, PhaseEvent::Closed) => Closed,
            (_, PhaseEvent::Succeeded) => Confirmed,
            (_, PhaseEvent::Refused) => Refused,

            (Connecting, PhaseEvent::Started) => Provisional,
            (ConnectingFailed, PhaseEvent::Started) => Unconfirmed,
            (phase, PhaseEvent::Started) => phase,

            (Connecting | ConnectingFailed, PhaseEvent::Failed) => ConnectingFailed,
            (Provisional | Confirmed | Unconfirmed, PhaseEvent::Failed) => Unconfirmed,
            (StaleProvisional | StaleConfirmed | StaleUnconfirmed, PhaseEvent::Failed) => StaleUnconfirmed,
            (Refused, PhaseEvent::Failed) => Refused,

            (Connecting | Provisional, PhaseEvent::Expired) => StaleProvisional,
            (Confirmed, PhaseEvent::Expired) => StaleConfirmed,
            (ConnectingFailed | Unconfirmed, PhaseEvent::Expired) => StaleUnconfirmed,
            (phase, PhaseEvent::Expired) => phase,

            (Confirmed, PhaseEvent::Resumed) => Provisional,
            (StaleConfirmed, PhaseEvent::Resumed) => StaleProvisional,
            (phase, PhaseEvent::Resumed) => phase,
        }
    }

    /// The status that callers see.
    pub(super) const fn status(self) -> ClientStatus {
        match self {
            Phase::Connecting | Phase::ConnectingFailed => ClientStatus::Connecting,
            Phase::Provisional | Phase::Confirmed | Phase::Unconfirmed => ClientStatus::Ready,
            Phase::StaleProvisional | Phase::StaleConfirmed | Phase::StaleUnconfirmed => ClientStatus::Stale,
            Phase::Refused => ClientStatus::Refused,
            Phase::SigningOff | Phase::Closed => ClientStatus::Closed,
        }
    }

    /// Returns whether the last fetch failed or the client is closed: subjects then come from the
    /// cache alone.
    pub(super) const fn is_away(self) -> bool {
        use Phase::*;
        matches!(self, ConnectingFailed | Unconfirmed | StaleUnconfirmed | Refused | SigningOff | Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientStatus, Phase, PhaseEvent};

    const EVENTS: [PhaseEvent; 7] = [
        PhaseEvent::Started,
        PhaseEvent::Succeeded,
        PhaseEvent::Failed,
        PhaseEvent::Refused,
        PhaseEvent::Expired,
        PhaseEvent::Resumed,
        PhaseEvent::Closed,
    ];

    #[test]
    fn every_phase_is_found_by_its_number() {
        for (number, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!(phase as usize, number);
        }
    }

    #[test]
    fn closing_is_final() {
        for event in EVENTS {
            assert_eq!(Phase::Closed.after(event), Phase::Closed);
            assert_eq!(Phase::SigningOff.after(event), Phase::SigningOff);
        }
        for phase in Phase::ALL {
            assert_eq!(phase.after(PhaseEvent::Closed).status(), ClientStatus::Closed, "{phase:?}");
        }
    }

    #[test]
    fn only_a_client_whose_last_fetch_succeeded_signs_off() {
        let signs_off = |phase: &Phase| phase.after(PhaseEvent::Closed) == Phase::SigningOff;
        let signing: Vec<Phase> = Phase::ALL.into_iter().filter(signs_off).collect();
        assert_eq!(signing, [Phase::Confirmed, Phase::StaleConfirmed, Phase::SigningOff]);
        for phase in signing.into_iter().take(2) {
            assert!(!signs_off(&phase.after(PhaseEvent::Failed)));
            assert!(!signs_off(&phase.after(PhaseEvent::Resumed)));
        }
    }

    #[test]
    fn only_a_success_or_a_close_ends_a_refusal() {
        for event in EVENTS {
            let expected = match event {
                PhaseEvent::Succeeded => ClientStatus::Ready,
                PhaseEvent::Closed => ClientStatus::Closed,
                _ => ClientStatus::Refused,
            };
            assert_eq!(Phase::Refused.after(event).status(), expected, "{event:?}");
        }
    }

    #[test]
    fn neither_a_failure_nor_a_new_thread_changes_the_status() {
        for phase in Phase::ALL {
            assert_eq!(phase.after(PhaseEvent::Failed).status(), phase.status(), "{phase:?}");
            assert!(phase.after(PhaseEvent::Failed).is_away(), "{phase:?}");
            assert_eq!(phase.after(PhaseEvent::Resumed).status(), phase.status(), "{phase:?}");
            assert_eq!(phase.after(PhaseEvent::Resumed).is_away(), phase.is_away(), "{phase:?}");
        }
    }

    #[test]
    fn rules_that_expire_are_stale_and_a_success_makes_them_ready() {
        let mut phase = Phase::Connecting;
        for (event, expected) in [
            (PhaseEvent::Failed, Phase::ConnectingFailed),
            (PhaseEvent::Started, Phase::Unconfirmed),
            (PhaseEvent::Expired, Phase::StaleUnconfirmed),
            (PhaseEvent::Succeeded, Phase::Confirmed),
            (PhaseEvent::Expired, Phase::StaleConfirmed),
            (PhaseEvent::Failed, Phase::StaleUnconfirmed),
        ] {
            phase = phase.after(event);
            assert_eq!(phase, expected, "{event:?}");
        }
    }
}
