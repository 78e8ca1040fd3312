import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { problem, shown } from './problem.ts';

/** Rules about pools, which are asked apart from all requests, and limits that are counted by what a call is sent to. */

export function poolFact(span: Span, rule: string, fact: string): Diagnostic {
  const article = /^[aeiou]/.test(rule) ? 'An' : 'A';
  const who = rule === 'applies to' ? '`applies to`' : `${article} ${shown(rule.replace('-', ' '))}`;
  return problem(
    'PT2150',
    span,
    `${who} can't use ${shown(fact)} here: it is asked about requests, and pools are asked by themselves.`,
    rule === 'limit' && fact === 'pool'
      ? 'Write `for each target.pool` to count by the pool that a call is sent to, or `for each key`.'
      : 'Only `alert when` asks about pools and keys: `alert when pool.headroom < 15%`.',
  );
}

export function requestFact(span: Span, fact: string): Diagnostic {
  return problem(
    'PT2151',
    span,
    `${shown(fact)} is a fact of requests, and this rule is about pools.`,
    'Ask about pools and keys alone (pool.headroom, key.state …), and write a rule of its own about requests.',
  );
}

export function requestClause(span: Span, clause: string, of: 'pool' | 'key'): Diagnostic {
  return problem(
    'PT2152',
    span,
    `This alert is about pools, so \`${clause}\` has nothing to count: there are no requests.`,
    `Remove it: there is one alert for each ${of} of which the condition holds.`,
  );
}

export function poolsBeyondAuthority(span: Span, folder: string): Diagnostic {
  return problem(
    'PT2153',
    span,
    `Pools belong to the whole gateway, and policies in "${shown(folder)}" govern a part of it.`,
    'Move the rule to a policy in a folder that `authorities` of portunus.yaml does not name.',
  );
}

export function notExhausted(span: Span, what: string): Diagnostic {
  return problem(
    'PT2154',
    span,
    `${shown(what)} has no forecast: pools and their keys alone are foreseen to be exhausted.`,
    'Write `pool exhausted within 10m`, or `key exhausted within 10m`.',
  );
}

export function overlapTooLong(span: Span): Diagnostic {
  return problem(
    'PT2155',
    span,
    'The former secret would still serve when the next rotation falls due.',
    'Write an overlap that is shorter than the time between two rotations: `every 60 days  overlap 24h`.',
  );
}

/** `what`: behind "can't"; `help`: a sentence. */
export function onlyAtAdmission(span: Span, key: string, what: string, help: string): Diagnostic {
  return problem(
    'PT2156',
    span,
    `A limit for each ${shown(key)} can't ${what}: it is asked when a key is chosen.`,
    help,
  );
}
