/**
 * The phases of a client, the only transitions between them, and the public status of each.
 * `sdk-rust/src/client/phase.rs` has the same phases and transitions under the same names.
 */
import type { ClientStatus } from './events.js'

/** The state of a client towards its server: which rules it has, and how its last fetch ended. */
export type Phase =
  /** No rules yet, and the first fetch has not ended. */
  | 'connecting'
  /** No rules yet, and the last fetch failed. */
  | 'connectingFailed'
  /** The rules come from a snapshot or a file; no fetch has ended yet. */
  | 'provisional'
  /** The last fetch succeeded, so the rules are those of the server. */
  | 'confirmed'
  /** The last fetch failed; the rules are not stale yet. */
  | 'unconfirmed'
  /** The rules are stale, and no fetch has ended yet. */
  | 'staleProvisional'
  /** The rules are stale: the last fetch succeeded, but too long ago. */
  | 'staleConfirmed'
  /** The rules are stale, and the last fetch failed. */
  | 'staleUnconfirmed'
  /** The server refuses the key. Other failures do not end this phase, only a success does. */
  | 'refused'
  /**
   * The client is closed, and its last request tells the server. No transition leaves this phase.
   */
  | 'signingOff'
  /** The client is closed, and the server need not be told. No transition leaves this phase. */
  | 'closed'

/** Something that moves a client from one phase to another. */
export type PhaseEvent =
  /** The client starts with a snapshot or a file, before the server has answered. */
  | 'started'
  /** A fetch succeeded, so the rules are confirmed. */
  | 'succeeded'
  /** A fetch failed, and the key was not the reason. */
  | 'failed'
  /** A fetch failed because the server refuses the key. */
  | 'refused'
  /** The server has not confirmed the rules in time: within `staleAfter`, or at the start. */
  | 'expired'
  /** The client was closed. */
  | 'closed'

type Transitions = { readonly [phase in Phase]?: Phase }

const STARTED: Transitions = { connecting: 'provisional', connectingFailed: 'unconfirmed' }

const FAILED: Transitions = {
  connecting: 'connectingFailed',
  provisional: 'unconfirmed', confirmed: 'unconfirmed',
  staleProvisional: 'staleUnconfirmed', staleConfirmed: 'staleUnconfirmed',
}

const EXPIRED: Transitions = {
  connecting: 'staleProvisional', provisional: 'staleProvisional',
  confirmed: 'staleConfirmed',
  connectingFailed: 'staleUnconfirmed', unconfirmed: 'staleUnconfirmed',
}

/** Returns the phase after an event. */
export function after(phase: Phase, event: PhaseEvent): Phase {
  if (phase === 'signingOff' || phase === 'closed') return phase
  switch (event) {
    case 'succeeded': return 'confirmed'
    case 'refused': return 'refused'
    case 'started': return STARTED[phase] ?? phase
    case 'failed': return FAILED[phase] ?? phase
    case 'expired': return EXPIRED[phase] ?? phase
    case 'closed': return phase === 'confirmed' || phase === 'staleConfirmed' ? 'signingOff' : 'closed'
  }
}

const STATUS: { readonly [phase in Phase]: ClientStatus } = {
  connecting: 'connecting', connectingFailed: 'connecting',
  provisional: 'ready', confirmed: 'ready', unconfirmed: 'ready',
  staleProvisional: 'stale', staleConfirmed: 'stale', staleUnconfirmed: 'stale',
  refused: 'refused', signingOff: 'closed', closed: 'closed',
}

/** Returns the status that callers see. */
export const statusOf = (phase: Phase): ClientStatus => STATUS[phase]

const AWAY: readonly Phase[] = ['connectingFailed', 'unconfirmed', 'staleUnconfirmed', 'refused', 'signingOff', 'closed']

/**
 * Returns whether the last fetch failed or the client is closed: cached subjects are then used as
 * they are.
 */
export const isAway = (phase: Phase): boolean => AWAY.includes(phase)
