import type { PlacedRule } from '../../compiler/interpret/placed-rules.ts';
import { placeOf } from '../../diagnostics/source.ts';
import { factText } from '../../language/check/known.ts';
import { isLimitRule } from '../../language/limit-rules.ts';
import type { CheckedRule, FactExpression } from '../../language/typed.ts';
import { OUTPUT_CAP, OUTPUT_CAP_MEMBERS } from '../../model/facts.ts';
import { lengthInWords } from '../../model/length-in-words.ts';
import { memberNames } from '../../model/member-path.ts';
import type { ModelRequest } from '../../pipeline/model-request.ts';
import type { Edits, Observation } from '../policy-tests/machine.ts';
import { ruleInWords } from './rule-in-words.ts';

/** What rules make of a permitted request on its way, and of the answer. */
export interface ShapedRequest {
  readonly service: readonly ShapedPart[];
  readonly caller: readonly ShapedPart[];
  /** The text of the body as it leaves; null: as it came. */
  readonly body: string | null;
}
export interface ShapedPart {
  /** `request.body.limit`, `header "x-tier"`. */
  readonly part: string;
  /** `4096, not 9000 as sent`. */
  readonly becomes: string;
  /** Whose wish it was, several may have the same. */
  readonly rules: readonly { readonly says: string; readonly rule: string; readonly place: string }[];
}

/** `applied`: the rules whose conditions the request fulfils. */
export function shapedRequest(
  applied: readonly PlacedRule[],
  sentBody: unknown,
  {
    headers,
    body,
    changedText,
    timeoutMs,
    request,
  }: Pick<Observation, 'headers' | 'body' | 'changedText' | 'timeoutMs' | 'request'>,
): ShapedRequest {
  const rules = applied.filter(({ mode }) => mode === 'enforce');
  const about = (fits: (rule: CheckedRule) => boolean) => rules.filter(({ rule }) => fits(rule));
  const members = new Map(
    rules.flatMap(({ rule }) => ('member' in rule ? [[factText(rule.member), rule.member] as const] : [])),
  );
  const caches = about(({ kind }) => kind === 'cache');
  const timeouts = about(({ kind }) => kind === 'timeout');
  return {
    service: [
      ...otherModel(request?.call ?? null, about),
      ...[...members].sort().map(([part, member]) => ({
        part,
        becomes:
          part === OUTPUT_CAP
            ? memberInWords(request?.call?.facts.outputCap ?? undefined, outputCapOf(body))
            : memberInWords(memberOf(sentBody, member), memberOf(body, member)),
        rules: saying(about((rule) => 'member' in rule && factText(rule.member) === part)),
      })),
      ...headerParts(headers.request, (header) => about(ofHeader(header, 'request'))),
      ...(timeouts.length === 0
        ? []
        : [
            {
              part: 'the answer',
              becomes: `awaited for ${lengthInWords(timeoutMs)}`,
              rules: saying(timeouts),
            },
          ]),
    ],
    caller: [
      ...headerParts(headers.response, (header) => about(ofHeader(header, 'response'))),
      ...caches.map((rule) => ({
        part: 'the answer',
        becomes: ruleInWords(rule.rule),
        rules: saying([rule]),
      })),
    ],
    body: changedText,
  };
}

/** A limit had no room for the model that was asked for. */
function otherModel(
  call: ModelRequest | null,
  about: (fits: (rule: CheckedRule) => boolean) => PlacedRule[],
): ShapedPart[] {
  if (call === null || call.model.name === call.facts.model) return [];
  const { name } = call.model;
  const becomes = `goes to model "${name}" ("${call.facts.model}" was asked for)`;
  const names = (rule: CheckedRule) => isLimitRule(rule) && rule.fallback?.models.includes(name) === true;
  return [{ part: 'the call', becomes, rules: saying(about(names)) }];
}

/** As its provider is told it. */
function outputCapOf(body: unknown): unknown {
  const members = Object(body) as Readonly<Record<string, unknown>>;
  const name = OUTPUT_CAP_MEMBERS.find((each) => members[each] !== undefined);
  return name === undefined ? undefined : members[name];
}

function memberOf(body: unknown, { definition }: FactExpression): unknown {
  const names = memberNames(definition.path).slice(2);
  return names.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Readonly<Record<string, unknown>>)[name]
        : undefined,
    body,
  );
}

function memberInWords(sent: unknown, now: unknown): string {
  const said = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value));
  return sent === now ? `${said(now)}, as sent` : `${said(now)} (${said(sent)} was sent)`;
}

function ofHeader(header: string, side: 'request' | 'response') {
  return (rule: CheckedRule): boolean => {
    if (rule.kind === 'deprecate') return side === 'response' && DEPRECATION_FIELDS.has(header);
    return 'side' in rule && rule.side === side && rule.header === header;
  };
}
const DEPRECATION_FIELDS: ReadonlySet<string> = new Set(['deprecation', 'sunset', 'link']);

function headerParts(
  { set, added, removed }: Edits,
  rulesOf: (header: string) => PlacedRule[],
): ShapedPart[] {
  const part = (header: string, becomes: string): ShapedPart => ({
    part: `header "${header}"`,
    becomes,
    rules: saying(rulesOf(header)),
  });
  return [
    ...[...set].sort().map(([header, value]) => part(header, JSON.stringify(value))),
    ...[...added]
      .sort()
      .map(([header, value]) => part(header, `${JSON.stringify(value)}, beside those of the service`)),
    ...[...removed].sort().map((header) => part(header, 'removed')),
  ];
}

function saying(rules: readonly PlacedRule[]): ShapedPart['rules'] {
  return rules.map(({ policy, rule }) => ({
    says: ruleInWords(rule),
    rule: rule.name === null ? `"${policy}"` : `"${policy}" "${rule.name}"`,
    place: placeOf(rule.span),
  }));
}
