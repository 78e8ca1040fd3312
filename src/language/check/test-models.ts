/** What tests say of models, pools and providers: which are called, what they answer, and which of them are down. */

import type { Span } from '../../diagnostics/source.ts';
import type { TokenKind } from '../../model/model-call.ts';
import { sendsCalls } from '../../model/route-calls.ts';
import type { Route } from '../../model/world.ts';
import type { TextNode } from '../ast.ts';
import { saidTwice } from '../problems/reading.ts';
import { badTestAmount, noCalls, saysNothing, unknownThing } from '../problems/tests.ts';
import type { ExpectNode, ExpectPartNode, GivenNode, RequestPartNode, UsedTokensNode } from '../test-ast.ts';
import type { CheckedExpect, CheckedReply, CheckedTest } from '../typed-tests.ts';
import type { CheckContext } from './context.ts';
import { checkName } from './names.ts';
import { isPool } from './route-to.ts';

/** One request has one of each of them, and so has one expectation: of two, one would go unheard. `parts`: written in one place. */
export function saidOnce(context: CheckContext, parts: readonly (RequestPartNode | ExpectPartNode)[]): void {
  const first = new Map<string, Span>();
  for (const { kind, span } of parts) {
    if (SEVERAL.has(kind)) continue;
    const before = first.get(kind);
    if (before === undefined) first.set(kind, span);
    else context.report(saidTwice(span, PART_WORDS[kind] ?? kind, before));
  }
}

const SEVERAL: ReadonlySet<string> = new Set(['header', 'body']);
const PART_WORDS: Readonly<Partial<Record<string, string>>> = {
  'retry-after': 'retry after',
  'no-call': 'no call upstream',
  size: 'body of',
};

/** What a step says counts before what is given. Null: neither names one. */
export function calledModel(
  context: CheckContext,
  parts: readonly RequestPartNode[],
  routes: readonly Route[],
): string | null {
  const said = parts.filter((part) => part.kind === 'model');
  const [route] = routes;
  for (const { name } of said) {
    if (route !== undefined && !routes.some(sendsCalls)) context.report(noCalls(name.span, route.name));
    else checkName(context, 'model', name.value, name.span);
  }
  return said.at(-1)?.name.value ?? null;
}

/** Names that are not there are reported, and expected all the same: the test is not run. */
export function expectedNames(
  context: CheckContext,
  { parts }: ExpectNode,
): Pick<CheckedExpect, 'model' | 'pool'> {
  const named = (kind: 'model' | 'pool'): TextNode | null => {
    for (const part of parts) if ('name' in part && part.kind === kind) return part.name;
    return null;
  };
  const model = named('model');
  const pool = named('pool');
  if (model !== null) checkName(context, 'model', model.value, model.span);
  if (pool !== null) isPool(context, pool);
  return { model: model?.value ?? null, pool: pool?.value ?? null };
}

export function repliesOf(context: CheckContext, given: readonly GivenNode[]): CheckedTest['replies'] {
  const replies = new Map<string, CheckedReply>();
  const first = new Map<string, Extract<GivenNode, { kind: 'reply' }>>();
  for (const item of given) {
    if (item.kind !== 'reply') continue;
    const { model, text, used } = item;
    checkName(context, 'model', model.value, model.span);
    const other = first.get(model.value);
    if (other !== undefined) context.report(saidTwice(item.span, `model "${model.value}"`, other.span));
    else first.set(model.value, item);
    if (text === null && used.length === 0) context.report(saysNothing(item.span));
    replies.set(model.value, {
      kind: text?.kind ?? 'whole',
      pieces: text?.pieces.map(({ value }) => value) ?? [],
      usage: used.length === 0 ? null : usageOf(context, used),
    });
  }
  return replies;
}

/** What is not said is none. Cached tokens are a part of the prompt, and reasoning is one of the answer. */
function usageOf(context: CheckContext, used: readonly UsedTokensNode[]): NonNullable<CheckedReply['usage']> {
  const usage: Record<TokenKind, number> = { input: 0, output: 0, cached: 0, reasoning: 0 };
  const first = new Map<TokenKind, UsedTokensNode>();
  for (const one of used) {
    const { which, count } = one;
    const other = first.get(which);
    if (other !== undefined) context.report(saidTwice(one.span, `${which} tokens`, other.span));
    else first.set(which, one);
    if (!Number.isInteger(count.value))
      context.report(badTestAmount(count.span, 'There are no parts of tokens.'));
    usage[which] = count.value;
  }
  for (const [part, whole] of PARTS)
    if (usage[part] > usage[whole])
      context.report(
        badTestAmount(
          first.get(part)!.span,
          `The ${part} tokens are a part of the ${whole} tokens, and no more.`,
        ),
      );
  return usage;
}

const PARTS = [
  ['cached', 'input'],
  ['reasoning', 'output'],
] as const;

/** A pool of that name, or all pools with keys of a provider of that name. */
export function downOf(context: CheckContext, given: readonly GivenNode[]): CheckedTest['down'] {
  const { pools, providers } = context.project.world.models;
  const targets = new Map([...providers, ...pools].map(([name, { place }]) => [name, place]));
  return new Set(
    given.flatMap((item) => {
      if (item.kind !== 'down') return [];
      const name = item.target.value;
      if (!targets.has(name)) context.report(unknownThing(item.target, 'target', targets));
      if (pools.has(name)) return [name];
      return [...pools.values()].flatMap((pool) => (pool.provider === name ? [pool.name] : []));
    }),
  );
}
