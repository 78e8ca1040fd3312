import { BUILT_IN_FACTS } from '../../model/facts.ts';
import type { AttributeType, ScalarKind, ValueType } from '../../model/types.ts';
import type { AttributeOwner } from '../../model/world.ts';
import type { AttributeDocument, PortunusDocument } from '../documents.ts';
import { below, type Here, keyAt, type Report } from '../finding.ts';
import type { Checked } from './sources.ts';

/** What `attributes` of portunus.yaml declares. */
export interface Attributes {
  readonly declared: Readonly<Record<AttributeOwner, Readonly<Record<string, AttributeType>>>>;
  /** The plans that tenants may have, when `attributes.tenant.plan` says so; null leaves them open. */
  readonly plans: readonly string[] | null;
  /** False when the declarations are wrong: then values are not checked. */
  readonly complete: boolean;
}

export const NO_ATTRIBUTES: Attributes = {
  declared: { tenant: {}, team: {}, consumer: {} },
  plans: null,
  complete: false,
};

export function buildAttributes(
  { file, document, sound }: Checked<PortunusDocument>,
  report: Report,
): Attributes {
  if (!sound(['attributes'])) return NO_ATTRIBUTES;
  const here: Here = { file, path: ['attributes'] };
  return {
    declared: {
      tenant: declarations('tenant', document.attributes.tenant, document.currency, here, report),
      team: declarations('team', document.attributes.team, document.currency, here, report),
      consumer: declarations('consumer', document.attributes.consumer, document.currency, here, report),
    },
    plans: planWords(document.attributes.tenant.plan, below(here, 'tenant', 'plan'), report),
    complete: true,
  };
}

function declarations(
  owner: AttributeOwner,
  documents: Readonly<Record<string, AttributeDocument>>,
  currency: string,
  here: Here,
  report: Report,
): Readonly<Record<string, AttributeType>> {
  const declared: Record<string, AttributeType> = {};
  for (const [name, document] of Object.entries(documents)) {
    if (owner === 'tenant' && name === 'plan') continue;
    if (isTaken(owner, name)) {
      report({
        code: 'PT3116',
        message: `The attribute "${name}" of a ${owner} has a name that is taken.`,
        target: keyAt(below(here, owner, name)),
        help: 'Give it another name.',
      });
      continue;
    }
    declared[name] = { type: typeOf(document, currency), optional: document.optional, label: document.label };
  }
  return declared;
}

/** `constructor` is the one word of the language that every JavaScript object has. */
function isTaken(owner: AttributeOwner, name: string): boolean {
  return name === 'constructor' || BUILT_IN_FACTS.some((fact) => fact.path === `${owner}.${name}`);
}

function typeOf(document: AttributeDocument, currency: string): ValueType {
  if (document.enum !== undefined) return { kind: 'enum', values: document.enum };
  if (document.list !== undefined)
    return { kind: 'list', of: scalarType(document.list as ScalarKind, currency) };
  return scalarType(document.type as ScalarKind, currency);
}

function scalarType(kind: ScalarKind, currency: string): ValueType {
  return kind === 'money' ? { kind, currency } : { kind };
}

/** Plans are a fact of their own; declaring them as an attribute says which there are. */
function planWords(
  document: AttributeDocument | undefined,
  here: Here,
  report: Report,
): readonly string[] | null {
  if (document === undefined) return null;
  if (document.enum !== undefined && !document.optional) return document.enum;
  report({
    code: 'PT3117',
    message: 'The plans of tenants must be a set of words, and every tenant has one.',
    target: keyAt(here),
    help: 'Write plan: { enum: [free, team] }, or remove the declaration to allow any plan.',
  });
  return null;
}
