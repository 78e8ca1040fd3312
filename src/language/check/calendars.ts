import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { placeOf, type Span } from '../../diagnostics/source.ts';
import { meant } from '../../diagnostics/suggest.ts';
import { isTimeZone } from '../../model/local-time.ts';
import type {
  CalendarNode,
  ConditionNode,
  HolidaysNode,
  HoursNode,
  PolicyFileNode,
  TextNode,
} from '../ast.ts';
import { calendarTwice, holidaysTwice, unknownName, unknownZone } from '../problems/names.ts';
import { emptyHours, holidaysEnd } from '../problems/rules.ts';
import { nearestTimeZone } from '../time-zones.ts';
import type { CalendarRange, CheckedCalendar, TypedExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';

/** The calendars of a project: whichever file declares them, every file may name them. */
export type Calendars = ReadonlyMap<string, DeclaredCalendar>;
interface DeclaredCalendar {
  /** Null when it could not be understood: that was reported, and its uses are no further mistakes. */
  readonly calendar: CheckedCalendar | null;
  readonly span: Span;
}

/** A file and where its problems go. */
export interface ReportedFile {
  readonly file: PolicyFileNode;
  readonly report: (problem: Diagnostic) => void;
}

/** `today` in days since 1970-01-01, for findings about holidays that end soon; null when nobody knows. */
export function projectCalendars(
  files: readonly ReportedFile[],
  projectZone: string,
  today: number | null,
): Calendars {
  const holidays = gather(files, (file) => file.holidays, holidaysTwice);
  const calendars = gather(files, (file) => file.calendars, calendarTwice);
  const used = new Set<string>();
  const checked = [...calendars].map(([name, { node, file, report }]): [string, DeclaredCalendar] => {
    for (const list of node.except) used.add(list.value);
    const calendar = checkCalendar(node, file.zone ?? projectZone, holidays, report);
    return [name, { calendar, span: node.name.span }];
  });
  for (const [name, { node, report }] of holidays) {
    if (today !== null && used.has(name)) warnWhenEnding(node, today, report);
  }
  return new Map(checked);
}

/** Everything that checking a file can see of the calendars, places included: equal texts, equal checks. */
export function calendarsText(calendars: Calendars): string {
  const all = [...calendars].map(([name, { calendar, span }]) => [name, calendar, placeOf(span)]);
  return JSON.stringify(all);
}

/** `during "office"` and `outside "office"`. */
export function checkCalendarTest(
  context: CheckContext,
  { test, calendar, span }: Extract<ConditionNode, { kind: 'calendar-test' }>,
): TypedExpression | null {
  const { calendars } = context.project;
  const declared = calendars.get(calendar.value);
  if (declared !== undefined) {
    const { calendar: checked } = declared;
    return checked === null
      ? null
      : { kind: 'in-calendar', calendar: checked, negated: test === 'outside', span };
  }
  const places = new Map([...calendars].map(([name, one]) => [name, placeOf(one.span)]));
  context.report(unknown('calendar', calendar, places));
  return null;
}

/** The calendars that conditions ask. */
export function calendarsIn(conditions: readonly (TypedExpression | null)[]): ReadonlySet<CheckedCalendar> {
  const found = new Set<CheckedCalendar>();
  const visit = (node: TypedExpression): void => {
    if (node.kind === 'in-calendar') found.add(node.calendar);
    else if (node.kind === 'not') visit(node.operand);
    else if (node.kind === 'and' || node.kind === 'or') node.operands.forEach(visit);
  };
  for (const condition of conditions) if (condition !== null) visit(condition);
  return found;
}

interface Declared<Node> extends ReportedFile {
  readonly node: Node;
}

/** By name; of two with one name the first is kept. */
function gather<Node extends { readonly name: TextNode }>(
  files: readonly ReportedFile[],
  nodesOf: (file: PolicyFileNode) => readonly Node[],
  twice: (span: Span, name: string, first: Span) => Diagnostic,
): ReadonlyMap<string, Declared<Node>> {
  const found = new Map<string, Declared<Node>>();
  for (const { file, report } of files) {
    for (const node of nodesOf(file)) {
      const { value, span } = node.name;
      const first = found.get(value);
      if (first === undefined) found.set(value, { node, file, report });
      else report(twice(span, value, first.node.name.span));
    }
  }
  return found;
}

function checkCalendar(
  node: CalendarNode,
  fileZone: string,
  holidays: ReadonlyMap<string, Declared<HolidaysNode>>,
  report: ReportedFile['report'],
): CheckedCalendar | null {
  const zone = node.zone?.value ?? fileZone;
  const zoneFits = node.zone === null || isTimeZone(zone);
  if (!zoneFits) report(unknownZone(node.zone!.span, zone, nearestTimeZone(zone)));
  const ranges = node.hours.flatMap((hours) => rangesOf(hours, report));
  const lists = node.except.map((name) => holidaysOf(name, holidays, report));
  const days = lists.flatMap((list) => list?.days.map(({ value }) => value) ?? []);
  if (!zoneFits || ranges.length === 0 || lists.includes(null)) return null;
  return {
    name: node.name.value,
    zone,
    ranges: ranges.sort(
      (a, b) => a.weekday - b.weekday || a.startMinute - b.startMinute || a.endMinute - b.endMinute,
    ),
    holidays: [...new Set(days)].sort((a, b) => a - b),
  };
}

const DAY_MINUTES = 1_440;

/** One range for each day; days and hours may both go round the end of the week. */
function rangesOf(hours: HoursNode, report: ReportedFile['report']): CalendarRange[] {
  const { firstWeekday, lastWeekday, startMinute, endMinute, span } = hours;
  if (startMinute === endMinute || startMinute === DAY_MINUTES) {
    report(emptyHours(span));
    return [];
  }
  const end = endMinute > startMinute ? endMinute : endMinute + DAY_MINUTES;
  const days = ((lastWeekday - firstWeekday + 7) % 7) + 1;
  return Array.from({ length: days }, (_, index) => ({
    weekday: (firstWeekday + index) % 7,
    startMinute,
    endMinute: end,
  }));
}

function holidaysOf(
  name: TextNode,
  holidays: ReadonlyMap<string, Declared<HolidaysNode>>,
  report: ReportedFile['report'],
): HolidaysNode | null {
  const declared = holidays.get(name.value);
  if (declared !== undefined) return declared.node;
  const places = new Map([...holidays].map(([known, { node }]) => [known, placeOf(node.name.span)]));
  report(unknown('list of holidays', name, places));
  return null;
}

function unknown(what: string, { value, span }: TextNode, places: ReadonlyMap<string, string>): Diagnostic {
  const near = meant(value, places.keys());
  const suggestion = near === null ? null : { name: near, place: places.get(near) ?? null };
  return unknownName(span, what, value, suggestion, [...places.keys()].sort());
}

const WARNED_DAYS = 60;

function warnWhenEnding(node: HolidaysNode, today: number, report: ReportedFile['report']): void {
  const last = lastDayOf(node);
  if (last < today + WARNED_DAYS) report(holidaysEnd(node.name.span, node.name.value, last, last - today));
}

/** The last day, from `today` on, on which the same is said of holidays: nothing until they end soon, then another thing each day. */
export function lastDayOfSameFinding(node: HolidaysNode, today: number): number {
  return Math.max(today, lastDayOf(node) - WARNED_DAYS);
}

function lastDayOf({ days }: HolidaysNode): number {
  return Math.max(...days.map(({ value }) => value));
}
