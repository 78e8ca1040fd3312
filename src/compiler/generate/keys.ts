import { requestKeys } from '../../language/limit-rules.ts';
import type { FactExpression, LimitRule } from '../../language/typed.ts';
import { counterKeyTag, MISSING_KEY_TAG, OTHERWISE_KEY_TAG } from '../counter-keys.ts';
import type { FactReference } from '../ir.ts';
import { factReference } from '../lower.ts';
import { indent } from './code.ts';
import type { Frame } from './frame.ts';

/** Entities whose hash is ready-made in the directory. */
const ENTITIES: ReadonlySet<string> = new Set(['tenant', 'team', 'consumer', 'credential']);

/** Statements that put the key of a limit's counter at `at` of the batch. */
export function keyStatements(rule: LimitRule, at: string, frame: Frame): string[] {
  const keys = requestKeys(rule).map(factReference);
  // what a call is sent to is told apart when that is chosen
  if (rule.per.kind === 'total' || keys.length === 0) return [`keyHigh[${at}] = 0;`, `keyLow[${at}] = 0;`];
  const presences = keys.map((key) => frame.scope.specialiser.presence(key));
  if (presences.includes('never')) return fallbackStatements(rule.per.otherwise, at, frame);
  const main = listStatements(keys, at, frame);
  const uncertain = keys.filter((_, index) => presences[index] === 'unknown');
  if (uncertain.length === 0) return main;
  const present = uncertain.map((key) => `${frame.fact(key)} !== undefined`).join(' && ');
  return [
    `if (${present}) {`,
    ...indent(main),
    '} else {',
    ...indent(fallbackStatements(rule.per.otherwise, at, frame)),
    '}',
  ];
}

/** Facts whose values or presence the statements read. */
export function keyFacts(rule: LimitRule): FactReference[] {
  if (rule.per.kind === 'total') return [];
  return [...requestKeys(rule), ...(rule.per.otherwise === null ? [] : [rule.per.otherwise])].map(
    factReference,
  );
}

function listStatements(keys: readonly FactReference[], at: string, frame: Frame): string[] {
  const [first, ...others] = keys;
  if (others.length === 0) return copy(partExpression(first!, frame), at, frame, first!);
  return [
    ...start(first!, frame),
    ...others.flatMap((key) => combine(key, frame)),
    `keyHigh[${at}] = key.high;`,
    `keyLow[${at}] = key.low;`,
  ];
}

/** A key space of its own, so that no fallback meets a key of the list. */
function fallbackStatements(otherwise: FactExpression | null, at: string, frame: Frame): string[] {
  const fact = otherwise === null ? null : factReference(otherwise);
  const presence = fact === null ? 'never' : frame.scope.specialiser.presence(fact);
  const missing = () => taggedStatements(MISSING_KEY_TAG, [], at, frame);
  if (fact === null || presence === 'never') return missing();
  const present = taggedStatements(OTHERWISE_KEY_TAG, combine(fact, frame), at, frame);
  if (presence === 'always') return present;
  return [
    `if (${frame.fact(fact)} !== undefined) {`,
    ...indent(present),
    '} else {',
    ...indent(missing()),
    '}',
  ];
}

function taggedStatements(tag: string, parts: readonly string[], at: string, frame: Frame): string[] {
  const space = keyOf(tag, '""', frame);
  return [
    `key.high = ${space}.high;`,
    `key.low = ${space}.low;`,
    ...parts,
    `keyHigh[${at}] = key.high;`,
    `keyLow[${at}] = key.low;`,
  ];
}

function copy(hash: string | null, at: string, frame: Frame, fact: FactReference): string[] {
  if (hash !== null) return [`keyHigh[${at}] = ${hash}.high;`, `keyLow[${at}] = ${hash}.low;`];
  return [hashStatement(fact, 'key', frame), `keyHigh[${at}] = key.high;`, `keyLow[${at}] = key.low;`];
}

function start(fact: FactReference, frame: Frame): string[] {
  const hash = partExpression(fact, frame);
  if (hash === null) return [hashStatement(fact, 'key', frame)];
  return [`key.high = ${hash}.high;`, `key.low = ${hash}.low;`];
}

function combine(fact: FactReference, frame: Frame): string[] {
  const hash = partExpression(fact, frame);
  if (hash !== null) return [`runtime.combineKey(key, ${hash});`];
  return [hashStatement(fact, 'part', frame), 'runtime.combineKey(key, part);'];
}

/** A hash that exists already: of an entity, or of a text that is known for the route. Null for other facts. */
function partExpression(fact: FactReference, frame: Frame): string | null {
  if (ENTITIES.has(fact.path)) {
    frame.identity();
    return `identity.${fact.path}.keyHash`;
  }
  return fact.phase === 'compile' ? keyOf(counterKeyTag(fact), frame.fact(fact), frame) : null;
}

function keyOf(tag: string, text: string, frame: Frame): string {
  return frame.scope.pool.prepared('keyOf', frame.scope.pool.constant(tag), text);
}

function hashStatement(fact: FactReference, into: 'key' | 'part', frame: Frame): string {
  const isText =
    fact.type.kind === 'text' ||
    fact.type.kind === 'reference' ||
    fact.type.kind === 'enum' ||
    fact.type.kind === 'ip';
  const value = frame.fact(fact);
  const text = isText ? value : `runtime.keyText(${value})`;
  return `runtime.hashKey(${frame.scope.pool.constant(counterKeyTag(fact))}, ${text}, ${into});`;
}
