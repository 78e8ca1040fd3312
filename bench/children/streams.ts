import { connect, type Socket } from 'node:net';
import { answerQuestions } from '../conversation.ts';
import type { StreamsSpec } from '../streams-client.ts';
import { HttpReader } from './http-reader.ts';

/** The client of the `streams` bench: opens streams and keeps them, and times first bytes, in a process of its own. */
const OPENING_AT_ONCE = 64;
const FIRST_EVENT_WITHIN_MS = 30_000;

const spec = JSON.parse(process.argv[2]!) as StreamsSpec;
const fields = Object.entries({ host: `127.0.0.1:${spec.port}`, ...spec.headers })
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const open = new Set<Socket>();
let eventsRead = 0;

answerQuestions({
  open: async () => {
    let left = spec.streams;
    const openNext = async () => {
      while (left > 0) {
        left -= 1;
        open.add((await firstEvent('hold')).socket);
      }
    };
    await Promise.all(Array.from({ length: OPENING_AT_ONCE }, openNext));
    return null;
  },
  count: () => ({ open: open.size, eventsRead }),
  firstBytes: async () => {
    const delaysUs: number[] = [];
    for (let probe = 0; probe < spec.probes; probe++) {
      const { socket, delayUs } = await firstEvent('once');
      socket.destroy();
      delaysUs.push(delayUs);
    }
    return delaysUs;
  },
});

interface FirstEvent {
  readonly socket: Socket;
  /** From the moment the upstream wrote its first byte to the moment it was read here. */
  readonly delayUs: number;
}

function firstEvent(kind: 'hold' | 'once'): Promise<FirstEvent> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: spec.port, host: '127.0.0.1', noDelay: true });
    const timer = setTimeout(() => reject(new Error('no first event')), FIRST_EVENT_WITHIN_MS);
    const reader = new HttpReader({
      head: (startLine) => {
        if (!startLine.startsWith('HTTP/1.1 200')) reject(new Error(startLine));
      },
      body: (part) => {
        const readNs = process.hrtime.bigint();
        eventsRead += 1;
        const sentNs = /^data: (\d+)/.exec(part.toString('latin1'))?.[1];
        if (sentNs === undefined) reject(new Error(`not an event: ${part.toString('latin1')}`));
        else resolve({ socket, delayUs: Number(readNs - BigInt(sentNs)) / 1_000 });
        clearTimeout(timer);
      },
      end: () => {},
    });
    socket.on('data', (piece) => reader.push(piece));
    socket.on('error', reject);
    socket.on('close', () => open.delete(socket));
    socket.write(`GET ${spec.path}?${kind}=1 HTTP/1.1\r\n${fields}\r\n`);
  });
}
