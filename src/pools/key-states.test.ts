import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterEvent, KEY_EVENTS, KEY_STATE_NAMES, type KeyEvent, type KeyState } from './key-states.ts';

const EVENTS = Object.keys(KEY_EVENTS) as readonly KeyEvent[];
/** What providers, time and rotation bring: nobody's word. */
const NOBODYS_WORD = EVENTS.filter((event) => event !== 'enable' && event !== 'disable');

const events = (of: readonly KeyEvent[]) => fc.array(fc.constantFrom(...of), { maxLength: 12 });
const follow = (from: KeyState, through: readonly KeyEvent[]): KeyState => through.reduce(afterEvent, from);

describe('states of a key', () => {
  it('stay disabled whatever else happens, until a person enables the key', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KEY_STATE_NAMES),
        events(EVENTS),
        events(NOBODYS_WORD),
        (from, before, after) => {
          expect(follow(afterEvent(follow(from, before), 'disable'), after)).toBe('disabled');
        },
      ),
    );
  });

  it('are never invalid by one refusal, nor by any number of other events', () => {
    fc.assert(
      fc.property(events(EVENTS), (through) => {
        let proofs = 0;
        let state: KeyState = 'active';
        for (const event of through) {
          if (event === 'unauthorised') proofs++;
          state = afterEvent(state, event);
          if (state === 'invalid') expect(proofs).toBeGreaterThanOrEqual(2);
        }
      }),
    );
  });

  it('come back from every state by a person', () => {
    for (const state of KEY_STATE_NAMES) expect(afterEvent(state, 'enable')).toBe('active');
  });

  it('take a new secret as a new beginning, but not as permission', () => {
    expect(afterEvent('invalid', 'replaced')).toBe('active');
    expect(afterEvent('disabled', 'replaced')).toBe('disabled');
  });
});
