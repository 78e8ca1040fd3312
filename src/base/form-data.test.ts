import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FormDocument, scanForm } from './form-data.ts';

const BOUNDS = { partsMax: 10, headBytesMax: 500 };
const scan = (text: string | Uint8Array, boundary = 'b') =>
  scanForm(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, boundary, BOUNDS);

function form(text: string): FormDocument {
  const scanned = scan(text);
  if (!scanned.ok) throw new Error(`${scanned.error.why} (${scanned.error.offset})`);
  return scanned.value;
}

const field = (name: string, value: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const headed = (...lines: readonly string[]): string => `--b\r\n${lines.join('\r\n')}\r\n\r\nx\r\n--b--\r\n`;
const DISPOSED = 'Content-Disposition: form-data; name=model';

describe('a form', () => {
  it('has parts by the names of their fields, files among them', () => {
    const text = `${field('model', 'whisper-1')}--b\r\ncontent-type: audio/mpeg\r\nCONTENT-DISPOSITION:form-data ;name=file; filename="a;b\\c.mp3"\r\n\r\n\0\r\n--\r\nc\r\n--b--`;
    const { parts } = form(text);
    const read = parts.map(({ name, isFile, start, end }) => [name, isFile, text.slice(start, end)]);
    expect(read).toEqual([
      ['model', false, 'whisper-1'],
      ['file', true, '\0\r\n--\r\nc'],
    ]);
  });

  it('has texts in UTF-8, and others than that are none', () => {
    const { parts } = form(`${field('a', '\xc3\xa9')}${field('b', '\xe9')}${field('c', '')}--b--`);
    const read = form(`${field('a', '\xc3\xa9')}${field('b', '\xe9')}${field('c', '')}--b--`);
    expect(parts.map((part) => read.text(part))).toEqual(['é', null, '']);
  });

  it('gets another content in one place, and keeps every other byte', () => {
    const read = form(`${field('model', 'fast')}${field('file', '\xff\0')}--b--\r\n`);
    const [part] = read.named('model');
    const changed = read.withContent(part!, Buffer.from('whisper-1'));
    const expected = `${field('model', 'whisper-1')}${field('file', '\xff\0')}--b--\r\n`;
    expect(Buffer.from(changed).toString('latin1')).toBe(expected);
  });

  it.each([
    ['nothing', ''],
    ['something before its first boundary', `\r\n${field('a', 'x')}--b--`],
    ['no end', field('a', 'x')],
    ['half an end', `${field('a', 'x')}--b-`],
    ['something behind its end', `${field('a', 'x')}--b--\r\nx`],
    ['two bytes behind its end', `${field('a', 'x')}--b--ab`],
    ['a boundary within a head', headed(DISPOSED, 'X-A: --b')],
    ['a boundary that begins within a line', `${field('a', 'x --b')}--b--`],
    ['a boundary that only a bare line feed divides', `${field('a', 'x\n--b\n')}--b--`],
    ['a part that begins within a line', `${field('a', 'x ').slice(0, -2)}${field('b', 'y')}--b--`],
    ['a part behind a bare line feed', `${field('a', 'x').slice(0, -2)}\n${field('b', 'y')}--b--`],
    ['a boundary that goes on', `${field('a', 'x\r\n--bc')}--b--`],
    ['a boundary with blanks behind it', `--b \r\n${DISPOSED}\r\n\r\nx\r\n--b--`],
    ['a boundary right behind a head', `--b\r\n${DISPOSED}\r\n\r\n--b--`],
    ['a part without a head', '--b\r\n\r\nx\r\n--b--'],
    ['a part without a name', headed('Content-Disposition: form-data')],
    ['a part with two names', headed('Content-Disposition: form-data; name="a"; name="model"')],
    ['a part that says twice what it is', headed(DISPOSED, DISPOSED)],
    ['a part of another kind', headed('Content-Disposition: attachment; name="a"')],
    ['quotes within a name', headed('Content-Disposition: form-data; name="a\\"; x=\\"b"')],
    ['quotes within the name of a file', headed('Content-Disposition: form-data; name=a; filename="\\""')],
    ['an escaped name', headed('Content-Disposition: form-data; name="mod%65l"')],
    ['a name in another alphabet', headed("Content-Disposition: form-data; name*=UTF-8''model")],
    ['an encoded part', headed(DISPOSED, 'Content-Transfer-Encoding: base64')],
    ['a folded line', headed('Content-Disposition: form-data;', ' name="a"')],
    ['a bare line feed in a head', headed(`${DISPOSED}\nX: y`)],
    ['a null in a head', headed(DISPOSED, 'X: a\0b')],
    ['a bare line feed in another field', headed(DISPOSED, 'X: a\nb')],
    ['a head without a colon', headed(DISPOSED, 'X')],
    ['a blank before a colon', headed('Content-Disposition : form-data; name=a')],
    ['a head that is too long', headed(DISPOSED, `X: ${'y'.repeat(500)}`)],
    ['too many parts', `${field('a', 'x').repeat(11)}--b--`],
  ])('is refused with %s', (_, text) => {
    expect(scan(text)).toMatchObject({ ok: false });
  });

  it('is read in a time that grows no faster than it does, whatever blanks its heads have', () => {
    const blanks = ' '.repeat(400_000);
    const text = headed(`X:${blanks}\u0001`);
    expect(scanForm(Buffer.from(text), 'b', { ...BOUNDS, headBytesMax: 1_000_000 })).toMatchObject({
      ok: false,
    });
  });

  it('is divided as another reader divides it, and cut nowhere', async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom('\r\n', '--', '\r\n--', '\r\n\r\n', '"')
        .map((text) => Uint8Array.from(Buffer.from(text))),
    );
    const part = fc.record({
      name: fc.constantFrom('model', 'file', 'image[]', 'n'),
      filename: fc.option(fc.constantFrom('a.mp3', 'ä b.png')),
      content,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        const made = new FormData();
        for (const { name, filename, content: bytes } of parts)
          if (filename === null) made.append(name, Buffer.from(bytes).toString('hex'));
          else made.append(name, new Blob([bytes]), filename);
        const written = new Response(made);
        const boundary = /boundary=(.+)$/.exec(written.headers.get('content-type')!)![1]!;
        const bytes = new Uint8Array(await written.arrayBuffer());
        const scanned = scan(bytes, boundary);
        if (!scanned.ok) throw new Error(scanned.error.why);
        const { value } = scanned;
        const read = value.parts.map(({ name, isFile, start, end }) => [
          name,
          isFile,
          Buffer.from(bytes.subarray(start, end)).toString('latin1'),
        ]);
        const said = parts.map(({ name, filename, content: own }) => [
          name,
          filename !== null,
          filename === null ? Buffer.from(own).toString('hex') : Buffer.from(own).toString('latin1'),
        ]);
        expect(read).toEqual(said);
        // what may be missing is the line end behind the last boundary
        for (let end = 0; end < bytes.length - 2; end++)
          expect([end, scan(bytes.subarray(0, end), boundary).ok]).toEqual([end, false]);
      }),
      { numRuns: 6 },
    );
  });

  it('that is accepted is read alike by others, whatever has been done to it', async () => {
    const splice = fc.record({
      at: fc.nat(),
      removed: fc.constantFrom(0, 0, 1, 2, 5),
      put: fc.constantFrom(
        ...['', '\r\n', '\n', '\r', '--b', '--b\r\n', '--b--', '"', '\\"', '; ', ' ', '\0', '\t', '%22', 'é'],
        ...['name="model"', 'filename="x"', 'Content-Disposition: form-data; name=model\r\n\r\n', '\r\n\r\n'],
      ),
    });
    const base = `${field('model', 'one')}--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\nContent-Type: audio/mpeg\r\n\r\nsound\r\n--b--\r\n`;
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(splice, { minLength: 1, maxLength: 3 }), async (splices) => {
        let text = base;
        for (const { at, removed, put } of splices) {
          const place = at % text.length;
          text = text.slice(0, place) + put + text.slice(place + removed);
        }
        const bytes = Buffer.from(text);
        const scanned = scan(bytes);
        if (!scanned.ok) return;
        accepted++;
        const headers = { 'content-type': 'multipart/form-data; boundary=b' };
        const other = await new Response(bytes, { headers }).formData().catch(() => null);
        if (other === null) return;
        const { value } = scanned;
        const own = value.parts.map(({ name, isFile, start, end }) => [
          name,
          isFile,
          bytes.subarray(start, end).toString('utf8'),
        ]);
        const theirs = await Promise.all(
          [...other].map(async ([name, said]) => [
            name,
            typeof said !== 'string',
            typeof said === 'string' ? said : Buffer.from(await said.arrayBuffer()).toString('utf8'),
          ]),
        );
        expect(own).toEqual(theirs);
      }),
      { numRuns: 400 },
    );
    expect(accepted).toBeGreaterThan(10);
  });
});
