/** The examples of docs/callers.md are accepted. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { createSignatureVerifier } from '../../src/governance/request-signatures.ts';
import { signerNameHash } from '../../src/model/credential-hash.ts';
import type { Identity } from '../../src/pipeline/identity.ts';

const PAGE = readFileSync(new URL('../../docs/callers.md', import.meta.url), 'utf8');

it('the example of the page loads, and its bound is the default', () => {
  // Sections add to portunus.yaml; what they show of it alone is written without its name.
  const files = new Map<string, string>();
  for (const [, path, text] of PAGE.matchAll(/```yaml(?: (\S+))?\n(.*?)```/gs)) {
    const file = path ?? 'portunus.yaml';
    files.set(file, (files.get(file) ?? '') + text!);
  }
  const sources = [...files].map(([path, text]) => new SourceText(path, text));
  const { world, diagnostics } = loadWorld(sources, { projectFolder: '/project' });
  expect(diagnostics).toEqual([]);
  expect(world?.directory.tenants.get('acme')?.consumers.get('web-shop')?.team).toBe('shop');
  expect(world?.server.signatures).toEqual({
    components: ['@method', '@authority', '@path', '@query'],
    maxAgeMs: 60_000,
    clockSkewMs: 10_000,
  });
  expect(PAGE).toContain(
    `\`limits.signaturesRemembered\` (${LIMIT_DEFAULTS.signaturesRemembered.toLocaleString('en')})`,
  );
  expect(PAGE).toContain(
    `\`limits.consumerKeys\` (${LIMIT_DEFAULTS.consumerKeys.toLocaleString('en')}) keys`,
  );
});

it('the client of the page signs as the gateway reads, with any bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portunus-client-'));
  const bytes = Buffer.from([...Array(40).keys()].map((n) => 255 - n * 5));
  writeFileSync(join(folder, 'bot'), Buffer.concat([bytes, Buffer.from('\r\n')]));
  const sent: { method: string; url: URL; fields: string[] }[] = [];
  vi.stubGlobal(
    'fetch',
    (url: URL, { method, headers }: { method: string; headers: Record<string, string> }) => {
      sent.push({ method, url, fields: Object.entries(headers).flat() });
    },
  );
  try {
    const [, code] = /```js\n(.*?)```/s.exec(PAGE)!;
    writeFileSync(join(folder, 'client.mjs'), code!.replace('/run/secrets/bot', join(folder, 'bot')));
    const { send } = (await import(/* @vite-ignore */ join(folder, 'client.mjs'))) as {
      send(method: string, address: string, body?: string): unknown;
    };
    await send('GET', 'http://api.example:8080/orders');
    await send('POST', 'http://api.example/orders?a=1', '{"ü":1}');
  } finally {
    vi.unstubAllGlobals();
    rmSync(folder, { recursive: true });
  }
  const settings = {
    components: ['@method', '@authority', '@path', '@query'],
    maxAgeMs: 60_000,
    clockSkewMs: 10_000,
  };
  const verifier = createSignatureVerifier({ settings, seen: { remember: () => 'new' }, startedMs: 0 });
  const name = signerNameHash('signers/bot/first');
  const known = { slot: 0, state: 1, identity: {} as Identity };
  const source = {
    identify: () => 'unknown' as const,
    identifyByName: (hash: Uint8Array) => (Buffer.compare(hash, name) === 0 ? known : ('unknown' as const)),
    secretsOf: () => [bytes],
    holds: () => true,
    named: () => null,
  };
  for (const [at, { method, url, fields }] of sent.entries()) {
    const valueIn = (field: string): string => fields[fields.indexOf(field) + 1]!;
    const outcome = verifier.verify(
      {
        method,
        scheme: 'http',
        authority: url.host,
        path: url.pathname,
        query: url.search.slice(1),
        fields,
        connectionFields: [],
        body: at === 0 ? 'none' : 'some',
        input: valueIn('signature-input'),
        signature: valueIn('signature'),
      },
      source,
      Date.now(),
    );
    expect(outcome).toMatchObject({ known });
    if (at === 1) expect('isSigned' in outcome && outcome.isSigned?.(Buffer.from('{"ü":1}'))).toBe(true);
  }
  expect(sent).toHaveLength(2);
});
