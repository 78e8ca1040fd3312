import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { signerNameHash } from '../model/credential-hash.ts';
import type { SignatureSettings } from '../model/world.ts';
import type {
  Identity,
  IdentitySource,
  KnownKey,
  SeenSignatures,
  SignatureFault,
  SignedRequest,
  VerifiedSignature,
} from '../pipeline/identity.ts';
import { createSignatureVerifier } from './request-signatures.ts';

const NOW_S = 1_795_000_000;
const NOW_MS = NOW_S * 1_000;
const KEY_ID = 'acme/web/signer';
const SECRET = Buffer.from('a secret of at least thirty-two bytes');
const SETTINGS: SignatureSettings = {
  components: ['@method', '@authority', '@path', '@query'],
  maxAgeMs: 60_000,
  clockSkewMs: 10_000,
};
const KNOWN: KnownKey = { slot: 1, state: 5, identity: {} as Identity };

let secrets: readonly Uint8Array[];
let remembered: { readonly signature: string; readonly untilMs: number }[];
let room: boolean;

beforeEach(() => {
  secrets = [SECRET];
  remembered = [];
  room = true;
});

const SEEN: SeenSignatures = {
  remember(signature, untilMs) {
    const text = Buffer.from(signature).toString('hex');
    if (remembered.some((each) => each.signature === text)) return 'seen';
    if (!room) return 'full';
    remembered.push({ signature: text, untilMs });
    return 'new';
  },
};

function sourceOf(keyId: string): IdentitySource {
  const hash = signerNameHash(keyId);
  return {
    identify: () => 'unknown',
    identifyByName: (name) => (Buffer.compare(name, hash) === 0 ? KNOWN : 'unknown'),
    secretsOf: () => secrets,
    holds: () => true,
    named: () => null,
  };
}

interface Signing {
  readonly request?: Partial<SignedRequest>;
  readonly components?: readonly string[];
  /** What stands behind the components. */
  readonly parameters?: string;
  readonly secret?: Uint8Array;
  readonly base?: (lines: string) => string;
}

const REQUEST: Omit<SignedRequest, 'input' | 'signature'> = {
  method: 'GET',
  scheme: 'http',
  authority: 'Api.acme.example:80',
  path: '/orders/%7Eme',
  query: 'a=1&b',
  fields: ['host', 'Api.acme.example:80', 'x-a', ' one ', 'date', 'today', 'x-a', 'two'],
  connectionFields: [],
  body: 'none',
};
const LINES: Readonly<Record<string, string>> = {
  '@method': 'GET',
  '@authority': 'api.acme.example',
  '@path': '/orders/%7Eme',
  '@query': '?a=1&b',
  '@scheme': 'http',
  '@request-target': '/orders/%7Eme?a=1&b',
  '@target-uri': 'http://api.acme.example/orders/%7Eme?a=1&b',
  'x-a': 'one, two',
  date: 'today',
};
const PARAMETERS = `;created=${NOW_S};keyid="${KEY_ID}"`;

/** A client of its own: it writes the lines, not the parts that are tested. */
function signed({
  request = {},
  components = SETTINGS.components,
  parameters = PARAMETERS,
  secret = SECRET,
  base = (lines) => lines,
}: Signing = {}): SignedRequest {
  const fields = request.fields ?? REQUEST.fields;
  const lineOf = (name: string): string => {
    const at = fields.indexOf(name);
    return LINES[name] ?? fields[at + 1] ?? '';
  };
  const list = `(${components.map((name) => `"${name}"`).join(' ')})${parameters}`;
  const lines = [...components.map((name) => `"${name}": ${lineOf(name)}`), `"@signature-params": ${list}`];
  const mac = createHmac('sha256', secret)
    .update(base(lines.join('\n')))
    .digest('base64');
  return { ...REQUEST, ...request, input: `sig=${list}`, signature: `sig=:${mac}:`, ...onlyFields(request) };
}

function onlyFields({ input, signature }: Partial<SignedRequest>): Partial<SignedRequest> {
  return { ...(input === undefined ? {} : { input }), ...(signature === undefined ? {} : { signature }) };
}

function verify(
  request: SignedRequest,
  { settings = SETTINGS, nowMs = NOW_MS, startedMs = 0, keyId = KEY_ID } = {},
): VerifiedSignature | SignatureFault {
  return createSignatureVerifier({ settings, seen: SEEN, startedMs }).verify(request, sourceOf(keyId), nowMs);
}

function faultOf(outcome: VerifiedSignature | SignatureFault): string {
  return 'fault' in outcome ? outcome.fault : 'accepted';
}

describe('the example of RFC 9421, B.2.5', () => {
  const example: SignedRequest = {
    method: 'POST',
    scheme: 'https',
    authority: 'example.com',
    path: '/foo',
    query: 'param=Value&Pet=dog',
    fields: [
      ...['host', 'example.com', 'date', 'Tue, 20 Apr 2021 02:07:55 GMT', 'content-type', 'application/json'],
      ...['content-length', '18'],
    ],
    connectionFields: [],
    body: 'none',
    input: 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    signature: 'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
  };
  const options = {
    settings: { ...SETTINGS, components: ['date', '@authority'] },
    nowMs: 1_618_884_474_000,
    keyId: 'test-shared-secret',
  };
  beforeEach(() => {
    secrets = [
      Buffer.from(
        'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
        'base64',
      ),
    ];
  });

  it('is accepted', () => {
    expect(verify(example, options)).toEqual({
      known: KNOWN,
      nameHash: signerNameHash('test-shared-secret'),
      isSigned: null,
    });
  });

  it('and not with any covered value changed', () => {
    const fields = [...example.fields];
    fields[3] = 'Tue, 20 Apr 2021 02:07:56 GMT';
    expect(faultOf(verify({ ...example, fields }, options))).toBe('signature_invalid');
    expect(faultOf(verify({ ...example, authority: 'example.org' }, options))).toBe('signature_invalid');
  });

  it('where the body is to be covered it lacks a digest', () => {
    expect(faultOf(verify({ ...example, body: 'some' }, options))).toBe('signature_incomplete');
  });
});

describe('what is covered', () => {
  it.each([
    [SETTINGS.components],
    [['@target-uri', '@method']],
    [['@method', '@authority', '@request-target', 'x-a', 'date']],
    [['@scheme', ...SETTINGS.components]],
  ])('%j is enough', (components) => {
    expect(faultOf(verify(signed({ components })))).toBe('accepted');
  });

  it.each([
    ['@method', ['@authority', '@path', '@query']],
    ['@query', ['@method', '@authority', '@path']],
    ['@authority', ['@method', '@request-target']],
  ])('without %s it is not', (missing, components) => {
    expect(verify(signed({ components }))).toEqual({
      fault: 'signature_incomplete',
      detail: `The signature does not cover "${missing}".`,
    });
  });

  it.each<[string, Partial<SignedRequest>]>([
    ['method', { method: 'POST' }],
    ['path', { path: '/orders/me' }],
    ['query', { query: 'a=1' }],
    ['authority', { authority: 'evil.example' }],
  ])('another %s is another request', (_what, change) => {
    expect(faultOf(verify({ ...signed(), ...change }))).toBe('signature_invalid');
  });

  it('a field that is missing, or is no ASCII, can not be', () => {
    const components = [...SETTINGS.components, 'x-b'];
    expect(faultOf(verify(signed({ components })))).toBe('signature_malformed');
    const fields = [...REQUEST.fields, 'x-b', 'größe'];
    expect(faultOf(verify(signed({ components, request: { fields } })))).toBe('signature_malformed');
  });

  it('a field that Connection takes away can not be', () => {
    const request = { connectionFields: ['x-other', 'x-a'] };
    expect(verify(signed({ components: [...SETTINGS.components, 'x-a'], request }))).toEqual({
      fault: 'signature_malformed',
      detail: 'Connection takes "x-a" away, which the signature covers.',
    });
    expect(faultOf(verify(signed({ request })))).toBe('accepted');
    expect(remembered).toHaveLength(1);
  });

  it('an empty query and a usual port of https', () => {
    const request = { query: '', scheme: 'https', authority: 'api.acme.example:443' } as const;
    const base = (lines: string): string => lines.replace('?a=1&b', '?');
    expect(faultOf(verify(signed({ request, base })))).toBe('accepted');
  });
});

describe('a body', () => {
  const body = Buffer.from('{"hello": "world"}');
  const digests = {
    'sha-256': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`,
    'sha-512': `sha-512=:${createHash('sha512').update(body).digest('base64')}:`,
  };
  const withDigest = (digest: string, rest: Partial<SignedRequest> = {}) =>
    signed({
      components: [...SETTINGS.components, 'content-digest'],
      request: { fields: ['content-digest', digest], body: 'some', ...rest },
    });

  it.each([
    digests['sha-256'],
    digests['sha-512'],
    `${digests['sha-256']}, ${digests['sha-512']}`,
    `md5=:AAAA:, ${digests['sha-256']}`,
  ])('is the one that was signed: %s', (digest) => {
    const outcome = verify(withDigest(digest));
    if ('fault' in outcome) throw new Error(outcome.detail);
    expect([outcome.isSigned!(body), outcome.isSigned!(Buffer.from('{}'))]).toEqual([true, false]);
  });

  it('that was signed and taken away is missed', () => {
    const outcome = verify(withDigest(digests['sha-256'], { body: 'none' }));
    if ('fault' in outcome) throw new Error(outcome.detail);
    expect(outcome.isSigned!(new Uint8Array(0))).toBe(false);
  });

  it('of several digests each has to be right', () => {
    const other = `sha-512=:${createHash('sha512').update('x').digest('base64')}:`;
    const outcome = verify(withDigest(`${digests['sha-256']}, ${other}`));
    if ('fault' in outcome) throw new Error(outcome.detail);
    expect(outcome.isSigned!(body)).toBe(false);
  });

  it('needs a digest that is covered', () => {
    const request = { fields: ['content-digest', digests['sha-256']], body: 'some' } as const;
    expect(faultOf(verify(signed({ request })))).toBe('signature_incomplete');
  });

  it.each([
    ['md5=:AAAA:', 'digest_unsupported'],
    ['sha-256=:AAAA:', 'digest_malformed'],
    ['sha-256=x', 'digest_malformed'],
    ['nonsense=', 'digest_malformed'],
  ])('%s is refused: %s', (digest, fault) => {
    expect(faultOf(verify(withDigest(digest)))).toBe(fault);
  });
});

it('blanks within a covered field are signed as they are, a million of them no slower than other text', () => {
  const blanks = `a${' '.repeat(1_000_000)}\t b`;
  const fields = [...REQUEST.fields, 'x-blanks', blanks];
  const components = [...SETTINGS.components, 'x-blanks'];
  expect(faultOf(verify(signed({ request: { fields }, components })))).toBe('accepted');
  const wrapped = [...REQUEST.fields, 'x-blanks', `\t ${blanks} \t`];
  const base = (lines: string) => lines.replace(`\t ${blanks} \t`, blanks);
  secrets = [Buffer.from('another secret of thirty-two bytes or so')];
  const secret = secrets[0]!;
  expect(faultOf(verify(signed({ request: { fields: wrapped }, components, base, secret })))).toBe(
    'accepted',
  );
});

describe('time', () => {
  const at = (createdS: number, rest = '') =>
    signed({ parameters: `;created=${createdS};keyid="${KEY_ID}"${rest}` });

  it.each([
    ['ten seconds ahead', NOW_S + 10, 'accepted'],
    ['eleven ahead', NOW_S + 11, 'signature_expired'],
    ['69 seconds old', NOW_S - 69, 'accepted'],
    ['70 seconds old', NOW_S - 70, 'signature_expired'],
  ])('%s', (_when, createdS, outcome) => {
    expect(faultOf(verify(at(createdS)))).toBe(outcome);
  });

  it('expires is honoured', () => {
    expect(faultOf(verify(at(NOW_S, `;expires=${NOW_S - 9}`)))).toBe('accepted');
    expect(faultOf(verify(at(NOW_S, `;expires=${NOW_S - 10}`)))).toBe('signature_expired');
  });

  it('nothing from before the start counts: it may have been used', () => {
    expect(faultOf(verify(at(NOW_S), { startedMs: NOW_MS + 1 }))).toBe('signature_expired');
    expect(faultOf(verify(at(NOW_S), { startedMs: NOW_MS }))).toBe('accepted');
  });
});

describe('once', () => {
  it('a second time it is refused, for as long as it would be accepted', () => {
    expect(faultOf(verify(signed()))).toBe('accepted');
    expect(faultOf(verify(signed()))).toBe('signature_replayed');
    expect(remembered).toEqual([{ signature: expect.any(String), untilMs: NOW_MS + 70_000 }]);
    const nonce = { parameters: `${PARAMETERS};nonce="2"` };
    expect(faultOf(verify(signed(nonce)))).toBe('accepted');
  });

  it('without room to remember it none is accepted', () => {
    room = false;
    expect(faultOf(verify(signed()))).toBe('signatures_full');
  });

  it('what is not valid takes no room', () => {
    verify(signed({ secret: Buffer.alloc(32) }));
    verify(signed(), { keyId: 'acme/web/other' });
    verify(signed({ components: ['@method'] }));
    expect(remembered).toEqual([]);
  });
});

describe('who', () => {
  it('an unknown key id and a wrong secret are one answer', () => {
    expect(verify(signed(), { keyId: 'nobody' })).toEqual(verify(signed({ secret: Buffer.alloc(32) })));
  });

  it('while one secret takes the place of the other, both are good', () => {
    const next = Buffer.from('another secret of thirty-two bytes or so');
    secrets = [next, SECRET];
    expect(faultOf(verify(signed()))).toBe('accepted');
    expect(faultOf(verify(signed({ secret: next })))).toBe('accepted');
  });

  it('a credential without secrets lets nobody in', () => {
    secrets = [];
    expect(faultOf(verify(signed({ secret: Buffer.alloc(32) })))).toBe('signature_invalid');
  });
});

describe('what is malformed', () => {
  it.each<[string, Partial<SignedRequest>]>([
    ['no dictionary', { input: 'sig=(' }],
    ['another name', { signature: `sig2=:${Buffer.alloc(32).toString('base64')}:` }],
    ['two signatures', { input: `a=("@path")${PARAMETERS}, b=("@path")${PARAMETERS}` }],
    ['no list', { input: `sig="@path"${PARAMETERS}` }],
    ['no signature', { signature: '' }],
    ['a short signature', { signature: 'sig=:AAAA:' }],
    ['a component twice', { input: `sig=("@path" "@path")${PARAMETERS}` }],
    ['a component with parameters', { input: `sig=("@path";req)${PARAMETERS}` }],
    ['an unknown component', { input: `sig=("@status")${PARAMETERS}` }],
    ['a token for a component', { input: `sig=(path)${PARAMETERS}` }],
    ['capitals', { input: `sig=("Date")${PARAMETERS}` }],
    ['no created', { input: `sig=("@path");keyid="${KEY_ID}"` }],
    ['created as a text', { input: `sig=("@path");created="1";keyid="${KEY_ID}"` }],
    ['a negative moment', { input: `sig=("@path");created=-1;keyid="${KEY_ID}"` }],
    ['expires as a text', { input: `sig=("@path")${PARAMETERS};expires="x"` }],
    ['no keyid', { input: `sig=("@path");created=${NOW_S}` }],
    ['another algorithm', { input: `sig=("@path")${PARAMETERS};alg="ed25519"` }],
    ['a parameter twice', { input: `sig=("@path")${PARAMETERS};created=1` }],
  ])('%s', (_what, request) => {
    expect(faultOf(verify(signed({ request })))).toBe('signature_malformed');
  });

  it('whatever is sent, nothing is thrown, and nothing is accepted that was not signed', () => {
    const piece = fc.constantFrom(
      ...['sig=', 'sig', '("@method" "@authority" "@path" "@query")', '()', '("x")', ';created=1795000000'],
      ...[`;keyid="${KEY_ID}"`, ';nonce="x"', ';alg="hmac-sha256"', ';expires=9', ',', ' ', '"', ':', '='],
      `:${Buffer.alloc(32).toString('base64')}:`,
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
      fc.string({ maxLength: 80 }),
    );
    fc.assert(
      fc.property(text, text, (input, signature) => {
        expect(faultOf(verify({ ...REQUEST, input, signature }))).not.toBe('accepted');
      }),
      { numRuns: 2_000 },
    );
  });

  it('what is signed with any components and texts is accepted', () => {
    const name = fc.constantFrom('@scheme', '@request-target', '@target-uri', 'date', 'x-a');
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.stringMatching(/^[ !#-[\]-~]*$/), (further, nonce) => {
        remembered = [];
        const components = [...SETTINGS.components, ...further];
        const parameters = `${PARAMETERS};alg="hmac-sha256";nonce="${nonce}"`;
        expect(faultOf(verify(signed({ components, parameters })))).toBe('accepted');
      }),
    );
  });
});

it('says what it demands as RFC 9421, 5.1 has it', () => {
  const { accepted } = createSignatureVerifier({ settings: SETTINGS, seen: SEEN, startedMs: 0 });
  expect(accepted).toBe('sig=("@method" "@authority" "@path" "@query");created;keyid;alg="hmac-sha256"');
});
