import { describe, expect, test } from 'vitest';
import { serviceOf } from '../../test/upstream/harness.ts';
import { VirtualTime } from '../../test/upstream/virtual-time.ts';
import type { Service } from '../model/world.ts';
import { CELL, ENDPOINT_CELLS, STATE } from './endpoint-memory.ts';
import { EndpointTable, type PreparedEndpoints } from './endpoint-table.ts';

function prepared(table: EndpointTable, ...services: readonly Service[]): PreparedEndpoints {
  const result = table.prepare(services);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

function named(name: string, ...ports: number[]): Service {
  return { ...serviceOf(...ports), name };
}

describe('slots of endpoints', () => {
  test('an endpoint keeps its slot through versions, two services have two', () => {
    const table = new EndpointTable(10, new VirtualTime().clock);
    const first = prepared(table, named('a', 1, 2), named('b', 1));
    const second = prepared(table, named('a', 2, 3), named('b', 1));
    expect([...first.slots]).toEqual([0, 1, 2]);
    expect([...second.slots]).toEqual([1, 3, 2]);
    expect(table.retire(first)).toEqual(['a http://127.0.0.1:1']);
  });

  test('an endpoint that joins others that serve begins slowly', () => {
    const table = new EndpointTable(10, new VirtualTime().clock);
    prepared(table, named('a', 1));
    const second = prepared(table, named('a', 1, 2), named('b', 1));
    const states = [...second.slots].map((slot) => table.memory[slot * ENDPOINT_CELLS + CELL.state]);
    expect(states).toEqual([0, STATE.warming, 0]);
  });

  test('a slot is used again when nobody can remember it, and knows nothing of its past', () => {
    const time = new VirtualTime();
    const table = new EndpointTable(2, time.clock);
    const first = prepared(table, named('a', 1));
    table.memory.fill(7);
    expect(table.slotsTaken).toBe(1);
    table.retire(first);
    expect([...prepared(table, named('a', 2)).slots]).toEqual([1]);
    expect(table.prepare([named('a', 3)]).ok).toBe(false);
    expect(table.slotsTaken).toBe(2);
    time.nowMs += 600_000;
    expect(table.slotsTaken).toBe(1);
    expect([...prepared(table, named('b', 3)).slots]).toEqual([0]);
    expect(table.memory[CELL.state]).toBe(0);
  });

  test('more than fit are refused whole', () => {
    const table = new EndpointTable(2, new VirtualTime().clock);
    expect(table.prepare([named('a', 1, 2, 3)])).toEqual({
      ok: false,
      error: 'The endpoints and their addresses are more than limits.endpointAddresses (2) allows.',
    });
    expect(table.find('a', named('a', 1).endpoints[0]!)).toBeNull();
  });

  test('addresses of a name have slots of their own, those that stay the same ones', () => {
    const table = new EndpointTable(4, new VirtualTime().clock);
    const service = serviceOf({ host: 'h', port: 1 });
    const version = prepared(table, service);
    const known = table.find(service.name, service.endpoints[0]!)!;
    expect(table.resolved(known, ['10.0.0.1', '10.0.0.2']).map(({ slot }) => slot)).toEqual([1, 2]);
    expect(table.resolved(known, ['10.0.0.2', '10.0.0.3']).map(({ slot }) => slot)).toEqual([2, 3]);
    // No slot is left: better the old addresses than none.
    expect(table.resolved(known, ['10.0.0.4']).map(({ slot }) => slot)).toEqual([2, 3]);
    expect([...table.ofHost('h')]).toEqual([known]);
    table.retire(version);
    expect([...table.ofHost('h')]).toEqual([]);
  });
});
