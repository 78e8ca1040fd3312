import { describe, expect, test } from 'vitest';
import { NO_CHANCE, VirtualTime } from '../../test/upstream/virtual-time.ts';
import { NameResolver, systemLookup } from './name-resolver.ts';

class Rig {
  readonly time = new VirtualTime();
  /** What the name server says. */
  readonly zone = new Map<string, readonly string[] | Error>();
  readonly events: string[] = [];
  underWay = 0;
  mostUnderWay = 0;
  readonly resolver = new NameResolver({
    random: NO_CHANCE,
    after: this.time.after,
    addressesMax: 3,
    lookup: async (host) => {
      this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
      await new Promise((resolve) => setImmediate(resolve));
      this.underWay--;
      const answer = this.zone.get(host) ?? new Error(`no ${host}`);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onAddresses: (host) => this.events.push(`${host} = ${this.resolver.addresses(host).join(' ')}`),
    onFailure: (host, why) => this.events.push(`${host}: ${why ?? 'back'}`),
  });
}

describe('names of endpoints', () => {
  test('all addresses, in one order, told when they change', async () => {
    const rig = new Rig();
    rig.zone.set('a', ['10.0.0.2', '10.0.0.1']);
    rig.resolver.use(new Map([['a', 30_000]]));
    await rig.time.advance(0);
    rig.zone.set('a', ['10.0.0.1', '10.0.0.2', '10.0.0.1']);
    await rig.time.advance(30_000);
    rig.zone.set('a', ['10.0.0.3']);
    await rig.time.advance(30_000);
    expect(rig.events).toEqual(['a = 10.0.0.1 10.0.0.2', 'a = 10.0.0.3']);
  });

  test('a name that stops resolving keeps its addresses, and says so', async () => {
    const rig = new Rig();
    rig.zone.set('a', ['10.0.0.1']);
    rig.resolver.use(new Map([['a', 30_000]]));
    await rig.time.advance(0);
    rig.zone.set('a', new Error('ENOTFOUND a'));
    await rig.time.advance(30_000);
    expect(rig.resolver.addresses('a')).toEqual(['10.0.0.1']);
    rig.zone.set('a', []);
    await rig.time.advance(30_000);
    expect(rig.resolver.addresses('a')).toEqual(['10.0.0.1']);
    rig.zone.set('a', ['10.0.0.1']);
    await rig.time.advance(30_000);
    expect(rig.events).toEqual(['a = 10.0.0.1', 'a: ENOTFOUND a', 'a: it has no address', 'a: back']);
  });

  test('no more addresses than the limit, no more look-ups at a time than two', async () => {
    const rig = new Rig();
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) rig.zone.set(name, ['1', '2', '3', '4']);
    rig.resolver.use(new Map(names.map((name) => [name, 30_000])));
    for (let round = 0; round < 5; round++) await rig.time.advance(0);
    expect(rig.events).toHaveLength(4);
    expect(rig.events[0]).toBe('a = 1 2 3');
    expect(rig.mostUnderWay).toBe(2);
  });

  test('a name that is not asked for any more is forgotten, with what was told about it', async () => {
    const rig = new Rig();
    rig.resolver.use(new Map([['a', 30_000]]));
    await rig.time.advance(0);
    rig.resolver.use(new Map());
    expect(rig.events).toEqual(['a: no a', 'a: back']);
    expect(rig.time.timers).toBe(0);
    rig.resolver.use(new Map([['a', 30_000]]));
    rig.resolver.stop();
    await rig.time.advance(0);
    expect(rig.events).toHaveLength(2);
  });

  test('the system knows localhost', async () => {
    expect(await systemLookup('localhost')).toContain('127.0.0.1');
  });
});
