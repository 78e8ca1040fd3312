import { meant } from '../../diagnostics/suggest.ts';
import { elementPath, type FactDefinition, listOf, OUTPUT_CAP, writtenPath } from '../../model/facts.ts';
import { BODY, isBelow, joinedPath, memberNames, pathBelow } from '../../model/member-path.ts';
import type { BodyMember } from '../../model/request-body.ts';
import { isListOfObjects } from '../../model/types.ts';
import type { Route } from '../../model/world.ts';
import type { PathNode } from '../ast.ts';
import { bodyNotDescribed, memberOfTwoTypes, unknownMember } from '../problems/bodies.ts';
import { memberOfList } from '../problems/quantifiers.ts';
import type { FactExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { isDialectsCap } from './dialects-caps.ts';
import type { Known } from './known.ts';
import { inWords, sameType } from './type-names.ts';

/**
 * What the schemas of routes say of bodies, as facts: `request.body.order.amount`. The member as every route describes it whose requests can get here: rules read nothing that is not described. It may be
 * missing where one of them does not require it. `path`: the whole one, where a rule writes `it.price`.
 */
export function resolveBodyFact(
  context: CheckContext,
  known: Known,
  node: PathNode,
  path = node.path,
): FactExpression | null {
  const reached = known.routes;
  if (reached.length === 0) context.asked.otherRoutes = true;
  // A policy that applies to no route is a finding of its own.
  const routes =
    reached.length > 0 ? reached : [...context.project.world.routes.values()].filter(isDescribed);
  const name = pathBelow(path, BODY);
  const members: BodyMember[] = [];
  for (const route of routes) {
    const member = memberOf(context, route, name, node);
    if (member === null) return null;
    const [first] = members;
    if (first !== undefined && !sameType(first.type, member.type)) {
      context.report(
        memberOfTwoTypes(node.span, node.path, [routes[0]!, route], [first, member].map(typeInWords)),
      );
      return null;
    }
    members.push(member);
  }
  const [first] = members;
  if (first === undefined) {
    reportUndescribed(context, node, null);
    return null;
  }
  const absence = members.some((member) => member.absence === 'always') ? 'always' : 'never';
  return {
    kind: 'fact',
    definition: definitionOf(path, first, absence),
    parameter: null,
    type: first.type,
    span: node.span,
  };
}

/** Whether the elements of a list have a member, as a route describes them. */
export function hasMember({ requestBody }: Route, list: FactExpression, member: string): boolean {
  if (requestBody === null || list.definition.phase !== 'body') return false;
  const path = elementPath(pathBelow(list.definition.path, BODY));
  return Object.hasOwn(requestBody.members, joinedPath(path, member));
}

/** Once for all rules of a policy: a schema for the route, or another scope, mends them all. */
function reportUndescribed({ undescribed, report }: CheckContext, node: PathNode, route: Route | null): void {
  const name = route?.name ?? '';
  const meant = isDialectsCap(node.path) && route?.ai != null ? OUTPUT_CAP : null;
  if (!undescribed.has(name)) report(bodyNotDescribed(node.span, node.path, route, meant));
  undescribed.add(name);
}

function isDescribed(route: Route): boolean {
  return route.requestBody !== null;
}

function memberOf(context: CheckContext, route: Route, name: string, node: PathNode): BodyMember | null {
  if (route.requestBody === null) {
    reportUndescribed(context, node, route);
    return null;
  }
  const { members, file } = route.requestBody;
  if (Object.hasOwn(members, name) && node.parameter === null) return members[name]!;
  const list = Object.keys(members).find(
    (each) => isListOfObjects(members[each]!.type) && isBelow(name, each),
  );
  if (list !== undefined) {
    const path = writtenPath(joinedPath(BODY, list));
    context.report(memberOfList(node.span, node.path, path, joinedPath('it', pathBelow(node.path, path))));
    return null;
  }
  const names = Object.keys(members)
    .filter((other) => listOf(other) === listOf(name))
    .map(withoutRoot)
    .sort();
  const near = meantMember(withoutRoot(name), names);
  const root = listOf(name) === '' ? BODY : writtenPath(elementPath(''));
  const suggestion = near === null ? null : joinedPath(root, near);
  context.report(unknownMember(node.span, node.path, { route, file }, suggestion, names));
  return null;
}

/** `items[].order.id` is written `it.order.id`, and that `order.id` of its list. */
function withoutRoot(name: string): string {
  const list = listOf(name);
  return list === '' ? name : pathBelow(name, elementPath(list));
}

/** Compared by their names, so that brackets and quotes are no difference: `order_id` is `["order-id"]`. */
export function meantMember(path: string, members: readonly string[]): string | null {
  const byNames = new Map(members.map((member) => [memberNames(member).join('.'), member]));
  const near = meant(memberNames(path).join('.'), byNames.keys());
  return near === null ? null : byNames.get(near)!;
}

function definitionOf(path: string, { type }: BodyMember, absence: BodyMember['absence']): FactDefinition {
  const summary = 'A member of the request body.';
  return { path, type, absence, phase: 'body', label: 'caller', parameter: 'none', summary };
}

function typeInWords({ type }: BodyMember): string {
  return inWords(type);
}
