import type { LimitRule } from '../../language/typed.ts';
import type { FactReference } from '../ir.ts';
import { capacityOf, isShownToCaller, itemName, policyItem } from '../limit-fields.ts';
import { asConstant, holesOf, limitReply } from '../replies.ts';
import type { ObservedLimits, Residual, ResidualProgram } from '../residual.ts';
import { functionCode, guarded, indent } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { keyFacts, keyStatements } from './keys.ts';

/** Numbers the counters of the whole bundle. */
export type CounterNumbers = (rule: LimitRule, policy: string) => number;

type Limit = Residual<LimitRule>;

/** Takes from every limit in one step; then, one by one, from the limits of policies that only watch. */
export function admitCode(program: ResidualProgram, scope: ProgramScope, numbers: CounterNumbers): PhaseCode {
  const limits = unconditionalFirst(program.limits);
  if (limits.length + program.observedLimits.length === 0) return { entry: 'runtime.proceed', functions: [] };
  const frame = limitFrame(limits, scope);
  const enforced = limits.length === 0 ? [] : enforcedStatements(limits, frame, numbers);
  const observed = program.observedLimits.map((_, index) => `observe${index}(context);`);
  const body = [...frame.locals, ...enforced, ...observed, 'return CONTINUE;'];
  return {
    entry: 'admit',
    functions: [
      functionCode('admit(context)', body),
      ...(limits.length === 0 ? [] : [holeValuesCode(limits, scope)]),
      ...program.observedLimits.map((group, index) => observeCode(group, index, scope, numbers)),
    ],
  };
}

/** Limits that always apply have fixed places in the batch. */
function unconditionalFirst(limits: readonly Limit[]): Limit[] {
  return [...limits.filter(isUnconditional), ...limits.filter((limit) => !isUnconditional(limit))];
}

function isUnconditional(limit: Limit): boolean {
  return limit.condition.kind === 'constant';
}

function limitFrame(limits: readonly Limit[], scope: ProgramScope): Frame {
  const facts = limits.flatMap((limit) => keyFacts(limit.rule));
  return new Frame(
    scope,
    'after-identity',
    limits.map((limit) => limit.condition),
    facts,
  );
}

function enforcedStatements(limits: readonly Limit[], frame: Frame, numbers: CounterNumbers): string[] {
  const { pool } = frame.scope;
  const replies = pool.constant(limits.map((limit) => asConstant(limitConstant(limit))));
  const refuse = `return runtime.refuseLimits(context, ${replies}, result, holeValues);`;
  const after = [
    'const result = counters.take(batch, context.arrivedMonotonicMs, context.arrivedWallMs);',
    `if (result !== 0) ${refuse}`,
    ...(limits.some(canChangeLater) ? ['context.reservation = counters.reserve(batch);'] : []),
    ...shownStatements(limits, frame),
  ];
  const fill = fillStatements(limits, frame, numbers);
  return limits.some(isUnconditional)
    ? [...fill, ...after]
    : [...fill, 'if (at !== 0) {', ...indent(after), '}'];
}

/** A slot of `at once` is given back at the end; requests in a window are counted for good. */
function canChangeLater({ rule }: Limit): boolean {
  return rule.window.kind === 'concurrency';
}

function fillStatements(limits: readonly Limit[], frame: Frame, numbers: CounterNumbers): string[] {
  const fixed = limits.filter(isUnconditional);
  const lines = fixed.flatMap((limit, at) => entryStatements(limit, at, String(at), frame, numbers));
  if (fixed.length === limits.length) return [...lines, `batch.count = ${fixed.length};`];
  lines.push(`let at = ${fixed.length};`);
  limits.slice(fixed.length).forEach((limit, index) => {
    const entry = entryStatements(limit, fixed.length + index, 'at', frame, numbers);
    const place = isShownToCaller(limit.rule) && limit.ir.mode === 'enforce';
    if (place) lines.push(`let place${fixed.length + index} = -1;`);
    const keep = place ? [`place${fixed.length + index} = at;`] : [];
    lines.push(...guarded(frame.condition(limit.condition), [...entry, ...keep, 'at++;']));
  });
  return [...lines, 'batch.count = at;'];
}

/** `limits[at]` remembers which limit of the program an entry is. */
function entryStatements(
  limit: Limit,
  ordinal: number,
  at: string,
  frame: Frame,
  numbers: CounterNumbers,
): string[] {
  const number = frame.scope.pool.constant(numbers(limit.rule, limit.ir.policy));
  return [
    `counter[${at}] = ${number};`,
    ...keyStatements(limit.rule, at, frame),
    `weight[${at}] = 1;`,
    `ordinal[${at}] = ${ordinal};`,
  ];
}

/** `RateLimit` names the shown limit with the least left, `RateLimit-Policy` all shown limits that apply. */
function shownStatements(limits: readonly Limit[], frame: Frame): string[] {
  const shown = limits
    .map((limit, ordinal) => ({ limit, ordinal }))
    .filter(({ limit }) => isShownToCaller(limit.rule));
  if (shown.length === 0) return [];
  const fixed = shown.filter(({ limit }) => isUnconditional(limit));
  const { pool } = frame.scope;
  if (shown.length === 1 && fixed.length === 1) {
    const { limit, ordinal } = fixed[0]!;
    return [
      `context.rateLimitPolicy = ${pool.constant(policyItem(limit.ir.policy, limit.rule))};`,
      `context.rateLimit = ${stateExpression(limit, String(ordinal), frame)};`,
    ];
  }
  return fixed.length === shown.length ? fixedShown(fixed, frame) : conditionalShown(shown, frame);
}

type Shown = { readonly limit: Limit; readonly ordinal: number };

function fixedShown(fixed: readonly Shown[], frame: Frame): string[] {
  const policies = fixed.map(({ limit }) => policyItem(limit.ir.policy, limit.rule)).join(', ');
  const [first, ...others] = fixed;
  return [
    `context.rateLimitPolicy = ${frame.scope.pool.constant(policies)};`,
    `let tightest = ${first!.ordinal};`,
    ...others.map(({ ordinal }) => `if (remaining[${ordinal}] < remaining[tightest]) tightest = ${ordinal};`),
    `context.rateLimit = runtime.stateItem(tightest, ${statesConstant(fixed, frame)}[tightest]);`,
  ];
}

function conditionalShown(shown: readonly Shown[], frame: Frame): string[] {
  const policies = shown.map(({ limit, ordinal }) => {
    const item = frame.scope.pool.constant(policyItem(limit.ir.policy, limit.rule));
    const add = `policies = policies === "" ? ${item} : policies + ", " + ${item};`;
    return isUnconditional(limit) ? add : `if (place${ordinal} !== -1) ${add}`;
  });
  const choose = shown.map(({ limit, ordinal }) => {
    const place = isUnconditional(limit) ? String(ordinal) : `place${ordinal}`;
    const applies = isUnconditional(limit) ? '' : `${place} !== -1 && `;
    return `if (${applies}(tightest === -1 || remaining[${place}] < remaining[tightest])) tightest = ${place};`;
  });
  const item = `runtime.stateItem(tightest, ${statesConstant(shown, frame)}[ordinal[tightest]])`;
  return [
    'let policies = "";',
    ...policies,
    'let tightest = -1;',
    ...choose,
    'if (tightest !== -1) {',
    '  context.rateLimitPolicy = policies;',
    `  context.rateLimit = ${item};`,
    '}',
  ];
}

/** Item names by ordinal; null for limits that are not shown. */
function statesConstant(shown: readonly Shown[], frame: Frame): string {
  const states: (string | null)[] = [];
  for (const { limit, ordinal } of shown) states[ordinal] = statePrefix(limit);
  return frame.scope.pool.constant(Array.from(states, (state) => state ?? null));
}

function stateExpression(limit: Limit, at: string, frame: Frame): string {
  return `runtime.stateItem(${at}, ${frame.scope.pool.constant(statePrefix(limit))})`;
}

function statePrefix({ ir, rule }: Limit): string {
  return `${itemName(ir.policy, rule)};r=`;
}

/** What the run time needs to refuse with a limit. */
function limitConstant({ ir, rule }: Limit) {
  const shown = isShownToCaller(rule);
  return {
    ...limitReply(ir),
    name: rule.name ?? ir.policy,
    policyName: ir.policy,
    ruleName: rule.name,
    amount: rule.window.amount,
    capacity: capacityOf(rule.window),
    policy: shown ? policyItem(ir.policy, rule) : null,
    state: shown ? statePrefix({ ir, rule } as Limit) : null,
  };
}

/** Values for the text of a refusing limit. */
function holeValuesCode(limits: readonly Limit[], scope: ProgramScope): string {
  const facts: FactReference[][] = limits.map((limit) => holesOf(limit.rule.reply.because));
  const frame = new Frame(scope, 'after-identity', []);
  const cases = facts.flatMap((holes, index) =>
    holes.length === 0
      ? []
      : [`case ${index}: return [${holes.map((fact) => frame.fact(fact)).join(', ')}];`],
  );
  const body = cases.length === 0 ? [] : ['switch (limit) {', ...indent(cases), '}'];
  return functionCode('holeValues(context, limit)', [...frame.locals, ...body, 'return [];']);
}

function observeCode(
  group: ObservedLimits,
  index: number,
  scope: ProgramScope,
  numbers: CounterNumbers,
): string {
  const limits = unconditionalFirst(group.limits);
  const frame = limitFrame(limits, scope);
  const fill = fillStatements(limits, frame, numbers);
  const rules = scope.pool.constant(limits.map((limit) => limit.ir.index));
  const later = limits.some(canChangeLater);
  const take = `runtime.${later ? 'observeReserving' : 'observe'}(context, ${rules}, ${scope.pool.constant(group.mode)});`;
  const guardedTake = limits.some(isUnconditional) ? take : `if (at !== 0) ${take}`;
  return functionCode(`observe${index}(context)`, [...frame.locals, ...fill, guardedTake]);
}
