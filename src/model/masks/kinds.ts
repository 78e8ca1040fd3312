import { CARD_MOST, card } from './card.ts';
import { EMAIL_MOST, email } from './email.ts';
import { IBAN_MOST, iban } from './iban.ts';
import { IP_MOST, ipv4, ipv6 } from './ip.ts';
import { internationalPhone, northAmericanPhone, PHONE_MOST } from './phone.ts';
import type { RecogniserOf } from './recogniser.ts';
import { SECRET_MOST, secret } from './secret.ts';
import { SSN_MOST, ssn } from './ssn.ts';

export interface MaskKindInfo {
  readonly recognisers: readonly RecogniserOf[];
  /** Most UTF-16 code units that are held back until it is decided whether they are one. */
  readonly unitsMost: number;
  /** What exactly is found, for people. */
  readonly finds: string;
}

/** What a mask can be about by a word of the language. */
export const MASK_KINDS = {
  email: {
    recognisers: [email],
    unitsMost: EMAIL_MOST,
    finds:
      'Addresses like `ann@mail.example`: up to 64 letters (Latin, Greek, Cyrillic), digits and `._%+-`, an `@`, and two labels or more of which the last begins with a letter.',
  },
  card: {
    recognisers: [card],
    unitsMost: CARD_MOST,
    finds:
      'Numbers of payment cards: 13 to 19 digits that begin as issuers begin (3 to 6, or 2221 to 2720) and have the right check digit (Luhn); in one piece, or a group of four and groups of three to six, all behind a blank or all behind a hyphen.',
  },
  phone: {
    recognisers: [internationalPhone, northAmericanPhone],
    unitsMost: PHONE_MOST,
    finds:
      'Telephone numbers in international form – `+` and 7 to 15 digits, or `00` and 9 to 15, with blanks, `-`, `.`, `/` and brackets between them – or in the groups of North America: `(212) 555-0123`, `212-555-0123`.',
  },
  iban: {
    recognisers: [iban],
    unitsMost: IBAN_MOST,
    finds:
      'Bank account numbers (ISO 13616) with the length of their country and the right check digits, in one piece or in groups of four.',
  },
  ip: {
    recognisers: [ipv4, ipv6],
    unitsMost: IP_MOST,
    finds: 'IPv4 addresses, and IPv6 addresses that have a digit in them.',
  },
  ssn: {
    recognisers: [ssn],
    unitsMost: SSN_MOST,
    finds:
      'Social security numbers of the United States, three, two and four digits with a hyphen or a blank between them, as they are issued.',
  },
  secret: {
    recognisers: [secret],
    unitsMost: SECRET_MOST,
    finds:
      'Keys by how they begin and what follows – OpenAI and its kin (`sk-`), Stripe, Slack, GitHub, GitLab, npm, PyPI, Hugging Face, Groq, xAI, AWS, Google, SendGrid, Portunus – JSON Web Tokens, and private keys in PEM up to 16,384 characters. They are masked to their end, however long.',
  },
} as const satisfies Readonly<Record<string, MaskKindInfo>>;

export type MaskKind = keyof typeof MASK_KINDS;

export function isMaskKind(word: string): word is MaskKind {
  return Object.hasOwn(MASK_KINDS, word);
}

/** What is removed, and what stands in its place. Plain data. */
export interface Mask {
  readonly kinds: readonly MaskKind[];
  /** Regular expressions that `patternLength` gave a length. */
  readonly patterns: readonly string[];
  readonly text: string;
}

/** What stands in the place of what is removed where a rule does not say. */
export const MASK_TEXT = '[removed]';
