import type { ClauseSight, Held, RuleSight, Trace } from '../compiler/interpret/trace.ts';
import { placeOf } from '../diagnostics/source.ts';
import { unitsOf } from '../language/canonical.ts';
import { isLimitRule, LIMIT_KINDS } from '../language/limit-rules.ts';
import type { LimitRule } from '../language/typed.ts';
import { moneyText } from '../model/money.ts';
import { clauseText } from './clause-text.ts';
import { valueInWords } from './values.ts';

/** What each rule saw of one request, as data for people and programs. */
export interface RuleView {
  readonly policy: string;
  /** Null: the author gave none. */
  readonly rule: string | null;
  readonly kind: string;
  readonly mode: string;
  readonly place: string;
  readonly verdict: Verdict;
  readonly clauses: readonly ClauseView[];
  /** Of limits that were asked: what they said; else null. */
  readonly counter: CounterView | null;
}
export interface CounterView {
  /** Nano-units of a budget. */
  readonly remaining: number;
  readonly exceeded: boolean;
  /** What remains, in words: `5`, `300 tokens`, `$19.5`. */
  readonly left: string;
}
export type Verdict =
  | 'permitted'
  | 'refused'
  | 'would refuse'
  | 'warned'
  | 'would warn'
  | 'alerted'
  | 'would alert'
  | 'applied'
  | 'had room'
  | 'did not hold'
  | 'not asked';

export interface ClauseView {
  /** As written. */
  readonly text: string;
  readonly part: ClauseSight['part'];
  readonly held: Held;
  /** By lot, for a share. */
  readonly isDrawn: boolean;
  /** `tenant.plan was "free"`. */
  readonly saw: readonly string[];
}

/** By index of the rule: what its counter said. */
export type CounterViews = ReadonlyMap<number, Omit<CounterView, 'left'>>;

export function ruleViews(trace: Trace, counters: CounterViews): RuleView[] {
  return trace.sights.map((sight) => ruleView(sight, trace.stage, counters.get(sight.placed.index) ?? null));
}

function ruleView(sight: RuleSight, stage: Trace['stage'], seen: Omit<CounterView, 'left'> | null): RuleView {
  const { policy, mode, rule } = sight.placed;
  const counter =
    seen === null || !isLimitRule(rule) ? null : { ...seen, left: leftInWords(rule, seen.remaining) };
  return {
    policy,
    rule: rule.name,
    kind: rule.kind,
    mode,
    place: placeOf(rule.span),
    verdict: verdictOf(sight, stage, counter),
    clauses: sight.clauses.map(clauseView),
    counter,
  };
}

function leftInWords({ measure }: LimitRule, remaining: number): string {
  if (measure.kind === 'money') return moneyText(remaining, measure.currency);
  return measure.kind === 'requests' ? String(remaining) : `${remaining} ${unitsOf(measure.kind)}`;
}

function verdictOf(
  { effect, placed }: RuleSight,
  stage: Trace['stage'],
  counter: RuleView['counter'],
): Verdict {
  const refused = placed.mode === 'enforce' ? 'refused' : 'would refuse';
  switch (effect) {
    case 'permits':
      return 'permitted';
    case 'refuses':
      return refused;
    case 'warns':
      return placed.mode === 'shadow' ? 'would warn' : 'warned';
    case 'nothing':
      return 'did not hold';
    case 'unseen':
      return 'not asked';
    case 'alerts':
      return placed.mode === 'shadow' ? 'would alert' : 'alerted';
    case 'applies':
      if (!isLimitRule(placed.rule)) return 'applied';
      if (stage !== 'admit' || counter === null) return 'not asked';
      return counter.exceeded ? refused : 'had room';
  }
}

function clauseView({ clause, part, held, saw }: ClauseSight): ClauseView {
  return {
    text: clauseText(clause),
    part,
    held,
    isDrawn: clause.kind === 'share',
    saw: saw.map(({ fact, type, value }) => `${fact} was ${valueInWords(type, value)}`),
  };
}

/** Rules that had something to say come first; those that a phase before them made needless are counted. */
export function sightLines(views: readonly RuleView[], indent: string): string[] {
  const deciding = views.filter(({ kind }) => DECIDING.has(kind));
  const asked = deciding.filter(({ verdict }) => verdict !== 'not asked');
  const relevant = asked
    .filter((view) => !isElsewhere(view))
    .sort((a, b) => RANK[a.verdict] - RANK[b.verdict]);
  const lines = relevant.flatMap((view) => viewLines(view, indent));
  const left = deciding.length - relevant.length;
  const rest =
    left === 0
      ? []
      : [
          `${indent}(${left} further ${left === 1 ? 'rule was' : 'rules were'} not asked or ${left === 1 ? 'does' : 'do'} not apply here)`,
        ];
  return [...lines, ...rest];
}

const DECIDING: ReadonlySet<string> = new Set([
  ...['permit', 'forbid', 'require', 'warn', 'alert'],
  ...LIMIT_KINDS,
]);

/** What decided comes first. */
const RANK: Readonly<Record<Verdict, number>> = {
  refused: 0,
  'would refuse': 1,
  warned: 2,
  'would warn': 2,
  alerted: 2,
  'would alert': 2,
  permitted: 3,
  'had room': 4,
  applied: 4,
  'did not hold': 5,
  'not asked': 6,
};

/** A policy for other routes: nothing of it matters here. */
function isElsewhere({ clauses, verdict }: RuleView): boolean {
  return verdict === 'did not hold' && clauses.some(({ part, held }) => part === 'scope' && held === false);
}

function viewLines(view: RuleView, indent: string): string[] {
  const name = view.rule === null ? view.kind : `${view.kind} "${view.rule}"`;
  const mode = view.mode === 'enforce' ? '' : ` [${view.mode}]`;
  const counter = view.counter === null ? '' : `, ${view.counter.left} left`;
  const head = `${indent}"${view.policy}" ${name}${mode}: ${view.verdict}${counter}  (${view.place})`;
  const clauses = view.clauses.filter(({ part, held }) => part !== 'scope' || held === false);
  const lines = clauses.map((clause) => `${indent}    ${clauseLine(clause)}`);
  // both bounds of `from D until E` are one text
  return [head, ...lines.filter((line, at) => line !== lines[at - 1])];
}

function clauseLine({ text, held, saw }: ClauseView): string {
  if (held === 'unseen') return `- ${text}: not asked`;
  return `${held ? '✓' : '✗'} ${text}${saw.length === 0 ? '' : `: ${saw.join(', ')}`}`;
}
