import type { LimitNode, PathNode } from '../ast.ts';
import { targetKeys } from '../limit-rules.ts';
import { compareCodePoints } from '../order.ts';
import { onlyAtAdmission } from '../problems/pools.ts';
import { routeWithoutPools } from '../problems/rules.ts';
import type { CounterKey, FactExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { factText, type Known } from './known.ts';

/** What of a call's target tells counters apart. */
const TARGET_KEYS: ReadonlySet<string> = new Set([
  ...['key', 'key.account', 'target', 'target.pool', 'target.provider'],
]);

export function isOfTarget(path: string): boolean {
  return TARGET_KEYS.has(path);
}

/** The fact of what a call is sent to that a part of a key is; null: it is none of those. */
export function targetKey(
  { project }: CheckContext,
  { path, parameter, span }: PathNode,
): FactExpression | null {
  if (!isOfTarget(path) || parameter !== null) return null;
  const definition = project.facts.get(path)!;
  return { kind: 'fact', definition, parameter: null, type: definition.type, span };
}

/** Whether a limit says nothing that is over when a key is chosen (language-rules #19); reported. */
export function isOfChosen(
  { report }: CheckContext,
  known: Known,
  node: LimitNode,
  per: CounterKey,
): boolean {
  const [first] = targetKeys({ per });
  if (first === undefined) return true;
  const [plain] = known.followsMistake
    ? []
    : known.routes.filter(({ ai }) => ai === null).sort((a, b) => compareCodePoints(a.name, b.name));
  if (plain !== undefined) report(routeWithoutPools(first.span, plain.name, plain.place));
  const amiss = amissIn(node);
  for (const { span, what, help } of amiss) report(onlyAtAdmission(span, factText(first), what, help));
  return plain === undefined && amiss.length === 0;
}

function amissIn({ window, queue, fallback, alertAt, span }: LimitNode) {
  const said = [
    window.kind === 'calendar'
      ? {
          span,
          what: 'follow the calendar',
          help: 'Count `in any 1h`, `per 1h` or `at once`; a day or a month of a key is among `limits` of its pool.',
        }
      : null,
    queue === null
      ? null
      : {
          span: queue.span,
          what: 'let calls wait',
          help: 'Remove `queue up to`: they wait in the `queue` of the pool.',
        },
    fallback === null
      ? null
      : {
          span: fallback.span,
          what: 'send calls to another model',
          help: 'Remove `fall back to model`: they go to other keys and pools of their model.',
        },
    alertAt.length === 0
      ? null
      : {
          span: alertAt[0]!.span,
          what: 'tell of its thresholds',
          help: 'Remove `alert at`, or watch the key: `alert when key.headroom < 20%`.',
        },
  ];
  return said.filter((each) => each !== null);
}
