/**
 * Bodies of `multipart/form-data` (RFC 7578; RFC 2046, 5.1): where their parts lie. Bytes are passed on as they came, so a body that
 * gateway and upstream might divide differently must not pass at all: every `--boundary` in it has to be a delimiter, and heads of parts
 * are read strictly.
 */
import { err, ok, type Result } from './result.ts';

export interface FormPart {
  readonly name: string;
  readonly isFile: boolean;
  /** Of its content, a half-open range of bytes. */
  readonly start: number;
  readonly end: number;
}

/** Reads `bytes` in place: they must not change while it is used. */
export class FormDocument {
  readonly bytes: Uint8Array;
  readonly parts: readonly FormPart[];

  constructor(bytes: Uint8Array, parts: readonly FormPart[]) {
    this.bytes = bytes;
    this.parts = parts;
  }

  named(name: string): readonly FormPart[] {
    return this.parts.filter((part) => part.name === name);
  }

  /** Null where it is not UTF-8. */
  text({ start, end }: FormPart): string | null {
    try {
      return UTF_8.decode(this.bytes.subarray(start, end));
    } catch {
      return null;
    }
  }

  /** The same with another content of one part; every other byte as it came. */
  withContent({ start, end }: FormPart, content: Uint8Array): Uint8Array {
    return Buffer.concat([this.bytes.subarray(0, start), content, this.bytes.subarray(end)]);
  }
}

export interface FormFault {
  readonly why: string;
  readonly offset: number;
}

export interface FormBounds {
  readonly partsMax: number;
  readonly headBytesMax: number;
}

/** `boundary`: without the two dashes, as `content-type` says it. */
export function scanForm(
  body: Uint8Array,
  boundary: string,
  { partsMax, headBytesMax }: FormBounds,
): Result<FormDocument, FormFault> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const parts: FormPart[] = [];
  if (!bytes.subarray(0, delimiter.length).equals(delimiter))
    return fault('it does not begin with its boundary', 0);
  let at = 0;
  while (!isAt(bytes, at + delimiter.length, CLOSE)) {
    const head = at + delimiter.length + CRLF.length;
    if (!isAt(bytes, at + delimiter.length, CRLF)) return fault('a boundary stands within a line', at);
    if (parts.length === partsMax) return fault(`it has more than ${partsMax} parts`, at);
    const headEnd = bytes.indexOf(HEAD_END, head - CRLF.length);
    if (headEnd === -1 || headEnd - head > headBytesMax) return fault('the head of a part is too long', head);
    const start = headEnd + HEAD_END.length;
    const next = bytes.indexOf(delimiter, head);
    if (next === -1) return fault('it ends before its last boundary', bytes.length);
    if (next - CRLF.length < start || !isAt(bytes, next - CRLF.length, CRLF))
      return fault('a boundary stands within a line', next);
    const read = readHead(bytes.toString('latin1', head, Math.max(head, headEnd)));
    if (typeof read === 'string') return fault(read, head);
    parts.push({ ...read, start, end: next - CRLF.length });
    at = next;
  }
  const rest = bytes.length - (at + delimiter.length + CLOSE.length);
  if (rest !== 0 && !(rest === CRLF.length && isAt(bytes, bytes.length - rest, CRLF)))
    return fault('something stands behind its last boundary', bytes.length - rest);
  return ok(new FormDocument(body, parts));
}

function fault(why: string, offset: number): Result<never, FormFault> {
  return err({ why, offset });
}

function isAt(bytes: Buffer, at: number, what: Buffer): boolean {
  return bytes.subarray(at, at + what.length).equals(what);
}

/** What the head of a part says of it. */
type Disposition = Pick<FormPart, 'name' | 'isFile'>;

/** What is wrong with it, where it can't be read. */
function readHead(text: string): Disposition | string {
  let disposition: Disposition | null = null;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const value = withoutBlanks(line.slice(colon + 1));
    if (colon === -1 || !TOKEN.test(line.slice(0, colon)) || CONTROL.test(value))
      return 'the head of a part is malformed';
    switch (line.slice(0, colon).toLowerCase()) {
      case 'content-disposition': {
        const read: Disposition | null = disposition === null ? readDisposition(value) : null;
        if (read === null) return 'a part does not say once and plainly which field it is';
        disposition = read;
        break;
      }
      case 'content-transfer-encoding':
        // RFC 7578, 4.7: nobody encodes them any more, and few decode them
        if (!/^(?:7bit|8bit|binary)$/i.test(value)) return 'a part has a transfer encoding';
    }
  }
  return disposition ?? 'a part does not say once and plainly which field it is';
}

/** RFC 9110, 5.6.3; a pattern would look at a run of blanks as often as it is long. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANKS.includes(text[start]!)) start++;
  while (end > start && BLANKS.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function readDisposition(value: string): Disposition | null {
  const whole = DISPOSITION.exec(value);
  if (whole === null) return null;
  let name: string | null = null;
  let isFile = false;
  for (const [, parameter = '', quoted, token] of whole[1]!.matchAll(PARAMETER)) {
    const said = quoted ?? token ?? '';
    if (parameter.toLowerCase() === 'name') {
      if (name !== null || !NAME.test(said)) return null;
      name = said;
    } else isFile = true;
  }
  return name === null ? null : { name, isFile };
}

const CRLF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const CLOSE = Buffer.from('--');
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const BLANKS = ' \t';
/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Folded lines begin with a blank, and so have no token. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;
/** Quotes within quotes are read in two ways (RFC 9110, 5.6.4; WHATWG HTML, multipart form data), so there are none. */
const QUOTED = '"(?:[^"\\\\]|\\\\(?!"))*"';
const DISPOSITION = new RegExp(
  `^form-data((?:[ \\t]*;[ \\t]*(?:(?:file)?name=(?:${QUOTED}|[!#$&+.^_\`|~0-9A-Za-z-]+)|filename\\*=[^;" \\t]+))+)$`,
  'i',
);
const PARAMETER = /;[ \t]*((?:file)?name\*?)=(?:"((?:[^"\\]|\\(?!"))*)"|([^;" \t]+))/gi;
/** Of fields that APIs of models have: `model`, `image[]`, `timestamp_granularities[]`. */
const NAME = /^[A-Za-z0-9_.[\]-]{1,100}$/;
