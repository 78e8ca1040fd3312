import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import { CATALOGUE } from '../diagnostics/catalogue.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { placeOf } from '../diagnostics/source.ts';
import type { Route } from '../model/world.ts';
import { BATCH_ENTRIES_MAX } from '../pipeline/counters.ts';
import type { Condition, RuleIr, Term } from './ir.ts';
import type { HeaderAction, ResidualProgram } from './residual.ts';

/**
 * Pass 7: what is wrong with the rules of one signature taken together. `routes` are the routes of that signature,
 * in order of their names.
 */
export function checkProgram(program: ResidualProgram, routes: readonly Route[]): Diagnostic[] {
  return [
    ...neverPermitted(program, routes),
    ...contradictingHeaders(program, routes),
    ...tooManyLimits(program, routes),
  ];
}

function neverPermitted(program: ResidualProgram, routes: readonly Route[]): Diagnostic[] {
  if (program.permits.length > 0) return [];
  const others = program.unenforcedPermits.map((policy) => `"${policy}"`).join(', ');
  return [
    finding('PT2401', null, {
      message: `No enforced policy permits anything on ${namesOf(routes)}, so every request to ${routes.length === 1 ? 'it' : 'them'} would be refused.`,
      help:
        others === ''
          ? 'Write a permit for it, or widen what a policy applies to.'
          : `Enforce ${others}, which would permit requests but ${program.unenforcedPermits.length === 1 ? 'is' : 'are'} in warn or shadow mode, or write another permit.`,
    }),
  ];
}

function contradictingHeaders(program: ResidualProgram, routes: readonly Route[]): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const side of ['request', 'response'] as const) {
    for (const actions of byHeader(program.headers[side]).values()) {
      for (const [a, b] of pairs(actions)) {
        if (!exclude(a.condition, b.condition)) found.push(contradiction(side, a, b, routes));
      }
    }
  }
  return found;
}

function byHeader(actions: readonly HeaderAction[]): Map<string, HeaderAction[]> {
  const groups = new Map<string, HeaderAction[]>();
  for (const action of actions) groups.set(action.header, [...(groups.get(action.header) ?? []), action]);
  return groups;
}

function contradiction(
  side: 'request' | 'response',
  a: HeaderAction,
  b: HeaderAction,
  routes: readonly Route[],
): Diagnostic {
  const first = a.rules[0]!;
  const second = b.rules[0]!;
  return {
    ...finding('PT2201', second, {
      message: `Policy "${second.policy}" ${says(b)} and policy "${first.policy}" ${says(a)} on the ${side} of ${namesOf(routes)}, and both can hold for one request.`,
      help: 'Keep one of them, give both the same value, or let their conditions exclude each other by comparing one fact with different values.',
    }),
    related: [{ span: first.rule.span, message: `the other rule, at ${placeOf(first.rule.span)}` }],
  };
}

function says(action: HeaderAction): string {
  return action.kind === 'set-header'
    ? `sets header "${action.header}"`
    : `removes header "${action.header}"`;
}

function tooManyLimits(program: ResidualProgram, routes: readonly Route[]): Diagnostic[] {
  const groups = [{ limits: program.limits, what: 'enforced limits' }].concat(
    program.observedLimits.map(({ limits, policy }) => ({
      limits: [...limits],
      what: `limits of policy "${policy}"`,
    })),
  );
  return groups
    .filter((group) => group.limits.length > BATCH_ENTRIES_MAX)
    .map((group) =>
      finding('PT2202', group.limits[BATCH_ENTRIES_MAX]!.ir, {
        message: `${group.limits.length} ${group.what} apply to ${namesOf(routes)}; at most ${BATCH_ENTRIES_MAX} can be taken in one step.`,
        help: 'Merge limits that say the same, or narrow what their policies apply to.',
      }),
    );
}

function finding(
  code: DiagnosticCode,
  rule: RuleIr | null,
  text: { readonly message: string; readonly help: string },
): Diagnostic {
  return { code, severity: CATALOGUE[code].severity, span: rule?.rule.span ?? null, related: [], ...text };
}

const NAMES_SHOWN = 3;

function namesOf(routes: readonly Route[]): string {
  const shown = routes.slice(0, NAMES_SHOWN).map((route) => `"${route.name}" (${route.place})`);
  const more = routes.length - shown.length;
  return `route${routes.length === 1 ? '' : 's'} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function pairs<Item>(items: readonly Item[]): [Item, Item][] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b): [Item, Item] => [a, b]));
}

/** Whether two conditions can be seen to exclude each other: one fact equals different constants, or not X beside X. */
function exclude(a: Condition, b: Condition): boolean {
  const left = conjuncts(a);
  const right = conjuncts(b);
  return left.some((one) => right.some((other) => contradicts(one, other)));
}

function conjuncts(condition: Condition): readonly Condition[] {
  return condition.kind === 'all' ? condition.operands : [condition];
}

function contradicts(a: Condition, b: Condition): boolean {
  if (a.kind === 'not' && a.operand === b) return true;
  if (b.kind === 'not' && b.operand === a) return true;
  const one = equalityOf(a);
  const other = equalityOf(b);
  return one !== null && other !== null && one.fact === other.fact && one.value !== other.value;
}

function equalityOf(condition: Condition): { readonly fact: string; readonly value: unknown } | null {
  if (condition.kind !== 'test' || condition.test.kind !== 'equal') return null;
  const { left, right } = condition.test;
  return factAndValue(left, right) ?? factAndValue(right, left);
}

function factAndValue(fact: Term, value: Term): { readonly fact: string; readonly value: unknown } | null {
  if (fact.kind !== 'fact' || value.kind !== 'constant' || typeof value.value === 'object') return null;
  return { fact: fact.fact.key, value: value.value };
}
