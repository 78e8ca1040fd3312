/** The normal form of a path, written down as RFC 3986 says it: what `target.ts` is held against. */
import type { Slashes } from './target.ts';

/** Null where the path is refused. */
export function referenceNormalPath(path: string, slashes: Slashes): string | null {
  if (!/^\/[\x21-\x7e]*$/.test(path) || /[\\#?]/.test(path)) return null;
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return null;
  if (/%(?:[01][0-9a-f]|7f|5c)/i.test(path)) return null;
  // 6.2.2.2 and 6.2.2.1
  let text = path.replace(/%([0-9a-fA-F]{2})/g, (raw, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : raw.toUpperCase();
  });
  text = text.replace(/["<>[\]^`{|}]/g, (raw) => `%${raw.charCodeAt(0).toString(16).toUpperCase()}`);
  if (text.split('/').some(hidesDots)) return null;
  if (slashes === 'merge') text = text.replace(/\/+/g, '/');
  return removeDotSegments(text);
}

/** Some reader that decodes slashes, or drops parameters, would see a dot segment that was none. */
function hidesDots(segment: string): boolean {
  if (segment === '.' || segment === '..') return false;
  return segment.split('%2F').some((piece) => ['.', '..'].includes(piece.split(/;|%3B/)[0]!));
}

/** 5.2.4, with its input and output buffers; rules A and D never apply to a path that begins with a slash. */
function removeDotSegments(path: string): string {
  let input = path;
  let output = '';
  while (input !== '') {
    if (input.startsWith('/./')) input = input.slice(2);
    else if (input === '/.') input = '/';
    else if (input.startsWith('/../') || input === '/..') {
      input = `/${input.slice(4)}`;
      output = output.slice(0, Math.max(0, output.lastIndexOf('/')));
    } else {
      const next = input.indexOf('/', 1);
      const end = next === -1 ? input.length : next;
      output += input.slice(0, end);
      input = input.slice(end);
    }
  }
  return output;
}
