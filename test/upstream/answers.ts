import fc from 'fast-check';

const token = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}$/).map((name) => `x-${name}`);
const value = fc.stringMatching(
  /^[\x21-\x7e\xa1-\xff]([\x20-\x7e\xa1-\xff\t]{0,20}[\x21-\x7e\xa1-\xff])?$|^$/,
);
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('latin1'));

export interface Answer {
  readonly wire: string;
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}

/** Well-formed answers, made the other way round: from what they mean to how they look. */
export const wellFormed: fc.Arbitrary<Answer> = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    fields: fc.array(fc.tuple(token, value), { maxLength: 6 }),
    chunks: fc.array(bytes, { maxLength: 5 }),
    framing: fc.constantFrom('length', 'chunked', 'close'),
    interim: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ status, fields, chunks, framing, interim }) => {
    const body = chunks.join('');
    const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('');
    const framed = {
      length: `Content-Length: ${body.length}\r\n\r\n${body}`,
      chunked: `Transfer-Encoding: chunked\r\n\r\n${chunks
        .filter((chunk) => chunk !== '')
        .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
        .join('')}0\r\n\r\n`,
      close: `\r\n${body}`,
    }[framing];
    return {
      wire: `${'HTTP/1.1 103 Early\r\nx: y\r\n\r\n'.repeat(interim)}HTTP/1.1 ${status} R\r\n${lines}${framed}`,
      status,
      fields: fields.flatMap(([name, text]) => [name.toLowerCase(), text]),
      body,
    };
  });

/** Single characters replaced at a few places. */
export const damage: fc.Arbitrary<[at: number, text: string][]> = fc.array(
  fc.tuple(
    fc.nat(1_200),
    fc.constantFrom('\r', '\n', '\0', ' ', ':', '0', '-', ';', '\x7f', '\xff', '\r\n', ''),
  ),
  { minLength: 1, maxLength: 3 },
);

export function applyDamage(wire: string, places: readonly [at: number, text: string][]): string {
  let damaged = wire;
  for (const [at, text] of places) {
    const place = at % damaged.length;
    damaged = damaged.slice(0, place) + text + damaged.slice(place + 1);
  }
  return damaged;
}
