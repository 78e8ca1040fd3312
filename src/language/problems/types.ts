import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import type { TextTest } from '../typed.ts';
import { problem, shown } from './problem.ts';

/** PT12xx: types and units; PT13xx: values that may be missing. One factory per code. */

export function typeMismatch(span: Span, left: string, right: string, help: string): Diagnostic {
  return problem('PT1201', span, `This compares ${left} with ${right}.`, help);
}

export function notOrdered(span: Span, what: string): Diagnostic {
  return problem(
    'PT1202',
    span,
    `${what} has no order, so it cannot be more or less than something.`,
    'Write `is`, `is not` or `in`.',
  );
}

export function unitMismatch(span: Span, left: string, right: string, help: string): Diagnostic {
  return problem('PT1203', span, `This compares ${left} with ${right}.`, help);
}

const UNIT_EXAMPLES = {
  duration: ['a duration', (text: string) => `Write ${text}s, ${text}m or ${text} days.`],
  size: ['a size', (text: string) => `Write ${text}KiB or ${text}MiB.`],
  percent: ['a share', (text: string) => `Write ${text}%.`],
  money: ['an amount of money', (text: string) => `Write it with its currency: $${text} or ${text} USD.`],
} as const;

export function unitNeeded(span: Span, text: string, kind: keyof typeof UNIT_EXAMPLES): Diagnostic {
  const [what, help] = UNIT_EXAMPLES[kind];
  return problem(
    'PT1204',
    span,
    `"${shown(text)}" needs a unit here: ${what} is expected.`,
    help(shown(text)),
  );
}

export function notText(span: Span, test: string, what: string, help: string): Diagnostic {
  return problem('PT1205', span, `\`${test}\` looks into texts and lists; this is ${what}.`, help);
}

export function notAList(span: Span, what: string): Diagnostic {
  return problem(
    'PT1206',
    span,
    `\`in\` needs a list; this is ${what}.`,
    'Write a list such as ["a", "b"], or `is` for one value.',
  );
}

/** `why` is the sentence of `model/literals`, which says what to write instead. */
export function badLiteral(span: Span, why: string): Diagnostic {
  const end = why.indexOf('. ');
  return end === -1
    ? problem('PT1207', span, why, 'Correct the value.')
    : problem('PT1207', span, why.slice(0, end + 1), why.slice(end + 2));
}

export function onlyConsumers(span: Span, what: string, found: string): Diagnostic {
  return problem('PT1208', span, `Only the consumer ${what}, not ${shown(found)}.`, 'Begin with `consumer`.');
}

export function amountOutOfRange(span: Span, what: string, range: string): Diagnostic {
  return problem('PT1209', span, `${what} is out of range.`, `Write ${range}.`);
}

export function fixedTextNeeded(span: Span, test: string): Diagnostic {
  return problem(
    'PT1210',
    span,
    `\`${test}\` needs a fixed value on its right.`,
    'Write it in quotes; compare two facts with `is` or `in`.',
  );
}

export function percentOutOfRange(span: Span): Diagnostic {
  return amountOutOfRange(span, 'This share', 'a share from 0% to 100%');
}

export function notCalculable(span: Span, operator: string, left: string, right: string): Diagnostic {
  return problem(
    'PT1212',
    span,
    `\`${operator}\` does not go with ${left} and ${right}.`,
    'Add and subtract things of one unit; multiply and divide by numbers.',
  );
}

export function badDivisor(span: Span): Diagnostic {
  return problem(
    'PT1213',
    span,
    'Only a number that is written here, and is not 0, divides.',
    'Write for example `/ 2`; instead of dividing by a fact, multiply the other side by it.',
  );
}

/** `read`: of a number that is read as money, which no rate converts. */
export function otherCurrency(
  span: Span,
  currency: string,
  accounting: string,
  what: 'written' | 'read',
): Diagnostic {
  return problem(
    'PT1214',
    span,
    `This is in ${currency}, and accounts are kept in ${accounting}.`,
    nearest(currency, [accounting]) === null
      ? what === 'written'
        ? `Write the amount in ${accounting}, or give portunus.yaml a rate: rates: { ${currency}: { rate: …, date: … } }.`
        : `Write ${accounting}: it is the currency of portunus.yaml.`
      : `Did you mean ${accounting}, the currency of portunus.yaml?`,
  );
}

export function alreadyTyped(span: Span, fact: string, what: string): Diagnostic {
  return problem(
    'PT1215',
    span,
    `\`as\` gives a number its unit; ${shown(fact)} is ${what}.`,
    'Remove `as` and the unit.',
  );
}

export function badRegex(span: Span, why: string, help: string): Diagnostic {
  return problem('PT1211', span, why, help);
}

export function mayBeMissing(span: Span, fact: string, why: string, help: string): Diagnostic {
  return problem('PT1301', span, `${shown(fact)} may be missing: ${why}.`, help);
}

export function keyMayBeMissing(span: Span, fact: string, why: string): Diagnostic {
  return problem(
    'PT1302',
    span,
    `${shown(fact)} may be missing, and then nothing would be counted: ${why}.`,
    'Say what is counted then: `otherwise request.ip`, or narrow "applies to".',
  );
}

export function neverMissing(span: Span, fact: string): Diagnostic {
  return problem('PT1303', span, `${shown(fact)} is never missing.`, 'Remove the test.');
}

const QUESTION_WORDS: Readonly<Record<TextTest | 'is', string>> = {
  is: 'is never',
  contains: 'never contains',
  'starts-with': 'never starts with',
  'ends-with': 'never ends with',
  like: 'is never like',
  matches: 'never matches',
};

/** `asked` as it is written in rules. */
export function neverSuchText(
  span: Span,
  fact: string,
  question: TextTest | 'is',
  asked: string,
  form: { readonly words: string; readonly example: string },
  remedy: string | null,
): Diagnostic {
  const help = remedy ?? `Ask for a text such as ${form.example}.`;
  const words = `${shown(fact)} ${QUESTION_WORDS[question]} ${shown(asked)}: ${form.words}.`;
  return problem('PT1216', span, words, help);
}
