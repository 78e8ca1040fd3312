import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressWords, contains, type Network, networkText, parseNetwork } from './networks.ts';

/** An address as 128 bits, most significant first: the slow way that is easy to believe. */
type Bits = readonly number[];

const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });

function bitsOf(numbers: readonly number[], width: number): Bits {
  return numbers.flatMap((number) =>
    Array.from({ length: width }, (_, index) => (number >> (width - 1 - index)) & 1),
  );
}

function mapped(octets: readonly number[]): Bits {
  return bitsOf([0, 0, 0, 0, 0, 0xffff, (octets[0]! << 8) | octets[1]!, (octets[2]! << 8) | octets[3]!], 16);
}

function wordsAsBits(words: readonly number[]): Bits {
  return words.flatMap((word) => Array.from({ length: 32 }, (_, index) => (word >>> (31 - index)) & 1));
}

/** The longest run of zero groups as `::`, wherever `at` says, so that all spellings are met. */
function spelled(numbers: readonly number[], at: number): string {
  const hex = numbers.map((number) => number.toString(16));
  let end = at;
  while (end < 8 && numbers[end] === 0) end++;
  if (end === at) return hex.join(':');
  return `${hex.slice(0, at).join(':')}::${hex.slice(end).join(':')}`;
}

function dotted(octets: readonly number[]): string {
  return octets.join('.');
}

/** First address of a network, by clearing bits one by one. */
function masked(bits: Bits, length: number): Bits {
  return bits.map((bit, index) => (index < length ? bit : 0));
}

function groupsOf(bits: Bits): readonly number[] {
  return Array.from({ length: 8 }, (_, group) =>
    Number.parseInt(bits.slice(group * 16, group * 16 + 16).join(''), 2),
  );
}

function parsed(text: string): Network {
  const result = parseNetwork(text);
  if (!result.ok) throw new Error(result.error.why);
  return result.value;
}

describe('addresses', () => {
  test('IPv4 is held as mapped IPv6', () => {
    fc.assert(
      fc.property(ipv4, (octets) => {
        expect(wordsAsBits(addressWords(dotted(octets))!)).toEqual(mapped(octets));
        expect(addressWords(`::ffff:${dotted(octets)}`)).toEqual(addressWords(dotted(octets)));
      }),
    );
  });

  test('every spelling of an IPv6 address is the same address', () => {
    fc.assert(
      fc.property(groups, fc.nat(7), (numbers, at) => {
        const words = addressWords(spelled(numbers, at));
        expect(wordsAsBits(words!)).toEqual(bitsOf(numbers, 16));
        expect(addressWords(spelled(numbers, at).toUpperCase())).toEqual(words);
      }),
      { numRuns: 1_000 },
    );
  });

  test('an embedded IPv4 address is its last 32 bits', () => {
    expect(addressWords('64:ff9b::192.0.2.33')).toEqual(addressWords('64:ff9b::c000:221'));
    expect(addressWords('1:2:3:4:5:6:1.2.3.4')).toEqual(addressWords('1:2:3:4:5:6:102:304'));
    expect(addressWords('::1.2.3.4')).toEqual(addressWords('::102:304'));
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    ':::',
    '1::2::3',
    'fe80::1%eth0',
    '[::1]',
    'localhost',
    '1:2:3:4:5:6:7',
  ])('%j is no address', (text) => expect(addressWords(text)).toBeNull());
});

describe('networks', () => {
  test('an IPv6 network contains what shares its leading bits', () => {
    fc.assert(
      fc.property(groups, groups, fc.nat(128), fc.nat(128), (base, other, length, shared) => {
        const first = masked(bitsOf(base, 16), length);
        const network = parsed(`${spelled(groupsOf(first), 8)}/${length}`);
        const bits = [...first.slice(0, shared), ...bitsOf(other, 16).slice(shared)];
        const inside = bits.slice(0, length).join('') === first.slice(0, length).join('');
        expect(contains(network, addressWords(spelled(groupsOf(bits), 8))!)).toBe(inside);
      }),
      { numRuns: 2_000 },
    );
  });

  test('an IPv4 network contains what shares its leading bits', () => {
    fc.assert(
      fc.property(ipv4, ipv4, fc.nat(32), fc.nat(32), (base, other, length, shared) => {
        const first = masked(bitsOf(base, 8), length);
        const octets = (bits: Bits) =>
          [0, 1, 2, 3].map((at) => Number.parseInt(bits.slice(at * 8, at * 8 + 8).join(''), 2));
        const network = parsed(`${dotted(octets(first))}/${length}`);
        const bits = [...first.slice(0, shared), ...bitsOf(other, 8).slice(shared)];
        const inside = bits.slice(0, length).join('') === first.slice(0, length).join('');
        expect(contains(network, addressWords(dotted(octets(bits)))!)).toBe(inside);
      }),
      { numRuns: 2_000 },
    );
  });

  test('one address is a network of itself', () => {
    expect(contains(parsed('10.1.2.3'), addressWords('10.1.2.3')!)).toBe(true);
    expect(contains(parsed('10.1.2.3'), addressWords('10.1.2.2')!)).toBe(false);
    expect(contains(parsed('2001:db8::1'), addressWords('2001:db8::1')!)).toBe(true);
  });

  test('all of IPv4 is not all of IPv6', () => {
    expect(contains(parsed('0.0.0.0/0'), addressWords('255.255.255.255')!)).toBe(true);
    expect(contains(parsed('0.0.0.0/0'), addressWords('2001:db8::1')!)).toBe(false);
    expect(contains(parsed('::/0'), addressWords('2001:db8::1')!)).toBe(true);
  });

  test('bits behind the length are refused', () => {
    fc.assert(
      fc.property(groups, fc.integer({ min: 0, max: 127 }), (numbers, length) => {
        const bits = bitsOf(numbers, 16);
        const result = parseNetwork(`${spelled(numbers, 8)}/${length}`);
        expect(result.ok).toBe(bits.slice(length).every((bit) => bit === 0));
      }),
      { numRuns: 1_000 },
    );
    const result = parseNetwork('10.0.0.1/8');
    expect(result.ok ? '' : result.error.why).toBe(
      '"10.0.0.1/8" has bits behind its length. Write the network\'s first address, or /32.',
    );
  });

  test.each([
    '',
    '/',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08x',
    '10.0.0.0/8/8',
    '::/129',
    '10.0.0.0 /8',
    'host/8',
  ])('%j is no network', (text) => {
    const result = parseNetwork(text);
    expect(result.ok ? '' : result.error.why).toContain('is not a network');
  });
});

describe('the text of a network', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.0/08', '10.0.0.0/8'],
    ['203.0.113.9/32', '203.0.113.9'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::FFFF:0:0/96', '0.0.0.0/0'],
    ['::fffe:0:0/95', '::fffe:0:0/95'],
    ['2001:DB8:0:0:0:0:0:0/32', '2001:db8::/32'],
    ['2001:db8:0:1::1/128', '2001:db8:0:1::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::/0', '::/0'],
  ])('of %s is %s', (written, text) => {
    expect(networkText(parsed(written))).toBe(text);
  });

  test('is one for all spellings of a network, and reads as that network', () => {
    fc.assert(
      fc.property(groups, fc.nat(128), fc.nat(7), (numbers, length, at) => {
        const first = groupsOf(masked(bitsOf(numbers, 16), length));
        const text = networkText(parsed(`${first.map((group) => group.toString(16)).join(':')}/${length}`));
        expect(networkText(parsed(`${spelled(first, at)}/${length}`))).toBe(text);
        expect(parsed(text)).toEqual(parsed(`${spelled(first, at)}/${length}`));
      }),
    );
  });
});
