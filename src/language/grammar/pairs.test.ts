import {
  Alternation,
  type IProduction,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  RepetitionMandatoryWithSeparator,
  RepetitionWithSeparator,
  type Rule,
  Terminal,
} from 'chevrotain';
import { describe, expect, it } from 'vitest';
import { PolicyGrammar } from './policies.ts';

/**
 * Line breaks mean nothing, because what may follow an expression is never how a statement begins: shown over pairs of
 * tokens, so that one word may begin a clause with one word behind it and a statement with another (language-rules 3.4).
 */
const RULES: Readonly<Record<string, Rule>> = new PolicyGrammar().getGAstProductions();

/** Rows of at most two tokens, each as one text; '' is the empty row. */
type Rows = ReadonlySet<string>;
const NOTHING: Rows = new Set(['']);

/** Each row of `a` followed by each of `b`, cut to two tokens. */
function then(a: Rows, b: Rows): Rows {
  const rows = new Set<string>();
  for (const first of a) {
    const left = first === '' ? [] : first.split(' ');
    if (left.length === 2) rows.add(first);
    else
      for (const second of b)
        rows.add([...left, ...(second === '' ? [] : second.split(' '))].slice(0, 2).join(' '));
  }
  return rows;
}

function either(...all: readonly Rows[]): Rows {
  return new Set(all.flatMap((rows) => [...rows]));
}

function partsOf(part: IProduction): readonly IProduction[] {
  return (part as IProduction & { readonly definition: readonly IProduction[] }).definition;
}

type Table = ReadonlyMap<string, Rows>;

function firstOfRow(parts: readonly IProduction[], table: Table): Rows {
  return parts.reduce<Rows>((rows, part) => then(rows, firstOf(part, table)), NOTHING);
}

function firstOf(part: IProduction, table: Table): Rows {
  if (part instanceof Terminal) return new Set([part.terminalType.name]);
  if (part instanceof NonTerminal) return table.get(part.nonTerminalName) ?? new Set();
  if (part instanceof Alternation)
    return either(...part.definition.map((one) => firstOfRow(partsOf(one), table)));
  const inner = firstOfRow(partsOf(part), table);
  if (part instanceof Option) return either(NOTHING, inner);
  const again = then(inner, firstOfMore(part, inner));
  return part instanceof RepetitionMandatory || part instanceof RepetitionMandatoryWithSeparator
    ? again
    : either(NOTHING, again);
}

/** What a repetition goes on with after one round: nothing, or another round. */
function firstOfMore(part: IProduction, inner: Rows): Rows {
  if (part instanceof RepetitionMandatoryWithSeparator || part instanceof RepetitionWithSeparator) {
    return either(NOTHING, then(new Set([part.separator.name]), inner));
  }
  return part instanceof Repetition || part instanceof RepetitionMandatory ? either(NOTHING, inner) : NOTHING;
}

/** Repeats until nothing is added. */
function grown(step: (table: Map<string, Rows>) => void): Table {
  const table = new Map<string, Rows>(Object.keys(RULES).map((name) => [name, new Set()]));
  for (let size = -1, now = 0; size !== now; ) {
    size = now;
    step(table);
    now = [...table.values()].reduce((sum, rows) => sum + rows.size, 0);
  }
  return table;
}

const FIRST = grown((table) => {
  for (const [name, rule] of Object.entries(RULES)) table.set(name, firstOfRow(rule.definition, table));
});

/** FOLLOW of every rule in the grammar whose start is one rule of a policy: '' is its end. */
const FOLLOW = grown((table) => {
  table.set('Rule', either(table.get('Rule')!, NOTHING));
  for (const [name, rule] of Object.entries(RULES)) spread(rule.definition, table.get(name)!, table);
});

function spread(parts: readonly IProduction[], after: Rows, table: Map<string, Rows>): void {
  if (after.size === 0) return;
  parts.forEach((part, index) => {
    const next = then(firstOfRow(parts.slice(index + 1), FIRST), after);
    if (part instanceof NonTerminal) {
      table.set(part.nonTerminalName, either(table.get(part.nonTerminalName)!, next));
    } else if (part instanceof Alternation) {
      for (const one of part.definition) spread(partsOf(one), next, table);
    } else if (!(part instanceof Terminal)) {
      const more = firstOfMore(part, firstOfRow(partsOf(part), FIRST));
      spread(partsOf(part), then(then(more, more), next), table);
    }
  });
}

/** Pairs of tokens: where the rule ends after one, the next rule or the end of the policy follows. */
function pairsAfter(name: string): readonly string[] {
  const begins = [...FIRST.get('Rule')!].map((row) => row.split(' ')[0]!);
  return [...FOLLOW.get(name)!].flatMap((row) => {
    if (row === '') return [];
    return row.includes(' ') ? [row] : [...new Set([...begins, '}'])].map((token) => `${row} ${token}`);
  });
}

describe('FOLLOW(expression) and FIRST(statement), over pairs of tokens', () => {
  it('know pairs', () => {
    expect([...FIRST.get('Rule')!]).toEqual(
      expect.arrayContaining(['set header', 'permit Text', 'limit at']),
    );
    expect(pairsAfter('Condition')).toEqual(
      expect.arrayContaining(['in total', 'for each', 'status NumberLiteral', 'when exceeded']),
    );
    expect(pairsAfter('Operand')).toEqual(expect.arrayContaining(['is present', '+ Text', 'starts with']));
  });

  it.each(['Condition', 'Term', 'Predicate', 'Value', 'Sum', 'Operand', 'Literal', 'List', 'Texts'])(
    'have nothing in common for %s',
    (name) => {
      const statements = new Set([...FIRST.get('Rule')!].filter((row) => row.includes(' ')));
      const after = pairsAfter(name);
      expect(after.length).toBeGreaterThan(10);
      expect(statements.size).toBeGreaterThan(10);
      expect(after.filter((pair) => statements.has(pair))).toEqual([]);
    },
  );

  it('have nothing in common with what begins a declaration either', () => {
    const declarations = new Set(FIRST.get('Declaration')!);
    expect(declarations.has('policy Text')).toBe(true);
    expect(pairsAfter('Condition').filter((pair) => declarations.has(pair))).toEqual([]);
  });
});
