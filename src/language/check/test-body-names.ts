import type { Span } from '../../diagnostics/source.ts';
import { elementPath, listOf } from '../../model/facts.ts';
import { isBelow, joinedPath, memberPath, pathBelow } from '../../model/member-path.ts';
import type { Route } from '../../model/world.ts';
import { unknownMember } from '../problems/bodies.ts';
import type { ExpectNode, RequestPartNode } from '../test-ast.ts';
import { meantMember } from './body-facts.ts';
import type { CheckContext } from './context.ts';

interface SentBody {
  readonly parts: readonly RequestPartNode[];
  readonly expects: readonly ExpectNode[];
  /** Those that may answer. */
  readonly routes: readonly Route[];
}

/**
 * Members of bodies that are named nearly as the schema of the route names one: the gateway would take them for others. A name
 * that is like no other may be meant so, and so may any in a body that the schema is expected to refuse.
 */
export function checkBodyNames(
  { report }: CheckContext,
  { parts, expects, routes }: SentBody,
  misspelt: Set<Span>,
): void {
  const [route] = routes;
  if (route === undefined || routes.length > 1 || expects.every(isOfBody)) return;
  const named = [...parts, ...expects.flatMap((expect) => expect.parts)];
  for (const part of named) {
    if (part.kind !== 'body' || misspelt.has(part.span)) continue;
    const near = nearMember(route, part.path);
    if (near === null) continue;
    misspelt.add(part.span);
    report(unknownMember(part.span, written(part.path), { route, file: route.requestBody!.file }, near, []));
  }
}

/** A refusal of the gateway's own, for a body that can't be read or does not fit. */
function isOfBody({ outcome }: ExpectNode): boolean {
  if (outcome.kind !== 'refused' || outcome.by !== null) return false;
  return outcome.status?.value === 400 || outcome.status?.value === 422;
}

type Path = Extract<RequestPartNode, { kind: 'body' }>['path'];

/** The member that was meant, as tests write it; null where nothing is to be said. */
function nearMember({ requestBody }: Route, path: Path): string | null {
  if (requestBody === null) return null;
  const name = path.reduce<string>(
    (before, step) => (typeof step === 'number' ? elementPath(before) : memberPath(before, step)),
    '',
  );
  const members = Object.keys(requestBody.members);
  const isPart = (member: string) => member === name || isBelow(member, name) || isBelow(name, member);
  if (members.some(isPart) || path.every((step) => isDescribed(requestBody.schema, step))) return null;
  const list = listOf(name);
  const beside = members.filter((member) => listOf(member) === list).map((member) => belowList(member, list));
  const near = meantMember(belowList(name, list), beside);
  if (near === null) return null;
  const numbers = path.slice(0, path.findLastIndex((step) => typeof step === 'number') + 1);
  return joinedPath(written(numbers), near);
}

function belowList(member: string, list: string): string {
  return list === '' ? member : pathBelow(member, elementPath(list));
}

/** Whether a schema has a property of this name anywhere: not all of them are members that rules can read. */
function isDescribed(schema: unknown, name: string | number): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  return Object.entries(schema).some(
    ([key, value]) =>
      (key === 'properties' && typeof value === 'object' && value !== null && Object.hasOwn(value, name)) ||
      isDescribed(value, name),
  );
}

/** `body.items[2].price`. */
function written(path: Path): string {
  return path.reduce<string>(
    (before, step) => (typeof step === 'number' ? `${before}[${step}]` : memberPath(before, step)),
    'body',
  );
}
