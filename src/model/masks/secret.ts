import { type Found, isLatinLetterOrDigit, type Recogniser, type RecogniserOf } from './recogniser.ts';

/** How issued keys begin, and how many characters behind that make one of it. */
const BEGINNINGS: readonly (readonly [beginning: string, charactersLeast: number])[] = [
  // OpenAI, Anthropic and their kin; Stripe; Slack
  ...([
    ['sk-', 20],
    ['sk_live_', 16],
    ['sk_test_', 16],
    ['rk_live_', 16],
    ['rk_test_', 16],
  ] as const),
  ...([
    ['whsec_', 16],
    ['xoxa-', 10],
    ['xoxb-', 10],
    ['xoxp-', 10],
    ['xoxr-', 10],
    ['xoxs-', 10],
  ] as const),
  // GitHub, GitLab, npm, PyPI, Hugging Face, Groq, xAI
  ...([
    ['ghp_', 36],
    ['gho_', 36],
    ['ghu_', 36],
    ['ghs_', 36],
    ['ghr_', 36],
    ['github_pat_', 22],
  ] as const),
  ...([
    ['glpat-', 20],
    ['npm_', 36],
    ['pypi-', 40],
    ['hf_', 30],
    ['gsk_', 40],
    ['xai-', 40],
  ] as const),
  // AWS, Google, SendGrid, Portunus, JSON Web Tokens
  ...([
    ['AKIA', 16],
    ['ASIA', 16],
    ['AIza', 35],
    ['ya29.', 20],
    ['SG.', 22],
    ['ptn_', 20],
    ['eyJ', 20],
  ] as const),
];
const PRIVATE_KEY = '-----BEGIN ';
const PRIVATE_KEY_LABELS = ['', 'RSA ', 'EC ', 'DSA ', 'OPENSSH ', 'ENCRYPTED ', 'PGP '].map(
  (kind) => `${kind}PRIVATE KEY${kind === 'PGP ' ? ' BLOCK' : ''}-----`,
);
const PRIVATE_KEY_MOST = 16_384;

/** How much of a text has to be there before it is known to be the beginning of a secret: what follows is masked as it comes. */
export const SECRET_MOST = Math.max(
  ...BEGINNINGS.map(([beginning, least]) => beginning.length + least),
  ...PRIVATE_KEY_LABELS.map((label) => PRIVATE_KEY.length + label.length),
);

export const secret: RecogniserOf = () => new Secrets();

class Secrets implements Recogniser {
  /** What the last one goes on as, where the text ended within it. */
  #open: 'none' | 'token' | 'private-key' = 'none';
  #charactersLeft = 0;
  /** Of a private key: hyphens in a row, and rows of five behind its label. */
  #hyphens = 0;
  #fences = 0;

  copy(): Recogniser {
    const copy = new Secrets();
    copy.#open = this.#open;
    copy.#charactersLeft = this.#charactersLeft;
    copy.#hyphens = this.#hyphens;
    copy.#fences = this.#fences;
    return copy;
  }

  scan(text: string, from: number, isEnd: boolean, found: Found): number {
    let at = from;
    if (this.#open !== 'none') {
      at = this.#goOn(text, from);
      if (at > from) found(from, at);
      if (this.#isOpen) return at;
    }
    BEGINNING.lastIndex = at;
    for (let match = BEGINNING.exec(text); match !== null; match = BEGINNING.exec(text)) {
      const start = match.index;
      // one may begin within another
      BEGINNING.lastIndex = start + 1;
      if (isWord(text.charCodeAt(start - 1))) continue;
      const begun = this.#begin(text, start, match[0], isEnd);
      if (begun === 'undecided') return start;
      if (begun === 'none') continue;
      at = this.#goOn(text, begun);
      found(start, at);
      if (this.#isOpen) return at;
      BEGINNING.lastIndex = at;
    }
    return isEnd ? text.length : Math.max(at, cutBeginning(text));
  }

  get #isOpen(): boolean {
    return this.#open !== 'none';
  }

  /** Behind what makes it a secret. */
  #begin(text: string, start: number, beginning: string, isEnd: boolean): number | 'none' | 'undecided' {
    const behind = start + beginning.length;
    if (beginning === PRIVATE_KEY) {
      const rest = text.slice(behind, behind + LABEL_MOST);
      const label = PRIVATE_KEY_LABELS.find((each) => rest.startsWith(each));
      if (label === undefined) {
        const mayCome = !isEnd && PRIVATE_KEY_LABELS.some((each) => each.startsWith(rest));
        return mayCome ? 'undecided' : 'none';
      }
      this.#open = 'private-key';
      this.#charactersLeft = PRIVATE_KEY_MOST;
      this.#hyphens = this.#fences = 0;
      return behind + label.length;
    }
    const end = behind + LEAST.get(beginning)!;
    for (let at = behind; at < end; at++) {
      if (at >= text.length) return isEnd ? 'none' : 'undecided';
      if (!isToken(text.charCodeAt(at))) return 'none';
    }
    this.#open = 'token';
    return end;
  }

  /** Where what is open ends, or the text; closes what has ended. */
  #goOn(text: string, from: number): number {
    let at = from;
    if (this.#open === 'token') {
      while (at < text.length && isToken(text.charCodeAt(at))) at++;
    } else {
      while (at < text.length && this.#isOfPrivateKey(text[at]!)) at++;
    }
    if (at < text.length) this.#open = 'none';
    return at;
  }

  #isOfPrivateKey(character: string): boolean {
    if (this.#fences === 2 || this.#charactersLeft-- <= 0 || !KEY_CHARACTER.test(character)) return false;
    this.#hyphens = character === '-' ? this.#hyphens + 1 : 0;
    if (this.#hyphens === 5) this.#fences++;
    return true;
  }
}

const LEAST: ReadonlyMap<string, number> = new Map(BEGINNINGS);
const LABEL_MOST = Math.max(...PRIVATE_KEY_LABELS.map((label) => label.length));
const WORDS = [...BEGINNINGS.map(([beginning]) => beginning), PRIVATE_KEY];
const BEGINNING = new RegExp(WORDS.map((word) => word.replaceAll('.', '\\.')).join('|'), 'g');
/** Base64 and its lines, fields of old formats, and the backslash of a line break that is written out. */
const KEY_CHARACTER = /[A-Za-z0-9+/=\s\\:,-]/;

/** Where the text ends within the beginning of a secret; its length where it does not. */
function cutBeginning(text: string): number {
  for (let at = Math.max(0, text.length - PRIVATE_KEY.length); at < text.length; at++) {
    if (isWord(text.charCodeAt(at - 1))) continue;
    const rest = text.slice(at);
    if (WORDS.some((word) => word.startsWith(rest))) return at;
  }
  return text.length;
}

function isWord(unit: number): boolean {
  return isLatinLetterOrDigit(unit) || unit === UNDERSCORE;
}

/** Of base64url, and the dot between the parts of a token. */
function isToken(unit: number): boolean {
  return isWord(unit) || unit === HYPHEN || unit === DOT;
}

const UNDERSCORE = 0x5f;
const HYPHEN = 0x2d;
const DOT = 0x2e;
