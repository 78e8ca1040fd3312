import { connect, type Socket } from 'node:net';
import { answerQuestions } from '../conversation.ts';
import type { FirstByte, StreamsSpec } from '../streams-client.ts';
import { HttpReader } from './http-reader.ts';

/** The client of the `streams` bench: opens streams and keeps them, and times first bytes, in a process of its own. */
const OPENING_AT_ONCE = 64;
const FIRST_EVENT_WITHIN_MS = 30_000;

const spec = JSON.parse(process.argv[2]!) as StreamsSpec;
const { body } = spec;
const fields = Object.entries({
  host: `127.0.0.1:${spec.port}`,
  ...spec.headers,
  ...(body === null ? {} : { 'content-length': Buffer.byteLength(body) }),
})
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
    const all: FirstByte[] = [];
    for (let probe = 0; probe < spec.probes; probe++) {
      const { socket, delayUs, totalUs } = await firstEvent('once');
      socket.destroy();
      all.push({ delayUs, totalUs });
    }
    return all;
  },
});

interface FirstEvent extends FirstByte {
  readonly socket: Socket;
}

function firstEvent(kind: 'hold' | 'once'): Promise<FirstEvent> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: spec.port, host: '127.0.0.1', noDelay: true });
    let askedNs = 0n;
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
        else
          resolve({
            socket,
            delayUs: Number(readNs - BigInt(sentNs)) / 1_000,
            totalUs: Number(readNs - askedNs) / 1_000,
          });
        clearTimeout(timer);
      },
      end: () => {},
    });
    socket.on('data', (piece) => reader.push(piece));
    socket.on('error', reject);
    socket.on('close', () => open.delete(socket));
    const line = `${body === null ? 'GET' : 'POST'} ${spec.path}?${kind}=1 HTTP/1.1`;
    socket.on('connect', () => {
      askedNs = process.hrtime.bigint();
      socket.write(`${line}\r\n${fields}\r\n${body ?? ''}`);
    });
  });
}
