/** Certificates and signatures at the built gateway, with two data threads, over raw sockets. */
import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, CLIENT_AUTHENTICATION, makeCertificate } from '../upstream/certificate.ts';
import { type Project, RunningGateway, runPortunus, writeProject } from './running-gateway.ts';
import { type Answer, RawClient } from './sockets.ts';

const PROXY = '127.0.0.2';
const STRANGER = '127.0.0.1';
const SECRETS = [
  'the first secret, which is long enough',
  'the second secret, which is long enough',
] as const;
const LEAVING = 'the secret of one who leaves, which is long enough';

const ROOT = makeCertificate({ name: 'clients' });
const BETWEEN = makeCertificate({ name: 'between', authority: 0 }, ROOT);
const PINNED = makeCertificate({ name: 'pinned', years: [2020, 2049] });
const NAMED = makeCertificate(
  { name: 'named', uris: ['spiffe://acme/app'], usages: [CLIENT_AUTHENTICATION] },
  BETWEEN,
);
const ENDED = makeCertificate({ name: 'ended', years: [2020, 2021] });

interface Seen {
  readonly head: string;
  readonly body: string;
}
const seen: Seen[] = [];
const upstream = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    seen.push({ head: request.rawHeaders.join('\n').toLowerCase(), body });
    response.end('fine');
  });
});
let project: Project;
let gateway: RunningGateway;

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  const fingerprint = createHash('sha256').update(PINNED.der).digest('hex');
  project = await writeProject(
    {
      'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${port}" }] } }
routes:
  open: { service: s, match: { path: /open }, auth: none }
  mtls: { service: s, match: { path: /mtls }, identify: [mtls] }
  both: { service: s, match: { path: /both }, identify: [api-key, mtls] }
  hmac: { service: s, match: { path: "/hmac/{rest...}" }, identify: [hmac], request: { maxBody: 1KiB } }
`,
      'tenants/acme.yaml': `tenants:
  acme:
    plan: free
    consumers:
      web: { credentials: { pinned: { certificate: { sha256: "${fingerprint}" }, created: 2026-11-01 } } }
      app: { credentials: { named: { certificate: { uri: "spiffe://acme/app" }, created: 2026-11-01 } } }
      bot: { credentials: { signer: { secrets: ["file:secrets/bot"], created: 2026-11-01 } } }
      leaver: { credentials: { signer: { secrets: ["file:secrets/leaver"], created: 2026-11-01 } } }
      key: {}
`,
      'tenants/secrets/bot': `${SECRETS[0]}\n`,
      'tenants/secrets/leaver': `${LEAVING}\n`,
      'clients.pem': ROOT.certificate,
      'policies/p.policy': `language 1
policy "open" applies to route "open" { permit }
policy "p" applies to routes requiring identity {
    permit when credential.kind is "certificate" and consumer in ["web", "app"] and route in ["mtls", "both"]
    permit when credential.kind is "key" and route is "both"
    permit when credential.kind is "signature" and credential is "signer"
}
`,
    },
    {
      dataThreads: 2,
      settings: `clientCertificates: { trustedProxies: [${PROXY}], authorities: clients.pem }
limits: { signaturesRemembered: 1000 }`,
    },
  );
  gateway = await RunningGateway.start(project);
});
afterAll(async () => {
  await gateway.stop('SIGKILL');
  upstream.close();
  await project.remove();
});

/** Each over a connection of its own, so that both threads are met. */
async function send(text: string, from = STRANGER): Promise<Answer> {
  const client = await RawClient.connect(project.port, from);
  client.write(text);
  try {
    return await client.answer();
  } finally {
    client.destroy();
  }
}

function get(path: string, ...fields: readonly string[]): string {
  return `GET ${path} HTTP/1.1\r\n${['Host: api.example', ...fields, '', ''].join('\r\n')}`;
}

function cert({ der }: Certificate): string {
  return `Client-Cert: :${der.toString('base64')}:`;
}

function outcome({ status, body }: Answer): string {
  return status === 200 ? '200' : `${status} ${(JSON.parse(body) as { code: string }).code}`;
}

/** What several connections are answered: all alike. */
async function always(text: () => string, from = STRANGER): Promise<string> {
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(text(), from)));
  return [...new Set(answers.map(outcome))].join();
}

describe('Client-Cert', () => {
  it('is believed from a proxy that is trusted, and from nobody else', async () => {
    expect(await always(() => get('/mtls', cert(PINNED)), PROXY)).toBe('200');
    expect(await always(() => get('/mtls', cert(PINNED)), STRANGER)).toBe('401 unauthenticated');
    const chain = `Client-Cert-Chain: :${BETWEEN.der.toString('base64')}:`;
    expect(await always(() => get('/mtls', cert(NAMED), chain), PROXY)).toBe('200');
    expect(outcome(await send(get('/mtls', cert(NAMED)), PROXY))).toBe('401 certificate_unknown');
  });

  it('counts where nothing else is presented', async () => {
    const key = await gateway.key('acme', 'key');
    expect(outcome(await send(get('/both', cert(PINNED)), PROXY))).toBe('200');
    expect(outcome(await send(get('/both', cert(PINNED), `x-api-key: ${key}`), STRANGER))).toBe('200');
    expect(outcome(await send(get('/both', cert(PINNED), 'x-api-key: wrong'), PROXY))).toBe(
      '401 unauthenticated',
    );
  });

  it('reaches no service, whoever writes it and however', async () => {
    seen.length = 0;
    const chain = `cLIENT-cERT-cHAIN: :${BETWEEN.der.toString('base64')}:`;
    for (const from of [PROXY, STRANGER])
      expect(outcome(await send(get('/open', cert(PINNED), 'CLIENT-CERT: x', chain), from))).toBe('200');
    expect(outcome(await send(get('/mtls', cert(PINNED)), PROXY))).toBe('200');
    expect(seen).toHaveLength(3);
    for (const { head } of seen) expect(head).not.toMatch(/client[-_]cert/);
  });

  it.each([
    ['given twice', [cert(PINNED), cert(PINNED)], '400 malformed_client_cert'],
    ['that is empty', ['Client-Cert: ::', 'Client-Cert-Chain: ::'], '401 unauthenticated'],
    ['that is none', ['Client-Cert: :AAAA:'], '400 malformed_client_cert'],
    ['that is huge', [`Client-Cert: :${'A'.repeat(22_000)}:`], '400 malformed_client_cert'],
    ['that has ended', [cert(ENDED)], '401 certificate_outdated'],
    ['that is nobody’s', [cert(ROOT)], '401 certificate_unknown'],
  ])('%s is refused', async (_what, fields, expected) => {
    expect(outcome(await send(get('/mtls', ...fields), PROXY))).toBe(expected);
  });

  it('may come in several packets', async () => {
    // More than 4 KiB, and less than what the server of these tests takes.
    const text = get('/mtls', `x-long: ${'x'.repeat(9_000)}`, cert(PINNED));
    const client = await RawClient.connect(project.port, PROXY);
    for (let at = 0; at < text.length; at += 3_000) {
      client.write(text.slice(at, at + 3_000));
      await setImmediate();
    }
    expect(outcome(await client.answer())).toBe('200');
    client.destroy();
  });

  it('is listed as what it is, beside keys and signers', async () => {
    const { stdout } = await runPortunus(['keys', 'list', project.folder]);
    const kinds = stdout.split('\n').flatMap((line) => {
      const [name = '', kind = ''] = line.split(/ {2,}/);
      return name.startsWith('acme/') ? [`${name}: ${kind}`] : [];
    });
    expect(kinds).toEqual([
      'acme/app/named: certificate',
      'acme/bot/signer: signing',
      expect.stringMatching(/^acme\/key\/[^:]+: bearer key$/),
      'acme/leaver/signer: signing',
      'acme/web/pinned: certificate',
    ]);
  });

  it('lets nobody in once its credential is revoked, on every thread', async () => {
    expect((await runPortunus(['keys', 'rotate', 'acme/web/pinned', project.folder])).stderr).toContain(
      '"pinned" of consumer "web" of "acme" is no key, but a certificate.',
    );
    expect(await always(() => get('/mtls', cert(PINNED)), PROXY)).toBe('200');
    expect((await runPortunus(['keys', 'revoke', 'acme/web/pinned', project.folder])).stdout).toContain(
      'is revoked',
    );
    expect(await always(() => get('/mtls', cert(PINNED)), PROXY)).toBe('401 certificate_unknown');
  });
});

interface Signing {
  readonly path?: string;
  readonly body?: string;
  /** What is sent in its place. */
  readonly sent?: string;
  readonly framing?: 'length' | 'chunked';
  readonly secret?: string;
  readonly consumer?: 'bot' | 'leaver';
  readonly nonce?: string;
}

let nonces = 0;

/** As docs/callers.md says it is done. */
function signed({
  path = '/hmac/orders?n=1',
  body = '',
  sent = body,
  framing = 'length',
  secret = SECRETS[0],
  consumer = 'bot',
  nonce = String(++nonces),
}: Signing = {}): string {
  const method = body === '' ? 'GET' : 'POST';
  const [plain, query = ''] = path.split('?');
  const lines = [
    ['@method', method],
    ['@authority', 'api.example'],
    ['@path', plain],
    ['@query', `?${query}`],
  ];
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  if (body !== '') lines.push(['content-digest', digest]);
  const covered = lines.map(([name]) => `"${name}"`).join(' ');
  const created = Math.ceil(Date.now() / 1_000);
  const parameters = `(${covered});created=${created};nonce="${nonce}";keyid="acme/${consumer}/signer"`;
  const base = [...lines.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${parameters}`];
  const mac = createHmac('sha256', secret).update(base.join('\n')).digest('base64');
  const fields = [
    'Host: api.example',
    `Signature-Input: sig=${parameters}`,
    `Signature: sig=:${mac}:`,
    ...(body === '' ? [] : [`Content-Digest: ${digest}`]),
  ];
  const chunk = `${Buffer.byteLength(sent).toString(16)}\r\n${sent}\r\n0\r\n\r\n`;
  if (body !== '')
    fields.push(
      framing === 'length' ? `Content-Length: ${Buffer.byteLength(sent)}` : 'Transfer-Encoding: chunked',
    );
  const content = body === '' ? '' : framing === 'length' ? sent : chunk;
  return `${method} ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${content}`;
}

describe('a signature', () => {
  it('lets its request in, once, whichever thread it meets', async () => {
    expect(await always(() => signed())).toBe('200');
    const one = signed();
    const answers = await Promise.all(Array.from({ length: 16 }, () => send(one)));
    expect(answers.map(outcome).sort()).toEqual(['200', ...Array(15).fill('401 signature_replayed')]);
  });

  it('says what it needs where there is none, or it is not good', async () => {
    const missing = await send(get('/hmac/orders'));
    expect(outcome(missing)).toBe('401 unauthenticated');
    expect(missing.fields.get('accept-signature')).toContain('sig=("@method" "@authority" "@path" "@query")');
    expect(missing.fields.has('www-authenticate')).toBe(false);
    expect(outcome(await send(signed({ secret: 'wrong' })))).toBe('401 signature_invalid');
    expect(outcome(await send(signed().replace('n=1', 'n=2')))).toBe('401 signature_invalid');
    expect(outcome(await send(signed().replace('sig=(', 'sig=[')))).toBe('400 signature_malformed');
    const taken = signed({ body: 'x' }).replace('Host:', 'Connection: Content-Digest\r\nHost:');
    expect(outcome(await send(taken))).toBe('400 signature_malformed');
  });

  it.each(['length', 'chunked'] as const)(
    'vouches for a body (%s), which is read before it goes on',
    async (framing) => {
      seen.length = 0;
      expect(outcome(await send(signed({ body: 'hello', framing })))).toBe('200');
      expect(outcome(await send(signed({ body: 'hello', sent: 'hellO', framing })))).toBe(
        '400 digest_mismatch',
      );
      expect(outcome(await send(signed({ body: 'x'.repeat(1_025), framing })))).toBe('413 body_too_large');
      expect(seen.map(({ body }) => body)).toEqual(['hello']);
      expect(seen[0]!.head).not.toContain('signature');
      expect(seen[0]!.head).toContain('content-digest');
    },
  );

  it('is made by the client of docs/callers.md', async () => {
    const page = await readFile(new URL('../../docs/callers.md', import.meta.url), 'utf8');
    const [, code = ''] = /```js\n(.*?)```/s.exec(page) ?? [];
    const client = code
      .replace('/run/secrets/bot', join(project.folder, 'tenants/secrets/bot'))
      .replace('signers/bot/first', 'acme/bot/signer');
    await project.write('client.mjs', client);
    const { send: sendSigned } = (await import(join(project.folder, 'client.mjs'))) as {
      send(method: string, address: string, body?: string): Promise<Response>;
    };
    // A signature from the second in which the gateway started would be refused.
    await expect
      .poll(async () => (await sendSigned('GET', `${gateway.url}/hmac/a%7Eb?x=1&x=2`)).status)
      .toBe(200);
    expect((await sendSigned('GET', `${gateway.url}/hmac/none`)).status).toBe(200);
    expect((await sendSigned('POST', `${gateway.url}/hmac/pay`, '{"amount":1}')).status).toBe(200);
  });

  it('may be made with a new secret as soon as its file has it, and the record names no secret', async () => {
    await project.write('tenants/secrets/bot', SECRETS[1]);
    await expect
      .poll(async () => outcome(await send(signed({ secret: SECRETS[1] }))), { timeout: 10_000 })
      .toBe('200');
    expect(outcome(await send(signed({ secret: SECRETS[0] })))).toBe('401 signature_invalid');
    await gateway.printed(/"portunus\.credential":"signer"/);
    for (const secret of SECRETS) expect(gateway.output).not.toContain(secret);
  });

  it('is good for nobody whose secret can not be read: such a change is refused', async () => {
    const before = gateway.output.length;
    await project.write(
      'tenants/other.yaml',
      'tenants: { other: { plan: free, consumers: { x: { credentials: { s: { secrets: ["env:PORTUNUS_TEST_NONE"], created: 2026-11-01 } } } } } }\n',
    );
    expect(
      await gateway.printed(/can't be used: the variable PORTUNUS_TEST_NONE: it is not set/, before),
    ).not.toBe('');
    expect(outcome(await send(signed({ secret: SECRETS[1] })))).toBe('200');
  });

  it('lets nobody in once its credential is revoked, on every thread', async () => {
    const leaving = (): string => signed({ consumer: 'leaver', secret: LEAVING });
    expect(await always(leaving)).toBe('200');
    const revoked = await runPortunus(['keys', 'revoke', 'acme/leaver/signer', project.folder]);
    expect(revoked.stdout).toContain('is revoked');
    expect(await always(leaving)).toBe('401 signature_invalid');
    expect(await always(() => signed({ secret: SECRETS[1] }))).toBe('200');
  });

  it('is refused where no more can be remembered, and an alert says so', async () => {
    const outcomes = new Map<string, number>();
    const sendMany = async (): Promise<void> => {
      for (let n = 0; n < 300 && !outcomes.has('503 signatures_full'); n++) {
        const what = outcome(await send(signed({ secret: SECRETS[1] })));
        outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 8 }, sendMany));
    expect([...outcomes.keys()].sort()).toEqual(['200', '503 signatures_full']);
    expect(outcomes.get('200')).toBeGreaterThan(900);
    expect(await gateway.printed(/limits\.signaturesRemembered \(1,000\)/)).not.toBe('');
  });
});
