/** The field lines a request is forwarded with: what the client sent, less what was for this hop, plus what the gateway says. */
import type { HeaderEdits } from '../pipeline/context.ts';
import {
  AUTHORIZATION,
  FORWARDING,
  KEY,
  PASS,
  SIGNATURE,
  SIGNATURE_INPUT,
  TRACESTATE,
} from './field-kinds.ts';
import { BAD_VALUE, classifyValue, PLAIN_VALUE, toByteString } from './field-text.ts';
import type { FrontFacts } from './front-checks.ts';
import { bearerToken } from './front-checks.ts';

export interface ForwardingFacts {
  /** `none`: those of the client pass. `withheld`: neither its own nor any about it. */
  readonly forwardedFields: 'x-forwarded' | 'forwarded' | 'none' | 'withheld';
  /** As the client came. */
  readonly scheme: 'http' | 'https';
  readonly ip: string;
  /** Whether fields with keys were taken as credentials of this gateway: then they end here. */
  readonly keys: 'consumed' | 'passed';
  /** The same of signatures: a service could use one again, elsewhere. */
  readonly signatures: 'consumed' | 'passed';
}

/**
 * Lines of one character per byte, each ended by CRLF. Those of the request before are kept: when header section, address,
 * edits and keys are the same, so are they, as one and the same text – which need not be checked again where it leaves.
 */
export class RequestFieldLines {
  #section = -1;
  #forwardedFields: ForwardingFacts['forwardedFields'] = 'none';
  #ip = '';
  #keys: ForwardingFacts['keys'] = 'consumed';
  #signatures: ForwardingFacts['signatures'] = 'consumed';
  #removed: readonly string[] = [];
  #set: readonly string[] = [];
  #lines: string | null = null;

  /** Null when a rule sets a field to a value that no field may have (a decoded path parameter can hold a line break). */
  of(
    fields: readonly string[],
    facts: FrontFacts,
    edits: HeaderEdits,
    forwarding: ForwardingFacts,
  ): string | null {
    const same =
      facts.section === this.#section &&
      forwarding.ip === this.#ip &&
      forwarding.forwardedFields === this.#forwardedFields &&
      forwarding.keys === this.#keys &&
      forwarding.signatures === this.#signatures &&
      areSame(edits.removed, this.#removed) &&
      areSame(edits.set, this.#set);
    if (same) return this.#lines;
    this.#section = facts.section;
    this.#forwardedFields = forwarding.forwardedFields;
    this.#ip = forwarding.ip;
    this.#keys = forwarding.keys;
    this.#signatures = forwarding.signatures;
    this.#removed = [...edits.removed];
    this.#set = [...edits.set];
    this.#lines = requestFieldLines(fields, facts, edits, forwarding);
    return this.#lines;
  }
}

function areSame(texts: readonly string[], others: readonly string[]): boolean {
  if (texts.length !== others.length) return false;
  for (let index = 0; index < texts.length; index++) if (texts[index] !== others[index]) return false;
  return true;
}

function requestFieldLines(
  fields: readonly string[],
  facts: FrontFacts,
  edits: HeaderEdits,
  forwarding: ForwardingFacts,
): string | null {
  let lines = '';
  const edited = edits.removed.length > 0 || edits.set.length > 0;
  for (let index = 0; index < fields.length; index += 2) {
    const kind = facts.kinds[index >> 1]!;
    const name = fields[index]!;
    const value = fields[index + 1]!;
    if (kind !== PASS && !passesOn(kind, value, facts, forwarding)) continue;
    if (facts.connectionFields?.includes(name) === true) continue;
    if (edited && isEdited(name, edits)) continue;
    lines += `${name}: ${facts.wide[index >> 1] === 0 ? value : toByteString(value)}\r\n`;
  }
  lines += `via: 1.1 portunus\r\n${forwardedLines(facts, forwarding)}`;
  return edits.set.length === 0 ? lines : appendSet(lines, edits);
}

/** Lines of the fields that rules set; null when a value can't be one. */
export function appendSet(lines: string, edits: HeaderEdits): string | null {
  for (let index = 0; index < edits.set.length; index += 2) {
    const value = edits.set[index + 1]!;
    const kind = classifyValue(value);
    if (kind === BAD_VALUE) return null;
    lines += `${edits.set[index]!}: ${kind === PLAIN_VALUE ? value : toByteString(value)}\r\n`;
  }
  return lines;
}

export function isEdited(name: string, edits: HeaderEdits): boolean {
  if (edits.removed.includes(name)) return true;
  for (let index = 0; index < edits.set.length; index += 2) if (edits.set[index] === name) return true;
  return false;
}

function passesOn(kind: number, value: string, facts: FrontFacts, forwarding: ForwardingFacts): boolean {
  switch (kind) {
    case AUTHORIZATION:
      return (forwarding.keys === 'passed' || bearerToken(value) === '') && !value.includes(OWN_KEY);
    case KEY:
      return forwarding.keys === 'passed' && !value.includes(OWN_KEY);
    case SIGNATURE_INPUT:
    case SIGNATURE:
      return forwarding.signatures === 'passed';
    case TRACESTATE:
      // W3C Trace Context, 3.3: without a valid traceparent it means nothing.
      return facts.traceparent !== '';
    case FORWARDING:
      return forwarding.forwardedFields === 'none';
    default:
      return false;
  }
}

function forwardedLines(facts: FrontFacts, forwarding: ForwardingFacts): string {
  switch (forwarding.forwardedFields) {
    case 'none':
    case 'withheld':
      return '';
    case 'x-forwarded':
      return `x-forwarded-for: ${forwarding.ip}\r\nx-forwarded-proto: ${forwarding.scheme}\r\nx-forwarded-host: ${facts.authority}\r\n`;
    case 'forwarded': {
      // RFC 7239, 6: an IPv6 address is bracketed and quoted; so is a host with a port.
      const client = forwarding.ip.includes(':') ? `"[${forwarding.ip}]"` : forwarding.ip;
      return `forwarded: for=${client};host="${facts.authority}";proto=${forwarding.scheme}\r\n`;
    }
  }
}

/**
 * Keys of this gateway begin so: they are never shown to a service, not even on a route that needs none. Looked for
 * anywhere in the value: behind a tab, in quotes or in a list it is no key to the gateway, but still one to a thief.
 */
const OWN_KEY = 'ptn_';
