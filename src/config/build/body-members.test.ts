import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../model/request-body.ts';
import { bodyMembers } from './body-members.ts';

/** `name: type`, with `?` behind what may be missing. */
function membersOf(properties: Record<string, JsonSchema>, more: Record<string, unknown> = {}): string[] {
  const members = bodyMembers({ type: 'object', properties, ...more });
  return Object.entries(members).map(([name, { type, absence }]) => {
    const kind = type.kind === 'list' ? `list of ${type.of.kind}` : type.kind;
    return `${name}: ${kind}${absence === 'always' ? '?' : ''}`;
  });
}

const ITEM = {
  type: 'object',
  required: ['sku', 'tags'],
  properties: {
    sku: { type: 'string' },
    price: { type: 'number' },
    tags: { type: 'array', items: { type: 'string' } },
  },
};

describe('what rules may read of a list of objects', () => {
  it('are the members of its elements, missing only where an element may lack them', () => {
    expect(membersOf({ items: { type: 'array', items: ITEM } })).toEqual([
      'items: list of object?',
      'items[].sku: text',
      'items[].price: number?',
      'items[].tags: list of text',
    ]);
  });

  it('goes on into objects and lists in them', () => {
    const line = { type: 'object', required: ['item'], properties: { item: ITEM } };
    const order = {
      type: 'object',
      required: ['lines'],
      properties: { lines: { type: 'array', items: line } },
    };
    expect(membersOf({ orders: { type: 'array', items: order } }, { required: ['orders'] })).toEqual([
      'orders: list of object',
      'orders[].lines: list of object',
      'orders[].lines[].item.sku: text',
      'orders[].lines[].item.price: number?',
      'orders[].lines[].item.tags: list of text',
    ]);
  });

  it('follows references, and ends where a schema contains itself', () => {
    const node = {
      type: 'object',
      properties: { name: { type: 'string' }, parts: { type: 'array', items: { $ref: '#/$defs/node' } } },
    };
    const names = membersOf({ root: { $ref: '#/$defs/node' } }, { $defs: { node } });
    expect(names.slice(0, 4)).toEqual([
      'root.name: text?',
      'root.parts: list of object?',
      'root.parts[].name: text?',
      'root.parts[].parts: list of object?',
    ]);
    expect(names.length).toBeLessThan(30);
  });

  it.each([
    ['lists of lists', { type: 'array', items: { type: 'array', items: ITEM } }],
    ['lists with null in them', { type: 'array', items: { ...ITEM, type: ['object', 'null'] } }],
    ['lists with fixed places', { type: 'array', prefixItems: [ITEM], items: ITEM }],
    ['lists of anything', { type: 'array' }],
  ])('leaves out %s', (_what, schema) => {
    expect(membersOf({ items: schema })).toEqual([]);
  });
});

function boundsOf(schema: Readonly<Record<string, unknown>>) {
  return bodyMembers({ type: 'object', properties: { member: schema } }).member?.bounds;
}

describe('what a schema allows of a member', () => {
  const NOTHING = {
    ...{ least: null, most: null, above: null, below: null, whole: false, multipleOf: [] },
    ...{ lengthMin: null, lengthMax: null, patterns: [] },
  };

  it.each([
    [{ type: 'integer' }, { whole: true }],
    [
      { type: 'number', minimum: 0, exclusiveMaximum: 9 },
      { least: 0, below: 9 },
    ],
    [
      { type: 'number', exclusiveMinimum: 0, multipleOf: 0.5, allOf: [{ multipleOf: 3 }] },
      { above: 0, multipleOf: [0.5, 3] },
    ],
    [
      { type: ['string', 'null'], maxLength: 5, minLength: 2, minimum: 1 },
      { lengthMin: 2, lengthMax: 5 },
    ],
    [
      { type: 'string', pattern: '^a', allOf: [{ pattern: 'b$' }, { minLength: 3 }] },
      { patterns: ['^a', 'b$'], lengthMin: 3 },
    ],
    [
      { type: 'number', minimum: 1, maximum: 9, allOf: [{ minimum: 2 }, { maximum: 8 }] },
      { least: 2, most: 8 },
    ],
  ])('of %j is %j', (schema, bounds) => {
    expect(boundsOf(schema)).toEqual({ ...NOTHING, ...bounds });
  });

  it('is not said where the schema says nothing', () => {
    expect(boundsOf({ type: 'number', maxLength: 5, pattern: '^a' })).toBeUndefined();
    expect(boundsOf({ type: 'boolean' })).toBeUndefined();
  });
});

describe('names that no word can be', () => {
  it('are members like others, with their names in quotes', () => {
    const inner = { type: 'object', properties: { '@type': { type: 'string' } } };
    expect(
      membersOf({
        'order-id': { type: 'string' },
        'ship to': inner,
        lines: { type: 'array', items: { type: 'object', properties: { 'unit-price': { type: 'number' } } } },
      }),
    ).toEqual([
      '["order-id"]: text?',
      '["ship to"]["@type"]: text?',
      'lines: list of object?',
      'lines[]["unit-price"]: number?',
    ]);
  });

  it('that are half a character are in no text', () => {
    expect(membersOf({ '\ud800': { type: 'string' } })).toEqual([]);
  });
});
