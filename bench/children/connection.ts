import { connect, type Socket } from 'node:net';
import { fieldPattern, HttpFramingError, HttpReader } from './http-reader.ts';

/** What a client of the bench does with what comes on its connection. */
export interface ConnectionEvents {
  readonly status: (status: number) => void;
  readonly body: (part: Buffer) => void;
  readonly end: () => void;
  /** The connection broke or spoke no HTTP; `why` is one of few texts. Not called for a close between two answers. */
  readonly broken: (why: string) => void;
}

const CONNECTION_FIELD = fieldPattern('connection');

/** One HTTP/1.1 connection to the gateway, opened when first used and again after a close between two answers. */
export class Connection {
  readonly #port: number;
  readonly #events: ConnectionEvents;
  #socket: Socket | null = null;
  #outstanding = false;
  #closeAfterAnswer = false;

  constructor(port: number, events: ConnectionEvents) {
    this.#port = port;
    this.#events = events;
  }

  /** Sends one request; the next only after `end` or `broken`. */
  send(request: string): void {
    this.#outstanding = true;
    this.#socket ??= this.#open();
    this.#socket.write(request, 'latin1');
  }

  close(): void {
    this.#outstanding = false;
    this.#socket?.destroy();
    this.#socket = null;
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const reader = new HttpReader({
      head: (startLine, fields) => {
        this.#closeAfterAnswer = CONNECTION_FIELD.exec(fields)?.[1]?.toLowerCase() === 'close';
        this.#events.status(Number(startLine.split(' ')[1]));
      },
      body: this.#events.body,
      end: () => this.#answered(),
    });
    socket.on('data', (piece) => {
      try {
        reader.push(piece);
      } catch (error) {
        if (!(error instanceof HttpFramingError)) throw error;
        this.#fail(socket, `answer that is no HTTP/1.1: ${error.message.slice(0, 100)}`);
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(socket, `socket error ${error.code}`));
    socket.on('close', () => this.#fail(socket, 'connection closed before the answer was whole'));
    return socket;
  }

  #answered(): void {
    this.#outstanding = false;
    if (this.#closeAfterAnswer) this.close();
    this.#events.end();
  }

  /** A socket that was given up already, or had nothing outstanding, has nothing to report. */
  #fail(socket: Socket, why: string): void {
    socket.destroy();
    if (this.#socket !== socket) return;
    this.#socket = null;
    if (!this.#outstanding) return;
    this.#outstanding = false;
    this.#events.broken(why);
  }
}
