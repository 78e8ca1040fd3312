import type { PathNode, TemplateNode } from '../ast.ts';
import { holeNotAllowed } from '../problems/rules.ts';
import type { CheckedCalendar, CounterKey, TemplateHole, TextTemplate } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import { resolveFact } from './operands.ts';

/** Who reads a text, and the limit it speaks for: decides which holes it may have (language-rules #32). */
export interface TextPlace {
  readonly reader: 'caller' | 'upstream' | 'operator';
  /** The counter key of the limit whose reply this is; null elsewhere. */
  readonly limit: CounterKey | null;
  /** The calendars that the conditions of the rule ask; unclear where one of them has a mistake. */
  readonly calendars: ReadonlySet<CheckedCalendar> | 'unclear';
  /** What holds where it is written. */
  readonly known: Known;
}

/** Where no calendar is asked, or its facts are of no use. */
export const NO_CALENDARS: ReadonlySet<CheckedCalendar> = new Set();

/** A text with its holes resolved. Missing values are no mistake here: they print as `(none)`. */
export function checkTemplate(
  context: CheckContext,
  node: TemplateNode,
  place: TextPlace,
): TextTemplate | null {
  const parts = node.parts.map((part) =>
    typeof part === 'string' ? [part] : checkHole(context, part, place),
  );
  const whole = parts.filter((part) => part !== null);
  return whole.length < parts.length ? null : { parts: whole.flat() };
}

const LIMIT_FACTS = ['name', 'amount', 'used', 'resets'] as const;
type LimitFact = (typeof LIMIT_FACTS)[number];

/** What stands in place of a hole; null means that a problem was reported. */
function checkHole(
  context: CheckContext,
  node: PathNode,
  place: TextPlace,
): readonly (string | TemplateHole)[] | null {
  if (node.path === 'successor' || node.path.startsWith('successor.'))
    return checkSuccessorHole(context, node);
  if (node.path === 'calendar' || node.path.startsWith('calendar.')) {
    const calendar = checkCalendarHole(context, node, place);
    return calendar === null ? null : [calendar];
  }
  const hole =
    node.path === 'limit' || node.path.startsWith('limit.')
      ? checkLimitHole(context, node, place)
      : checkFactHole(context, node, place);
  return hole === null ? null : [hole];
}

function checkSuccessorHole(context: CheckContext, node: PathNode): TextTemplate['parts'] | null {
  const { successor } = context;
  if (node.path === 'successor.url' && node.parameter === null) {
    if (typeof successor === 'object') return successor.url.parts;
    if (successor === 'unreadable') return [];
  }
  const [why, help] =
    node.path !== 'successor.url' || node.parameter !== null
      ? ['a successor does not say this', 'There is successor.url.']
      : successor === 'several'
        ? ['this policy names several successors', 'Write one policy for each.']
        : ['this policy names no successor', 'Write `deprecate from … sunset … successor route "…"` in it.'];
  context.report(holeNotAllowed(node.span, node.path, why!, help!));
  return null;
}

function checkFactHole(context: CheckContext, node: PathNode, place: TextPlace): TemplateHole | null {
  const fact = resolveFact(context, place.known, node);
  if (fact === null) return null;
  if (place.reader !== 'caller' || fact.definition.label === 'caller') return fact;
  context.report(
    holeNotAllowed(
      node.span,
      node.path,
      'it is internal, and callers see this text',
      'Remove it, or declare the attribute with label: caller.',
    ),
  );
  return null;
}

function checkLimitHole(context: CheckContext, node: PathNode, { limit }: TextPlace): TemplateHole | null {
  const fact = LIMIT_FACTS.find((name) => node.path === `limit.${name}`);
  const refuse = (why: string, help: string): null => {
    context.report(holeNotAllowed(node.span, node.path, why, help));
    return null;
  };
  if (limit === null) {
    return refuse(
      'no limit answers here',
      'Only `when exceeded … because` of a limit or quota, or `when exhausted … because` of a budget, has limit facts.',
    );
  }
  if (fact === undefined || node.parameter !== null) {
    return refuse(
      'a limit does not say this',
      'There is limit.name, limit.amount, limit.used and limit.resets.',
    );
  }
  if (SHARED_SECRETS.has(fact) && !countsCaller(limit)) {
    return refuse(
      'the callers share this counter, so its figures tell one about the others',
      'Show limit.name or limit.resets, or count for each tenant, consumer or request.ip.',
    );
  }
  return { kind: 'limit-fact', fact, span: node.span };
}

const CALENDAR_FACTS = ['name', 'opens', 'closes'] as const;

function checkCalendarHole(
  context: CheckContext,
  node: PathNode,
  { calendars }: TextPlace,
): TemplateHole | null {
  const fact = CALENDAR_FACTS.find((name) => node.path === `calendar.${name}`);
  const refuse = (why: string, help: string): null => {
    context.report(holeNotAllowed(node.span, node.path, why, help));
    return null;
  };
  if (fact === undefined || node.parameter !== null) {
    return refuse(
      'a calendar does not say this',
      'There is calendar.name, calendar.opens and calendar.closes.',
    );
  }
  if (calendars === 'unclear') return null;
  const [calendar, ...others] = calendars;
  if (calendar === undefined) {
    return refuse(
      'the rule asks no calendar',
      'Only `because` of a rule with `during` or `outside` has facts of a calendar.',
    );
  }
  return others.length === 0
    ? { kind: 'calendar-fact', fact, calendar, span: node.span }
    : refuse('the rule asks several calendars', 'Split the rule, one calendar each.');
}

const SHARED_SECRETS: ReadonlySet<LimitFact> = new Set(['amount', 'used']);

/** Whether each caller has a counter of its own. */
function countsCaller(key: CounterKey): boolean {
  if (key.kind === 'total') return false;
  return key.keys.some(
    ({ definition }) => definition.phase === 'identity' || definition.path === 'request.ip',
  );
}
