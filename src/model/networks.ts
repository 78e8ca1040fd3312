import { isIPv4, isIPv6 } from 'node:net';
import { err, ok } from '../base/result.ts';
import type { LiteralResult } from './literals.ts';

/** A network as integers: `bits` leading bits of the address must be equal. IPv4 is held as IPv4-mapped IPv6. */
export interface Network {
  /** Four 32-bit words, masked. */
  readonly words: readonly [number, number, number, number];
  readonly masks: readonly [number, number, number, number];
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Host bits that are set are an error: they hide a mistake. */
export function parseNetwork(text: string): LiteralResult<Network> {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const words = addressWords(address);
  const offset = isIPv4(address) ? 96 : 0;
  const lengthText = slash === -1 ? String(128 - offset) : text.slice(slash + 1);
  const length = /^\d{1,3}$/.test(lengthText) ? Number(lengthText) + offset : 129;
  if (words === null || length > 128) {
    return err({ why: `"${text}" is not a network. Write it like 10.0.0.0/8 or 2001:db8::/32.` });
  }
  const masks = [0, 1, 2, 3].map((word) => maskOf(length - word * 32)) as unknown as Network['masks'];
  if (words.some((word, index) => (word & ~masks[index]!) !== 0)) {
    return err({
      why: `"${text}" has bits behind its length. Write the network's first address, or /${128 - offset}.`,
    });
  }
  return ok({ words, masks });
}

/**
 * The one text of a network (addresses as in RFC 5952), so that equal networks are equal texts, however they were written:
 * `10.0.0.0/8`, `2001:db8::/32`; one address stands without its length.
 */
export function networkText({ words, masks }: Network): string {
  const bits = masks.reduce((sum, mask) => sum + 32 - trailingZeros(mask), 0);
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff && bits >= 96;
  const address = isMapped ? dottedText(words[3]) : groupsText(words);
  return bits === 128 ? address : `${address}/${isMapped ? bits - 96 : bits}`;
}

function trailingZeros(mask: number): number {
  return mask === 0 ? 32 : 31 - Math.clz32(mask & -mask);
}

function dottedText(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff).join('.');
}

/** The first of the longest runs of groups of zeros, from two on, is left out. */
function groupsText(words: Network['words']): string {
  const groups = words.flatMap((word) => [(word >>> 16) & 0xffff, word & 0xffff]);
  const text = groups.map((group) => group.toString(16)).join(':');
  const [longest = ''] = (text.match(/\b0(?::0)+\b/g) ?? []).sort((a, b) => b.length - a.length);
  if (longest === '') return text;
  const at = text.search(new RegExp(`(?:^|:)${longest}(?:$|:)`));
  const before = text.slice(0, at);
  return `${before}::${text.slice(at).replace(new RegExp(`^:?${longest}:?`), '')}`;
}

/** The address as four 32-bit words, or null when the text is not an address. */
export function addressWords(text: string): Network['words'] | null {
  if (isIPv4(text)) {
    const [a, b, c, d] = text.split('.').map(Number) as [number, number, number, number];
    return [0, 0, 0xffff | 0, (a << 24) | (b << 16) | (c << 8) | d];
  }
  if (!isIPv6(text) || text.includes('%')) return null;
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const hex = embedded ? `${embedded[1]}${mappedTail(embedded[2]!)}` : text;
  const [head = '', tail] = hex.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  return [0, 2, 4, 6].map((at) => (numbers[at]! << 16) | numbers[at + 1]!) as unknown as Network['words'];
}

export function contains(network: Network, address: Network['words']): boolean {
  return network.words.every((word, index) => (address[index]! & network.masks[index]!) === word);
}

function mappedTail(dotted: string): string {
  const [a, b, c, d] = dotted.split('.').map(Number) as [number, number, number, number];
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
