import { assert } from '../../base/assert.ts';
import type { Span } from '../../diagnostics/source.ts';
import { routesNamed } from '../../model/route-lines.ts';
import type { ReferenceKind } from '../../model/types.ts';
import type { ConditionNode, ModelSetNode, TextNode } from '../ast.ts';
import { compareCodePoints } from '../order.ts';
import type { FactExpression, LiteralExpression, TypedExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { typeLiteral } from './literals.ts';
import { checkName } from './names.ts';
import { referenceTo } from './type-names.ts';

type Selector = Extract<ConditionNode, { kind: 'selector' }>;

/** `routes tagged "x"` and its like: shorter words for a condition over facts of the route. */
export function selectRoutes(context: CheckContext, node: Selector): TypedExpression | null {
  const { span } = node;
  switch (node.selector) {
    case 'every-route':
      return { kind: 'constant', value: true, span };
    case 'identity': {
      const left = builtInFact(context, 'route.requires_identity', span);
      const right: LiteralExpression = { kind: 'literal', value: true, type: left.type, span };
      return { kind: 'compare', operator: 'is', left, right, span };
    }
    case 'state': {
      const left = builtInFact(context, 'route.state', span);
      const right = typeLiteral(context, textLiteral(node.names[0]!), left.type, 'route.state');
      return right === null ? null : { kind: 'compare', operator: 'is', left, right, span };
    }
    case 'tagged': {
      const element = nameLiteral(context, 'tag', node.names[0]!);
      const list = builtInFact(context, 'route.tags', span);
      return element === null ? null : { kind: 'in', element, list, negated: false, span };
    }
    case 'routes':
      return oneOf(context, node, 'route', 'route');
    case 'services':
      return oneOf(context, node, 'route.service', 'service');
    case 'models':
      return ofCalls(context, oneOf(context, node, 'model', 'model'), span);
    case 'models-tagged': {
      const [tag] = node.names;
      return ofCalls(context, taggedModels(context, { kind: 'model-set', tag: tag!, span }), span);
    }
  }
}

/** Where a request is no call to a model, it is a call to none of them. */
function ofCalls(context: CheckContext, test: TypedExpression | null, span: Span): TypedExpression | null {
  if (test === null) return null;
  const fact = builtInFact(context, 'model', span);
  return { kind: 'and', operands: [{ kind: 'present', fact, negated: false, span }, test], span };
}

/** `model in models tagged "x"`: the models that bear the tag, each by its name. */
export function taggedModels(
  context: CheckContext,
  { tag, span }: ModelSetNode,
): Extract<TypedExpression, { kind: 'in' }> | null {
  if (!checkName(context, 'model tag', tag.value, tag.span)) return null;
  const names = [...context.project.world.models.models.values()]
    .filter(({ tags }) => tags.includes(tag.value))
    .map(({ name }) => name)
    .sort(compareCodePoints);
  const type = referenceTo('model');
  const items = names.map((value): LiteralExpression => ({ kind: 'literal', value, type, span }));
  return {
    kind: 'in',
    element: builtInFact(context, 'model', span),
    list: { kind: 'list', items, type: { kind: 'list', of: type }, span },
    negated: false,
    span,
  };
}

/** The same as a condition over facts, for those who wrote a selector where a condition belongs. */
export function selectorAsFact({ selector, names }: Selector): string {
  const quoted = names.map(({ value }) => JSON.stringify(value));
  const list = quoted.length === 1 ? `is ${quoted[0]}` : `in [${quoted.join(', ')}]`;
  switch (selector) {
    case 'every-route':
      return 'true, or nothing';
    case 'identity':
      return 'route in routes requiring identity';
    case 'state':
      return `route in routes in state ${names[0]!.value}`;
    case 'tagged':
      return `route in routes tagged ${quoted[0]}`;
    case 'routes':
      return `route ${list}`;
    case 'services':
      return `route.service ${list}`;
    case 'models':
      return `model is present and model ${list}`;
    case 'models-tagged':
      return `model is present and model in models tagged ${quoted[0]}`;
  }
}

function oneOf(
  context: CheckContext,
  { names, span }: Selector,
  path: string,
  to: ReferenceKind,
): TypedExpression | null {
  const fact = builtInFact(context, path, span);
  const literals = names.flatMap((name) => nameLiteral(context, to, name) ?? []);
  if (literals.length < names.length) return null;
  const items = literals.flatMap((literal) => everyRoute(context, literal));
  if (items.length === 1) return { kind: 'compare', operator: 'is', left: fact, right: items[0]!, span };
  const type = { kind: 'list', of: referenceTo(to) } as const;
  return { kind: 'in', element: fact, list: { kind: 'list', items, type, span }, negated: false, span };
}

/** Each route that the name of a line stands for; any other literal by itself. */
export function everyRoute(
  { project }: CheckContext,
  literal: LiteralExpression,
): readonly LiteralExpression[] {
  const { type, value } = literal;
  if (type.kind !== 'reference' || type.to !== 'route') return [literal];
  return routesNamed(project.world.routes, String(value)).map((name) => ({ ...literal, value: name }));
}

function nameLiteral(
  context: CheckContext,
  to: ReferenceKind,
  { value, span }: TextNode,
): LiteralExpression | null {
  if (!checkName(context, to, value, span)) return null;
  return { kind: 'literal', value, type: referenceTo(to), span };
}

function textLiteral({ value, span }: TextNode) {
  return { kind: 'literal', type: 'text', value, currency: null, span } as const;
}

export function builtInFact(context: CheckContext, path: string, span: Selector['span']): FactExpression {
  const definition = context.project.facts.get(path);
  assert(definition !== undefined, `${path} is built in`);
  return { kind: 'fact', definition, parameter: null, type: definition.type, span };
}
