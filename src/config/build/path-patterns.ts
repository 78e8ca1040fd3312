/**
 * Path patterns as configuration writes them. Literal segments have to be in the normal form that request paths are
 * brought to (RFC 3986, 6.2.2): otherwise a pattern could look right and never match.
 */
export interface PathPattern {
  readonly parameters: readonly Parameter[];
  /** The pattern with its names taken out: routes of equal shape fit the same paths. */
  readonly shape: string;
}
export interface Parameter {
  readonly name: string;
  readonly spans: 'one' | 'rest';
}
export interface PathFault {
  readonly fault: string;
  readonly help: string;
}

const PARAMETER = /^\{([A-Za-z][A-Za-z0-9_]{0,62})(\.\.\.)?\}$/;
/** RFC 3986, 3.3: pchar. */
const LITERAL = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*$/;
/** What nearly all segments look like. */
const ORDINARY = /^[A-Za-z0-9_-]+$/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;
const UNRESERVED = /^[A-Za-z0-9._~-]$/;

export function parsePathPattern(pattern: string): PathPattern | PathFault {
  if (!pattern.startsWith('/')) return { fault: 'does not begin with /.', help: `Write "/${pattern}".` };
  const segments = pattern.slice(1).split('/');
  const parameters: Parameter[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const match = PARAMETER.exec(segment);
    if (match === null) {
      const fault = literalFault(segment, isLast);
      if (fault !== null) return fault;
      continue;
    }
    const [, name = '', rest] = match;
    if (rest !== undefined && !isLast) {
      return {
        fault: `has {${name}...} before its end.`,
        help: 'Write it as the last segment: it takes all that follows.',
      };
    }
    if (parameters.some((parameter) => parameter.name === name)) {
      return { fault: `names {${name}} twice.`, help: 'Give each parameter a name of its own.' };
    }
    parameters.push({ name, spans: rest === undefined ? 'one' : 'rest' });
  }
  return { parameters, shape: shapeOf(segments) };
}

function shapeOf(segments: readonly string[]): string {
  return segments.map((segment) => segment.replace(PARAMETER, '{$2}')).join('/');
}

/** Why a text is no literal segment in normal form, or null. */
function literalFault(segment: string, isLast: boolean): PathFault | null {
  if (ORDINARY.test(segment)) return null;
  if (/[{}]/.test(segment)) {
    return {
      fault: `has the segment "${segment}", which mixes a parameter with text or is not closed.`,
      help: 'A parameter is a whole segment: /{name}/ or, at the end, /{name...}. Names are letters, digits and _.',
    };
  }
  if (segment === '' && !isLast) return { fault: 'has two slashes in a row.', help: 'Write one slash.' };
  if (segment === '.' || segment === '..') {
    return {
      fault: `has the dot segment "${segment}", which never reaches a route.`,
      help: 'Write the path it leads to.',
    };
  }
  const normal = normalForm(segment);
  if (normal === segment && LITERAL.test(segment)) return null;
  return {
    fault: `has the segment "${segment}", which is not in its normal form.`,
    help: LITERAL.test(normal)
      ? `Write "${normal}".`
      : 'Escape characters that a path may not hold: %20 for a blank.',
  };
}

/** Escapes in capitals, none for unreserved characters, all for characters that a path may not hold. */
function normalForm(segment: string): string {
  const escaped = segment.replaceAll(/[^\u0021-\u007e]+/gu, (text) =>
    encodeURIComponent(text.toWellFormed()),
  );
  return escaped.replaceAll(ESCAPE, (whole, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return UNRESERVED.test(character) ? character : whole.toUpperCase();
  });
}
