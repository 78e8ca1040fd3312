/** What a service answers to our handshake (RFC 6455, 4.2.2). `refusedStatus`: of an answer that is no 101, or 0. */
export type HandshakeAnswer =
  | { readonly fault: string; readonly refusedStatus: number }
  /** Lower-case name, value, … of what is not about the handshake itself; '' for no subprotocol. */
  | { readonly fields: readonly string[]; readonly protocol: string };

/**
 * Checks a head (without its empty line).
 * @param accept the value that proves that the service has understood
 * @param offered subprotocols, as the client wrote them
 */
export function acceptsHandshake(head: string, accept: string, offered: string): HandshakeAnswer {
  const [statusLine = '', ...lines] = head.split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(statusLine)?.[1];
  if (status === undefined) return unsound('the answer to the handshake is not HTTP/1.1');
  if (status !== '101')
    return {
      fault: `the service answered the handshake with status ${status}`,
      refusedStatus: Number(status),
    };
  const known = new Map<string, string>();
  const fields: string[] = [];
  for (const line of lines) {
    const match = FIELD.exec(line);
    if (match === null) return unsound('a header field of the answer is malformed');
    const name = match[1]!.toLowerCase();
    if (!OWN.has(name)) fields.push(name, match[2]!);
    else if (known.has(name)) return unsound(`the answer has the field ${name} twice`);
    else known.set(name, match[2]!);
  }
  const fault = faultOf(known, accept, offered);
  return fault === null ? { fields, protocol: known.get('sec-websocket-protocol') ?? '' } : unsound(fault);
}

function unsound(fault: string): HandshakeAnswer {
  return { fault, refusedStatus: 0 };
}

function faultOf(known: ReadonlyMap<string, string>, accept: string, offered: string): string | null {
  if (known.get('upgrade')?.toLowerCase() !== 'websocket') return 'the service upgrades to something else';
  if (!listed(known.get('connection') ?? '').some((option) => option.toLowerCase() === 'upgrade'))
    return 'the answer has no Connection: Upgrade';
  if (known.get('sec-websocket-accept') !== accept) return 'the answer has another Sec-WebSocket-Accept';
  if (known.has('sec-websocket-extensions')) return 'the service uses an extension that was not offered';
  const protocol = known.get('sec-websocket-protocol');
  if (protocol !== undefined && !listed(offered).includes(protocol))
    return 'the service chose a subprotocol that was not offered';
  return null;
}

function listed(value: string): readonly string[] {
  return value.split(',').map((item) => item.trim());
}

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
/** About this hop. */
const OWN: ReadonlySet<string> = new Set([
  'upgrade',
  'connection',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
]);
