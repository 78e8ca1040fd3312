import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import { CATALOGUE } from '../diagnostics/catalogue.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/source.ts';
import { compareCodePoints } from '../language/order.ts';
import type { LimitRule, MemberRule, TemplateHole, TextTemplate } from '../language/typed.ts';
import { lengthInWords } from '../model/length-in-words.ts';
import { dateText } from '../model/local-time.ts';
import type { Place, Route, World } from '../model/world.ts';
import { BATCH_ENTRIES_MAX } from '../pipeline/counters.ts';
import { byCondition, fileByFacts } from './fact-tables.ts';
import type { Condition, RuleIr, Term } from './ir.ts';
import { compareRules } from './lower.ts';
import type { HeaderAction, Residual, ResidualProgram } from './residual.ts';
import type { Specialiser } from './specialise.ts';

/** Finds a name in the texts of the project by its place; null when the text is not at hand. */
export type SpanOf = (place: Place) => Span | null;

/**
 * Pass 7: what is wrong with the rules of a signature taken together. One mistake is one finding, however many
 * signatures it shows in: the routes are gathered.
 */
export class ProjectFindings {
  readonly #findings = new Map<string, Finding>();
  readonly #world: World;
  readonly #spanOf: SpanOf;
  readonly #faultless: WeakSet<ResidualProgram>;
  readonly #moved: ReadonlyMap<Span, Span>;

  /** `faultless`: programs in which nothing was found before. `moved`: where spans of rules are now. */
  constructor(
    world: World,
    spanOf: SpanOf,
    faultless: WeakSet<ResidualProgram>,
    moved: ReadonlyMap<Span, Span>,
  ) {
    this.#moved = moved;
    this.#world = world;
    this.#spanOf = spanOf;
    this.#faultless = faultless;
  }

  /** `routes` are the routes of the signature. */
  check(program: ResidualProgram, routes: readonly Route[]): void {
    const untold =
      program.deprecations.length > 0 ? [] : routes.filter(({ state }) => state === 'deprecated');
    if (untold.length > 0) this.#add(deprecatedInSilence(this.#spanOf), untold);
    const tunnels = routes.filter(({ websocket }) => websocket !== null);
    if (tunnels.length > 0) for (const finding of masksOfTunnels(program)) this.#add(finding, tunnels);
    if (this.#faultless.has(program)) return;
    const found = [
      ...neverPermitted(program, this.#world, this.#spanOf),
      ...contradictingHeaders(program),
      ...contradictingDefaults(program),
      ...contradictingPools(program),
      ...contradictingCaches(program),
      ...tooManyLimits(program),
    ];
    if (found.length === 0) this.#faultless.add(program);
    for (const finding of found) this.#add(finding, routes);
  }

  #add(finding: Mistake, routes: readonly Route[]): void {
    const known = this.#findings.get(finding.key);
    if (known === undefined) this.#findings.set(finding.key, { ...finding, routes: [...routes] });
    else known.routes.push(...routes);
  }

  /** By code, then in order of rules. */
  list(): Diagnostic[] {
    const findings = [...this.#findings.values()].sort((a, b) => compareCodePoints(a.key, b.key));
    return findings.map(({ code, describe, routes }) => {
      const described = describe(routes.sort((a, b) => compareCodePoints(a.name, b.name)));
      const related = described.related.map((place) => ({ ...place, span: this.#now(place.span) }));
      return {
        code,
        severity: CATALOGUE[code].severity,
        ...described,
        span: described.span === null ? null : this.#now(described.span),
        related,
      };
    });
  }

  #now(span: Span): Span {
    return this.#moved.get(span) ?? span;
  }
}

interface Finding extends Mistake {
  readonly routes: Route[];
}
interface Mistake {
  /** Equal for the same mistake of the same rules; begins with the code. */
  readonly key: string;
  readonly code: DiagnosticCode;
  readonly describe: (routes: readonly Route[]) => Omit<Diagnostic, 'code' | 'severity'>;
}

function neverPermitted(program: ResidualProgram, world: World, spanOf: SpanOf): Mistake[] {
  if (program.permits.authorise.length + program.permits.body.length > 0) return [];
  const others = program.unenforcedPermits;
  const describe: Mistake['describe'] = (routes) => {
    const them = routes.length === 1 ? 'it' : 'them';
    const spans = routes.slice(0, NAMES_SHOWN).flatMap((route) => {
      const span = spanOf(route.place);
      return span === null ? [] : [{ span, message: `the route "${route.name}"` }];
    });
    const unenforced = others.flatMap((policy) => {
      const { place, mode = '' } = world.enforcement.get(policy) ?? {};
      const span = place === undefined ? null : spanOf(place);
      return span === null ? [] : [{ span, message: `"${policy}" is in ${mode} mode` }];
    });
    return {
      message: `${capitalised(namesOf(routes))} can never be permitted: no enforced policy with a permit applies to ${them}.`,
      help:
        others.length === 0
          ? `Write a permit for ${them}, or widen what a policy applies to.`
          : enforceInstead(others, them),
      span: spans[0]?.span ?? null,
      related: [...spans.slice(1), ...unenforced],
    };
  };
  return [{ key: `PT2401 ${others.join()}`, code: 'PT2401', describe }];
}

function deprecatedInSilence(spanOf: SpanOf): Mistake {
  const describe: Mistake['describe'] = (routes) => ({
    message: `${capitalised(namesOf(routes))} ${routes.length === 1 ? 'is' : 'are'} deprecated, and no rule tells callers so.`,
    help: 'Write a policy with `deprecate from DATE sunset DATE successor route "…"` for it.',
    span: spanOf(routes[0]!.place),
    related: [],
  });
  return { key: 'PT2402', code: 'PT2402', describe };
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function enforceInstead(policies: readonly string[], them: string): string {
  const names = policies.map((policy) => `"${policy}"`).join(', ');
  return policies.length === 1
    ? `Enforce ${names}, which would permit requests to ${them}, or write another permit.`
    : `Enforce one of ${names}, which would permit requests to ${them}, or write another permit.`;
}

function contradictingHeaders(program: ResidualProgram): Mistake[] {
  const found = new Map<string, Mistake>();
  for (const side of ['request', 'response'] as const) {
    for (const actions of byHeader(program.headers[side]).values()) {
      for (const [a, b] of neighbours(actions, program.specialiser)) {
        const isList = a.kind === 'add-header' && b.kind === 'add-header';
        if (isList || exclude(a.condition, b.condition)) continue;
        const isInOrder = compareRules(a.rules[0]!, b.rules[0]!) < 0;
        const mistake = isInOrder ? contradiction(side, a, b) : contradiction(side, b, a);
        found.set(mistake.key, mistake);
      }
    }
  }
  return [...found.values()];
}

/** Two values for one member where none is. Of two caps the lesser counts, so they never contradict. */
function contradictingDefaults({ members, outputCaps }: ResidualProgram): Mistake[] {
  const defaults = [...members, ...outputCaps].filter(({ rule }) => rule.kind === 'default');
  return [...pairs(defaults)]
    .filter(
      ([a, b]) =>
        a.rule.member.definition.path === b.rule.member.definition.path &&
        a.rule.value.value !== b.rule.value.value &&
        !exclude(a.condition, b.condition),
    )
    .map(([a, b]) => ({
      key: `PT2201 ${sortable(a.ir)}${sortable(b.ir)}`,
      code: 'PT2201',
      describe: (routes) => ({
        message: `${a.ir.policy === b.ir.policy ? `Two rules of policy "${a.ir.policy}"` : `Policies "${a.ir.policy}" and "${b.ir.policy}"`} default ${a.rule.member.definition.path} to ${valueText(a.rule)} and to ${valueText(b.rule)} on ${namesOf(routes)}, and both can hold for one request.`,
        help: CONTRADICTION_HELP,
        span: b.rule.span,
        related: [{ span: a.rule.span, message: 'the other rule' }],
      }),
    }));
}

/** Several pools are one value: the order in which they are tried. */
function contradictingPools({ routings, specialiser }: ResidualProgram): Mistake[] {
  return contradictions(
    routings,
    specialiser,
    ({ pools }) => `pool ${pools.map((pool) => `"${pool}"`).join(' then ')}`,
    (a, b) => `route to ${a} and to ${b}`,
  );
}

function contradictingCaches({ caches, specialiser }: ResidualProgram): Mistake[] {
  return contradictions(
    caches,
    specialiser,
    ({ forMs }) => lengthInWords(forMs),
    (a, b) => `let answers be kept for ${a} and for ${b}`,
  );
}

/** Of rules that each say one value, those that say different ones and may hold together. */
function contradictions<Rule extends RuleIr['rule']>(
  rules: readonly Residual<Rule>[],
  specialiser: Specialiser,
  valueIn: (rule: Rule) => string,
  inWords: (a: string, b: string) => string,
): Mistake[] {
  return [...neighbours(rules, specialiser)]
    .map(([one, other]) =>
      compareRules(one.ir, other.ir) < 0 ? ([one, other] as const) : ([other, one] as const),
    )
    .filter(([a, b]) => valueIn(a.rule) !== valueIn(b.rule) && !exclude(a.condition, b.condition))
    .map(([a, b]) => ({
      key: `PT2201 ${sortable(a.ir)}${sortable(b.ir)}`,
      code: 'PT2201',
      describe: (routes) => ({
        message: `${a.ir.policy === b.ir.policy ? `Two rules of policy "${a.ir.policy}"` : `Policies "${a.ir.policy}" and "${b.ir.policy}"`} ${inWords(valueIn(a.rule), valueIn(b.rule))} on ${namesOf(routes)}, and both can hold for one request.`,
        help: CONTRADICTION_HELP,
        span: b.rule.span,
        related: [{ span: a.rule.span, message: 'the other rule' }],
      }),
    }));
}

function valueText({ member, value }: MemberRule): string {
  return member.type.kind === 'date' ? dateText(Number(value.value)) : JSON.stringify(value.value);
}

/**
 * Pairs that may hold together. Rules for different values of one fact are never compared: ten thousand of them would be
 * fifty million pairs.
 */
function* neighbours<Item extends { readonly condition: Condition }>(
  actions: readonly Item[],
  specialiser: Specialiser,
): Generator<readonly [Item, Item]> {
  const { always, tables } = fileByFacts(actions, byCondition<Item>(), specialiser);
  const parts = tables.map(({ rows }) => rows.flatMap(({ items }) => items));
  yield* pairs(always);
  for (const [index, part] of parts.entries()) {
    for (const other of [always, ...parts.slice(0, index)]) yield* across(other, part);
  }
  for (const { by, rows } of tables) {
    if (by === 'item') yield* pairs(rows.flatMap(({ items }) => items));
    else for (const row of rows) yield* neighbours(row.items, row.specialiser);
  }
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
    key: `PT2201 ${sortable(first)}${sortable(second)}`,
    code: 'PT2201',
    describe: (routes) => ({
      message: `${whatContradicts(side, a, b)} on ${namesOf(routes)}, and both can hold for one request.`,
      help: CONTRADICTION_HELP,
      span: second.rule.span,
      related: [{ span: first.rule.span, message: 'the other rule' }],
    }),
  };
}

const CONTRADICTION_HELP =
  'Keep one, make the values equal, or make the conditions exclude each other: compare one fact with different values.';

function whatContradicts(side: 'request' | 'response', a: HeaderAction, b: HeaderAction): string {
  const first = a.rules[0]!.policy;
  const second = b.rules[0]!.policy;
  const header = `the ${side} header "${a.header}"`;
  if (a.kind === b.kind) {
    const who = first === second ? `Two rules of policy "${first}"` : `Policies "${first}" and "${second}"`;
    return `${who} set ${header} to ${inQuotes(a.value)} and to ${inQuotes(b.value)}`;
  }
  const [setting, removing] = a.kind === 'set-header' ? [first, second] : [second, first];
  return setting === removing
    ? `Policy "${setting}" sets and removes ${header}`
    : `Policy "${setting}" sets ${header} and policy "${removing}" removes it`;
}

const VALUE_CHARACTERS_MAX = 40;

function inQuotes({ parts }: TextTemplate): string {
  const text = parts.map((part) => (typeof part === 'string' ? part : `{${holePath(part)}}`)).join('');
  return `"${text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text}"`;
}

function holePath(hole: TemplateHole): string {
  switch (hole.kind) {
    case 'fact':
      return hole.definition.path;
    case 'url-part':
      return hole.fact.definition.path;
    case 'limit-fact':
      return `limit.${hole.fact}`;
    case 'calendar-fact':
      return `calendar.${hole.fact}`;
  }
}

/** Sorts as {@link compareRules} does: no text has the character between. */
function sortable({ policy, rule }: RuleIr): string {
  return `${policy}\u0000${rule.key}\u0000`;
}

function masksOfTunnels({ masks }: ResidualProgram): Mistake[] {
  const rules = [...new Set([...masks.request, ...masks.response].map(({ ir }) => ir))];
  return rules.map((ir) => ({
    key: `PT2203 ${sortable(ir)}`,
    code: 'PT2203',
    describe: (routes) => ({
      message: `${capitalised(namesOf(routes))} ${routes.length === 1 ? 'opens' : 'open'} WebSockets, whose messages pass unread: nothing can be masked in them.`,
      help: 'Narrow what the policy applies to.',
      span: ir.rule.span,
      related: [],
    }),
  }));
}

function tooManyLimits(program: ResidualProgram): Mistake[] {
  const enforced = { limits: program.limits, what: 'enforced limits' };
  const ofKeys = { limits: program.targetLimits, what: 'enforced limits for each key or target' };
  const watching = [...program.observedLimits, ...program.observedTargetLimits];
  const observed = watching.map(({ limits, policy }) => ({
    limits,
    what: `limits of policy "${policy}"`,
  }));
  return [enforced, ofKeys, ...observed]
    .map((each) => ({ ...each, together: mostTogether(each.limits, program.specialiser) }))
    .filter(({ together }) => together > BATCH_ENTRIES_MAX)
    .map(({ limits, what, together }) => ({
      key: `PT2202 ${sortable(limits[BATCH_ENTRIES_MAX]!.ir)}`,
      code: 'PT2202',
      describe: (routes) => ({
        message: `${together} ${what} ${together === limits.length ? '' : 'can '}apply to ${namesOf(routes)}; at most ${BATCH_ENTRIES_MAX} can be taken in one step.`,
        help: 'Merge limits that say the same, or narrow what their policies apply to.',
        span: limits[BATCH_ENTRIES_MAX]!.rule.span,
        related: [{ span: limits[0]!.rule.span, message: 'the first of them' }],
      }),
    }));
}

/** How many limits one request can meet: of those for different values of one fact only the most for one value. */
function mostTogether(limits: readonly Residual<LimitRule>[], specialiser: Specialiser): number {
  if (limits.length <= BATCH_ENTRIES_MAX) return limits.length;
  const { always, tables } = fileByFacts(limits, byCondition(), specialiser);
  return tables.reduce((sum, { by, rows }) => {
    const sizes = rows.map((row) => mostTogether(row.items, row.specialiser));
    return sum + (by === 'value' ? greatest(sizes) : sizes.reduce((a, b) => a + b, 0));
  }, always.length);
}

function greatest(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => Math.max(a, b), 0);
}

const NAMES_SHOWN = 3;

function namesOf(routes: readonly Route[]): string {
  const shown = routes.slice(0, NAMES_SHOWN).map((route) => `"${route.name}"`);
  const more = routes.length - shown.length;
  return `route${routes.length === 1 ? '' : 's'} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function* pairs<Item>(items: readonly Item[]): Generator<readonly [Item, Item]> {
  for (let left = 0; left < items.length; left++) {
    for (let right = left + 1; right < items.length; right++) yield [items[left]!, items[right]!];
  }
}

function* across<Item>(some: readonly Item[], others: readonly Item[]): Generator<readonly [Item, Item]> {
  for (const one of some) for (const other of others) yield [one, other];
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
