import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { problem } from './problem.ts';

/** PT14xx: tests that test nothing, or something that cannot happen. One factory per code. */

const ORDER = {
  'given-late': [
    'What is given stands before everything that is sent.',
    'Move it up; what differs between two steps is said behind `sent`: … is sent with header "x" is "y".',
  ],
  'expect-early': ['Nothing has been sent yet.', 'Write `when GET /path is sent` before this line.'],
  'nothing-sent': ['This test sends nothing.', 'Write `when GET /path is sent` and `expect permitted`.'],
  'nothing-expected': [
    'Nothing is expected of what is sent here.',
    'Write `expect permitted`, or `expect refused 403 by "policy" "rule"`.',
  ],
} as const;

export function testOrder(span: Span, what: keyof typeof ORDER): Diagnostic {
  const [message, help] = ORDER[what];
  return problem('PT1401', span, message, help);
}
