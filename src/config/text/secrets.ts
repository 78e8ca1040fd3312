/**
 * Values that look like credentials. The shapes are those their makers publish: OpenAI and Anthropic `sk-`, Google
 * `AIza`, AWS `AKIA`/`ASIA`, GitHub `gh?_`/`github_pat_`, GitLab `glpat-`, Slack `xox?-`, Hugging Face `hf_`,
 * Groq `gsk_`, our own consumer keys, JWTs (RFC 7519), PEM private keys (RFC 7468), `Bearer` values (RFC 6750) and
 * passwords in URLs (RFC 3986, 3.2.1).
 */
interface Shape {
  readonly what: string;
  /** Fixed beginnings: looking for these first costs 1 ms a megabyte, one expression for all shapes 200 ms (measured). */
  readonly prefixes: readonly string[];
  /** Tried where a prefix stands. The whole match is the secret, unless it has a group: then that. */
  readonly pattern: RegExp;
  /** `word`: only where no word goes on, so that a file full of `sk-sk-sk-` is read once. */
  readonly begins: 'word' | 'anywhere';
}

const SHAPES: readonly Shape[] = [
  word('a Portunus consumer key', ['ptn_'], /ptn_[a-z0-9]+_[A-Za-z0-9]+_[A-Za-z0-9_-]{16,}/dy),
  word('an API key', ['sk-'], /sk-(?:[A-Za-z0-9_]+-)*(?=[A-Za-z_]*[0-9])[A-Za-z0-9_]{16,}[A-Za-z0-9_-]*/dy),
  word('a Google API key', ['AIza'], /AIza[A-Za-z0-9_-]{35,}/dy),
  word('an AWS access key', ['AKIA', 'ASIA'], /A[KS]IA[A-Z0-9]{16,}/dy),
  word('a GitHub token', ['gho_', 'ghp_', 'ghr_', 'ghs_', 'ghu_'], /gh[oprsu]_[A-Za-z0-9]{36,}/dy),
  word('a GitHub token', ['github_pat_'], /github_pat_[A-Za-z0-9_]{22,}/dy),
  word('a GitLab token', ['glpat-'], /glpat-[A-Za-z0-9_-]{20,}/dy),
  word('a Slack token', ['xox'], /xox[abeprs]-[A-Za-z0-9-]{10,}/dy),
  word('a Hugging Face token', ['hf_'], /hf_[A-Za-z0-9]{30,}/dy),
  word('a Groq API key', ['gsk_'], /gsk_[A-Za-z0-9]{40,}/dy),
  word('a signed token', ['eyJ'], /eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/dy),
  word('a bearer credential', ['Bearer '], /Bearer +([A-Za-z0-9._~+/-]{16,}=*)/dy),
  {
    what: 'a private key',
    prefixes: ['-----BEGIN '],
    pattern: /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----([^-]*)/dy,
    begins: 'anywhere',
  },
  {
    what: 'a password in a URL',
    prefixes: ['://'],
    pattern: /:\/\/[^\s/:@"']{0,256}:([^\s/@"']{1,256})@/dy,
    begins: 'anywhere',
  },
];

function word(what: string, prefixes: readonly string[], pattern: RegExp): Shape {
  return { what, prefixes, pattern, begins: 'word' };
}

export interface FoundSecret {
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

/** In the order of the text, without overlaps. */
export function findSecrets(text: string): readonly FoundSecret[] {
  const found = SHAPES.flatMap((shape) =>
    shape.prefixes.flatMap((prefix) => occurrences(text, shape, prefix)),
  );
  const inOrder = found.toSorted((left, right) => left.start - right.start || right.end - left.end);
  const kept: FoundSecret[] = [];
  for (const secret of inOrder) {
    if (secret.start >= (kept.at(-1)?.end ?? 0)) kept.push(secret);
  }
  return kept;
}

function occurrences(text: string, shape: Shape, prefix: string): readonly FoundSecret[] {
  const found: FoundSecret[] = [];
  let at = text.indexOf(prefix);
  while (at !== -1) {
    let next = at + prefix.length;
    if (shape.begins === 'anywhere' || !/[A-Za-z0-9_-]/.test(text.charAt(at - 1))) {
      shape.pattern.lastIndex = at;
      const match = shape.pattern.exec(text);
      if (match !== null) {
        const [start, end] = match.indices![1] ?? match.indices![0]!;
        found.push({ what: shape.what, start, end });
        next = end;
      }
    }
    at = text.indexOf(prefix, next);
  }
  return found;
}

const MASK = '•';

/** The text with every secret masked, line breaks kept: all offsets, lines and columns stay what they were. */
export function maskSecrets(text: string, secrets: readonly Pick<FoundSecret, 'start' | 'end'>[]): string {
  let masked = '';
  let from = 0;
  for (const { start, end } of secrets) {
    masked += text.slice(from, start) + text.slice(start, end).replaceAll(/[^\r\n]/g, MASK);
    from = end;
  }
  return masked + text.slice(from);
}
