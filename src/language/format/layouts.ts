import type { CstNode, IToken } from 'chevrotain';
import { KEYWORD, SIGN, Text } from '../tokens.ts';
import { BREAK, type Document, group, ifBroken, indent, line, ownComment, row } from './document.ts';
import { lengthOfTime } from './literals.ts';
import { isToken, partsOf } from './parts.ts';
import {
  commentLines,
  documentOf,
  endOf,
  type Item,
  inline,
  type Layout,
  linesOf,
  type Printer,
  tight,
} from './printer.ts';

/**
 * The canonical style (language-rules 4), one row per rule of the grammar: most are words in a row. A test holds the
 * tables against the parser, so a new form without its row is noticed.
 */
export const LAYOUTS: Readonly<Record<string, Layout>> = {
  LanguageLine: inline,
  Zone: inline,
  Holidays: holidays,
  Calendar: inline,
  Hours: inline,
  Define: inline,
  Policy: block,
  PolicyName: inline,
  Owner: inline,
  Review: inline,
  Reviewed: inline,
  Effective: inline,
  AppliesTo: inline,

  Rule: rule,
  Permit: inline,
  Forbid: inline,
  Require: inline,
  Warn: inline,
  Limit: inline,
  AtMost: inline,
  Pace: inline,
  Quota: inline,
  Budget: inline,
  ByCalendar: inline,
  Amount: inline,
  Tokens: inline,
  Requests: inline,
  SetHeader: inline,
  RemoveHeader: inline,
  Side: inline,
  Cap: inline,
  Default: inline,
  Timeout: inline,
  Cache: inline,
  RouteTo: inline,
  Mask: mask,
  MaskKind: inline,
  Deprecate: inline,
  Alert: inline,
  Rotate: inline,

  Clause: inline,
  Share: inline,
  When: inline,
  Dates: inline,
  Exceeded: exceeded,
  Fallback: inline,
  Queue: inline,
  Per: inline,
  KeyList: inline,
  ReplyClause: inline,
  MaxKeys: inline,
  OnFailure: inline,
  Was: inline,
  Overlap: inline,
  AlertAt: inline,
  AtLeast: inline,
  Notify: inline,

  Condition: condition,
  Term: inline,
  Negation: inline,
  Group: inline,
  Constant: inline,
  CalendarTest: inline,
  Quantified: inline,
  Selector: inline,
  RouteSet: inline,
  ModelSet: inline,
  Texts: commaRow,
  Predicate: inline,
  IsTest: inline,
  OrderTest: inline,
  InTest: inline,
  TextTest: inline,
  RegexTest: inline,
  RoleTest: inline,
  ExhaustedTest: inline,

  Test: block,
  TestName: inline,
  TestStatement: inline,
  Given: commaRow,
  GivenItem: inline,
  GivenCaller: inline,
  Attribute: inline,
  GivenRoles: inline,
  GivenTime: inline,
  GivenRule: inline,
  GivenModel: inline,
  Chunks: commaRow,
  UsedTokens: inline,
  Used: inline,
  RequestParts: inline,
  RequestPart: inline,
  BodyPath: tight,
  MemberName: tight,
  Sending: clauseRow('SendingClause'),
  SendingClause: inline,
  Expect: clauseRow('ExpectClause'),
  Which: inline,
  Refused: inline,
  RuleName: inline,
  Watched: inline,
  Reply: inline,
  ExpectClause: inline,
  ExpectPart: inline,

  Sum: inline,
  Value: inline,
  Step: inline,
  Factor: inline,
  Operand: inline,
  Path: tight,
  List: list,
  Literal: inline,
  Quantity: inline,
  Money: inline,
  Length: length,
};

/** Declarations in the order of a file; within each kind the author's order stays. */
export const DECLARATION_ORDER: readonly string[] = [
  'LanguageLine',
  'Zone',
  'Holidays',
  'Calendar',
  'Define',
  'Policy',
  'Test',
];
/** Declarations that have an empty line around them; between others one is kept. */
const BLOCKS: ReadonlySet<string> = new Set(['Policy', 'Test']);
/** Header clauses, each on its own line. */
export const HEADER_ORDER: readonly string[] = ['Owner', 'Review', 'Reviewed', 'Effective', 'AppliesTo'];
/** Clauses by the innermost name that tells them apart; those before the gap say when a rule holds and stay on its line. */
export const SCOPE_CLAUSES: readonly string[] = ['Share', 'AtLeast', 'Per', 'Overlap', 'Dates', 'When'];
export const ANSWER_CLAUSES: readonly string[] = [
  'Exceeded',
  'AlertAt',
  'MaxKeys',
  'OnFailure',
  'Was',
  'Fallback',
  'Queue',
  'status',
  'code',
  'because',
  'Notify',
];
const CLAUSE_ORDER: readonly string[] = [...SCOPE_CLAUSES, ...ANSWER_CLAUSES];

/** The whole file; `declarations` are in the order of the text. */
export function fileLayout(printer: Printer, declarations: readonly CstNode[]): Document {
  const nodes = declarations.map((declaration) => partsOf(declaration)[0] as CstNode);
  const sorted = sortedBy(nodes, DECLARATION_ORDER, ({ name }) => name);
  const items = sorted.map((node, index) => {
    const item = printer.itemOf(node);
    const isApart = BLOCKS.has(node.name) || BLOCKS.has(sorted[index - 1]?.name ?? '');
    return isApart ? afterEmptyLine(item) : item;
  });
  return row([linesOf(items), ...commentLines(printer.comments.atEnd, 'keep')]);
}

function afterEmptyLine(item: Item): Item {
  const [first, ...others] = item.before;
  return first === undefined
    ? { ...item, hasEmptyLineBefore: true }
    : { ...item, before: [{ ...first, hasEmptyLineBefore: true }, ...others] };
}

/** Head, header clauses, and statements in braces; one statement without header clauses may stay on the line. */
function block(printer: Printer, node: CstNode): Document {
  const parts = partsOf(node);
  const open = parts.findIndex((part) => isToken(part) && part.tokenType === SIGN['{']);
  const [head, ...headers] = parts.slice(0, open) as [CstNode, ...CstNode[]];
  const statements = parts.slice(open + 1, -1);
  const brace = parts[open] as IToken;
  const end = parts.at(-1) as IToken;
  const headerLines = sortedBy(headers, HEADER_ORDER, ({ name }) => name).flatMap((header) => [
    BREAK,
    documentOf(printer.itemOf(header)),
  ]);
  const gap = headers.length > 0 || statements.length > 1 ? BREAK : line(' ');
  const beforeBrace = printer.comments.takeBefore(brace).before.map(({ text }) => ownComment(text));
  const lines = linesOf(statements.map((statement) => printer.itemOf(statement)));
  const beforeEnd = commentLines(
    printer.comments.takeBefore(end).before,
    statements.length > 0 ? 'keep' : 'drop',
  );
  return group(
    row([
      documentOf(printer.itemOf(head)),
      indent(row([...headerLines, ...beforeBrace])),
      gap,
      printer.token(brace),
      indent(row([...(statements.length > 0 ? [gap] : []), lines, ...beforeEnd])),
      gap,
      printer.token(end),
    ]),
  );
}

/**
 * On one line if it fits. Else what says when it holds stays on the first line as long as it fits there, and the answer
 * follows clause by clause.
 */
function rule(printer: Printer, node: CstNode): Document {
  const [head, ...clauses] = partsOf(node) as [CstNode, ...CstNode[]];
  const sorted = sortedBy(clauses, CLAUSE_ORDER, clauseForm);
  const scope = sorted.filter((clause) => SCOPE_CLAUSES.includes(clauseForm(clause)));
  const answer = sorted.filter((clause) => !SCOPE_CLAUSES.includes(clauseForm(clause)));
  const headLine = [documentOf(printer.itemOf(head))];
  const first = isBare(head) ? scope.shift() : undefined;
  if (first !== undefined) headLine.push(' ', documentOf(printer.itemOf(first)));
  const behind = (clause: Document): readonly Document[] => [line('  '), clause];
  return indent(
    group(
      row([
        group(row([...headLine, ...clauseDocuments(printer, scope).flatMap(behind)])),
        ...clauseDocuments(printer, answer).flatMap(behind),
      ]),
    ),
  );
}

/** A keyword, or keyword and name: the clause behind it goes on with the sentence. */
function isBare(head: CstNode): boolean {
  const [, name, ...others] = partsOf(head);
  return others.length === 0 && (name === undefined || (isToken(name) && name.tokenType === Text));
}

/** Clauses as documents; a status and the code behind it are one. */
function clauseDocuments(printer: Printer, clauses: readonly CstNode[]): readonly Document[] {
  const documents: Document[] = [];
  clauses.forEach((clause, index) => {
    const document = documentOf(printer.itemOf(clause));
    const status = documents.at(-1);
    const isPair = clauseForm(clause) === 'code' && index > 0 && clauseForm(clauses[index - 1]!) === 'status';
    if (isPair && status !== undefined) {
      documents[documents.length - 1] = group(row([status, line('  '), document]));
    } else documents.push(document);
  });
  return documents;
}

/** `when exceeded …` is a `When` that holds an `Exceeded`, `status 403` a `ReplyClause` that holds a `status`. */
function clauseForm(clause: CstNode): string {
  const form = clause.name === 'Clause' ? (partsOf(clause)[0] as CstNode) : clause;
  return CLAUSE_ORDER.find((name) => name !== form.name && name in form.children) ?? form.name;
}

/** `exceeded` and its answer; what does not fit goes on below. */
function exceeded(printer: Printer, node: CstNode): Document {
  const [word, ...replies] = partsOf(node) as [IToken, ...CstNode[]];
  const [first = '', ...others] = clauseDocuments(printer, sortedBy(replies, CLAUSE_ORDER, clauseForm));
  return group(
    row([printer.token(word), ' ', first, indent(row(others.flatMap((reply) => [line('  '), reply])))]),
  );
}

/** Terms that do not fit on one line begin lines with their `and` or `or`. */
function condition(printer: Printer, node: CstNode): Document {
  const [first, ...others] = partsOf(node);
  if (others.length === 0) return printer.part(first!);
  const rows: Document[] = [];
  for (let index = 0; index < others.length; index += 2) {
    const link = others[index]!;
    rows.push(line(' '), documentOf(printer.item(link, () => printer.inline([link, others[index + 1]!]))));
  }
  return group(row([documentOf(printer.itemOf(first!)), indent(row(rows))]));
}

/** Items behind commas, on as many lines as there are items if one line is too short; a word may stand before them. */
function commaRow(printer: Printer, node: CstNode): Document {
  const [first, ...others] = partsOf(node);
  const documents = others.map((part, index) => {
    if (isToken(part) && part.tokenType === SIGN[',']) return row([printer.token(part), line(' ')]);
    return row([index === 0 ? ' ' : '', printer.part(part)]);
  });
  return group(row([printer.part(first!), indent(row(documents))]));
}

/** Kinds behind commas as in a {@link commaRow}, then the sides and the text in a row. */
function mask(printer: Printer, node: CstNode): Document {
  const parts = partsOf(node);
  const side = parts.findIndex((part) => isToken(part) && part.tokenType === KEYWORD.in);
  const [word, ...kinds] = parts.slice(0, side);
  const documents = kinds.map((part, index) => {
    if (isToken(part) && part.tokenType === SIGN[',']) return row([printer.token(part), line(' ')]);
    return row([index === 0 ? ' ' : '', printer.part(part)]);
  });
  return group(
    row([printer.part(word!), indent(row([...documents, ' ', printer.inline(parts.slice(side))]))]),
  );
}

/** The name, and dates that may begin a new line. */
function holidays(printer: Printer, node: CstNode): Document {
  const [word, name, ...dates] = partsOf(node);
  const documents = dates.map((part) =>
    isToken(part) && part.tokenType === SIGN[',']
      ? row([printer.token(part), line(' ')])
      : printer.part(part),
  );
  return group(row([printer.inline([word!, name!]), indent(row([line(' '), ...documents]))]));
}

/** Words in a row; where they do not fit, each of these parts has a line. */
function clauseRow(name: string): Layout {
  return (printer, node) => {
    const parts = partsOf(node);
    const clauses = parts.filter((part) => !isToken(part) && part.name === name);
    const head = parts.slice(0, parts.length - clauses.length);
    const lines = clauses.flatMap((clause) => [line(' '), documentOf(printer.itemOf(clause))]);
    return group(row([printer.inline(head), indent(row(lines))]));
  };
}

/** On one line, or one item per line with a comma behind each. */
function list(printer: Printer, node: CstNode): Document {
  const parts = partsOf(node);
  const open = parts[0] as IToken;
  const close = parts.at(-1) as IToken;
  const lines: Document[] = [];
  for (let index = 1; index < parts.length - 1; index += 2) {
    const { before, body, after } = printer.itemOf(parts[index]!);
    const comma = index + 1 < parts.length - 1 ? (parts[index + 1] as IToken) : null;
    const isLast = index + 2 >= parts.length - 1;
    const around = comma === null ? null : printer.comments.takeBefore(comma);
    lines.push(
      line(index === 1 ? '' : ' '),
      ...before.map(({ text }) => ownComment(text)),
      body,
      isLast ? ifBroken(',') : ',',
      ...endOf(after),
      ...(around?.before ?? []).map(({ text }) => ownComment(text)),
      ...(comma === null ? [] : endOf(printer.comments.takeAfter(comma))),
    );
  }
  const beforeClose = printer.comments.takeBefore(close).before.map(({ text }) => ownComment(text));
  return group(
    row([printer.token(open), indent(row([...lines, ...beforeClose])), line(''), printer.token(close)]),
  );
}

/** A number with its unit, as one literal unless a comment stands between them. */
function length(printer: Printer, node: CstNode): Document {
  const [number, unit] = partsOf(node) as [IToken, IToken | undefined];
  if (unit === undefined) return printer.token(number);
  const { comments } = printer;
  const isApart = comments.around(number).after !== null || comments.around(unit).before.length > 0;
  if (isApart) return inline(printer, node);
  return printer.spelled(number, unit, lengthOfTime(number.image, unit.image));
}

/** Stable. */
function sortedBy<Part>(
  parts: readonly Part[],
  order: readonly string[],
  nameOf: (part: Part) => string,
): Part[] {
  return parts.toSorted((a, b) => order.indexOf(nameOf(a)) - order.indexOf(nameOf(b)));
}
