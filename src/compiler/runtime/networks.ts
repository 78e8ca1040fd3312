import { addressWords, contains, type Network, parseNetwork } from '../../model/networks.ts';

/**
 * Compiles a list of networks to one test of an address text. IPv4, the common case, is read digit by digit and
 * compared as one integer, without allocation; everything else goes the long way. A text that is no address is in no
 * network. The networks were checked when the policy was.
 */
export function networksTest(networks: readonly string[]): (address: string) => boolean {
  const all = networks.flatMap((text) => {
    const network = parseNetwork(text);
    return network.ok ? [network.value] : [];
  });
  const short = all.filter(coversIPv4);
  const words = Int32Array.from(short, (network) => network.words[3]);
  const masks = Int32Array.from(short, (network) => network.masks[3]);
  return (address) => {
    const word = ipv4Word(address);
    if (word === NOT_IPV4) return longTest(all, address);
    for (let at = 0; at < words.length; at++) if ((word & masks[at]!) === words[at]) return true;
    return false;
  };
}

const NOT_IPV4 = -1 / 2;
const MAPPED_PREFIX = [0, 0, 0xffff] as const;

function longTest(networks: readonly Network[], address: string): boolean {
  const words = addressWords(address);
  return words !== null && networks.some((network) => contains(network, words));
}

/** Whether the network can hold IPv4 addresses: its first 96 bits allow the prefix of mapped ones. */
function coversIPv4(network: Network): boolean {
  return MAPPED_PREFIX.every((word, index) => (word & network.masks[index]!) === network.words[index]);
}

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
