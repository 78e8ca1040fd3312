import { expect, test } from 'vitest';
import { SERVICE_SETTINGS } from '../../test/upstream/service-settings.ts';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { NO_MODELS, OPERATION_TARGETS } from '../model/pools.ts';
import { COMPLETE, MINIMAL, PROJECT_FOLDER, type ProjectTexts, sources } from './config.cases.ts';
import { checkEnforcement, loadWorld } from './load.ts';

function load(texts: ProjectTexts) {
  return loadWorld(sources(texts), { projectFolder: PROJECT_FOLDER });
}

test('a project of one line has safe defaults', () => {
  const { world, diagnostics } = load(MINIMAL);
  expect(diagnostics).toEqual([]);
  expect(world).toEqual({
    server: {
      listen: { address: '127.0.0.1', port: 8080 },
      admin: { address: '127.0.0.1', port: 9090 },
      adminCertificate: null,
      dataThreads: 'auto',
      dataFolder: '/srv/gateway/data',
      refuseChunkedRequests: false,
      forwardedFields: 'x-forwarded',
      mergeSlashes: true,
      tellCosts: false,
      traces: null,
      history: {
        logBytes: 268_435_456,
        logAgeMs: 604_800_000,
        minutesMs: 21_600_000,
        hoursMs: 5_184_000_000,
        daysMs: 94_694_400_000,
      },
      certificates: null,
      tokenIssuers: [],
      clientCertificates: null,
      signatures: {
        components: ['@method', '@authority', '@path', '@query'],
        maxAgeMs: 60_000,
        clockSkewMs: 10_000,
      },
    },
    limits: LIMIT_DEFAULTS,
    zone: 'UTC',
    currency: 'USD',
    rates: {},
    attributes: { tenant: {}, team: {}, consumer: {} },
    services: new Map(),
    routes: new Map(),
    models: NO_MODELS,
    directory: { tenants: new Map(), plans: new Set(), roles: new Set() },
    enforcement: new Map(),
    deliveries: new Map(),
    authorities: [],
  });
});

test('a service and a route have safe defaults', () => {
  const { world } = load({
    ...MINIMAL,
    'routes/a.yaml':
      'services: { s: { endpoints: [{ url: "http://[::1]" }] } }\nroutes: { r: { service: s, match: { path: / } } }\n',
  });
  expect(world?.services.get('s')).toEqual({
    name: 's',
    owner: null,
    endpoints: [{ protocol: 'http', host: '::1', port: 80, basePath: '', weight: 1 }],
    timeouts: { connectMs: 1_000, firstByteMs: 10_000, idleMs: 30_000, totalMs: 60_000 },
    tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
    ...SERVICE_SETTINGS,
    place: 'routes/a.yaml:1:13',
  });
  expect(world?.routes.get('r')).toEqual({
    name: 'r',
    service: 's',
    ai: null,
    match: { methods: [], path: '/', hosts: [], headers: [] },
    upstreamPath: null,
    state: 'published',
    version: null,
    tags: [],
    auth: 'required',
    identify: { keys: true, issuers: [], certificates: false, signatures: false },
    maxBodyBytes: LIMIT_DEFAULTS.requestBodyBytes,
    requestBody: null,
    repeatUnsafeMethods: false,
    websocket: null,
    priority: null,
    cost: null,
    summary: null,
    place: 'routes/a.yaml:2:11',
  });
});

test('every field arrives in the world', () => {
  const { world, diagnostics } = load(COMPLETE);
  expect(diagnostics).toEqual([]);
  const { limits, ...rest } = world!;
  expect(limits).toEqual({
    ...LIMIT_DEFAULTS,
    drainMs: 5_000,
    requestBodyBytes: 2_097_152,
    nestingDepth: 32,
  });
  expect(rest).toMatchSnapshot();
});

test('a rate may be smaller than what JavaScript writes without an exponent', () => {
  const text = 'portunus: 1\nrates: { VND: { rate: 0.00000085, date: 2026-11-01 } }\n';
  const { world, diagnostics } = load({ ...MINIMAL, 'portunus.yaml': text });
  expect(diagnostics).toEqual([]);
  expect(world?.rates).toMatchObject({ VND: { nanoPerUnit: 850 } });
});

test('the world can be sent to a thread', () => {
  const { world } = load(COMPLETE);
  expect(structuredClone(world)).toEqual(world);
});

test('the order of the files means nothing', () => {
  const backwards = Object.fromEntries(Object.entries(COMPLETE).reverse());
  expect(load(backwards)).toEqual(load(COMPLETE));
});

test('a tenant, team and consumer may be called like what every object has', () => {
  const { world, diagnostics } = load({
    ...MINIMAL,
    'tenants/a.yaml':
      'tenants: { constructor: { plan: valueof, teams: { constructor: {} }, consumers: { constructor: { team: constructor } } } }\n',
  });
  expect(diagnostics).toEqual([]);
  expect(world?.directory.tenants.get('constructor')?.consumers.get('constructor')?.team).toBe('constructor');
});

test('the limits of portunus.yaml bound the reading of the other files', () => {
  const routes = 'services: { s: { endpoints: [{ url: "http://h" }] } }\n';
  const texts = {
    'portunus.yaml': 'portunus: 1\nlimits: { configurationFileBytes: 1KiB }\n',
    'routes/a.yaml': routes,
  };
  expect(load(texts).world).not.toBeNull();
  const padded = { ...texts, 'routes/a.yaml': `${routes}# ${' '.repeat(1_024)}\n` };
  expect(load(padded).diagnostics.map(({ code }) => code)).toEqual(['PT3004']);
});

test('names in enforcement.yaml that no policy has are found apart', () => {
  const found = checkEnforcement(sources(COMPLETE), new Set(['data-residency', 'Key hygiene 2']));
  expect(found.map(({ code, message, help }) => ({ code, message, help }))).toEqual([
    { code: 'PT3201', message: 'There is no policy "Key hygiene".', help: 'Did you mean "Key hygiene 2"?' },
  ]);
  expect(checkEnforcement(sources(MINIMAL), new Set())).toEqual([]);
});

test('a message about text that goes on for a whole file is cut', () => {
  const rest = Array.from({ length: 30 }, (_, index) => `key${index}: { address: 0.0.0.0, port: 8443 }`).join(
    '\n',
  );
  const { diagnostics } = loadWorld(sources({ 'portunus.yaml': `>*x !<u> portunus: 1\n${rest}\n` }), {
    projectFolder: PROJECT_FOLDER,
  });
  const quoted = diagnostics.find(({ message }) => message.includes('…'));
  expect(quoted?.message).toMatch(/^Unexpected scalar token in YAML stream: "key0: .{100,140}…\.$/);
});

test('a line for all operations of a dialect becomes a route for each', () => {
  const { world, diagnostics } = load({
    ...MINIMAL,
    'routes/a.yaml': `routes:
  llm: { ai: openai, match: { path: "/ai/{rest...}", hosts: [ai.test] }, tags: [ai], request: { maxBody: 1MiB } }
  claude: { ai: anthropic }
  models: { ai: openai/models }
`,
    'tenants/a.yaml': 'tenants: { t: { plan: p, consumers: { c: { subscriptions: [llm] } } } }\n',
  });
  expect(diagnostics).toEqual([]);
  const routes = [...world!.routes.values()];
  const ofLine = (line: string) => routes.filter(({ name }) => name.startsWith(`${line}/`));
  const operations = Object.keys(OPERATION_TARGETS);
  expect([...ofLine('llm'), ...ofLine('claude')].map(({ ai }) => ai).sort()).toEqual(operations.sort());
  expect(world!.routes.get('llm/transcriptions')).toMatchObject({
    ...{ ai: 'openai/transcriptions', service: null, tags: ['ai'], maxBodyBytes: 1_048_576 },
    match: { methods: ['POST'], path: '/ai/audio/transcriptions', hosts: ['ai.test'], headers: [] },
  });
  // which both dialects have below one path
  expect(world!.routes.get('claude/models')!.match).toEqual({
    ...{ methods: ['GET'], path: '/v1/models', hosts: [] },
    headers: [{ name: 'anthropic-version', value: null }],
  });
});

test('a route beside a line is told apart from its operations', () => {
  const codes = (routes: string): string[] =>
    load({ ...MINIMAL, 'routes/a.yaml': `routes: { ${routes} }\n` }).diagnostics.map(
      ({ code, message }) => `${code} ${message}`,
    );
  expect(codes('llm: { ai: openai }, chat: { ai: openai/chat }')).toEqual([
    'PT3301 The routes "chat" and "llm/chat" fit the same requests equally well.',
  ]);
  expect(codes('llm: { ai: openai }, chat: { ai: openai/chat, match: { path: /chat } }')).toEqual([]);
});
