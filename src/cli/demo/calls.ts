/** One chat completion, as a caller sends it, and what became of it. */
import { Agent, request } from 'node:http';

export interface Callee {
  readonly url: string;
  readonly key: string;
}

export interface Answer {
  /** 0: none came. */
  readonly status: number;
  readonly retryAfterS: number | null;
}

export const DEMO_MODEL = 'gpt-4o-mini';

/** Connections are kept and are many: whoever is called decides how many calls at once are too many. */
export class Caller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1_024 });

  chat({ url, key }: Callee, prompt: string): Promise<Answer> {
    const body = JSON.stringify({
      model: DEMO_MODEL,
      messages: [{ role: 'user', content: prompt }],
      max_tokens: 32,
    });
    return new Promise((resolve) => {
      const sent = request(
        `${url}/v1/chat/completions`,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            authorization: `Bearer ${key}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) => {
          const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
          const answer = {
            status: response.statusCode ?? 0,
            retryAfterS: Number.isNaN(seconds) ? null : seconds,
          };
          response.resume();
          response.once('end', () => resolve(answer));
          response.once('error', () => resolve(NO_ANSWER));
        },
      );
      sent.once('error', () => resolve(NO_ANSWER));
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

const NO_ANSWER: Answer = { status: 0, retryAfterS: null };
