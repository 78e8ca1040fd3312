/** Import directions between the rooms of src/ (see ARCHITECTURE.md). A room may import only what is listed here. */
const ROOMS = {
  base: [],
  model: ['base'],
  diagnostics: ['base'],
  language: ['base', 'model', 'diagnostics'],
  config: ['base', 'model', 'diagnostics'],
  ai: ['base', 'model'],
  pipeline: ['base', 'model'],
  compiler: ['base', 'model', 'diagnostics', 'language', 'ai', 'pipeline'],
  state: ['base', 'model', 'pipeline'],
  pools: ['base', 'model', 'ai', 'pipeline'],
  upstream: ['base', 'model', 'pipeline'],
  gateway: ['base', 'model', 'pipeline'],
  observe: ['base', 'model', 'pipeline'],
  governance: ['base', 'model', 'pipeline'],
  admin: ['base', 'model', 'pipeline', 'governance'],
  tools: ['base', 'model', 'diagnostics', 'language', 'config', 'compiler', 'pipeline'],
};

/** Packages that one room owns. */
const OWNERS = {
  chevrotain: 'language',
  'gpt-tokenizer': 'ai',
  'uWebSockets\\.js': 'gateway',
  lmdb: 'state',
  'js-yaml': 'config',
  '(?<!js-)yaml': 'config',
  ajv: 'config',
  pino: 'observe',
  'prom-client': 'observe',
  '@opentelemetry': 'observe',
  commander: 'cli',
  '@readme/openapi-parser': 'tools',
  '@scalar/openapi-upgrader': 'tools',
  diff: 'cli',
  xmlbuilder2: 'diagnostics',
  re2js: 'model',
  jose: 'governance',
};

const PURE = ['base', 'model', 'diagnostics', 'language', 'config', 'ai', 'pipeline', 'compiler'];

module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).map(([room, allowed]) => ({
      name: `${room}-imports`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
    })),
    ...Object.entries(OWNERS).map(([name, room]) => ({
      name: `only-${room}-uses-${name.replaceAll(/[^a-z-]/gi, '')}`,
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/${room}/` },
      to: { path: `^node_modules/${name}/` },
    })),
    {
      name: 'pure-rooms-have-no-effects',
      comment: 'node:net is allowed for isIP, node:crypto for hashes of content',
      severity: 'error',
      from: { path: `^src/(${PURE.join('|')})/`, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(net|crypto)$' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'tests-stay-outside',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(test|cases)\\.ts$' },
      to: { path: '\\.(test|cases)\\.ts$|^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
