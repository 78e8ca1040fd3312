/** Text of a client's address: 4 bytes, or 16 of which IPv4-mapped ones are shown as IPv4. */
export function addressText(address: ArrayBuffer): string {
  const bytes = new Uint8Array(address);
  if (bytes.length === 4) return ipv4(bytes, 0);
  if (bytes.length !== 16) return '';
  return isMapped(bytes) ? ipv4(bytes, 12) : ipv6(bytes);
}

/** The last address is kept: requests of one connection come in runs. */
let lastWord = -1;
let lastText = '';

function ipv4(bytes: Uint8Array, at: number): string {
  const word = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  if (word !== lastWord) {
    lastWord = word;
    lastText = `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  }
  return lastText;
}

/** ::ffff:0:0/96, RFC 4291, 2.5.5.2. */
function isMapped(bytes: Uint8Array): boolean {
  for (let index = 0; index < 10; index++) if (bytes[index] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** RFC 5952, 4: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
function ipv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes[index * 2]! * 256 + bytes[index * 2 + 1]!);
  let start = -1;
  let length = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > length) {
      start = from;
      length = to - from;
    }
  }
  const text = groups.map((group) => group.toString(16));
  if (start === -1) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + length).join(':')}`;
}
