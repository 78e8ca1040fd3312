import type { CstNode } from 'chevrotain';
import { WEEKDAYS } from '../../model/local-time.ts';
import type { CalendarNode, HolidaysNode, HoursNode } from '../ast.ts';
import { buildDate, buildTime } from './literals.ts';
import {
  childOrNull,
  childrenOf,
  nodeSpan,
  type Reader,
  spanOf,
  tokenOf,
  tokenOrNull,
  tokensOf,
} from './reader.ts';
import { buildText } from './texts.ts';

/** Calendars and lists of holidays: CST to AST. */
export function buildCalendar(reader: Reader, node: CstNode): CalendarNode {
  const zone = tokenOrNull(node, 'ZoneName');
  const except = childOrNull(node, 'Texts');
  return {
    name: buildText(reader, tokenOf(node, 'Text')),
    zone: zone === null ? null : { value: zone.image, span: spanOf(reader, zone) },
    hours: childrenOf(node, 'Hours').map((hours) => buildHours(reader, hours)),
    except: except === null ? [] : tokensOf(except, 'Text').map((token) => buildText(reader, token)),
  };
}

export function buildHolidays(reader: Reader, node: CstNode): HolidaysNode {
  return {
    name: buildText(reader, tokenOf(node, 'Text')),
    days: tokensOf(node, 'DateLiteral').map((token) => buildDate(reader, token)),
  };
}

function buildHours(reader: Reader, node: CstNode): HoursNode {
  const [first, last = first] = tokensOf(node, 'WeekdayWord').map(({ image }) =>
    (WEEKDAYS as readonly string[]).indexOf(image),
  );
  const [start, end] = tokensOf(node, 'TimeLiteral').map((token) => buildTime(reader, token).value);
  return {
    firstWeekday: first!,
    lastWeekday: last!,
    startMinute: start!,
    endMinute: end!,
    span: nodeSpan(reader, node),
  };
}
