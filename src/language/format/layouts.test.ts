import { Alternation, type IProduction, NonTerminal, type Rule, Terminal } from 'chevrotain';
import { describe, expect, it } from 'vitest';
import { PolicyGrammar } from '../grammar/policies.ts';
import { ANSWER_CLAUSES, DECLARATION_ORDER, HEADER_ORDER, LAYOUTS, SCOPE_CLAUSES } from './layouts.ts';

const RULES: Readonly<Record<string, Rule>> = new PolicyGrammar().getGAstProductions();

/** What the first alternation in a rule chooses between: names of rules, or the words they begin with. */
function choices(rule: string): readonly string[] {
  const alternation = flat(RULES[rule]!.definition).find((part) => part instanceof Alternation);
  return innerParts(alternation!).map((option) => {
    const [first] = innerParts(option);
    return first instanceof NonTerminal ? first.nonTerminalName : (first as Terminal).terminalType.name;
  });
}

function flat(parts: readonly IProduction[]): readonly IProduction[] {
  return parts.flatMap((part) => [part, ...flat(innerParts(part))]);
}

function innerParts(part: IProduction): readonly IProduction[] {
  if (part instanceof NonTerminal || part instanceof Terminal) return [];
  return (part as IProduction & { readonly definition: readonly IProduction[] }).definition;
}

describe('a new form of the grammar needs its place in the canonical style', () => {
  it('every rule of the parser has a layout', () => {
    const rules = Object.keys(RULES).filter((name) => name !== 'Declaration');
    expect(Object.keys(LAYOUTS).sort()).toEqual(rules.sort());
  });

  it('every declaration has its place in a file', () => {
    expect([...DECLARATION_ORDER].sort()).toEqual([...choices('Declaration')].sort());
  });

  it('every header clause has its place in a policy', () => {
    expect([...HEADER_ORDER].sort()).toEqual([...choices('Policy')].sort());
  });

  it('every clause has its place in a rule', () => {
    const forms = choices('Clause').flatMap((name) => (name === 'ReplyClause' ? choices(name) : [name]));
    expect([...SCOPE_CLAUSES, ...ANSWER_CLAUSES].sort()).toEqual(
      [...forms, 'Exceeded', 'Fallback', 'Queue'].sort(),
    );
  });
});
