/**
 * Paths to members of JSON, as rules write them: `order.amount`, `items[].price`, `order["unit-price"]`. One text for each
 * path: what can stand behind a dot does, every other name stands in brackets, in quotes. Brackets and braces in a name are
 * escaped, so that `[]` is an element wherever it is found, and `}` ends a hole.
 */

/** What the schemas of routes say of bodies lies below it. */
export const BODY = 'request.body';

export function isBodyPath(path: string): boolean {
  return path === BODY || isBelow(path, BODY);
}

/** Elements of a list are not below it: they are asked by `it`. */
export function isBelow(path: string, owner: string): boolean {
  return path.startsWith(owner) && (path[owner.length] === '.' || path.startsWith('["', owner.length));
}

/** The path of a member; `owner` is '' for the whole. */
export function memberPath(owner: string, name: string): string {
  if (!PLAIN.test(name)) return owner + inBrackets(name);
  return owner === '' ? name : `${owner}.${name}`;
}

/** The opposite of {@link pathBelow}. */
export function joinedPath(owner: string, below: string): string {
  return below.startsWith('[') || below === '' ? owner + below : `${owner}.${below}`;
}

/** `request.body.order.amount` is `order.amount` below the body. */
export function pathBelow(path: string, owner: string): string {
  const below = path.slice(owner.length);
  return below.startsWith('.') ? below.slice(1) : below;
}

/** The names that a path without elements of lists leads through. */
export function memberNames(path: string): string[] {
  if (!path.includes('[')) return path.split('.');
  return Array.from(path.matchAll(STEP), ([, plain, quoted]) => plain ?? unescaped(quoted!));
}

/** `["unit-price"]`, in the escapes that texts of policies have. */
export function inBrackets(name: string): string {
  const escaped = name.replaceAll(name === name.normalize('NFC') ? UNSEEN : NOT_ASCII, (letter) =>
    letter === '"' || letter === '\\' ? `\\${letter}` : `\\u{${letter.codePointAt(0)!.toString(16)}}`,
  );
  return `["${escaped}"]`;
}

/** Halves of characters, which no text of UTF-8 has. */
export function isWritableName(name: string): boolean {
  return !/\p{Cs}/u.test(name);
}

function unescaped(quoted: string): string {
  return quoted.replaceAll(/\\(?:u\{([0-9a-f]+)\}|(.))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? letter : String.fromCodePoint(Number.parseInt(hex, 16)),
  );
}

const PLAIN = /^[A-Za-z][A-Za-z0-9_]*$/;
const STEP = /([A-Za-z][A-Za-z0-9_]*)|\["((?:\\.|[^"\\])*)"\]/g;
/** What files of policies may not hold, and what has a meaning in paths. */
const UNSEEN = /["\\[\]{}\p{C}\p{Zl}\p{Zp}\uFFFD]/gu;
/** Letters in pieces would be another spelling in the file. */
const NOT_ASCII = /["\\[\]{}]|[^\x20-\x7E]/gu;
