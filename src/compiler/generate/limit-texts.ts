import type { LimitRule } from '../../language/typed.ts';
import { capacityOf, currencyOf, isInFields, policyItem, statePrefix } from '../limit-fields.ts';
import { asConstant, type ConstantTemplate, RuleNumber } from '../numbers.ts';
import { holesOf, limitReply, nameOfLimit } from '../replies.ts';
import { estimatedBy } from '../rule-facts.ts';
import type { LimitConstant } from '../runtime/limits.ts';
import type { Limit, LimitGroup } from './batch.ts';
import { functionCode, indent } from './code.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { factsOfTables, forRows, type Tabled } from './tables.ts';

/** What the run time needs to refuse with a limit, or to warn of it. */
export function limitConstant({ ir, rule }: Limit): ConstantTemplate {
  const shown = isInFields(rule);
  return asConstant({
    ...limitReply(ir, new RuleNumber(ir)),
    name: rule.name ?? ir.policy,
    title: nameOfLimit(ir.policy, rule),
    currency: currencyOf(rule),
    estimates: estimatedBy(rule),
    amount: rule.window.amount,
    capacity: capacityOf(rule.window),
    policy: shown ? policyItem(ir.policy, rule) : null,
    state: shown ? statePrefix(ir.policy, rule) : null,
    queue: queueing(rule),
    fallback: fallbackConstant(rule),
  });
}

function fallbackConstant({ fallback, counterIdentity }: LimitRule): LimitConstant['fallback'] {
  if (fallback === null) return null;
  return { models: fallback.models, limit: counterIdentity, counted: fallback.counted.kind };
}

function queueing({ queueMs, counterIdentity, window }: LimitRule): LimitConstant['queue'] {
  if (queueMs === null) return null;
  const room = window.kind === 'concurrency' ? 'slot' : 'clock';
  return { upToMs: queueMs, counter: counterIdentity, room };
}

/** Values for the text of a limit. */
export function holeValuesCode(
  name: string,
  limits: Tabled<Limit>,
  group: LimitGroup,
  scope: ProgramScope,
): string {
  const ordinal = ({ ir }: Limit) => String(group.ordinals.get(ir)!);
  const statements = holeValueStatements(limits, scope, ordinal);
  return functionCode(`${name}(context, limit)`, [...statements, 'return [];']);
}

export function holeValueStatements(
  limits: Tabled<Limit>,
  scope: ProgramScope,
  ordinal: (limit: Limit) => string,
): string[] {
  const frame = new Frame(scope, 'after-body', [], factsOfTables(limits));
  const written = limits.always.filter(({ rule }) => holesOf(rule.reply.because).length > 0);
  const cases = () =>
    written.map((limit) => {
      const values = holesOf(limit.rule.reply.because).map((fact) => frame.fact(fact));
      return `case ${ordinal(limit)}: return [${values.join(', ')}];`;
    });
  return [
    ...frame.statement(() => switchOf(cases())),
    ...forRows(limits, frame, (row) => [
      `const values = ${row}.holeValues(context, limit);`,
      'if (values !== null) return values;',
    ]),
  ];
}

function switchOf(cases: readonly string[]): string[] {
  return cases.length === 0 ? [] : ['switch (limit) {', ...indent(cases), '}'];
}
