/** Request bodies of test worlds: what schemas say of them, as facts and as random values. */
import { bodyMembers } from '../../src/config/build/body-members.ts';
import { type FactDefinition, isElementPath } from '../../src/model/facts.ts';
import { BODY, joinedPath } from '../../src/model/member-path.ts';
import type { JsonSchema, RequestBodySchema } from '../../src/model/request-body.ts';
import type { Choices } from './choices.ts';

const ITEM = {
  type: 'object',
  required: ['sku'],
  properties: {
    sku: { type: 'string' },
    price: { type: ['number', 'null'] },
    due: { type: 'string', format: 'date' },
    tags: { type: 'array', items: { type: 'string' } },
    maker: { type: 'object', properties: { name: { type: 'string' } } },
    'unit.of "it"': { type: 'string' },
    parts: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code'],
        properties: { code: { type: 'string' }, count: { type: 'integer' } },
      },
    },
  },
} as const;

const PROPERTIES = {
  amount: { type: ['number', 'null'] },
  currency: { enum: ['EUR', 'USD'] },
  note: { type: 'string' },
  'ship-to': { type: 'object', properties: { '@type': { type: 'string' } } },
  'a.b[]}': { type: 'integer' },
  urgent: { type: 'boolean' },
  due: { type: 'string', format: 'date' },
  labels: { type: 'array', items: { type: 'string' } },
  items: { type: 'array', items: ITEM },
  order: { type: 'object', properties: { id: { type: 'string' }, lines: { type: 'integer' } } },
} as const;

export const OPEN_BODY = described('open.schema.json', { type: 'object', properties: PROPERTIES });
/** Where members can't be missing, tests of their presence are decided by the compiler. */
export const STRICT_BODY = described('strict.schema.json', {
  type: 'object',
  properties: { ...PROPERTIES, order: { ...PROPERTIES.order, required: ['id'] } },
  required: ['currency', 'urgent', 'order', 'items'],
});

function described(file: string, schema: JsonSchema): RequestBodySchema {
  return { file, schema, members: bodyMembers(schema) };
}

/** As a policy sees them that applies to routes with either schema. */
export const BODY_FACTS: readonly FactDefinition[] = Object.entries(OPEN_BODY.members).map(
  ([name, { type, absence }]) => ({
    path: joinedPath(BODY, name),
    type,
    absence: isElementPath(name) ? absence : 'always',
    phase: 'body',
    label: 'caller',
    parameter: 'none',
    summary: '',
  }),
);

const DAYS = ['2026-12-31', '2027-01-01'] as const;
export const BODY_VALUES = {
  amount: [0, -1.5, 100, 501],
  currency: ['EUR', 'USD'],
  note: ['red', 'blue', 'Rößl\u{1f600}', ''],
  urgent: [true, false],
  due: DAYS.map((day) => Date.parse(day) / 86_400_000),
  labels: ['red', 'blue'],
  'order.id': ['red', 'a b'],
  'order.lines': [1, 2],
  '["ship-to"]["@type"]': ['red', 'a b'],
  '["a.b\\u{5b}\\u{5d}\\u{7d}"]': [0, 1, 7],
} as const;

/** By path below an element of `items`. */
export const ITEM_VALUES = {
  sku: ['red', 'blue', ''],
  price: [0, 9.5, 100],
  due: BODY_VALUES.due,
  tags: ['red', 'blue'],
  'maker.name': ['red', 'a b'],
  '["unit.of \\"it\\""]': ['red', ''],
} as const;
export const PART_VALUES = { code: ['red', 'blue'], count: [0, 2] } as const;

/** A value that fits both schemas, or only the open one. */
export function randomBody(of: RequestBodySchema | null, choices: Choices): unknown {
  if (of === null) return null;
  const isStrict = of === STRICT_BODY;
  const maybe = (member: Record<string, unknown>) => (choices.below(3) === 0 ? {} : member);
  const need = (member: Record<string, unknown>) => (isStrict ? member : maybe(member));
  return {
    ...maybe({ amount: choices.one([null, ...BODY_VALUES.amount]) }),
    ...need({ currency: choices.one(BODY_VALUES.currency) }),
    ...maybe({ note: choices.one(BODY_VALUES.note) }),
    ...need({ urgent: choices.one(BODY_VALUES.urgent) }),
    ...maybe({ due: choices.one(DAYS) }),
    ...maybe({ labels: choices.some(BODY_VALUES.labels) }),
    ...maybe({ 'a.b[]}': choices.one([0, 1, 7]) }),
    ...maybe({ 'ship-to': maybe({ '@type': choices.one(['red', 'a b']) }) }),
    ...need({ items: choices.times(0, 3, () => randomItem(choices, maybe)) }),
    ...need({
      order: {
        ...need({ id: choices.one(BODY_VALUES['order.id']) }),
        ...maybe({ lines: choices.one(BODY_VALUES['order.lines']) }),
      },
    }),
  };
}

function randomItem(choices: Choices, maybe: (member: Record<string, unknown>) => object): object {
  return {
    sku: choices.one(ITEM_VALUES.sku),
    ...maybe({ price: choices.one([null, ...ITEM_VALUES.price]) }),
    ...maybe({ due: choices.one(DAYS) }),
    ...maybe({ tags: choices.some(ITEM_VALUES.tags) }),
    ...maybe({ 'unit.of "it"': choices.one(ITEM_VALUES['["unit.of \\"it\\""]']) }),
    ...maybe({ maker: maybe({ name: choices.one(ITEM_VALUES['maker.name']) }) }),
    ...maybe({
      parts: choices.times(0, 2, () => ({
        code: choices.one(PART_VALUES.code),
        ...maybe({ count: choices.one(PART_VALUES.count) }),
      })),
    }),
  };
}
