import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressWords, contains, parseNetwork } from '../../model/networks.ts';
import { networksTest } from './networks.ts';

const octet = fc.oneof(fc.constantFrom(0, 10, 192, 255), fc.nat(255));
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const address = fc.oneof(
  ipv4,
  fc.ipV6(),
  ipv4.map((text) => `::ffff:${text}`),
  fc.constantFrom(
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1..2.3',
    '1.2.3.4 ',
    'fe80::1%eth0',
    '1.2.3.-4',
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
        expect(networksTest(networks)(text)).toBe(networks.some((network) => inNetwork(network, text)));
      }),
      { numRuns: 5_000 },
    );
  });
});

function inNetwork(network: string, text: string): boolean {
  const parsed = parseNetwork(network);
  const words = addressWords(text);
  return parsed.ok && words !== null && contains(parsed.value, words);
}
