import { beforeEach, describe, expect, it } from 'vitest';
import { identity } from '../../test/gateway/rules.ts';
import type { CertificateVerifier, IdentitySource, KnownKey } from '../pipeline/identity.ts';
import { CertificateIdentities } from './certificate-identities.ts';

/** A directory of names; what is revoked holds no more. */
class Names implements IdentitySource {
  readonly known = new Map<string, KnownKey>();
  add(name: string, consumer: string, expiresMs: number | null = null): void {
    this.known.set(name, { slot: this.known.size, state: 1, identity: identity(consumer, expiresMs) });
  }
  identify = (): 'unknown' => 'unknown';
  identifyByName(hash: Uint8Array, wallMs: number): KnownKey | 'unknown' | 'expired' {
    const found = this.known.get(Buffer.from(hash).toString());
    if (found === undefined) return 'unknown';
    const { expiresMs } = found.identity.credential;
    return expiresMs !== null && expiresMs <= wallMs ? 'expired' : found;
  }
  secretsOf = (): readonly Uint8Array[] => [];
  holds({ slot }: KnownKey): boolean {
    return [...this.known.values()].some((each) => each.slot === slot);
  }
  named = (): null => null;
}

let source: Names;
let asked: string[];

function identities(entriesMax = 10, proxies: readonly string[] = []): CertificateIdentities {
  const verify: CertificateVerifier['verify'] = (certificate, _chain, wallMs) => {
    asked.push(certificate);
    if (certificate === 'broken') return 'malformed';
    if (wallMs < 100 || wallMs >= 900) return { nameHashes: null, beginsMs: 100, endsMs: 900 };
    return {
      nameHashes: certificate.split('+').map((name) => Buffer.from(name)),
      beginsMs: 100,
      endsMs: 900,
    };
  };
  return new CertificateIdentities({ verify }, entriesMax, proxies);
}

function nameOf(found: ReturnType<CertificateIdentities['identify']>): string {
  return typeof found === 'string' ? found : found.consumer.name;
}

beforeEach(() => {
  source = new Names();
  asked = [];
});

describe('who is believed', () => {
  it.each([
    ['10.0.0.7', true],
    ['10.0.0.8', false],
    ['10.1.2.3', true],
    ['192.0.2.1', false],
    ['2001:db8::5', true],
    ['2001:db9::5', false],
    ['', false],
  ])('%s: %s', (peer, trusted) => {
    const proxies = identities(1, ['10.0.0.7', '10.1.0.0/16', '2001:db8::/32']);
    expect([proxies.trusts(peer), proxies.trusts('::'), proxies.trusts(peer)]).toEqual([
      trusted,
      false,
      trusted,
    ]);
  });

  it('nobody, where nobody is named', () => {
    expect(identities().trusts('127.0.0.1')).toBe(false);
  });
});

describe('whose a certificate is', () => {
  it('that of the first name that somebody has', () => {
    source.add('uri', 'by-uri');
    source.add('dns', 'by-dns');
    expect(nameOf(identities().identify('print+uri+dns', '', source, 500))).toBe('by-uri');
    expect(nameOf(identities().identify('print', '', source, 500))).toBe('unknown');
    expect(nameOf(identities().identify('broken', '', source, 500))).toBe('malformed');
  });

  it('is found out once, for each certificate and chain', () => {
    source.add('a', 'web');
    const known = identities();
    for (const chain of ['', '', 'x', 'x']) known.identify('a', chain, source, 500);
    expect(asked).toEqual(['a', 'a']);
  });

  it('ends with the certificate, with its credential, and with a revocation', () => {
    source.add('a', 'web', 700);
    source.add('b', 'web');
    const known = identities();
    expect(nameOf(known.identify('a', '', source, 699))).toBe('web');
    expect(nameOf(known.identify('a', '', source, 700))).toBe('unknown');
    expect(nameOf(known.identify('b', '', source, 899))).toBe('web');
    expect(nameOf(known.identify('b', '', source, 900))).toBe('outdated');
    known.identify('b', '', source, 500);
    expect(nameOf(known.identify('b', '', source, 99))).toBe('outdated');
    known.identify('b', '', source, 500);
    source.known.delete('b');
    expect(nameOf(known.identify('b', '', source, 500))).toBe('unknown');
  });

  it('follows a credential that was changed, and another directory', () => {
    source.add('a', 'web');
    const known = identities();
    known.identify('a', '', source, 500);
    source.known.set('a', { slot: 77, state: 1, identity: identity('shop') });
    expect(nameOf(known.identify('a', '', source, 500))).toBe('shop');
    const other = new Names();
    expect(nameOf(known.identify('a', '', other, 500))).toBe('unknown');
  });

  it('is kept within the bound, and works at none', () => {
    for (const name of ['a', 'b', 'c']) source.add(name, name);
    const few = identities(2);
    for (const name of ['a', 'b', 'c', 'c', 'a'])
      expect(nameOf(few.identify(name, '', source, 500))).toBe(name);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
    const none = identities(0);
    none.identify('a', '', source, 500);
    none.identify('a', '', source, 500);
    expect(asked).toHaveLength(6);
  });

  it('a stranger is read once, and let in as soon as it is somebody', () => {
    const known = identities();
    for (let n = 0; n < 3; n++) expect(nameOf(known.identify('a', '', source, 500))).toBe('unknown');
    expect(asked).toEqual(['a']);
    expect(nameOf(known.identify('a', '', source, 900))).toBe('outdated');
    source.add('a', 'web');
    expect(nameOf(known.identify('a', '', source, 500))).toBe('web');
    expect(asked).toEqual(['a']);
  });

  it.each([
    ['what is no certificate', 'broken', 500, 'malformed'],
    ['one that has ended', 'a', 900, 'outdated'],
    ['one that has not begun', 'a', 99, 'outdated'],
  ])('%s is read once', (_what, certificate, wallMs, expected) => {
    source.add('a', 'web');
    const known = identities();
    for (let n = 0; n < 3; n++)
      expect(nameOf(known.identify(certificate, '', source, wallMs))).toBe(expected);
    expect(asked).toEqual([certificate]);
  });

  it('one that had not begun is read anew when it has', () => {
    source.add('a', 'web');
    const known = identities();
    expect(nameOf(known.identify('a', '', source, 99))).toBe('outdated');
    expect(nameOf(known.identify('a', '', source, 100))).toBe('web');
  });

  it('blanks make no other certificate of it', () => {
    const known = identities();
    for (const chain of ['x,y', 'x, y', ' x\t ,  y ']) known.identify('a', chain, source, 500);
    expect(asked).toEqual(['a']);
    known.identify('a', 'x y', source, 500);
    expect(asked).toEqual(['a', 'a']);
  });

  it('strangers crowd nobody out', () => {
    source.add('a', 'web');
    const known = identities(1);
    known.identify('a', '', source, 500);
    for (let n = 0; n < 5; n++) known.identify(`stranger-${n}`, '', source, 500);
    asked = [];
    known.identify('a', '', source, 500);
    expect(asked).toEqual([]);
  });
});
