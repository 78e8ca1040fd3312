import { RE2JS, RE2JSSyntaxException } from 're2js';
import { err, ok, type Result } from '../base/result.ts';
import { FORM_CHARACTERS, reachable, START, type TextForm } from './text-forms.ts';

/**
 * Regular expressions that take linear time, whatever the text: those of RE2 (https://github.com/google/re2/wiki/Syntax).
 * They match anywhere in a text unless they say `^` or `$`.
 */
export type RegexTest = (text: string) => boolean;

export interface RegexProblem {
  /** Whole sentences: what is wrong, and what to write. */
  readonly why: string;
  readonly help: string;
}

/** `instructionsMax`: the limit `regexInstructions`. Time per character grows with the instructions. */
export function compileRegex(source: string, instructionsMax: number): Result<RegexTest, RegexProblem> {
  // Each character becomes at least an instruction or a part of one; the parser need not see more than that.
  if (source.length > instructionsMax * CHARACTERS_PER_INSTRUCTION) {
    return err(tooLarge(`has ${source.length} characters`, instructionsMax * CHARACTERS_PER_INSTRUCTION));
  }
  const compiled = compile(source);
  if (!compiled.ok) return compiled;
  const size = compiled.value.programSize();
  if (size > instructionsMax) return err(tooLarge(`takes ${size} steps`, instructionsMax));
  return ok(testOf(compiled.value));
}

/** The test of a regular expression that {@link compileRegex} has accepted. */
export function regexTest(source: string): RegexTest {
  let test = TESTS.get(source);
  if (test === undefined) {
    if (TESTS.size >= TESTS_KEPT_MAX) TESTS.clear();
    test = testOf(RE2JS.compile(source));
    TESTS.set(source, test);
  }
  return test;
}

/**
 * Whether an accepted regular expression can match somewhere in a text of a form: a walk through the pairs of an instruction
 * and a state of the form. Word boundaries are taken to hold, so it never says no wrongly.
 */
export function regexFits(source: string, form: TextForm): boolean {
  const { inst, start } = RE2JS.compile(source).re2().prog as Program;
  // an expression that does not begin with ^ begins anywhere
  const places = [...reachable(form, [START])].map((state) => ({ at: start, state, isOver: false }));
  const seen = new Set<string>();
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { at, state, isOver } = place;
    const key = `${at} ${isOver} ${state}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const { op, out, arg } = inst[at]!;
    if (op === OP.match) return true;
    if (op === OP.fail) continue;
    if (op === OP.alternatives || op === OP.alternativesOfMatch)
      places.push({ at: out, state, isOver }, { at: arg, state, isOver });
    else if (op === OP.emptyWidth) {
      if ((arg & AT_START) !== 0 && state !== START) continue;
      if ((arg & AT_END) !== 0 && !form.isEnd(state)) continue;
      places.push({ at: out, state, isOver: isOver || (arg & AT_END) !== 0 });
    } else if (op < OP.rune || op > OP.anyRuneButNewline) places.push({ at: out, state, isOver });
    else if (!isOver) {
      for (const character of FORM_CHARACTERS) {
        const next = form.next(state, character);
        if (next !== null && takes(inst[at]!, character)) places.push({ at: out, state: next, isOver });
      }
    }
  }
  return false;
}

/**
 * UTF-16 code units of the longest text that an accepted regular expression fits, and of the shortest; null where there is no
 * longest one: the longest way through its instructions.
 */
export function textLengths(source: string): { readonly least: number; readonly most: number } | null {
  const { inst, start } = RE2JS.compile(source).re2().prog as Program;
  const lengths = new Map<number, { readonly least: number; readonly most: number }>();
  const open = new Set<number>();
  let isEndless = false;
  const measure = (at: number): { readonly least: number; readonly most: number } => {
    const known = lengths.get(at);
    if (known !== undefined) return known;
    const { op, out, arg } = inst[at]!;
    if (op === OP.match) return NO_UNITS;
    if (op === OP.fail) return { least: Number.POSITIVE_INFINITY, most: 0 };
    if (open.has(at)) {
      isEndless = true;
      return NO_UNITS;
    }
    open.add(at);
    const ways = op === OP.alternatives || op === OP.alternativesOfMatch ? [out, arg] : [out];
    const measured = ways.map(measure);
    open.delete(at);
    const taken = op >= OP.rune && op <= OP.anyRuneButNewline ? unitsOf(inst[at]!) : NO_UNITS;
    const length = {
      least: Math.min(...measured.map(({ least }) => least)) + taken.least,
      most: Math.max(...measured.map(({ most }) => most)) + taken.most,
    };
    lengths.set(at, length);
    return length;
  };
  const length = measure(start);
  return isEndless ? null : length;
}

const NO_UNITS = { least: 0, most: 0 };

function unitsOf({ op, runes }: Instruction): { readonly least: number; readonly most: number } {
  if (op >= OP.anyRune) return { least: 1, most: 2 };
  return { least: 1, most: runes.some((rune) => rune > LAST_OF_ONE_UNIT) ? 2 : 1 };
}
const LAST_OF_ONE_UNIT = 0xffff;

/** Where an accepted regular expression fits first in a text, from a position on; null: nowhere. */
export type PlaceFinder = (text: string) => (from: number) => Place | null;
export interface Place {
  readonly start: number;
  readonly end: number;
}

export function placeFinder(source: string): PlaceFinder {
  const regex = RE2JS.compile(source);
  return (text) => {
    const matcher = regex.matcher(text);
    return (from) => (matcher.find(from) ? { start: matcher.start(), end: matcher.end() } : null);
  };
}

function takes(instruction: Instruction, character: string): boolean {
  return instruction.op >= OP.anyRune || instruction.matchRune(character.charCodeAt(0));
}

/** What re2js 1 makes of an expression: it declares no types for it. */
interface Program {
  readonly inst: readonly Instruction[];
  readonly start: number;
}
interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: ArrayLike<number> & { some(test: (rune: number) => boolean): boolean };
  matchRune(rune: number): boolean;
}
const OP = {
  alternatives: 1,
  alternativesOfMatch: 2,
  emptyWidth: 4,
  fail: 5,
  match: 6,
  rune: 8,
  anyRune: 10,
  anyRuneButNewline: 11,
} as const;
/** Of a line or of the text: no form holds the end of a line. */
const AT_START = 1 | 4;
const AT_END = 2 | 8;

const CHARACTERS_PER_INSTRUCTION = 8;

/** Compiling costs up to milliseconds, and one expression is asked about many routes. */
const TESTS = new Map<string, RegexTest>();
const TESTS_KEPT_MAX = 1_000;

function testOf(regex: RE2JS): RegexTest {
  return (text) => regex.test(text);
}

function compile(source: string): Result<RE2JS, RegexProblem> {
  try {
    return ok(RE2JS.compile(source));
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return err(explain(error));
    throw error;
  }
}

function tooLarge(what: string, most: number): RegexProblem {
  return {
    why: `This regular expression is too large: it ${what}, and the limit is ${most}.`,
    help: 'Repeat less, split it in two, or raise limits.regexInstructions in portunus.yaml.',
  };
}

function explain(error: RE2JSSyntaxException): RegexProblem {
  const found = String(error.getPattern() ?? '').slice(0, FOUND_CHARACTERS_MAX);
  const row = EXPLANATIONS.find(({ description }) => error.getDescription().startsWith(description));
  if (row !== undefined) return { why: row.why(found), help: row.help };
  return {
    why: unreadable(error.getDescription() + (found === '' ? '' : ` (\`${found}\`)`)),
    help: 'Write a regular expression of RE2.',
  };
}

const FOUND_CHARACTERS_MAX = 30;

function unreadable(why: string): string {
  return `This regular expression cannot be read: ${why}.`;
}

/** What RE2 says, and what that means to the author. */
const EXPLANATIONS: readonly {
  readonly description: string;
  readonly why: (found: string) => string;
  readonly help: string;
}[] = [
  {
    description: 'invalid or unsupported Perl syntax',
    why: (found) => `A regular expression cannot look ahead or behind: \`${found}\` is not part of RE2.`,
    help: 'Say it with `not`, or as two conditions.',
  },
  {
    description: 'invalid escape sequence',
    why: (found) => unreadable(`\`${found}\` means nothing`),
    help: 'A \\ stands before signs such as . and /, or makes \\d, \\w, \\s, \\b; RE2 has no back-references.',
  },
  {
    description: 'missing closing )',
    why: () => unreadable('a `)` is missing'),
    help: 'Close the group, or write \\( for a bracket that stands for itself.',
  },
  {
    description: 'missing closing ]',
    why: () => unreadable('a `]` is missing'),
    help: 'Close the set, or write \\[ for a bracket that stands for itself.',
  },
  {
    description: 'unexpected )',
    why: () => unreadable('a `)` closes nothing'),
    help: 'Remove it, or write \\) for a bracket that stands for itself.',
  },
  {
    description: 'invalid repeat count',
    why: (found) => unreadable(`\`${found}\` repeats too often, alone or with what is around it`),
    help: 'RE2 repeats at most 1,000 times; write + or * where any number will do.',
  },
  {
    description: 'missing argument to repetition operator',
    why: (found) => unreadable(`\`${found}\` has nothing to repeat`),
    help: 'Write what is repeated before it, or \\ before the sign.',
  },
  {
    description: 'invalid nested repetition operator',
    why: (found) => unreadable(`\`${found}\` repeats a repetition`),
    help: 'Keep one of the signs.',
  },
];
