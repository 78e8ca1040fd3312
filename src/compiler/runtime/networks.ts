import { addressWords, parseNetwork } from '../../model/networks.ts';

/**
 * Compiles a list of networks to one test of an address text: the addresses they hold together are a few disjoint ranges,
 * and one of them is found by halving. Addresses are read without allocation; a text that is no address is in no network.
 * The networks were checked when the policy was.
 */
export function networksTest(networks: readonly string[]): (address: string) => boolean {
  const ranges = merged(networks.flatMap(rangeOf));
  const short = new ShortRanges(ranges);
  const long = new LongRanges(ranges);
  return (address) => {
    const place = remembered(address);
    const form = FORMS[place]!;
    if (form === IPV4) return short.hold(READ[place * 4 + 3]!);
    return form === IPV6 && long.hold(place * 4);
  };
}

/** The same for networks that the directory holds, one text or a list; false when the address or they are missing. */
export function isInNetworks(
  address: string | undefined,
  networks: string | readonly string[] | undefined,
): boolean {
  if (address === undefined || networks === undefined) return false;
  return (typeof networks === 'string' ? testOfText(networks) : testOfList(networks))(address);
}

/** A snapshot of the directory keeps its lists, so that each is prepared once, and forgotten with its snapshot. */
const TESTS_OF_LISTS = new WeakMap<readonly string[], (address: string) => boolean>();

function testOfList(networks: readonly string[]): (address: string) => boolean {
  let test = TESTS_OF_LISTS.get(networks);
  if (test === undefined) {
    test = networksTest(networks);
    TESTS_OF_LISTS.set(networks, test);
  }
  return test;
}

/** Single networks are texts, which no weak map holds: all are forgotten when there are too many. */
const TEXTS_MAX = 1_024;
const TESTS_OF_TEXTS = new Map<string, (address: string) => boolean>();

function testOfText(network: string): (address: string) => boolean {
  let test = TESTS_OF_TEXTS.get(network);
  if (test === undefined) {
    test = networksTest([network]);
    if (TESTS_OF_TEXTS.size >= TEXTS_MAX) TESTS_OF_TEXTS.clear();
    TESTS_OF_TEXTS.set(network, test);
  }
  return test;
}

// -- addresses that were read ------------------------------------------------------------------------------------

/** Clients call again and again: an address that is remembered costs 12 ns, to read one 40 … 250 (`bench decide`). */
const PLACES = 1_024;
/** The longest form an address has, `INET6_ADDRSTRLEN`: longer texts are read into the last place each time, and not kept. */
const REMEMBERED_LENGTH_MAX = 45;
const TEXTS: string[] = new Array<string>(PLACES).fill('');
const FORMS = new Uint8Array(PLACES + 1);
/** Four words for each place, IPv4 in the last of them. */
const READ = new Uint32Array((PLACES + 1) * 4);
const NO_ADDRESS = 0;
const IPV4 = 1;
const IPV6 = 2;

/** Where the address stands, read. Neighbours differ in their last characters, which so choose the place. */
function remembered(address: string): number {
  const { length } = address;
  if (length > REMEMBERED_LENGTH_MAX) return readInto(PLACES, address);
  const place =
    length < 3
      ? 0
      : (address.charCodeAt(length - 1) +
          address.charCodeAt(length - 2) * 10 +
          address.charCodeAt(length - 3) * 100 +
          length * 31) &
        (PLACES - 1);
  if (TEXTS[place] === address) return place;
  TEXTS[place] = address;
  return readInto(place, address);
}

function readInto(place: number, address: string): number {
  FORMS[place] = formOf(address);
  READ.set(WORDS, place * 4);
  return place;
}

/** Leaves the address in {@link WORDS}. */
function formOf(address: string): number {
  const word = ipv4Word(address);
  if (word !== NOT_IPV4) {
    WORDS[3] = word;
    return IPV4;
  }
  if (!readIPv6(address) && !readOther(address)) return NO_ADDRESS;
  return isMapped() ? IPV4 : IPV6;
}

/** First and last address as 128-bit integers; IPv4 is held as IPv4-mapped IPv6. */
interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

function rangeOf(text: string): Range[] {
  const network = parseNetwork(text);
  if (!network.ok) return [];
  const from = joined(network.value.words);
  return [{ from, to: from | joined(network.value.masks.map((mask) => ~mask)) }];
}

function joined(words: readonly number[]): bigint {
  return words.reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
}

/** Sorted, and without ranges that touch. */
function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => (a.from < b.from ? -1 : Number(a.from > b.from)))) {
    const last = result.at(-1);
    if (last === undefined || range.from > last.to + 1n) result.push(range);
    else if (range.to > last.to) result[result.length - 1] = { from: last.from, to: range.to };
  }
  return result;
}

const MAPPED: Range = { from: 0xffff_0000_0000n, to: 0xffff_ffff_ffffn };

/** The IPv4 part of the ranges. */
class ShortRanges {
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  /** For each first byte of an address: how many ranges begin before the addresses that begin with it. */
  readonly #before = new Uint32Array(257);

  constructor(ranges: readonly Range[]) {
    const own = ranges.filter(({ from, to }) => from <= MAPPED.to && to >= MAPPED.from);
    this.#from = Uint32Array.from(own, ({ from }) =>
      Number((from > MAPPED.from ? from : MAPPED.from) - MAPPED.from),
    );
    this.#to = Uint32Array.from(own, ({ to }) => Number((to < MAPPED.to ? to : MAPPED.to) - MAPPED.from));
    for (let byte = 1; byte <= 256; byte++) {
      this.#before[byte] = this.#from.filter((from) => from < byte * 2 ** 24).length;
    }
  }

  /** `word`: the address as a 32-bit integer. */
  hold(word: number): boolean {
    const address = word >>> 0;
    let low = this.#before[address >>> 24]!;
    let high = this.#before[(address >>> 24) + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#from[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low > 0 && address <= this.#to[low - 1]!;
  }
}

/** All ranges, four words an address. */
class LongRanges {
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  readonly #count: number;

  constructor(ranges: readonly Range[]) {
    this.#count = ranges.length;
    this.#from = Uint32Array.from(ranges.flatMap(({ from }) => wordsOf(from)));
    this.#to = Uint32Array.from(ranges.flatMap(({ to }) => wordsOf(to)));
  }

  /** Of the address that begins at `word` in {@link READ}. */
  hold(word: number): boolean {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compared(this.#from, middle * 4, word) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && compared(this.#to, (low - 1) * 4, word) >= 0;
  }
}

function wordsOf(address: bigint): number[] {
  return [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & 0xffff_ffffn));
}

/** The address at `at`, less (-1) or greater (1) than the one that begins at `read` in {@link READ}. */
function compared(addresses: Uint32Array, at: number, read: number): number {
  for (let word = 0; word < 4; word++) {
    const there = addresses[at + word]!;
    const here = READ[read + word]!;
    if (there !== here) return there < here ? -1 : 1;
  }
  return 0;
}

const NOT_IPV4 = -1 / 2;

/** Dotted decimal as a signed 32-bit integer; {@link NOT_IPV4} when it is something else. */
function ipv4Word(text: string): number {
  let word = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) {
      if (digits > 0 && part === 0) return NOT_IPV4;
      part = part * 10 + digit;
      digits++;
      if (part > 255) return NOT_IPV4;
    } else if (digit === -2 && digits > 0 && dots < 3) {
      word = (word << 8) | part;
      part = 0;
      digits = 0;
      dots++;
    } else return NOT_IPV4;
  }
  return dots === 3 && digits > 0 ? (word << 8) | part : NOT_IPV4;
}

/** The address that was read last; used within one call. */
const WORDS = new Uint32Array(4);
const GROUPS = new Uint16Array(8);
const COLON = 58;

function isMapped(): boolean {
  return WORDS[0] === 0 && WORDS[1] === 0 && WORDS[2] === 0xffff;
}

/** Reads hexadecimal groups with at most one `::` (RFC 4291, 2.2, forms 1 and 2). False for all other texts. */
function readIPv6(text: string): boolean {
  let count = 0;
  let gap = -1;
  let value = 0;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const digit = hexadecimal(code);
    if (digit !== -1) {
      value = (value << 4) | digit;
      if (++digits > 4) return false;
      continue;
    }
    const isDouble = code === COLON && text.charCodeAt(at + 1) === COLON;
    if (code !== COLON || count === 8) return false;
    if (digits > 0) GROUPS[count++] = value;
    else if (at > 0 || !isDouble) return false;
    value = 0;
    digits = 0;
    if (isDouble) {
      if (gap !== -1) return false;
      gap = count;
      at++;
    } else if (at + 1 === text.length) return false;
  }
  if (digits > 0) {
    if (count === 8) return false;
    GROUPS[count++] = value;
  }
  return fillGap(count, gap);
}

/** Makes words of the first `count` groups, with zeros at `gap`. */
function fillGap(count: number, gap: number): boolean {
  if (gap === -1 ? count !== 8 : count > 7) return false;
  const missing = 8 - count;
  for (let at = 7; at >= 0; at--) {
    const isAfter = gap !== -1 && at >= gap + missing;
    const isBefore = gap === -1 || at < gap;
    const group = isAfter ? GROUPS[at - missing]! : isBefore ? GROUPS[at]! : 0;
    if ((at & 1) === 1) WORDS[at >> 1] = group;
    else WORDS[at >> 1] = (WORDS[at >> 1]! | (group << 16)) >>> 0;
  }
  return true;
}

function hexadecimal(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Forms that come seldom: an IPv4 address at the end of an IPv6 one. */
function readOther(text: string): boolean {
  const words = addressWords(text);
  if (words === null) return false;
  WORDS.set(words);
  return true;
}
