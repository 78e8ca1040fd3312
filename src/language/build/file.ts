import type { CstNode } from 'chevrotain';
import { isTimeZone } from '../../model/local-time.ts';
import type {
  CalendarNode,
  DefineNode,
  HolidaysNode,
  PolicyFileNode,
  PolicyNode,
  ReviewNode,
  RuleNode,
} from '../ast.ts';
import { unknownZone } from '../problems/names.ts';
import { languageLine, saidTwice } from '../problems/reading.ts';
import type { TestNode } from '../test-ast.ts';
import { nearestTimeZone } from '../time-zones.ts';
import { buildCalendar, buildHolidays } from './calendars.ts';
import { buildCondition } from './conditions.ts';
import { buildDates } from './dates.ts';
import { buildDate, buildDuration, buildList, buildLiteral } from './literals.ts';
import {
  childOf,
  childOrNull,
  childrenOf,
  has,
  nodeSpan,
  type Reader,
  spanOf,
  tokenOf,
  tokenOrNull,
} from './reader.ts';
import { buildRule } from './rules.ts';
import { buildTest } from './tests.ts';
import { buildText } from './texts.ts';

/**
 * Declarations to the AST of a file. `isWhole` says whether a node was read without a mistake; what was not is left
 * out, so that one mistake is one diagnostic.
 */
export class FileBuilder {
  readonly #reader: Reader;
  readonly #defines: DefineNode[] = [];
  readonly #calendars: CalendarNode[] = [];
  readonly #holidays: HolidaysNode[] = [];
  readonly #policies: PolicyNode[] = [];
  readonly #tests: TestNode[] = [];
  #language: CstNode | null = null;
  #zone: { readonly name: string; readonly node: CstNode } | null = null;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  add(declaration: CstNode, isWhole: (node: CstNode) => boolean): void {
    const [name] = Object.keys(declaration.children);
    const node = name === undefined ? null : childOrNull(declaration, name);
    if (node === null) return;
    if (node.name === 'Policy') {
      const policy = buildPolicy(this.#reader, node, isWhole);
      if (policy !== null) this.#policies.push(policy);
    } else if (node.name === 'Test') {
      const test = buildTest(this.#reader, node, isWhole);
      if (test !== null) this.#tests.push(test);
    } else if (node.name === 'Define') {
      const define = buildDefine(this.#reader, node, isWhole);
      if (define !== null) this.#defines.push(define);
    } else if (isWhole(node)) {
      if (node.name === 'LanguageLine') this.#addLanguage(node);
      else if (node.name === 'Calendar') this.#calendars.push(buildCalendar(this.#reader, node));
      else if (node.name === 'Holidays') this.#holidays.push(buildHolidays(this.#reader, node));
      else this.#addZone(node);
    }
  }

  finish(): PolicyFileNode {
    return {
      zone: this.#zone?.name ?? null,
      calendars: this.#calendars,
      holidays: this.#holidays,
      defines: this.#defines,
      policies: this.#policies,
      tests: this.#tests,
    };
  }

  #addLanguage(node: CstNode): void {
    const version = tokenOf(node, 'NumberLiteral');
    if (this.#language !== null) this.#reportTwice(node, 'language', this.#language);
    else if (version.image !== '1') {
      this.#reader.report(languageLine(spanOf(this.#reader, version), version.image));
    }
    this.#language ??= node;
  }

  #addZone(node: CstNode): void {
    const token = tokenOf(node, 'ZoneName');
    if (this.#zone !== null) this.#reportTwice(node, 'zone', this.#zone.node);
    else if (!isTimeZone(token.image)) {
      const span = spanOf(this.#reader, token);
      this.#reader.report(unknownZone(span, token.image, nearestTimeZone(token.image)));
    }
    this.#zone ??= { name: token.image, node };
  }

  #reportTwice(node: CstNode, what: string, first: CstNode): void {
    this.#reader.report(saidTwice(nodeSpan(this.#reader, node), what, nodeSpan(this.#reader, first)));
  }
}

function buildDefine(reader: Reader, node: CstNode, isWhole: (node: CstNode) => boolean): DefineNode | null {
  const token = tokenOrNull(node, 'Name');
  if (token === null) return null;
  const name = { value: token.image, span: spanOf(reader, token) };
  if (!isWhole(node)) return { name, value: null };
  const list = childOrNull(node, 'List');
  return {
    name,
    value: list === null ? buildLiteral(reader, childOf(node, 'Literal')) : buildList(reader, list),
  };
}

/** A policy whose name cannot be read is left out: nothing could refer to it. */
function buildPolicy(reader: Reader, node: CstNode, isWhole: (node: CstNode) => boolean): PolicyNode | null {
  const head = childOrNull(node, 'PolicyName');
  if (head === null || !isWhole(head)) return null;
  const title = tokenOrNull(head, 'Text', 1);
  const owner = once(reader, childrenOf(node, 'Owner'), 'owner');
  const review = once(reader, childrenOf(node, 'Review'), 'review');
  const reviewed = once(reader, childrenOf(node, 'Reviewed'), 'reviewed');
  const effective = once(reader, childrenOf(node, 'Effective'), 'effective');
  const appliesTo = once(reader, childrenOf(node, 'AppliesTo'), 'applies to');
  const rules = childrenOf(node, 'Rule')
    .filter(isWhole)
    .map((rule): RuleNode => buildRule(reader, rule));
  const name = tokenOf(head, 'Text');
  return {
    name: buildText(reader, name),
    title: title === null ? null : buildText(reader, title),
    owner: owner === null || !isWhole(owner) ? null : buildText(reader, tokenOf(owner, 'Text')),
    review: review === null || !isWhole(review) ? null : buildReview(reader, review),
    reviewed:
      reviewed === null || !isWhole(reviewed) ? null : buildDate(reader, tokenOf(reviewed, 'DateLiteral')),
    effective:
      effective === null || !isWhole(effective) ? null : buildDates(reader, childOf(effective, 'Dates')),
    appliesTo: appliesTo === null ? null : buildScope(reader, appliesTo, isWhole),
    rules,
    span: spanOf(reader, name),
    extent: nodeSpan(reader, node),
    closed: has(node, '}'),
  };
}

function buildReview(reader: Reader, node: CstNode): ReviewNode {
  const period = childOrNull(node, 'Length');
  return period === null
    ? { kind: 'by', day: buildDate(reader, tokenOf(node, 'DateLiteral')) }
    : { kind: 'every', period: buildDuration(reader, period) };
}

function buildScope(
  reader: Reader,
  node: CstNode,
  isWhole: (node: CstNode) => boolean,
): PolicyNode['appliesTo'] {
  return isWhole(node) ? buildCondition(reader, childOf(node, 'Condition')) : 'unreadable';
}

function once(reader: Reader, nodes: readonly CstNode[], what: string): CstNode | null {
  const [first, ...others] = nodes;
  if (first === undefined) return null;
  for (const other of others)
    reader.report(saidTwice(nodeSpan(reader, other), what, nodeSpan(reader, first)));
  return first;
}
