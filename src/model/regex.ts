import { RE2JS, RE2JSSyntaxException } from 're2js';
import { err, ok, type Result } from '../base/result.ts';

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
