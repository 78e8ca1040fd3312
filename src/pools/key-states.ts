/**
 * The life of a provider key: one table of states and of what moves a key between them. Routing, admin API, metrics and the page
 * about pools are made from it. Limits that were met are not here: they belong to lanes, which keys of one account share.
 */
import type { KeyState } from '../model/pools.ts';

export const KEY_STATES = {
  active: { serves: 'all', does: 'takes calls' },
  suspect: { serves: 'proof', does: 'was refused as unknown once; one call at a time shows whether it is' },
  exhausted: {
    serves: 'none',
    does: "its account has no credit; until the provider's reset, or until a person says so",
  },
  invalid: { serves: 'none', does: 'was refused as unknown twice: it was revoked, or never was right' },
  draining: { serves: 'none', does: 'takes no new calls; those under way end' },
  retired: { serves: 'none', does: 'takes no calls any more: its last one has ended' },
  disabled: { serves: 'none', does: 'was switched off by a person, and only a person switches it on' },
} as const satisfies Readonly<Record<KeyState, unknown>>;
export type { KeyState };

/** Somebody wants no calls of these, whichever of its secrets a key has: what they have is not missed. */
export const SET_ASIDE: ReadonlySet<KeyState> = new Set(['draining', 'retired', 'disabled']);

/** What happens to a key. What the provider says comes from answers; the rest from people, time and rotation. */
export const KEY_EVENTS = {
  answered: 'a call was answered, whatever its status says of the call itself',
  unauthorised: 'the provider does not know the key (401, or 403 that says so)',
  'out-of-credit': 'the account has used up what was paid for',
  reset:
    'the moment has come at which the provider gives new credit; one call at a time shows whether it did',
  disable: 'a person switches it off',
  enable: 'a person switches it on',
  drain: 'it is to take no new calls',
  drained: 'its last call has ended',
  replaced: 'its secret is another one',
} as const;
export type KeyEvent = keyof typeof KEY_EVENTS;

/** Null: the event changes nothing. */
type Row = Readonly<Record<KeyEvent, KeyState | null>>;

const KEEPS: Row = {
  answered: null,
  unauthorised: null,
  'out-of-credit': null,
  reset: null,
  disable: 'disabled',
  enable: null,
  drain: 'draining',
  drained: null,
  replaced: null,
};

/**
 * A state that a person has set is left by a person's word alone: whatever calls that were under way report. And what an answer
 * says of a key that is no longer used changes nothing.
 */
export const KEY_TRANSITIONS: Readonly<Record<KeyState, Row>> = {
  active: { ...KEEPS, unauthorised: 'suspect', 'out-of-credit': 'exhausted' },
  suspect: {
    ...KEEPS,
    answered: 'active',
    unauthorised: 'invalid',
    'out-of-credit': 'exhausted',
    enable: 'active',
    replaced: 'active',
  },
  exhausted: { ...KEEPS, unauthorised: 'suspect', reset: 'active', enable: 'active', replaced: 'active' },
  invalid: { ...KEEPS, enable: 'active', replaced: 'active' },
  draining: { ...KEEPS, drain: null, drained: 'retired', enable: 'active' },
  retired: { ...KEEPS, drain: null, enable: 'active' },
  disabled: { ...KEEPS, disable: null, drain: null, enable: 'active' },
};

export const KEY_STATE_NAMES = Object.keys(KEY_STATES) as readonly KeyState[];
export const KEY_EVENT_NAMES = Object.keys(KEY_EVENTS) as readonly KeyEvent[];

/** The state after an event: the same one where the event changes nothing. */
export function afterEvent(state: KeyState, event: KeyEvent): KeyState {
  return KEY_TRANSITIONS[state][event] ?? state;
}
