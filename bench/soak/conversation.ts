import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expectThat, Unexpected } from './exchange.ts';

const TURNS = 3;
const PAUSE_MS = 20;
const OPCODE = { text: 1, close: 8 } as const;
const NORMAL_CLOSURE = 1_000;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Opens a WebSocket, says a few things, hears each again, and closes it (RFC 6455). A client of our own, as others hide why they were refused. */
export async function converse(port: number, path: string): Promise<string> {
  const beganMs = performance.now();
  const asked = (): string => `WebSocket ${path}, ${Math.round(performance.now() - beganMs)} ms`;
  const conversation = await open(port, path, asked);
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      const said = randomBytes(20).toString('hex');
      conversation.say(OPCODE.text, Buffer.from(said));
      const heard = await conversation.hear(`in turn ${turn}, ${asked()}`);
      expectThat(heard.toString() === said, `"${heard.toString()}" in answer to "${said}"`, null);
      await delay(PAUSE_MS);
    }
    const goodbye = Buffer.alloc(2);
    goodbye.writeUInt16BE(NORMAL_CLOSURE);
    conversation.say(OPCODE.close, goodbye);
    const heard = await conversation.hear(`at the end, ${asked()}`);
    const code = heard.readUInt16BE(0);
    expectThat(code === NORMAL_CLOSURE, `closed with ${code}, ${asked()}`, null);
    return 'conversed';
  } finally {
    conversation.leave();
  }
}

function open(port: number, path: string, asked: () => string): Promise<Conversation> {
  return new Promise((resolve, reject) => {
    const key = randomBytes(16).toString('base64');
    const headers = {
      upgrade: 'websocket',
      connection: 'upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
    };
    httpRequest({ host: '127.0.0.1', port, path, headers, agent: false })
      .on('error', (error) => reject(new Unexpected(`no answer: ${String(error)}, ${asked()}`)))
      .on('response', (response) => void refusal(response, asked).then(reject, reject))
      .on('upgrade', (response, socket: Socket, first) => {
        const accept = createHash('sha1')
          .update(key + GUID)
          .digest('base64');
        if (response.headers['sec-websocket-accept'] === accept) resolve(new Conversation(socket, first));
        else reject(new Unexpected(`the key was not accepted, ${asked()}`));
      })
      .end();
  });
}

async function refusal(response: IncomingMessage, asked: () => string): Promise<Unexpected> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  const { headers, statusCode } = response;
  const answer = { asked: asked(), status: statusCode!, headers, body: Buffer.concat(pieces), cut: null };
  return new Unexpected('no WebSocket', answer);
}

/** Short frames alone: what is heard is what was said. */
class Conversation {
  readonly #socket: Socket;
  #bytes: Buffer;
  #onChange: () => void = () => {};
  #ended: string | null = null;

  constructor(socket: Socket, first: Buffer) {
    this.#socket = socket;
    this.#bytes = first;
    const end = (why: string): void => {
      this.#ended ??= why;
      this.#onChange();
    };
    socket
      .on('data', (piece: Buffer) => {
        this.#bytes = Buffer.concat([this.#bytes, piece]);
        this.#onChange();
      })
      .on('error', (error) => end(String(error)))
      .on('close', () => end('closed'));
  }

  say(opcode: number, payload: Buffer): void {
    // masked with noughts: a mask is demanded, whatever it is
    this.#socket.write(Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0), payload]));
  }

  /** The payload of the next frame. */
  async hear(when: string): Promise<Buffer> {
    for (;;) {
      const length = this.#bytes.length < 2 ? Number.POSITIVE_INFINITY : 2 + this.#bytes[1]!;
      if (this.#bytes.length >= length) {
        const payload = this.#bytes.subarray(2, length);
        this.#bytes = this.#bytes.subarray(length);
        return payload;
      }
      if (this.#ended !== null) throw new Unexpected(`${this.#ended} instead of a frame ${when}`);
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }

  leave(): void {
    this.#socket.destroy();
  }
}
