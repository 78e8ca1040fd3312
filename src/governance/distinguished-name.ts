/** Names of subjects as RFC 4514 writes them: what `openssl x509 -subject -nameopt RFC2253,-esc_msb,utf8` prints. */
import { type DerElement, readElements, readObjectId, TAG } from './der.ts';

/** Null for what is no name. The last part of the name comes first. */
export function distinguishedName({ content }: DerElement): string | null {
  const parts = readElements(content);
  const texts = parts?.map(relativeName);
  return texts === undefined || texts.includes(null) ? null : texts.reverse().join(',');
}

function relativeName({ tag, content }: DerElement): string | null {
  const attributes = tag === TAG.set ? readElements(content) : null;
  if (attributes === null || attributes.length === 0) return null;
  const texts = attributes.map(attributeText);
  // In which order they stand means nothing; openssl turns it round, too.
  return texts.includes(null) ? null : texts.reverse().join('+');
}

function attributeText({ tag, content }: DerElement): string | null {
  const parts = tag === TAG.sequence ? readElements(content) : null;
  if (parts?.length !== 2 || parts[0]!.tag !== TAG.object) return null;
  const id = readObjectId(parts[0]!.content);
  if (id === null) return null;
  const word = WORDS.get(id);
  const value = word === undefined ? null : stringOf(parts[1]!);
  // RFC 4514, 2.4: what has no word, or is no text, is told by its bytes.
  if (value === null) return `${word ?? id}=#${Buffer.from(parts[1]!.whole).toString('hex')}`;
  return `${word}=${escaped(value)}`;
}

/** RFC 4514, 3, and what openssl calls further ones. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.42', 'GN'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
]);

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function stringOf({ tag, content }: DerElement): string | null {
  const text = decoded(tag, content);
  return text === null || CONTROL.test(text) ? null : text;
}

function decoded(tag: number, content: Uint8Array): string | null {
  switch (tag) {
    case TAG.utf8:
      try {
        return UTF8.decode(content);
      } catch {
        // How TextDecoder says that bytes are not UTF-8.
        return null;
      }
    case TAG.printable:
    case TAG.numeric:
    case TAG.ia5: {
      const text = Buffer.from(content).toString('latin1');
      return ASCII.test(text) ? text : null;
    }
    default:
      return null;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
const ASCII = /^[\u0000-\u007f]*$/;

function escaped(text: string): string {
  return text
    .replaceAll(/[",+;<>\\]/g, '\\$&')
    .replace(/^[# ]/, '\\$&')
    .replace(/(?<!\\) $/, '\\ ');
}
