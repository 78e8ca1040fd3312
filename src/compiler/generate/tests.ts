import type { ScalarValue } from '../../model/types.ts';
import type { Term, Test } from '../ir.ts';
import { asConstant } from '../numbers.ts';
import { SHARE_TAG } from '../shares.ts';
import type { Frame } from './frame.ts';

/**
 * The expression of one test. A missing fact is `undefined`, which makes `===` with a constant, `<`, `<=` and the look-up
 * in a set false by themselves, so that only few tests need a guard.
 */
export function testCode(test: Test, frame: Frame): string {
  switch (test.kind) {
    case 'equal':
      return equalCode(test.left, test.right, frame);
    case 'lt':
      return `${frame.term(test.left)} < ${frame.term(test.right)}`;
    case 'le':
      return `${frame.term(test.left)} <= ${frame.term(test.right)}`;
    case 'member':
      return memberCode(test.element, test.list, frame);
    case 'network':
      return networkCode(test.address, test.networks, frame);
    case 'like':
      return `${prepared('globTest', test.pattern, frame)}(${frame.term(test.text)})`;
    case 'matches':
      return `${prepared('regexTest', test.pattern, frame)}(${frame.term(test.text)})`;
    case 'contains':
      return methodCode(test.text, 'includes', frame.scope.pool.constant(test.pattern), frame);
    case 'starts-with':
      return methodCode(test.text, 'startsWith', frame.scope.pool.constant(test.pattern), frame);
    case 'ends-with':
      return methodCode(test.text, 'endsWith', frame.scope.pool.constant(test.pattern), frame);
    case 'present':
      return `${frame.fact(test.fact)} !== undefined`;
    case 'calendar': {
      const { pool } = frame.scope;
      const calendar = pool.prepared('calendar', pool.constant(asConstant(test.hours)));
      return `${calendar}.isOpen(context.nowWallMs)`;
    }
    case 'some':
      return frame.scope.loops.call(test, frame);
    case 'share':
      return shareCode(test, frame);
    case 'role':
      return ofConsumer(`consumer.roles.includes(${frame.scope.pool.constant(test.role)})`, frame);
    case 'fallen':
      return `runtime.hasFallen(context, ${frame.scope.pool.constant(test.limit)})`;
    case 'subscribed':
      return ofConsumer(`consumer.subscriptions.has(${subscribedName(frame)})`, frame);
  }
}

function subscribedName({ scope: { pool } }: Frame): string {
  return pool.prepared('writtenName', pool.routeName());
}

function prepared(maker: string, value: string | readonly string[], frame: Frame): string {
  return frame.scope.pool.prepared(maker, frame.scope.pool.constant(value));
}

/** The opposite of a test where one operator says it; null where it takes a `!`. */
export function negatedTestCode(test: Test, frame: Frame): string | null {
  if (test.kind === 'present') return `${frame.fact(test.fact)} === undefined`;
  return test.kind === 'equal' && isPlain(test.left, test.right, frame)
    ? `${frame.term(test.left)} !== ${frame.term(test.right)}`
    : null;
}

function equalCode(left: Term, right: Term, frame: Frame): string {
  const a = frame.term(left);
  const b = frame.term(right);
  if (isPlain(left, right, frame)) return `${a} === ${b}`;
  return `runtime.${isList(left) || isList(right) ? 'sameList' : 'sameValue'}(${a}, ${b})`;
}

/** Whether `===` will do: for lists it would not, nor for two missing facts, which are not equal. */
function isPlain(left: Term, right: Term, frame: Frame): boolean {
  const bothMayBeMissing = frame.mayBeMissing(left) && frame.mayBeMissing(right);
  return !isList(left) && !isList(right) && !bothMayBeMissing;
}

function isList(term: Term): boolean {
  if (term.kind === 'constant') return typeof term.value === 'object';
  return term.kind !== 'arithmetic' && term.fact.type.kind === 'list';
}

/**
 * Up to this many items are compared one by one: 8 texts that were just cut out of a path in 10 ns, found by a perfect hash in
 * 15, in a `Set` in 34 (their hash has to be made); with 16 it is 24, 15 and 34. Each number of items makes a function of its own.
 */
const COMPARED_ITEMS_MAX = 8;

function memberCode(element: Term, list: Term, frame: Frame): string {
  const { pool } = frame.scope;
  if (list.kind !== 'constant') return methodCode(list, 'includes', frame.term(element), frame);
  const items = list.value as readonly ScalarValue[];
  const value = frame.term(element);
  const isAtHand = items.length === 1 || /^[\w.?]+(?:\[\w+\])?$/.test(value);
  if (items.length <= COMPARED_ITEMS_MAX && isAtHand) {
    return items.map((item) => `${value} === ${pool.constant(item)}`).join(' || ');
  }
  return `${pool.prepared('setOf', pool.constant(items))}.has(${value})`;
}

/** Networks of the directory are known when a caller is. */
function networkCode(address: Term, networks: Term, frame: Frame): string {
  if (networks.kind !== 'constant')
    return `runtime.isInNetworks(${frame.term(address)}, ${frame.term(networks)})`;
  return `${prepared('networksTest', [networks.value].flat().map(String), frame)}(${frame.term(address)})`;
}

function methodCode(owner: Term, method: string, argument: string, frame: Frame): string {
  if (!frame.mayBeMissing(owner)) return `${frame.term(owner)}.${method}(${argument})`;
  return `${frame.term(owner)}?.${method}(${argument}) === true`;
}

function shareCode({ of, percent, seed }: Extract<Test, { kind: 'share' }>, frame: Frame): string {
  const { pool } = frame.scope;
  const lot = pool.prepared('keyOf', pool.constant(SHARE_TAG), pool.constant(seed));
  const bound = pool.constant(percent);
  return of === 'requests'
    ? `runtime.isRequestInShare(context, ${lot}, ${bound})`
    : `runtime.isInShare(${frame.identity()}.${of.slice(0, -1)}.keyHash, ${lot}, ${bound})`;
}

function ofConsumer(call: string, frame: Frame): string {
  const identity = frame.identity();
  return identity === 'identity' ? `identity.${call}` : `${identity}.${call} === true`;
}
