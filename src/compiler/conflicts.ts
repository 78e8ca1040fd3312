import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import { CATALOGUE } from '../diagnostics/catalogue.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { compareCodePoints } from '../language/order.ts';
import type { Route } from '../model/world.ts';
import { BATCH_ENTRIES_MAX } from '../pipeline/counters.ts';
import type { Condition, RuleIr, Term } from './ir.ts';
import type { HeaderAction, ResidualProgram } from './residual.ts';

/**
 * Pass 7: what is wrong with the rules of a signature taken together. One mistake is one finding, however many
 * signatures it shows in: the routes are gathered.
 */
export class ProjectFindings {
  readonly #findings = new Map<string, Finding>();

  /** `routes` are the routes of the signature. */
  check(program: ResidualProgram, routes: readonly Route[]): void {
    const found = [...neverPermitted(program), ...contradictingHeaders(program), ...tooManyLimits(program)];
    for (const finding of found) {
      const known = this.#findings.get(finding.key);
      if (known === undefined) this.#findings.set(finding.key, { ...finding, routes: [...routes] });
      else known.routes.push(...routes);
    }
  }

  /** By code, then in order of rules. */
  list(): Diagnostic[] {
    const findings = [...this.#findings.values()].sort((a, b) => compareCodePoints(a.key, b.key));
    return findings.map(({ code, rule, describe, routes, related = [] }) => ({
      code,
      severity: CATALOGUE[code].severity,
      span: rule?.rule.span ?? null,
      related,
      ...describe(routes.sort((a, b) => compareCodePoints(a.name, b.name))),
    }));
  }
}

interface Finding extends Mistake {
  readonly routes: Route[];
}
interface Mistake {
  /** Equal for the same mistake of the same rules; begins with the code. */
  readonly key: string;
  readonly code: DiagnosticCode;
  readonly rule: RuleIr | null;
  readonly describe: (routes: readonly Route[]) => Pick<Diagnostic, 'message' | 'help'>;
  readonly related?: Diagnostic['related'];
}

function neverPermitted(program: ResidualProgram): Mistake[] {
  if (program.permits.length > 0) return [];
  const others = program.unenforcedPermits;
  const describe = (routes: readonly Route[]) => ({
    message: `No enforced policy permits anything on ${namesOf(routes)}, so every request to ${routes.length === 1 ? 'it' : 'them'} would be refused.`,
    help: others.length === 0 ? 'Write a permit, or widen what a policy applies to.' : enforceInstead(others),
  });
  return [{ key: `PT2401 ${others.join()}`, code: 'PT2401', rule: null, describe }];
}

function enforceInstead(policies: readonly string[]): string {
  const names = policies.map((policy) => `"${policy}"`).join(', ');
  return policies.length === 1
    ? `Enforce ${names}, which would permit requests but is in warn or shadow mode, or write another permit.`
    : `Enforce one of ${names}, which would permit requests but are in warn or shadow mode, or write another permit.`;
}

function contradictingHeaders(program: ResidualProgram): Mistake[] {
  return (['request', 'response'] as const).flatMap((side) =>
    [...byHeader(program.headers[side]).values()].flatMap((actions) =>
      pairs(actions)
        .filter(([a, b]) => !exclude(a.condition, b.condition))
        .map(([a, b]) => contradiction(side, a, b)),
    ),
  );
}

function byHeader(actions: readonly HeaderAction[]): Map<string, HeaderAction[]> {
  const groups = new Map<string, HeaderAction[]>();
  for (const action of actions) {
    const group = groups.get(action.header);
    if (group === undefined) groups.set(action.header, [action]);
    else group.push(action);
  }
  return groups;
}

function contradiction(side: 'request' | 'response', a: HeaderAction, b: HeaderAction): Mistake {
  const first = a.rules[0]!;
  const second = b.rules[0]!;
  return {
    key: `PT2201 ${sortable(first.index)} ${sortable(second.index)}`,
    code: 'PT2201',
    rule: second,
    describe: (routes) => ({
      message: `Policy "${second.policy}" ${says(b)} and policy "${first.policy}" ${says(a)} in the ${side} on ${namesOf(routes)}; both can hold for one request.`,
      help: 'Keep one, make the values equal, or let the conditions compare one fact with different values.',
    }),
    related: [{ span: first.rule.span, message: 'the other rule' }],
  };
}

function sortable(index: number): string {
  return String(index).padStart(8, '0');
}

function says(action: HeaderAction): string {
  return `${action.kind === 'set-header' ? 'sets' : 'removes'} "${action.header}"`;
}

function tooManyLimits(program: ResidualProgram): Mistake[] {
  const enforced = { limits: program.limits, what: 'enforced limits' };
  const observed = program.observedLimits.map(({ limits, policy }) => ({
    limits,
    what: `limits of policy "${policy}"`,
  }));
  return [enforced, ...observed]
    .filter(({ limits }) => limits.length > BATCH_ENTRIES_MAX)
    .map(({ limits, what }) => ({
      key: `PT2202 ${sortable(limits[BATCH_ENTRIES_MAX]!.ir.index)}`,
      code: 'PT2202',
      rule: limits[BATCH_ENTRIES_MAX]!.ir,
      describe: (routes) => ({
        message: `${limits.length} ${what} apply to ${namesOf(routes)}; at most ${BATCH_ENTRIES_MAX} can be taken in one step.`,
        help: 'Merge limits that say the same, or narrow what their policies apply to.',
      }),
    }));
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
