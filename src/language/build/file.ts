import type { CstNode, IToken } from 'chevrotain';
import type { DefineNode, PolicyFileNode, PolicyNode, RuleNode } from '../ast.ts';
import { unknownZone } from '../problems/names.ts';
import { languageLine, saidTwice } from '../problems/reading.ts';
import { isTimeZone, nearestTimeZone } from '../time-zones.ts';
import { buildCondition } from './conditions.ts';
import { buildList, buildLiteral } from './literals.ts';
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
import { buildText } from './texts.ts';

/**
 * A whole file: CST to AST. `isWhole` says whether a node was read without a mistake; what was not is left out, so
 * that one mistake is one diagnostic.
 */
export function buildFile(
  reader: Reader,
  node: CstNode,
  isWhole: (node: CstNode) => boolean,
): PolicyFileNode {
  const line = childOrNull(node, 'LanguageLine');
  if (line !== null && isWhole(line)) checkVersion(reader, tokenOf(line, 'NumberLiteral'));
  const policies = childrenOf(node, 'Policy').flatMap((policy) => buildPolicy(reader, policy, isWhole) ?? []);
  return {
    zone: buildZone(reader, childrenOf(node, 'Zone').filter(isWhole)),
    defines: childrenOf(node, 'Define')
      .filter(isWhole)
      .map((define) => buildDefine(reader, define)),
    policies,
  };
}

function checkVersion(reader: Reader, version: IToken): void {
  if (version.image !== '1') reader.report(languageLine(spanOf(reader, version), version.image));
}

function buildZone(reader: Reader, zones: readonly CstNode[]): string | null {
  const [first, ...others] = zones;
  if (first === undefined) return null;
  for (const other of others)
    reader.report(saidTwice(nodeSpan(reader, other), 'zone', nodeSpan(reader, first)));
  const token = tokenOf(first, 'ZoneName');
  if (!isTimeZone(token.image))
    reader.report(unknownZone(spanOf(reader, token), token.image, nearestTimeZone(token.image)));
  return token.image;
}

function buildDefine(reader: Reader, node: CstNode): DefineNode {
  const name = tokenOf(node, 'Name');
  const list = childOrNull(node, 'List');
  return {
    name: { value: name.image, span: spanOf(reader, name) },
    value: list === null ? buildLiteral(reader, childOf(node, 'Literal')) : buildList(reader, list),
  };
}

/** A policy whose name cannot be read is left out: nothing could refer to it. */
function buildPolicy(reader: Reader, node: CstNode, isWhole: (node: CstNode) => boolean): PolicyNode | null {
  const head = childOrNull(node, 'PolicyName');
  if (head === null || !isWhole(head)) return null;
  const title = tokenOrNull(head, 'Text', 1);
  const owner = once(reader, childrenOf(node, 'Owner'), 'owner');
  const appliesTo = once(reader, childrenOf(node, 'AppliesTo'), 'applies to');
  const rules = childrenOf(node, 'Rule')
    .filter(isWhole)
    .map((rule): RuleNode => buildRule(reader, rule));
  const name = tokenOf(head, 'Text');
  return {
    name: buildText(reader, name),
    title: title === null ? null : buildText(reader, title),
    owner: owner === null || !isWhole(owner) ? null : buildText(reader, tokenOf(owner, 'Text')),
    appliesTo: appliesTo === null ? null : buildScope(reader, appliesTo, isWhole),
    rules,
    span: spanOf(reader, name),
    extent: nodeSpan(reader, node),
    closed: has(node, '}'),
  };
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
