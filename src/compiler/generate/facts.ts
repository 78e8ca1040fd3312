import { assert } from '../../base/assert.ts';
import { listOf } from '../../model/facts.ts';
import type { FactReference } from '../ir.ts';
import type { Frame } from './frame.ts';

/** The expression that reads a fact from the request; `undefined` when it is missing. */
export function readFact(fact: FactReference, frame: Frame): string {
  const read = READERS[fact.path];
  if (read !== undefined) return read(frame, fact);
  if (fact.phase === 'body') return ofBody(fact.path, indexesOf(fact.path), frame);
  const owner = fact.path.slice(0, fact.path.indexOf('.'));
  assert(owner in OWNERS, `no way to read the fact ${fact.path}`);
  return attribute(OWNERS[owner]!(frame, fact), fact.path.slice(owner.length + 1), frame);
}

/** What a loop over a list finds a member of its elements in: a value for each, of one element of the list around it. */
export function readColumn({ path }: FactReference, frame: Frame): string {
  return ofBody(path, indexesOf(path).slice(0, -1), frame);
}

function ofBody(path: string, indexes: readonly string[], frame: Frame): string {
  const at = frame.scope.bodyRead.indexOf(path);
  return `context.body[${at}]${indexes.map((index) => `[${index}]`).join('')}`;
}

/** Where the loops around an element stand, from the outermost. */
export function indexesOf(path: string): string[] {
  const list = listOf(path);
  if (list === '') return [];
  const outer = indexesOf(list);
  return [...outer, `i${outer.length}`];
}

type Reader = (frame: Frame, fact: FactReference) => string;

const OWNERS: Readonly<Record<string, Reader>> = {
  tenant: (frame) => `${frame.identity()}.tenant`,
  team: (frame) => `${frame.identity()}.team?`,
  consumer: (frame) => `${frame.identity()}.consumer`,
};

const READERS: Readonly<Record<string, Reader>> = {
  'request.method': () => 'context.method',
  'request.path': () => 'context.path',
  'request.host': () => 'context.host',
  'request.ip': () => 'context.ip',
  'request.size': () => '(context.bodyBytes < 0 ? undefined : context.bodyBytes)',
  'request.header': (frame, fact) =>
    `runtime.header(context.headers, ${frame.scope.pool.constant(fact.parameter)})`,
  'request.query': (frame, fact) =>
    `runtime.query(context.query, ${frame.scope.pool.constant(fact.parameter)})`,
  'request.date': (frame, fact) => `${localClock(frame, fact)}.day(context.nowWallMs)`,
  'request.time': (frame, fact) => `${localClock(frame, fact)}.minute(context.nowWallMs)`,
  'request.weekday': (frame, fact) => `${localClock(frame, fact)}.weekday(context.nowWallMs)`,
  'request.parameter': (frame, fact) =>
    `context.parameters[${frame.scope.route.parameterNames.indexOf(fact.parameter ?? '')}]`,
  tenant: (frame) => `${frame.identity()}.tenant.name`,
  'tenant.plan': (frame) => `${frame.identity()}.tenant.plan`,
  team: (frame) => `${frame.identity()}.team?.name`,
  consumer: (frame) => `${frame.identity()}.consumer.name`,
  'consumer.roles': (frame) => `${frame.identity()}.consumer.roles`,
  credential: (frame) => `${frame.identity()}.credential.name`,
  'credential.kind': (frame) => ofCredential(frame, 'identity.credential.kind'),
  'credential.age': (frame) => ofCredential(frame, 'context.nowWallMs - identity.credential.createdMs'),
  'credential.expires_in': (frame) =>
    ofCredential(frame, 'runtime.expiresInMs(identity.credential, context.nowWallMs)'),
  model: () => 'context.call.model.name',
  'request.model': () => 'context.call.facts.model',
  'request.tokens': () => 'runtime.tokensOf(context.call)',
  'request.output_cap': () => '(context.call.facts.outputCap ?? undefined)',
  'response.status': () => 'context.answer.status',
  'response.duration': () => 'context.answer.durationMs',
  'response.code': () => 'context.answer.code',
  'usage.input_tokens': () => 'context.answer.inputTokens',
  'usage.output_tokens': () => 'context.answer.outputTokens',
  'usage.tokens': () => 'runtime.tokensUsed(context.answer)',
  'usage.cached_tokens': () => 'context.answer.cachedTokens',
  'usage.reasoning_tokens': () => 'context.answer.reasoningTokens',
  'usage.cost': () => 'context.answer.costNano',
};

function localClock(frame: Frame, { parameter }: FactReference): string {
  return frame.scope.pool.prepared('localClock', frame.scope.pool.constant(parameter));
}

function ofCredential(frame: Frame, code: string): string {
  return frame.identity() === 'identity' ? `(${code})` : `(identity === null ? undefined : ${code})`;
}

/** A declared name may be one that every object inherits (`constructor`); then only an own property counts. */
function attribute(owner: string, name: string, frame: Frame): string {
  const constant = frame.scope.pool.constant(name);
  return name in Object.prototype
    ? `runtime.own(${owner}.attributes, ${constant})`
    : `${owner}.attributes[${constant}]`;
}
