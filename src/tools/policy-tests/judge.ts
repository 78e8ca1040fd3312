import type { PlacedRule } from '../../compiler/interpret/placed-rules.ts';
import { placeOf } from '../../diagnostics/source.ts';
import type { CheckedExpect, CheckedStep, RuleName } from '../../language/typed-tests.ts';
import { lengthInWords } from '../../model/length-in-words.ts';
import { memberDiffers } from './judge-bodies.ts';
import { callDiffers } from './judge-calls.ts';
import type { Observation } from './machine.ts';

/** In which ways a request is not what was expected, one sentence each. Empty: it is. */
export function mismatches(
  expect: CheckedExpect,
  observation: Observation,
  step: CheckedStep,
  rules: readonly PlacedRule[],
): string[] {
  const decided = decisionDiffers(expect, observation, rules);
  if (decided !== null) return [decided];
  return [
    ...refusalDiffers(expect, observation),
    ...watchersDiffer(expect, observation, rules),
    ...callDiffers(expect, observation),
    ...(expect.timeoutMs === null || expect.timeoutMs === observation.timeoutMs
      ? []
      : [`the timeout was ${timeoutInWords(observation.timeoutMs)}`]),
    ...expect.body.flatMap((member) => memberDiffers(member, observation)),
    ...expect.headers.flatMap((header) => headerDiffers(header, observation, step)),
  ];
}

/** What happened, in the words of an expectation. */
export function happened(
  { decision, refusal, decidingRule, unfitFor }: Observation,
  rules: readonly PlacedRule[],
): string {
  const rule = rules[decidingRule];
  if (decision === 'permitted') return rule === undefined ? 'permitted' : `permitted by ${named(rule)}`;
  if (refusal === null) return 'made to wait';
  const { status, code, detail, retryAfterS } = refusal;
  const by =
    rule !== undefined ? ` by ${named(rule)}` : unfitFor !== null ? ` by the schema ${unfitFor}` : '';
  const said = by === '' ? ` (${code})` : `${by} code "${code}"`;
  const retry = retryAfterS < 0 ? '' : ` with retry after ${retryAfterS}s`;
  return `refused ${status}${said}${retry}: "${detail}"`;
}

/** `"plans" "trial-pace"`; a rule without name by its place. */
export function named({ policy, rule }: PlacedRule): string {
  return rule.name === null
    ? `"${policy}" (${rule.kind === 'filter' ? rule.written.as : rule.kind} at ${placeOf(rule.span)})`
    : `"${policy}" "${rule.name}"`;
}

function decisionDiffers(
  { outcome }: CheckedExpect,
  observation: Observation,
  rules: readonly PlacedRule[],
): string | null {
  if (outcome.kind === 'any') return null;
  const { decision, refusal, decidingRule } = observation;
  const differs =
    outcome.kind !== 'refused'
      ? decision !== 'permitted'
      : decision !== 'refused' ||
        (outcome.status !== null && outcome.status !== refusal?.status) ||
        (outcome.by !== null && !isRule(rules[decidingRule], outcome.by));
  return differs ? happened(observation, rules) : null;
}

function isRule(placed: PlacedRule | undefined, { policy, rule }: RuleName): boolean {
  return placed !== undefined && placed.policy === policy && (rule === null || placed.rule.name === rule);
}

function refusalDiffers({ code, because, retryAfter }: CheckedExpect, { refusal }: Observation): string[] {
  const differences: string[] = [];
  if (code !== null && refusal?.code !== code)
    differences.push(
      refusal === null ? 'nothing was refused, so there is no code' : `the code was "${refusal.code}"`,
    );
  if (because !== null) {
    const detail = refusal?.detail ?? '';
    const fits = because.match === 'is' ? detail === because.text : detail.includes(because.text);
    if (!fits)
      differences.push(
        refusal === null ? 'nothing was refused, so there is no text' : `the text was "${detail}"`,
      );
  }
  if (retryAfter !== null) {
    const ms = (refusal?.retryAfterS ?? -1) * 1_000;
    const fits =
      retryAfter.operator === 'is'
        ? ms === retryAfter.ms
        : retryAfter.operator === 'le'
          ? ms <= retryAfter.ms
          : ms >= retryAfter.ms;
    if (ms < 0) differences.push('there was no Retry-After');
    else if (!fits) differences.push(`Retry-After was ${lengthInWords(ms)}`);
  }
  return differences;
}

function watchersDiffer(
  { watched }: CheckedExpect,
  { warned, shadowed, alerted }: Observation,
  rules: readonly PlacedRule[],
): string[] {
  return watched.flatMap(({ mode, by }) => {
    const seen = { warn: warned, shadow: shadowed, alert: alerted }[mode].map((index) => rules[index]!);
    if (seen.some((placed) => isRule(placed, by))) return [];
    const word = WATCHED_WORDS[mode];
    return [seen.length === 0 ? `nothing ${word}` : `${word} by ${seen.map(named).join(', ')}`];
  });
}

const WATCHED_WORDS = { warn: 'warned', shadow: 'shadowed', alert: 'alerted' } as const;

function timeoutInWords(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? 'left to the service' : lengthInWords(ms);
}

/**
 * The answer of the service is taken to carry every header that a test asks about, so that `no header` shows that a rule
 * removed it. A request carries what the test sends.
 */
function headerDiffers(
  { name, value, side }: CheckedExpect['headers'][number],
  { headers, decision }: Observation,
  step: CheckedStep,
): string[] {
  if (decision !== 'permitted') return [`it was refused, so no ${side} has headers of the rules`];
  const { set, removed, added } = headers[side];
  if (value !== null && added.some((each) => each[0] === name && each[1] === value)) return [];
  const sent = side === 'response' ? FROM_SERVICE : sentHeader(step, name);
  const now = set.get(name) ?? (removed.has(name) ? null : sent);
  if (value !== null)
    return now === value ? [] : [`header "${name}" was ${now === null ? 'missing' : `"${now}"`}`];
  if (now !== null) return [`header "${name}" was ${now === FROM_SERVICE ? 'passed on' : `"${now}"`}`];
  return removed.has(name)
    ? []
    : [`header "${name}" was not sent, so this shows nothing: send it (with header "${name}" is "…")`];
}

const FROM_SERVICE = '(what the service answered)';

function sentHeader({ headers }: CheckedStep, name: string): string | null {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each === name);
  return at === -1 ? null : headers[at + 1]!;
}
