import type { ReferenceKind, ScalarKind, ValueType } from '../../model/types.ts';
import type { LiteralKind } from '../ast.ts';

/** Types in words, for messages. */
export function inWords(type: ValueType): string {
  switch (type.kind) {
    case 'enum':
      return 'one of a fixed set of texts';
    case 'reference':
      return `the name of a ${type.to}`;
    case 'list':
      return type.of.kind === 'object' ? 'a list of objects' : 'a list';
    case 'object':
      return 'an object';
    default:
      return KIND_WORDS[type.kind];
  }
}

export function literalInWords(type: LiteralKind): string {
  return KIND_WORDS[type];
}

/** What to write for a value of a type. */
export function exampleOf(type: ValueType): string {
  if (type.kind === 'enum') return `one of ${type.values.map((value) => JSON.stringify(value)).join(', ')}`;
  if (type.kind === 'reference') return `${inWords(type)} in quotes`;
  if (type.kind === 'object') return 'one of its members';
  return type.kind === 'list' ? 'a list such as ["a", "b"]' : KIND_EXAMPLES[type.kind];
}

/** Types whose values can be more or less than another. */
export const ORDERED: ReadonlySet<string> = new Set<ScalarKind>([
  ...(['number', 'duration', 'size', 'percent', 'money', 'date', 'time'] as const),
]);

export function sameType(a: ValueType, b: ValueType): boolean {
  if (a.kind === 'reference') return b.kind === 'reference' && a.to === b.to;
  if (a.kind === 'list') return b.kind === 'list' && sameType(a.of, b.of);
  if (a.kind === 'enum') return b.kind === 'enum' && a.values.join('\n') === b.values.join('\n');
  return a.kind === b.kind;
}

export function referenceTo(to: ReferenceKind): ValueType {
  return { kind: 'reference', to };
}

const KIND_WORDS: Readonly<Record<ScalarKind, string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  duration: 'a duration',
  size: 'a size',
  percent: 'a share',
  money: 'an amount of money',
  date: 'a date',
  time: 'a time of day',
  ip: 'an address',
  network: 'a network',
};

const KIND_EXAMPLES: Readonly<Record<ScalarKind, string>> = {
  text: 'a text in quotes',
  number: 'a number such as 500 or 500_000',
  boolean: 'true or false',
  duration: 'a duration such as 30s, 24h or 90 days',
  size: 'a size such as 512KiB or 1MiB',
  percent: 'a share such as 15%',
  money: 'an amount such as $250',
  date: 'a date such as 2027-03-31',
  time: 'a time such as 08:00',
  ip: 'an address in quotes, such as "10.0.0.1"',
  network: 'a network in quotes, such as "10.0.0.0/8"',
};
