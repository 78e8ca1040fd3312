/**
 * What a certificate says (RFC 5280), read from its DER. node:crypto verifies signatures, but tells names as texts that have to be
 * taken apart again, and says nothing of extensions that one must understand.
 */
import {
  contextTag,
  type DerElement,
  readBoolean,
  readCount,
  readElements,
  readMoment,
  readObjectId,
  readOnly,
  readWithin,
  TAG,
} from './der.ts';
import { distinguishedName } from './distinguished-name.ts';

export interface Certificate {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** As RFC 4514 writes it. */
  readonly subjectText: string;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly beginsMs: number;
  /** The first millisecond in which it counts no more. */
  readonly endsMs: number;
  readonly signatureAlgorithm: string;
  /** Certificates that may follow below this one, of an authority; null for one that is none. */
  readonly authorityDepth: number | null;
  /** Bits of keyUsage by their numbers; null where nothing is said. */
  readonly keyUsage: number | null;
  readonly extendedKeyUsage: readonly string[] | null;
  /** It has extensions that must be understood and are not, or limits the names that it vouches for. */
  readonly restricted: boolean;
}

export const CERTIFICATE_BYTES_MAX = 16 * 1024;
/** Each costs a look-up. */
const NAMES_MAX = 100;

/** Null for what is no certificate, or can be read in more than one way. */
export function readCertificate(der: Uint8Array): Certificate | null {
  if (der.length > CERTIFICATE_BYTES_MAX) return null;
  const parts = readWithin(der, TAG.sequence);
  if (parts?.length !== 3) return null;
  const [signed, algorithm, signature] = parts as [DerElement, DerElement, DerElement];
  if (signed.tag !== TAG.sequence || signature.tag !== TAG.bits) return null;
  const signatureAlgorithm = readAlgorithm(algorithm);
  const fields = readFields(signed);
  if (signatureAlgorithm === null || fields === null) return null;
  const extensions = readExtensions(fields.extensions);
  const subjectText = distinguishedName(fields.subject);
  const validity = readValidity(fields.validity);
  if (extensions === null || subjectText === null || validity === null) return null;
  return {
    issuer: fields.issuer.whole,
    subject: fields.subject.whole,
    subjectText,
    ...validity,
    signatureAlgorithm,
    ...extensions,
  };
}

interface Fields {
  readonly issuer: DerElement;
  readonly validity: DerElement;
  readonly subject: DerElement;
  /** Null for certificates of older versions. */
  readonly extensions: DerElement | null;
}

function readFields(signed: DerElement): Fields | null {
  const all = readElements(signed.content);
  if (all === null) return null;
  const elements = [...all];
  if (elements[0]?.tag === VERSION_TAG) elements.shift();
  const [serial, algorithm, issuer, validity, subject, key, ...further] = elements;
  if (serial?.tag !== TAG.integer || algorithm?.tag !== TAG.sequence || key?.tag !== TAG.sequence)
    return null;
  if (issuer?.tag !== TAG.sequence || validity?.tag !== TAG.sequence || subject?.tag !== TAG.sequence)
    return null;
  // Unique identifiers, of which nobody says anything, and extensions: each once, in this order.
  const tags = further.map(({ tag }) => tag);
  if (tags.some((tag, at) => !FURTHER_TAGS.includes(tag) || (at > 0 && tag <= tags[at - 1]!))) return null;
  return {
    issuer,
    validity,
    subject,
    extensions: further.find(({ tag }) => tag === EXTENSIONS_TAG) ?? null,
  };
}

const VERSION_TAG = contextTag(0, 'elements');
const EXTENSIONS_TAG = contextTag(3, 'elements');
const FURTHER_TAGS = [contextTag(1, 'value'), contextTag(2, 'value'), EXTENSIONS_TAG];

function readAlgorithm({ tag, content }: DerElement): string | null {
  const [id] = (tag === TAG.sequence ? readElements(content) : null) ?? [];
  return id?.tag === TAG.object ? readObjectId(id.content) : null;
}

function readValidity({ content }: DerElement): Pick<Certificate, 'beginsMs' | 'endsMs'> | null {
  const moments = readElements(content);
  if (moments?.length !== 2) return null;
  const [beginsMs, lastMs] = [readMoment(moments[0]!), readMoment(moments[1]!)];
  // Its last second is a part of its life.
  return beginsMs === null || lastMs === null ? null : { beginsMs, endsMs: lastMs + 1_000 };
}

type Extensions = Pick<
  Certificate,
  'dnsNames' | 'uris' | 'authorityDepth' | 'keyUsage' | 'extendedKeyUsage' | 'restricted'
>;
type Known = { -readonly [Name in keyof Extensions]: Extensions[Name] };

function readExtensions(element: DerElement | null): Extensions | null {
  const known: Known = {
    dnsNames: [],
    uris: [],
    authorityDepth: null,
    keyUsage: null,
    extendedKeyUsage: null,
    restricted: false,
  };
  if (element === null) return known;
  const extensions = readWithin(element.content, TAG.sequence);
  if (extensions === null) return null;
  const met = new Set<string>();
  for (const extension of extensions) {
    const read = readExtension(extension);
    if (read === null || met.has(read.id)) return null;
    met.add(read.id);
    const reader = READERS.get(read.id);
    if (reader === undefined) known.restricted ||= read.critical && !UNDERSTOOD.has(read.id);
    else if (!reader(read.value, known)) return null;
  }
  return known;
}

interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

function readExtension({ tag, content }: DerElement): Extension | null {
  const parts = tag === TAG.sequence ? readElements(content) : null;
  const [id, second, third] = parts ?? [];
  if (parts === null || id?.tag !== TAG.object || parts.length > 3) return null;
  const name = readObjectId(id.content);
  const value = parts.length === 3 ? third : second;
  const critical = parts.length === 3 ? second!.tag === TAG.boolean && readBoolean(second!.content) : false;
  // DER leaves out what is the default.
  if (name === null || value?.tag !== TAG.octets || critical === null || (parts.length === 3 && !critical))
    return null;
  return { id: name, critical, value: value.content };
}

/** False for a value that is none of its kind. */
type Reader = (value: Uint8Array, known: Known) => boolean;

const READERS: ReadonlyMap<string, Reader> = new Map([
  ['2.5.29.17', readAlternativeNames],
  ['2.5.29.19', readBasicConstraints],
  ['2.5.29.15', readKeyUsage],
  ['2.5.29.37', readExtendedKeyUsage],
  // Names that an authority may vouch for: they are not checked here, so it vouches for none.
  ['2.5.29.30', restrict],
]);
/** Policies: any is accepted. */
const UNDERSTOOD: ReadonlySet<string> = new Set(['2.5.29.32']);

function restrict(_value: Uint8Array, known: Known): boolean {
  known.restricted = true;
  return true;
}

function readAlternativeNames(value: Uint8Array, known: Known): boolean {
  const names = readWithin(value, TAG.sequence);
  if (names === null || names.length > NAMES_MAX) return false;
  for (const { tag, content } of names) {
    const text = Buffer.from(content).toString('latin1');
    if (tag !== DNS_TAG && tag !== URI_TAG) continue;
    if (!VISIBLE.test(text)) return false;
    if (tag === DNS_TAG) known.dnsNames = [...known.dnsNames, text.toLowerCase()];
    else known.uris = [...known.uris, text];
  }
  return true;
}

const DNS_TAG = contextTag(2, 'value');
const URI_TAG = contextTag(6, 'value');
const VISIBLE = /^[!-~]+$/;

function readBasicConstraints(value: Uint8Array, known: Known): boolean {
  const parts = readWithin(value, TAG.sequence);
  if (parts === null || parts.length > 2) return false;
  const [isAuthority, depth] = parts;
  if (isAuthority === undefined) return true;
  if (isAuthority.tag !== TAG.boolean || readBoolean(isAuthority.content) !== true) return false;
  if (depth !== undefined && depth.tag !== TAG.integer) return false;
  known.authorityDepth = depth === undefined ? Number.POSITIVE_INFINITY : readCount(depth.content);
  return known.authorityDepth !== null;
}

function readKeyUsage(value: Uint8Array, known: Known): boolean {
  const bits = readOnly(value, TAG.bits);
  if (bits === null || bits.content.length < 2 || bits.content.length > 3 || bits.content[0]! > 7)
    return false;
  known.keyUsage = bits.content[1]!;
  return true;
}

function readExtendedKeyUsage(value: Uint8Array, known: Known): boolean {
  const usages = readWithin(value, TAG.sequence);
  if (usages === null || usages.length === 0 || usages.length > NAMES_MAX) return false;
  const ids = usages.map(({ tag, content }) => (tag === TAG.object ? readObjectId(content) : null));
  if (ids.includes(null)) return false;
  known.extendedKeyUsage = ids as readonly string[];
  return true;
}
