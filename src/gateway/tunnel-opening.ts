/** From a request that asks for a WebSocket to the handshake with its service: each of the two handshakes has fields of its own. */
import type { WebSocketSettings } from '../model/world.ts';
import type { HeaderEdits } from '../pipeline/context.ts';
import type { ResponseHead, TunnelOpened, UpstreamRequest, UpstreamService } from '../pipeline/upstream.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import { Tunnel, type TunnelHost } from './tunnel.ts';

/** What the client says of its own handshake is not for the service; the subprotocols are handed on apart. */
export function withoutHandshake(edits: HeaderEdits): void {
  edits.removed.push(...HANDSHAKE_FIELDS);
}

export function openTunnel(
  host: TunnelHost,
  service: UpstreamService,
  request: UpstreamRequest,
  fields: readonly string[],
  { idleMs }: WebSocketSettings,
  { limits, clock }: Pick<ExchangeThread, 'limits' | 'clock'>,
): Tunnel {
  const asked = {
    ...request,
    protocols: protocolsOf(fields),
    messageBytesMax: limits.websocketMessageBytes,
  };
  return new Tunnel(host, service, asked, { limits, idleMs, nowMs: () => clock.monotonicMs() });
}

/** Of the answer to the client, once the service has accepted. */
export function acceptedHead({ fields, attempts, endpoint }: TunnelOpened): ResponseHead {
  return { status: 101, fields, bodyBytes: -1, hasBody: false, untilClose: false, endpoint, attempts };
}

const HANDSHAKE_FIELDS = [
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
];

function protocolsOf(fields: readonly string[]): string {
  const values = fields.filter(
    (_, index) => index % 2 === 1 && fields[index - 1] === 'sec-websocket-protocol',
  );
  return values.join(', ');
}
