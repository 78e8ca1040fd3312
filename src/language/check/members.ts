import { OUTPUT_CAP } from '../../model/facts.ts';
import { BODY, isBodyPath, pathBelow } from '../../model/member-path.ts';
import { regexTest } from '../../model/regex.ts';
import type { ValueBounds } from '../../model/request-body.ts';
import type { ScalarValue } from '../../model/types.ts';
import type { MemberNode } from '../ast.ts';
import { notShapeable, outsideSchema } from '../problems/bodies.ts';
import { dialectsOwnCap } from '../problems/rules.ts';
import type { FactExpression, LiteralExpression, MemberRule } from '../typed.ts';
import { resolveBodyFact } from './body-facts.ts';
import type { CheckContext } from './context.ts';
import { isDialectsCap } from './dialects-caps.ts';
import { factText, type Known } from './known.ts';
import { isAmount } from './limits.ts';
import { typeLiteral } from './literals.ts';
import { resolveFact } from './operands.ts';
import type { RuleHead, Unfinished } from './rules.ts';
import { inWords, ORDERED } from './type-names.ts';

/** `cap` and `default`: members of the body only, and values that the schemas of their routes allow. Null: reported. */
export function checkMember(
  context: CheckContext,
  known: Known,
  node: MemberNode,
  head: RuleHead,
): Unfinished<MemberRule> | null {
  const { kind, member: path } = node;
  if (path.path === OUTPUT_CAP) return checkOutputCap(context, known, node, head);
  if (isDialectsCap(path.path) && known.routes.some(({ ai }) => ai !== null)) {
    context.report(dialectsOwnCap(path.span, path.path, kind));
    return null;
  }
  if (!isBodyPath(path.path)) {
    context.report(notShapeable(path.span, path.path, kind, 'it is not a member of the request body'));
    return null;
  }
  const member = resolveBodyFact(context, known, path);
  if (member === null) return null;
  const { type } = member;
  if (kind === 'cap' ? !ORDERED.has(type.kind) : type.kind === 'list') {
    context.report(notShapeable(path.span, path.path, kind, `it is ${inWords(type)}`));
    return null;
  }
  const value = typeLiteral(context, node.value, type, factText(member));
  if (value === null || !fitsSchemas(context, known, member, { kind, value })) return null;
  return { kind, ...head, member, value };
}

/** No caller need set it: what a cap lets pass is set where there is none (language-rules #3). */
function checkOutputCap(
  context: CheckContext,
  known: Known,
  { kind, member: path, value: written }: MemberNode,
  head: RuleHead,
): Unfinished<MemberRule> | null {
  const member = resolveFact(context, known, path);
  if (member === null) return null;
  const value = typeLiteral(context, written, member.type, factText(member));
  if (value === null) return null;
  if (!isAmount(context, { value: Number(value.value), span: value.span }, 'This number of tokens'))
    return null;
  return { kind, ...head, member, value };
}

function fitsSchemas(
  context: CheckContext,
  known: Known,
  { definition }: FactExpression,
  { kind, value }: { readonly kind: MemberNode['kind']; readonly value: LiteralExpression },
): boolean {
  const name = pathBelow(definition.path, BODY);
  for (const route of known.routes) {
    const bounds = route.requestBody?.members[name]?.bounds;
    const why = bounds === undefined ? null : beyond(bounds, kind, value.value);
    if (why === null) continue;
    context.report(outsideSchema(value.span, definition.path, { route, file: route.requestBody!.file }, why));
    return false;
  }
  return true;
}

/** What the schema allows, where the value is not of it. What a cap lets pass may be anything above the least. */
function beyond(bounds: ValueBounds, kind: MemberNode['kind'], value: ScalarValue): string | null {
  if (typeof value === 'string') return beyondOfText(bounds, value);
  if (typeof value !== 'number') return null;
  const { least, most, above, below, whole, multipleOf } = bounds;
  if (whole && !Number.isInteger(value)) return 'whole numbers only';
  if (least !== null && value < least) return `at least ${least}`;
  if (above !== null && value <= above) return `more than ${above}`;
  // as ajv decides it when a request arrives
  const factor = multipleOf.find((each) => !Number.isInteger(value / each));
  if (factor !== undefined) return `multiples of ${factor}`;
  if (kind === 'cap') return null;
  if (most !== null && value > most) return `at most ${most}`;
  return below !== null && value >= below ? `less than ${below}` : null;
}

function beyondOfText({ lengthMin, lengthMax, patterns }: ValueBounds, value: string): string | null {
  const length = [...value].length;
  if (lengthMax !== null && length > lengthMax) return `at most ${lengthMax} characters`;
  if (lengthMin !== null && length < lengthMin) return `at least ${lengthMin} characters`;
  const pattern = patterns.find((each) => !regexTest(each)(value));
  return pattern === undefined ? null : `what matches /${pattern}/`;
}
