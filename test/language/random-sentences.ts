/** Random sentences of grammar/portunus.ebnf, and random blanks and comments between their words. */
import { readFileSync } from 'node:fs';
import { assert } from '../../src/base/assert.ts';
import type { Choices } from '../compiler/choices.ts';
import { type Form, formsIn, readEbnf } from './ebnf.ts';

export const GRAMMAR = readEbnf(
  readFileSync(new URL('../../grammar/portunus.ebnf', import.meta.url), 'utf8'),
);

const NAMES = ['eu', 'x', 'offices_2', 'published'] as const;
const TEXTS = [
  ...['"a"', '""', '"orders"', '"x-region"', '"a longer text, so that lines become too long"'],
  ...['"größe"', '"with # and {"', '"\\u{1F600} \\"quoted\\" \\\\"', '"10.0.0.0/8"', '"a\\nb"'],
  ...['"{tenant.name} may not"', '"{request.header[\\"x-a\\"]}"', '"日本語のテキスト"'],
] as const;

/** What each token may look like; a new token needs a row. */
export const TOKENS: Readonly<Record<string, readonly string[]>> = {
  TEXT: TEXTS,
  NUMBER: ['1', '0', '403', '60', '1500', '9_000', '12345', '1_000_000', '007', '1.5', '12345.25'],
  DURATION: [
    '5m',
    '90s',
    '120s',
    '24h',
    '90d',
    '2w',
    '1d',
    '1500ms',
    '0s',
    '1.5h',
    '0.5d',
    '10_000s',
    '10000ms',
  ],
  SIZE: ['1MiB', '512KiB', '20000B', '1.5KB'],
  PERCENT: ['15%', '0%', '100%', '12.5%'],
  DATE: ['2027-03-31', '1970-01-01'],
  TIME: ['08:00', '24:00', '00:00'],
  ZONE: ['Europe/Berlin', 'UTC', 'Etc/GMT+1', 'America/Argentina/Buenos_Aires'],
  NAME: NAMES,
  MEMBER: ['.plan', '.name', '.limit', '.x2_y'],
  UNIT: ['second', 'seconds', 'minute', 'minutes', 'hours', 'day', 'days', 'week', 'weeks'],
  PERIOD: ['day', 'week', 'month', 'quarter', 'year'],
  WEEKDAY: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  MONEY: ['$5', '€2_000', '£0.5'],
  CURRENCY: ['USD', 'CHF'],
  METHOD: ['GET', 'POST', 'DELETE'],
  URLPATH: ['/', '/orders', '/v1/orders/17?page=2&x=%20'],
  REGEX: ['/^a\\/b$/', '/x#y "z" {2}/', '/[a-z]+|\\d/'],
  WORD: ['plan', 'limit', 'when', 'tier'],
  ROOT: ['request', 'route', 'tenant', 'team', 'consumer', 'credential', 'it', ...NAMES],
};

/** What a file is made of behind its language line. */
export const DECLARATIONS: readonly string[] = formsIn(GRAMMAR.rules.get('File')!)
  .flatMap((form) => (form.kind === 'name' ? [form.name] : []))
  .filter((name) => name !== 'LanguageLine');

/** Which ways through the grammar were taken: options of choices, and how often optional and repeated parts came. */
export class Ways {
  readonly #taken = new Set<string>();
  readonly #numbers: ReadonlyMap<Form, string>;

  constructor() {
    this.#numbers = new Map(
      [...GRAMMAR.rules].flatMap(([name, form]) =>
        formsIn(form).map((each, index): [Form, string] => [each, `${name}#${index}`]),
      ),
    );
  }

  take(form: Form, way: number): void {
    this.#taken.add(`${this.#numbers.get(form)} ${way}`);
  }

  missing(): readonly string[] {
    return [...this.#numbers].flatMap(([form, number]) =>
      waysOf(form)
        .map((way) => `${number} ${way}`)
        .filter((way) => !this.#taken.has(way)),
    );
  }
}

function waysOf(form: Form): readonly number[] {
  if (form.kind === 'choice') return form.options.map((_, index) => index);
  if (form.kind === 'optional') return [0, 1];
  return form.kind === 'repeated' ? [0, 1, 2] : [];
}

export interface SentenceOptions {
  readonly choices: Choices;
  readonly ways?: Ways;
  /** Sentences of a rule that are not wanted are drawn again, a few times. */
  readonly isWanted?: Readonly<Record<string, (words: readonly string[]) => boolean>>;
}

const DEPTH_MAX = 14;
const ATTEMPTS = 12;

/** The words of a random sentence of a rule. */
export function randomSentence(rule: string, options: SentenceOptions, depth = 0): readonly string[] {
  const form = GRAMMAR.rules.get(rule);
  if (form === undefined) {
    const samples = TOKENS[rule];
    assert(samples !== undefined, `a token without samples: ${rule}`);
    return [options.choices.one(samples)];
  }
  const isWanted = options.isWanted?.[rule] ?? (() => true);
  for (let attempt = 1; ; attempt++) {
    const words = wordsOf(form, options, depth + 1);
    if (attempt === ATTEMPTS || isWanted(words)) return words;
  }
}

function wordsOf(form: Form, options: SentenceOptions, depth: number): readonly string[] {
  const { choices, ways } = options;
  const isShallow = depth < DEPTH_MAX;
  switch (form.kind) {
    case 'word':
      return [form.text];
    case 'name':
      return randomSentence(form.name, options, depth);
    case 'row':
      return form.parts.flatMap((part) => wordsOf(part, options, depth));
    case 'choice': {
      const way = isShallow ? choices.below(form.options.length) : shallowest(form.options);
      ways?.take(form, way);
      return wordsOf(form.options[way]!, options, depth);
    }
    case 'optional':
    case 'repeated': {
      const most = form.kind === 'optional' ? 1 : 2;
      const times = isShallow ? choices.below(most + 1) : 0;
      ways?.take(form, times);
      return Array.from({ length: times }, () => wordsOf(form.inner, options, depth)).flat();
    }
  }
}

function shallowest(options: readonly Form[]): number {
  const depths = options.map((option) => leastDepth(option, new Set()));
  return depths.indexOf(Math.min(...depths));
}

const LEAST_DEPTHS = new Map<string, number>();

/** Rules to go through at least; rules on the way count as endless. */
function leastDepth(form: Form, onTheWay: ReadonlySet<string>): number {
  switch (form.kind) {
    case 'word':
    case 'optional':
    case 'repeated':
      return 0;
    case 'row':
      return Math.max(0, ...form.parts.map((part) => leastDepth(part, onTheWay)));
    case 'choice':
      return Math.min(...form.options.map((option) => leastDepth(option, onTheWay)));
    case 'name': {
      const inner = GRAMMAR.rules.get(form.name);
      if (inner === undefined) return 0;
      if (onTheWay.has(form.name)) return Number.POSITIVE_INFINITY;
      const known = LEAST_DEPTHS.get(form.name);
      if (known !== undefined) return known;
      const depth = 1 + leastDepth(inner, new Set([...onTheWay, form.name]));
      if (depth < Number.POSITIVE_INFINITY) LEAST_DEPTHS.set(form.name, depth);
      return depth;
    }
  }
}

const GAPS = [
  ...[' ', ' ', ' ', ' ', '\n', '\n    ', '  ', '\n\n', '\n\n\n\t', '\r\n', ''],
  ...[' # why\n', '\n# own line\n', '\n\n  # apart\n\n', ' #\n', '#x # y "z" {\n', '\n# one\n# two\n'],
] as const;
const NEEDS_NO_BLANK = /^[()[\]{},]$/;

/** The words with random blanks, line breaks and comments between them. */
export function withRandomGaps(words: readonly string[], choices: Choices): string {
  const pieces = words.flatMap((word, index) => {
    const next = words[index + 1];
    return next === undefined ? [word] : [word, gapBetween(word, next, choices)];
  });
  return `${choices.one(GAPS)}${pieces.join('')}${choices.one(GAPS)}`;
}

function gapBetween(word: string, next: string, choices: Choices): string {
  // a method is told from a zone by the path behind it
  if (/^[A-Z]+$/.test(word)) return ' ';
  const gap = choices.one(GAPS);
  if (gap === '' && (word === '-' || next === '-')) return ' ';
  return gap === '' && !NEEDS_NO_BLANK.test(word) && !NEEDS_NO_BLANK.test(next) ? ' ' : gap;
}

/** A small generator of our own: which sentences are drawn must not depend on chance. */
export function drawnNumbers(seed: number, length: number): readonly number[] {
  let state = seed * 2_654_435_761 + 1;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 12;
  });
}
