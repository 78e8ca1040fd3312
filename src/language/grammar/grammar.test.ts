import { readFileSync } from 'node:fs';
import {
  Alternation,
  Alternative,
  type IProduction,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  RepetitionMandatoryWithSeparator,
  RepetitionWithSeparator,
  type Rule,
  Terminal,
  type TokenType,
} from 'chevrotain';
import { describe, expect, it } from 'vitest';
import { LATER_WORDS, RouteHead, tokenGroup } from '../tokens.ts';
import { PolicyGrammar } from './policies.ts';

const RULES: Readonly<Record<string, Rule>> = new PolicyGrammar().getGAstProductions();
it('has no ambiguity', () => {
  expect(() => new PolicyGrammar('recovers', 'grammar-too')).not.toThrow();
});

const EBNF = readFileSync(new URL('../../../grammar/portunus.ebnf', import.meta.url), 'utf8');

/** Names of lexical tokens in the published grammar. */
const TERMINALS: Readonly<Record<string, string>> = {
  Text: 'TEXT',
  NumberLiteral: 'NUMBER',
  DurationLiteral: 'DURATION',
  SizeLiteral: 'SIZE',
  PercentLiteral: 'PERCENT',
  DateLiteral: 'DATE',
  TimeLiteral: 'TIME',
  ZoneName: 'ZONE',
  Name: 'NAME',
  Member: 'MEMBER',
  Unit: 'UNIT',
  Period: 'PERIOD',
  MoneyLiteral: 'MONEY',
  CurrencyCode: 'CURRENCY',
  WeekdayWord: 'WEEKDAY',
  PathHead: 'ROOT',
  AnyWord: 'WORD',
  Method: 'METHOD',
  UrlPath: 'URLPATH',
  Regex: 'REGEX',
};

describe('grammar/portunus.ebnf', () => {
  const published = new Map(
    Array.from(EBNF.matchAll(/^([A-Z][A-Za-z]*) = ([^;]*);/gm), ([, name, body]) => [
      name!,
      body!.replace(/\s+/g, ' ').trim(),
    ]),
  );
  // a file is read declaration by declaration, so `File` is a loop of parse.ts and not a rule of the parser
  const parserRules = Object.keys(RULES).filter((name) => name !== 'Declaration');
  const grammarRules = [...published.keys()].filter((name) => name !== name.toUpperCase());

  it('has every rule of the parser and no other', () => {
    expect(grammarRules.filter((name) => name !== 'File').sort()).toEqual([...parserRules].sort());
    expect(published.get('File')).toBe(
      'LanguageLine { ( Zone | Holidays | Calendar | Define | Policy | Test ) }',
    );
    expect(rendered(RULES.Declaration!.definition)).toBe(
      '( LanguageLine | Zone | Holidays | Calendar | Define | Policy | Test )',
    );
  });

  it.each(parserRules)('says of %s what the parser does', (name) => {
    expect(published.get(name)).toBe(rendered(RULES[name]!.definition));
  });

  it('explains every lexical token', () => {
    expect(Object.values(TERMINALS).filter((name) => !published.has(name))).toEqual([]);
  });

  it('lists every word kept for later versions', () => {
    const listed = /later: ([a-z ,\n]+)\*\)/.exec(EBNF)?.[1]?.split(/[\s,]+/) ?? [];
    expect(listed.filter((word) => word !== '').sort()).toEqual([...LATER_WORDS].sort());
  });
});

describe('line breaks need no meaning (language-rules 3.4)', () => {
  const heads = first(RULES.Rule!.definition);
  const follow = followWithinRule();

  it('knows what a rule begins with', () => {
    const names = [...heads].map((type) => type.name);
    expect(names).toEqual([
      'permit',
      'forbid',
      'require',
      'warn',
      'limit',
      'quota',
      'budget',
      'set',
      'remove',
      'cap',
      'default',
      'timeout',
      'cache',
      'RouteHead',
      'mask',
      'deprecate',
      'alert',
      'rotate',
    ]);
  });

  it('FOLLOW(Condition) within a rule has no word that begins a rule', () => {
    const names = [...follow.get('Condition')!].map((type) => type.name).sort();
    expect(names).toEqual([
      ')',
      'PercentLiteral',
      'after',
      'alert',
      'and',
      'because',
      'code',
      'for',
      'from',
      'in',
      'max',
      'notify',
      'on',
      'or',
      'overlap',
      'status',
      'until',
      'was',
      'when',
    ]);
  });

  // `alert at` is a clause and `alert when` a rule: `pairs.test.ts` tells them apart
  const ownHeads = new Set([...heads].filter((type) => type.name !== 'alert'));

  it.each([...follow.keys()])('no word that begins a rule follows %s within a rule', (name) => {
    expect([...follow.get(name)!].filter((type) => ownHeads.has(type))).toEqual([]);
  });

  it('no optional part of any rule begins like a rule', () => {
    const optional = Object.values(RULES)
      .filter((rule) => rule.name !== 'Policy')
      .flatMap((rule) => optionalParts(rule.definition));
    expect(optional.length).toBeGreaterThan(10);
    expect(optional.flatMap((part) => [...first(part)]).filter((type) => ownHeads.has(type))).toEqual([]);
  });

  it('an optional part never begins like what may follow it, but where said', () => {
    const clashes = [...follow].flatMap(([name, after]) =>
      greedyChoices(RULES[name]!.definition, after).map((type) => `${name}: ${type.name}`),
    );
    // a limit has no `notify` but that of its `alert at`; `in ZONE` of a quota is told from `in total` by a gate, as is `for any amount` from `for each`; a trailing comma by the token behind it; `when
    // exceeded` takes all reply clauses behind it; `from` takes an `until` behind it, which means the same; the condition of a
    // quantifier takes every `and` and `or` behind it
    expect(clashes.sort()).toEqual([
      'AlertAt: notify',
      'ByCalendar: in',
      'Condition: and',
      'Condition: or',
      'Dates: until',
      'Exceeded: because',
      'Exceeded: code',
      'Exceeded: status',
      'Fallback: for',
      'List: ,',
    ]);
  });

  it('recovers at exactly the words that begin a rule, a header clause or a declaration', () => {
    expect([...heads].every((type) => tokenGroup(type) === 'rule')).toBe(true);
  });
});

function rendered(parts: readonly IProduction[]): string {
  return parts.map(renderedPart).join(' ');
}

function renderedPart(part: IProduction): string {
  if (part instanceof NonTerminal) return part.nonTerminalName;
  if (part instanceof Terminal) return terminal(part.terminalType);
  if (part instanceof Alternative) return rendered(part.definition);
  if (part instanceof Alternation) return `( ${part.definition.map(renderedPart).join(' | ')} )`;
  if (part instanceof Option) return `[ ${rendered(part.definition)} ]`;
  if (part instanceof Repetition) return `{ ${rendered(part.definition)} }`;
  const inner = rendered(partsOf(part));
  if (part instanceof RepetitionMandatory) return `${inner} { ${inner} }`;
  if (part instanceof RepetitionMandatoryWithSeparator) {
    return `${inner} { ${terminal(part.separator)} ${inner} }`;
  }
  throw new Error(`the renderer does not know ${part.constructor.name}`);
}

function terminal(type: TokenType): string {
  return TERMINALS[type.name] ?? `"${type === RouteHead ? 'route' : type.name}"`;
}

function first(parts: readonly IProduction[]): Set<TokenType> {
  const found = new Set<TokenType>();
  for (const part of parts) {
    for (const type of firstOfPart(part)) found.add(type);
    if (!isNullable(part)) break;
  }
  return found;
}

function firstOfPart(part: IProduction): Set<TokenType> {
  if (part instanceof Terminal) return new Set([part.terminalType]);
  if (part instanceof NonTerminal) return first(part.referencedRule.definition);
  if (part instanceof Alternation) return new Set(part.definition.flatMap((one) => [...first(partsOf(one))]));
  return first(partsOf(part));
}

/** Tokens with which an optional part begins although what follows it could begin with them too. */
function greedyChoices(parts: readonly IProduction[], after: ReadonlySet<TokenType>): TokenType[] {
  return parts.flatMap((part, index) => {
    if (part instanceof NonTerminal || part instanceof Terminal) return [];
    const rest = parts.slice(index + 1);
    const next = new Set([...first(rest), ...(rest.every(isNullable) ? after : [])]);
    if (part instanceof Alternation)
      return part.definition.flatMap((one) => greedyChoices(partsOf(one), next));
    const mayEnd =
      part instanceof RepetitionMandatoryWithSeparator ? [part.separator] : [...first(partsOf(part))];
    return [...mayEnd.filter((type) => next.has(type)), ...greedyChoices(partsOf(part), next)];
  });
}

function isNullable(part: IProduction): boolean {
  if (part instanceof Terminal) return false;
  if (part instanceof NonTerminal) return part.referencedRule.definition.every(isNullable);
  if (part instanceof Alternation) return part.definition.some((one) => partsOf(one).every(isNullable));
  if (part instanceof Option || part instanceof Repetition || part instanceof RepetitionWithSeparator)
    return true;
  return partsOf(part).every(isNullable);
}

/** FOLLOW of every grammar rule, in the grammar whose start is one rule of a policy: what ends it is not in it. */
function followWithinRule(): Map<string, Set<TokenType>> {
  const reachable = new Set<string>();
  const visit = (rule: Rule): void => {
    if (reachable.has(rule.name)) return;
    reachable.add(rule.name);
    for (const used of nonTerminals(rule.definition)) visit(used.referencedRule);
  };
  visit(RULES.Rule!);
  const follow = new Map([...reachable].map((name) => [name, new Set<TokenType>()]));
  for (let size = -1, now = 0; size !== now; ) {
    size = now;
    for (const name of reachable) spread(RULES[name]!.definition, follow.get(name)!, follow);
    now = [...follow.values()].reduce((sum, set) => sum + set.size, 0);
  }
  return follow;
}

function spread(
  parts: readonly IProduction[],
  after: ReadonlySet<TokenType>,
  follow: ReadonlyMap<string, Set<TokenType>>,
): void {
  parts.forEach((part, index) => {
    const rest = parts.slice(index + 1);
    const next = new Set([...first(rest), ...(rest.every(isNullable) ? after : [])]);
    if (part instanceof NonTerminal) for (const type of next) follow.get(part.nonTerminalName)!.add(type);
    else if (part instanceof Alternation)
      for (const one of part.definition) spread(partsOf(one), next, follow);
    else if (!(part instanceof Terminal)) {
      const again = part instanceof Option ? [] : repeated(part);
      spread(partsOf(part), new Set([...next, ...again]), follow);
    }
  });
}

/** What a repetition goes on with: its separator, or its own beginning. */
function repeated(part: IProduction): readonly TokenType[] {
  return part instanceof RepetitionMandatoryWithSeparator ? [part.separator] : [...first(partsOf(part))];
}

function isOptional(part: IProduction): boolean {
  return part instanceof Option || part instanceof Repetition || part instanceof RepetitionWithSeparator;
}

function partsOf(part: IProduction): readonly IProduction[] {
  return (part as IProduction & { readonly definition: readonly IProduction[] }).definition;
}

function nonTerminals(parts: readonly IProduction[]): NonTerminal[] {
  return parts.flatMap((part) => {
    if (part instanceof NonTerminal) return [part];
    return part instanceof Terminal ? [] : nonTerminals(partsOf(part));
  });
}

function optionalParts(parts: readonly IProduction[]): (readonly IProduction[])[] {
  return parts.flatMap((part) => {
    if (part instanceof NonTerminal || part instanceof Terminal) return [];
    const inner = partsOf(part);
    const own = isOptional(part) ? [inner] : [];
    return [...own, ...optionalParts(inner)];
  });
}
