import type { TokenType } from 'chevrotain';
import { LIMIT_KINDS } from './limit-rules.ts';
import { factBehind, type Stumble } from './stumble.ts';
import {
  DateLiteral,
  DurationLiteral,
  KEYWORD,
  NumberLiteral,
  PathHead,
  PercentLiteral,
  Period,
  SIGN,
  TEST_WORD,
  Text,
  Unit,
  WeekdayWord,
} from './tokens.ts';
import { unitMeant } from './unit-meant.ts';

/**
 * What people write by habit – of English, of other languages, of an earlier line – and what to write here. A list of what
 * the grammar could go on with would not help them: it names the first word that does not fit, not the thought.
 */
export function slip(stumble: Stumble): string | null {
  for (const known of SLIPS) {
    const help = known(stumble);
    if (help !== null) return help;
  }
  return null;
}

const SLIPS: readonly ((stumble: Stumble) => string | null)[] = [
  withoutRoomSlip,
  amountSlip,
  periodSlip,
  numberSlip,
  comparisonSlip,
  listSlip,
  scopeSlip,
  textSlip,
  testSlip,
];

/** `60 requests in any 1m` without its `at most`, `at most 60 requests per 1m`, `per consumer`. */
function amountSlip({ found, previous, earlier, next, rule }: Stumble): string | null {
  if (found === null) return null;
  const isAmount = isRequests(previous?.tokenType) && earlier?.tokenType === NumberLiteral;
  const amount = `${earlier?.image} ${previous?.image}`;
  if (rule === 'limit' && isAmount && found.tokenType === KEYWORD.in && next?.tokenType === KEYWORD.any)
    return `Write \`at most ${amount} in any …\`.`;
  if (rule === 'limit' && isAmount && found.tokenType === KEYWORD.per)
    return `Write \`at most ${amount} in any …\`, or leave out \`at most\` for a steady pace.`;
  if (rule === 'quota' && found.tokenType === KEYWORD.at)
    return 'Leave out `at most`: a quota is no more than its amount anyway.';
  if (rule === 'budget' && found.tokenType === KEYWORD.at)
    return 'Leave out `at most`: a budget is no more than its amount anyway.';
  if (rule === 'budget' && previous?.tokenType === NumberLiteral && found.tokenType === KEYWORD.per)
    return `A budget is money: write \`$${previous.image}\` or \`${previous.image} EUR\`.`;
  if (found.tokenType === KEYWORD.per && is(next?.tokenType, PathHead))
    return `Write \`for each ${next!.image}\`.`;
  if (found.tokenType === KEYWORD.burst) return 'Write a comma before `burst`.';
  return null;
}

/** `queue up to 5s` and `fall back to model "mini"` of a limit, without its `when exceeded`. */
function withoutRoomSlip({ found, expected, rule }: Stumble): string | null {
  const isAnswer = found?.tokenType === KEYWORD.queue || found?.tokenType === KEYWORD.fall;
  if (!isAnswer || expected.includes(found.tokenType) || !LIMITS.has(rule)) return null;
  const rest = found.tokenType === KEYWORD.queue ? 'queue up to …' : 'fall back to model "…"';
  return `Write \`when ${rule === 'budget' ? 'exhausted' : 'exceeded'} ${rest}\`: it is what happens where there is no room.`;
}
const LIMITS: ReadonlySet<string> = new Set(LIMIT_KINDS);

function isRequests(type: TokenType | undefined): boolean {
  return type === KEYWORD.requests || type === KEYWORD.request;
}

/** `per minute`, `per hour` of a quota, `3 months`. */
function periodSlip({ found, previous, expected }: Stumble): string | null {
  if (found === null) return null;
  if (previous?.tokenType === KEYWORD.per && expected.includes(Period)) {
    const length = lengthOf(found.image) ?? (found.tokenType === DurationLiteral ? found.image : null);
    return length === null
      ? null
      : `A quota follows the calendar: write day, week, month, quarter or year. For other lengths, write \`limit at most … in any ${length}\`.`;
  }
  // behind `per`, a period of the calendar has a diagnostic of its own
  const isPeriod = previous?.tokenType === KEYWORD.per && is(found.tokenType, Period);
  if (
    !isPeriod &&
    expected.includes(DurationLiteral) &&
    is(found.tokenType, Unit) &&
    lengthOf(found.image) !== null
  )
    return `Write ${lengthOf(found.image)}, with its number.`;
  if (previous?.tokenType === NumberLiteral && CALENDAR_LENGTHS.test(found.image))
    return 'Months and years have no fixed length: write a number of days, such as 90 days.';
  return null;
}

const CALENDAR_LENGTHS = /^(?:month|quarter|year)s?$/;

function lengthOf(unit: string): string | null {
  return ONE_OF_UNIT[unit.replace(/s$/, '')] ?? null;
}
const ONE_OF_UNIT: Readonly<Record<string, string>> = {
  second: '1s',
  minute: '1m',
  hour: '1h',
  day: '1 day',
  week: '1 week',
};

/** `10 s`, `10 secs`, `10 percent`, `1,000`. */
function numberSlip({ found, previous, next }: Stumble): string | null {
  if (found === null) return null;
  if (previous?.tokenType === NumberLiteral) {
    const unit = is(found.tokenType, Unit) ? undefined : unitMeant(found.image);
    if (unit !== undefined) return `Write ${previous.image}${unit}, without a blank.`;
    if (
      isThousandsComma(previous.endOffset!, found.startOffset, next?.startOffset) &&
      /^\d{3}$/.test(next!.image)
    )
      return `Write ${previous.image}_${next!.image}: thousands are parted by _, if at all.`;
  }
  if (found.tokenType === NumberLiteral && next?.image === 'percent') return `Write ${found.image}%.`;
  return null;
}

function isThousandsComma(end: number, comma: number, next: number | undefined): boolean {
  return comma === end + 1 && next === comma + 1;
}

/** Tests that are said differently: `is not in`, `between`, `a > b > c`, `is "a" or "b"`, `has no role`. */
function comparisonSlip({ found, previous, earlier, expected, span }: Stumble): string | null {
  if (found === null) return null;
  const { image, tokenType } = found;
  if (tokenType === KEYWORD.in && previous?.tokenType === KEYWORD.not && earlier?.tokenType === KEYWORD.is)
    return 'Write `not in`, without `is`.';
  if (tokenType === KEYWORD.no && previous?.tokenType === KEYWORD.has)
    return 'Write `does not have role "…"`.';
  if (image === 'between') return 'Say both ends: `… >= 3 and … <= 5`.';
  if (ORDER.has(tokenType) && previous !== null && !expected.includes(tokenType))
    return 'A test compares two values. Write the next one behind `and`, and name the fact again.';
  const startsHere =
    expected.includes(PathHead) &&
    (is(previous?.tokenType, KEYWORD.and) || is(previous?.tokenType, KEYWORD.or));
  if (startsHere && tokenType === Text) return alternativeValue(span.source.text.slice(0, span.start), image);
  if (startsHere && TESTS.has(tokenType))
    return `Name the fact again: each test behind \`${previous!.image}\` begins with its own.`;
  return null;
}

const ORDER: ReadonlySet<TokenType> = new Set([SIGN['<'], SIGN['<='], SIGN['>'], SIGN['>=']]);
const TESTS: ReadonlySet<TokenType> = new Set([
  ...ORDER,
  ...[KEYWORD.is, KEYWORD.in, KEYWORD.contains, KEYWORD.starts, KEYWORD.ends, KEYWORD.like, KEYWORD.matches],
]);

/** `tenant.name is "a" or "b"`. */
function alternativeValue(before: string, value: string): string | null {
  const line = before.slice(before.lastIndexOf('\n') + 1);
  const [, fact, first] = /([a-z][\w.]*(?:\["[^"]*"\])?) is ("[^"]*") or $/.exec(line) ?? [];
  return fact === undefined ? null : `Say it with a list: \`${fact} in [${first}, ${value}]\`.`;
}

/** `in "10.0.0.0/8"`, `in mon..fri`, `any of LIST is "a"`, `items[0]`, `define x = "a", "b"`. */
function listSlip({ found, previous, expected, declaration }: Stumble): string | null {
  if (found === null) return null;
  const { image, tokenType } = found;
  if (previous?.tokenType === KEYWORD.in && tokenType === Text && expected.includes(SIGN['[']))
    return `\`in\` takes a list: write \`in [${image}]\`.`;
  if (previous?.tokenType === KEYWORD.in && is(tokenType, WeekdayWord) && expected.includes(SIGN['[']))
    return 'List the days, as in `in ["sat", "sun"]`; or name a calendar: `during "…"`.';
  if (expected.includes(KEYWORD.has) && !expected.includes(KEYWORD.is) && TESTS.has(tokenType))
    return `Write \`has it ${image} …\`: \`it\` is the element.`;
  if (previous?.tokenType === SIGN['['] && tokenType === NumberLiteral && expected.length === 1)
    return declaration === KEYWORD.test
      ? 'Name the list first: `body.items[1].price` is a member of its first element.'
      : 'Rules ask all elements of a list: `any of … has it.… `, `every of` or `no one of`.';
  if (declaration === KEYWORD.define && tokenType === SIGN[','] && expected.length === 0)
    return 'A list stands in brackets: `["a", "b"]`.';
  if (tokenType === SIGN[')'] && !expected.includes(tokenType)) return 'Remove it: no `(` is open here.';
  return null;
}

/** `applies to all routes`, `applies to routes "a", "b"`, `on 2026-12-24`. */
function scopeSlip({ found, previous, expected }: Stumble): string | null {
  if (found === null) return null;
  const isAll = previous !== null && /^(?:all|everything|any|anything)$/.test(previous.image);
  if (
    isAll &&
    expected.includes(KEYWORD.is) &&
    (found.tokenType === KEYWORD.routes || found.tokenType === SIGN['{'])
  )
    return 'Write `every route`, or leave out `applies to`.';
  if (previous?.tokenType === KEYWORD.routes && found.tokenType === Text)
    return `Routes are named one by one behind \`route\`: \`route ${found.image}, "…"\`.`;
  if (previous?.tokenType === KEYWORD.on && found.tokenType === DateLiteral)
    return `Write \`from ${found.image} until ${found.image}\`: both days are in it.`;
  if (found.tokenType === PercentLiteral && previous?.tokenType === KEYWORD.when)
    return 'A share stands before `when`: `forbid 10% of requests  when …`.';
  return null;
}

/** `to tenant.name` of a header, `for each "consumer"`. */
function textSlip({ found, previous, expected, span }: Stumble): string | null {
  if (found === null) return null;
  if (previous?.tokenType === KEYWORD.to && is(found.tokenType, PathHead) && expected.includes(Text))
    return `Write a text with the fact in braces: \`"{${factBehind(span)}}"\`.`;
  if (previous?.tokenType === KEYWORD.each && found.tokenType === Text)
    return `Name a fact, without quotes: \`for each ${found.image.slice(1, -1)}\`.`;
  return null;
}

/** In tests: `given plan "free"`, facts without a comma between them, `expect 403`. */
function testSlip({ found, previous, earlier, next, expected, declaration }: Stumble): string | null {
  if (found === null || declaration !== KEYWORD.test) return null;
  if (found.image === 'plan' && next?.tokenType === Text && expected.includes(KEYWORD.tenant))
    return `Say whose plan: \`tenant "…" with plan ${next.image}\`.`;
  if (expected.includes(SIGN[',']) && GIVEN.has(found.tokenType)) return 'Write a comma before it.';
  if (
    previous?.tokenType === NumberLiteral &&
    earlier?.tokenType === TEST_WORD.expect &&
    /^[45]\d\d$/.test(previous.image)
  )
    return `Write \`refused ${previous.image}\`.`;
  return null;
}

const GIVEN: ReadonlySet<TokenType> = new Set([
  ...[KEYWORD.tenant, KEYWORD.team, KEYWORD.consumer, KEYWORD.credential, KEYWORD.role, KEYWORD.no],
  ...[TEST_WORD.roles, TEST_WORD.time],
]);

function is(type: TokenType | undefined, kind: TokenType): boolean {
  return type === kind || (type?.CATEGORIES?.includes(kind) ?? false);
}
