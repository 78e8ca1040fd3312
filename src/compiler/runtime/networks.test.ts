import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressWords, contains, type Network, parseNetwork } from '../../model/networks.ts';
import { isInNetworks, networksTest } from './networks.ts';

const octet = fc.oneof(fc.constantFrom(0, 10, 192, 255), fc.nat(255));
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const group = fc.oneof(fc.constantFrom('0', '2001', 'db8', 'FFFF', 'fe80'), fc.nat(0xffff).map(String));
const pieces = fc.array(fc.oneof(group, fc.constantFrom(':', '::', '.', '%', 'g', '12345')), {
  maxLength: 12,
});
const address = fc.oneof(
  ipv4,
  fc.ipV6(),
  fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':')),
  fc
    .tuple(fc.array(group, { maxLength: 4 }), fc.array(group, { maxLength: 4 }))
    .map(([head, tail]) => `${head.join(':')}::${tail.join(':')}`),
  pieces.map((parts) => parts.join('')),
  pieces.map((parts) => parts.join(':')),
  ipv4.map((text) => `::ffff:${text}`),
  fc.constantFrom('', '1.2.3', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', '1..2.3', '1.2.3.4 ', '1.2.3.-4'),
  fc.constantFrom(
    'fe80::1%eth0',
    ':',
    '::',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    '1:',
    ':1',
  ),
);
const NETWORKS = [
  '10.0.0.0/8',
  '192.0.2.1',
  '0.0.0.0/0',
  '::/0',
  '2001:db8::/32',
  '::ffff:0:0/96',
  'fe00::/7',
  '128.0.0.0/1',
];

describe('networks compiled to a test', () => {
  it('contain the addresses that each of them contains', () => {
    fc.assert(
      fc.property(fc.subarray(NETWORKS), address, (networks, text) => {
        expect(networksTest(networks)(text)).toBe(isInOne(parsed(networks), text));
      }),
      { numRuns: 10_000 },
    );
  });

  it('are as right when there are ten thousand', () => {
    let seed = 7;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed;
    };
    const short = Array.from({ length: 5_000 }, () => shortNetwork(random(), 8 + (random() % 25)));
    const long = Array.from({ length: 5_000 }, () => longNetwork(random(), random(), 16 + (random() % 49)));
    const networks = [...short, ...long];
    const all = parsed(networks);
    const test = networksTest(networks);
    const near = networks
      .slice(0, 200)
      .concat(long.slice(0, 200))
      .map((network) => network.split('/')[0]!);
    const far = Array.from({ length: 400 }, () => dotted(random()));
    const seen = [...near, ...far].map((text) => [test(text), isInOne(all, text)]);
    expect(seen.filter(([fast, slow]) => fast !== slow)).toEqual([]);
    expect(new Set(seen.map(([fast]) => fast)).size).toBe(2);
  });
});

describe('networks of the directory', () => {
  it('are prepared once for a list, not for each request', () => {
    const networks = ['10.0.0.0/8', '2001:db8::/32'];
    expect(isInNetworks('2001:db8::1', networks)).toBe(true);
    networks.length = 0;
    expect(isInNetworks('2001:db8::1', networks)).toBe(true);
    expect(isInNetworks('2001:db8::1', [])).toBe(false);
  });

  it('are right for more single ones than are kept', () => {
    const all = Array.from({ length: 1_500 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
    const seen = [...all, ...all].map((network) => [
      isInNetworks(network.replace('0/24', '7'), network),
      isInNetworks('11.0.0.7', network),
    ]);
    expect(new Set(seen.map(String))).toEqual(new Set(['true,false']));
  });

  it('that are missing hold nothing', () => {
    expect(isInNetworks('10.0.0.1', undefined)).toBe(false);
    expect(isInNetworks(undefined, ['0.0.0.0/0'])).toBe(false);
  });
});

function parsed(networks: readonly string[]): Network[] {
  return networks.flatMap((text) => {
    const network = parseNetwork(text);
    return network.ok ? [network.value] : [];
  });
}

function isInOne(networks: readonly Network[], text: string): boolean {
  const words = addressWords(text);
  return words !== null && networks.some((network) => contains(network, words));
}

function dotted(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.');
}

function shortNetwork(word: number, length: number): string {
  return `${dotted(word & (-1 << (32 - length)))}/${length}`;
}

/** Of the first 64 bits. */
function longNetwork(high: number, low: number, length: number): string {
  const masked =
    length <= 32
      ? [high & (-1 << (32 - length)), 0]
      : [high, length === 64 ? low : low & (-1 << (64 - length))];
  const groups = masked.flatMap((word) => [(word >>> 16) & 0xffff, word & 0xffff]);
  return `${groups.map((each) => each.toString(16)).join(':')}::/${length}`;
}
