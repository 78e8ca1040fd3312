import type { CheckedRule, HeaderRule, MaskSide, MemberRule, TextTemplate } from '../../language/typed.ts';
import { OUTPUT_CAP } from '../../model/facts.ts';
import { dateText } from '../../model/local-time.ts';
import { memberNames } from '../../model/member-path.ts';
import { deprecationFields } from '../deprecation-fields.ts';
import { textParts } from '../replies.ts';
import { headerSafe, type LimitFacts, renderText, type TextMoment } from '../runtime/text.ts';
import { factValue, type Situation, type ToldSituation } from './facts.ts';

/** Sorted, each once: the order of edits has no meaning. */
export interface ShapedHeaders {
  /** `name: value`. */
  readonly set: readonly string[];
  readonly removed: readonly string[];
  /** `name: value`, beside what the service sends. */
  readonly added: readonly string[];
}

/** Fields that the given rules set and remove; the conditions of the rules hold. */
export function shapedHeaders(
  rules: readonly CheckedRule[],
  side: HeaderRule['side'],
  situation: ToldSituation,
): ShapedHeaders {
  const here = rules.filter((rule) => 'side' in rule && rule.side === side) as readonly HeaderRule[];
  const set = here.filter((rule) => rule.kind === 'set-header');
  const removed = here.filter((rule) => rule.kind === 'remove-header');
  const told =
    side === 'request' ? [] : rules.filter((rule) => rule.kind === 'deprecate').flatMap(deprecationFields);
  const line = ({ header, value }: Pick<HeaderRule, 'header' | 'value'>) =>
    `${header}: ${headerSafe(filled(value, situation))}`;
  return {
    set: once([...set, ...told.filter(({ kind }) => kind === 'set-header')].map(line)),
    removed: once(removed.map((rule) => rule.header)),
    added: once(told.filter(({ kind }) => kind === 'add-header').map(line)),
  };
}

/** What the given rules remove from bodies of one side; their conditions hold. */
export function masksOf(rules: readonly CheckedRule[], side: MaskSide): readonly string[] {
  const masks = rules.flatMap((rule) => (rule.kind === 'mask' && rule.sides.includes(side) ? [rule] : []));
  return once(masks.map(({ kinds, patterns, text }) => JSON.stringify({ kinds, patterns, text })));
}

/** A template with its holes filled from facts. */
export function filled(template: TextTemplate, situation: ToldSituation): string {
  return renderText(textParts(template), valuesOf(template, situation), momentIn(situation));
}

/** The moment of a request, for its texts. */
export function momentIn({ request, mask }: ToldSituation, limit: LimitFacts | null = null): TextMoment {
  return { limit, wallMs: request.arrivedWallMs, mask };
}

/** Values of the fact holes, in order. */
export function valuesOf(template: TextTemplate | null, situation: Situation): unknown[] {
  return (template?.parts ?? []).flatMap((part) => {
    if (typeof part === 'string') return [];
    if (part.kind === 'fact') return [factValue(part, situation)];
    return part.kind === 'url-part' ? [factValue(part.fact, situation)] : [];
  });
}

function once(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** The body as the service gets it: first defaults, then caps. A member of an object that is not there is not added. */
export function shapedBody(rules: readonly CheckedRule[], { body }: Situation): unknown {
  const shaped: unknown = structuredClone(body);
  const members = rules.filter(isMemberRule).filter(({ member }) => member.definition.path !== OUTPUT_CAP);
  const ofKind = (kind: MemberRule['kind']) => members.filter((rule) => rule.kind === kind);
  for (const { kind, member, value } of [...ofKind('default'), ...ofKind('cap')]) {
    const path = memberNames(member.definition.path).slice(2);
    const owner = path
      .slice(0, -1)
      .reduce<unknown>(
        (object, name) => (isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined),
        shaped,
      );
    if (!isObject(owner)) continue;
    const name = path.at(-1)!;
    const written = member.type.kind === 'date' ? dateText(Number(value.value)) : value.value;
    const now = Object.hasOwn(owner, name) ? owner[name] : undefined;
    const isMissing = now === undefined || now === null;
    if (kind === 'default' ? isMissing : !isMissing && (now as typeof written) > written)
      Object.defineProperty(owner, name, {
        value: written,
        writable: true,
        enumerable: true,
        configurable: true,
      });
  }
  return shaped;
}

/** What the caller asks for, or a default where it asks for nothing, or less. */
export function outputCapOf(rules: readonly CheckedRule[], { call }: Situation): number | null {
  if (call === null) return null;
  const about = rules.filter(isMemberRule).filter(({ member }) => member.definition.path === OUTPUT_CAP);
  const values = (kind: MemberRule['kind']) =>
    about.filter((rule) => rule.kind === kind).map(({ value }) => Number(value.value));
  const own = call.facts.outputCap ?? values('default')[0] ?? Number.POSITIVE_INFINITY;
  const least = Math.min(own, ...values('cap'));
  return Number.isFinite(least) ? least : null;
}

function isMemberRule(rule: CheckedRule): rule is MemberRule {
  return rule.kind === 'default' || rule.kind === 'cap';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
