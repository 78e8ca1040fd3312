/**
 * Every bound of the gateway: its name, its default, and what it protects. The setting is `limits.<name>` in
 * `portunus.yaml`; the schema of that block is tested against this table, and `status` prints the values in force.
 */

export interface LimitDefinition {
  readonly default: number;
  readonly unit: 'bytes' | 'ms' | 'count';
  readonly minimum: number;
  readonly maximum: number;
  readonly what: string;
}

function count(value: number, minimum: number, maximum: number, what: string): LimitDefinition {
  return { default: value, unit: 'count', minimum, maximum, what };
}
function bytes(value: number, minimum: number, maximum: number, what: string): LimitDefinition {
  return { default: value, unit: 'bytes', minimum, maximum, what };
}
function ms(value: number, minimum: number, maximum: number, what: string): LimitDefinition {
  return { default: value, unit: 'ms', minimum, maximum, what };
}

const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR_MS = 3_600_000;

export const LIMITS = {
  requestHeaderBytes: bytes(64 * KIB, 4 * KIB, MIB, 'request line and header section of one request'),
  // With more, this build of uWebSockets.js waits for the end of the header section until the connection idles out.
  requestHeaderCount: count(98, 8, 98, 'header fields of one request'),
  requestBodyBytes: bytes(64 * MIB, 0, 1_024 * MIB, 'body of one request, where the route says nothing else'),
  requestBodyBufferedBytes: bytes(
    MIB,
    KIB,
    64 * MIB,
    'body of one request held in memory, because rules read it or it waits',
  ),
  bodiesBufferedPerThreadBytes: bytes(
    256 * MIB,
    MIB,
    64 * 1_024 * MIB,
    'bodies that one data thread holds in memory',
  ),
  bodyHoldBackBytes: bytes(64 * KIB, KIB, 16 * MIB, 'body that a rule holds back while it looks for an end'),
  bodyDecodersPerThread: count(256, 1, 65_536, 'bodies that one data thread decompresses at a time'),
  responseBodyDecodedBytes: bytes(
    256 * MIB,
    MIB,
    64 * 1_024 * MIB,
    'what a compressed answer may come to where rules read it',
  ),
  maskedAnswerBytes: bytes(
    8 * MIB,
    KIB,
    256 * MIB,
    'JSON answer that is held in memory whole, because a mask reads it',
  ),
  responseCostBytes: bytes(
    MIB,
    KIB,
    64 * MIB,
    'JSON answer that is read for what it cost; of a longer one the whole reserve is spent',
  ),
  requestJsonDepth: count(64, 1, 1_000, 'nesting of a JSON body that is read'),
  requestJsonValues: count(100_000, 1, 10_000_000, 'values and names of a JSON body that is read'),
  requestReadMs: ms(60_000, 1_000, 3_600_000, 'time for a client to send a whole request'),
  responseHeaderBytes: bytes(64 * KIB, 4 * KIB, MIB, 'status line and header section of an upstream answer'),
  connectionsPerThread: count(16_384, 16, 1_000_000, 'open client connections of one data thread'),
  connectionsPerAddress: count(
    8_192,
    1,
    1_000_000,
    'open client connections of one address, over all data threads; those of trusted proxies are not counted',
  ),
  exchangesPerThread: count(16_384, 1, 1_000_000, 'requests in flight on one data thread'),
  normalExchangesPerThread: count(
    14_336,
    1,
    1_000_000,
    'requests in flight on one data thread, beyond which only those of high priority begin',
  ),
  lowExchangesPerThread: count(
    8_192,
    1,
    1_000_000,
    'requests in flight on one data thread, beyond which none of low priority begins',
  ),
  eventLoopDelayMs: ms(
    200,
    10,
    60_000,
    'delay of a data thread, beyond which none of low priority begins; at twice as much only high priority does, at four times nothing',
  ),
  websocketMessageBytes: bytes(MIB, KIB, 256 * MIB, 'one message of a WebSocket, in either direction'),
  websocketBufferedBytes: bytes(
    MIB,
    KIB,
    256 * MIB,
    'messages of one WebSocket that one side has sent and the other not taken',
  ),
  upstreamConnectionsPerEndpoint: count(
    1_024,
    1,
    65_536,
    'connections of one data thread to one address of an endpoint',
  ),
  upstreamWaiting: count(
    4_096,
    0,
    1_000_000,
    'requests of one data thread waiting for a connection to one service',
  ),
  limitWaitersPerThread: count(
    1_000,
    0,
    100_000,
    'requests of one data thread waiting for room in limits that say `queue up to`',
  ),
  cachedBytesPerThread: bytes(
    64 * MIB,
    64 * KIB,
    64 * 1_024 * MIB,
    'answers that one data thread keeps because rules say `cache`, with those that are still coming',
  ),
  cachedAnswersPerThread: count(10_000, 1, 10_000_000, 'answers that one data thread keeps'),
  cachedAnswerBytes: bytes(MIB, KIB, 256 * MIB, 'one answer that is kept; longer ones pass and are not'),
  upstreamWaitMs: ms(5_000, 1, 600_000, 'time a request may wait for a connection to its service'),
  endpointAddresses: count(65_536, 64, 1_000_000, 'addresses of all endpoints whose health is kept'),
  addressesPerName: count(64, 1, 1_000, 'addresses of one endpoint name that are used'),
  healthChecksAtOnce: count(64, 1, 10_000, 'health checks of endpoints under way at a time'),
  identityCacheEntries: count(30_000, 0, 1_000_000, 'presented keys a data thread remembers'),
  tokensVerifying: count(256, 1, 65_536, 'tokens that one data thread verifies at a time'),
  signaturesRemembered: count(
    250_000,
    1_000,
    10_000_000,
    'signatures of requests that are remembered at a time, so that each is good once; of further ones none is accepted',
  ),
  consumerKeys: count(1_250_000, 1_000, 20_000_000, 'consumer keys, in files and issued at run time'),
  storedEntities: count(20_000, 1, 1_000_000, 'tenants, teams and consumers made at run time'),
  storedSecrets: count(1_000, 1, 100_000, 'secrets that the store keeps, for store:NAME'),
  directoryBytes: bytes(
    256 * MIB,
    MIB,
    8_192 * MIB,
    'memory of tenants, teams, consumers and names of keys, until the next start',
  ),
  replacedLimits: count(
    64,
    1,
    1_024,
    'limits that stay in force as they were before an edit; of more the newest',
  ),
  counterKeys: count(100_000, 1, 10_000_000, 'keys one limit keeps apart; further ones share one counter'),
  rateJournalBytes: bytes(
    8 * MIB,
    256 * KIB,
    1_024 * MIB,
    'takes of one data thread from rate windows, written down since they were last copied as a whole',
  ),
  recordRingBytes: bytes(4 * MIB, 128 * KIB, 256 * MIB, 'access records of one data thread not yet written'),
  accessLogQueueBytes: bytes(
    8 * MIB,
    64 * KIB,
    1_024 * MIB,
    'access log lines that the disk or pipe has not taken yet',
  ),
  metricSeries: count(
    1_000,
    10,
    100_000,
    'label sets of one metric kept apart; further ones are counted together as "(others)"',
  ),
  rollupNames: count(
    500,
    10,
    100_000,
    'routes, tenants, consumers, credentials and decisions of one period that sums are kept for; further ones are counted together',
  ),
  usageSums: count(
    1_000_000,
    1_000,
    100_000_000,
    'sums (one for each name in each period) that one report of usage looks at, or tells',
  ),
  usageNames: count(10_000, 100, 1_000_000, 'names that one report of usage keeps apart while it adds up'),
  traceQueueSpans: count(4_096, 64, 1_000_000, 'spans that wait to be sent'),
  requestLogQueueBytes: bytes(
    8 * MIB,
    64 * KIB,
    1_024 * MIB,
    'access records that wait for a request log that can not be written',
  ),
  openAlerts: count(
    1_000,
    1,
    100_000,
    'alerts of the gateway itself that are open at one time; further ones are only counted',
  ),
  openPolicyAlerts: count(
    1_000,
    1,
    100_000,
    'alerts that policies ask for that are open at one time; further ones are only counted',
  ),
  alertKeys: count(1_000, 1, 100_000, 'keys one `alert when` keeps apart; further ones share one alert'),
  alertMatchesPerThread: count(
    1_000,
    10,
    100_000,
    'alert rules and keys that a data thread tells apart in a quarter of a second; further keys share one alert',
  ),
  alertQuietMs: ms(
    300_000,
    1_000,
    86_400_000,
    'time without a request that fits after which an alert of `alert when` is over',
  ),
  alertDeliveryQueue: count(
    1_000,
    1,
    100_000,
    'notices of alerts that wait for one delivery; half of them are kept for alerts of the gateway itself',
  ),
  alertDeliveryAttempts: count(
    10,
    1,
    100,
    'attempts at one notice of an alert, with pauses that grow to a minute',
  ),
  alertDeliveryMs: ms(10_000, 100, 600_000, 'time for a webhook to take a notice'),
  adminHeaderBytes: bytes(
    16 * KIB,
    4 * KIB,
    64 * KIB,
    'request line and header section of one admin request',
  ),
  adminRequestMs: ms(10_000, 1_000, 600_000, 'time for an admin client to send a whole request'),
  adminStalledMs: ms(
    60_000,
    1_000,
    600_000,
    'time for which a client of the admin API may take nothing of its answer',
  ),
  adminConnections: count(32, 1, 10_000, 'open connections of the admin API'),
  adminBodyBytes: bytes(MIB, KIB, 64 * MIB, 'body of one admin request'),
  adminIdempotencyKeys: count(
    1_000,
    0,
    1_000_000,
    'answers of the admin API kept for callers who repeat a request',
  ),
  adminIdempotencyMs: ms(24 * HOUR_MS, 60_000, 720 * HOUR_MS, 'time such an answer is kept'),
  auditRecords: count(1_000_000, 1_000, 100_000_000, 'records of the audit log; of more, the oldest go'),
  configurationVersions: count(
    200,
    10,
    100_000,
    'versions of the configuration kept; of more, the oldest go',
  ),
  compiledCacheBytes: bytes(
    1_024 * MIB,
    0,
    64 * 1_024 * MIB,
    'what is kept of a large project for the next start; 0 keeps nothing',
  ),
  configurationFileBytes: bytes(4 * MIB, KIB, 64 * MIB, 'one YAML or policy file'),
  configurationFiles: count(10_000, 1, 1_000_000, 'files of a project folder'),
  diagnosticsPerFile: count(
    100,
    1,
    10_000,
    'findings told about one configuration file; further ones are only counted',
  ),
  yamlAliases: count(100, 0, 10_000, 'aliases of one YAML file'),
  nestingDepth: count(64, 8, 256, 'nesting of YAML values and of policy expressions'),
  regexInstructions: count(
    1_000,
    10,
    5_000,
    'size of one regular expression of a policy, in steps of its program',
  ),
  maskPatternCharacters: count(
    256,
    1,
    4_096,
    'longest text that one pattern of a mask fits: so much of a stream is held back, in UTF-16 code units',
  ),
  pools: count(64, 1, 10_000, 'pools of provider keys, of all configurations since the start'),
  poolKeys: count(1_024, 1, 100_000, 'keys of pools, of all configurations since the start'),
  poolLanes: count(
    4_096,
    1,
    1_000_000,
    'accounts of providers, once for each of their models, whose limits are counted apart',
  ),
  countedPromptBytes: bytes(
    128 * KIB,
    0,
    16 * MIB,
    'request whose prompt is counted where limits have no room for its bytes; 0 counts none',
  ),
  promptCountsPerThread: count(
    64,
    0,
    10_000,
    'prompts of one data thread that are being counted; further ones are bounded by their bytes',
  ),
  promptCountMs: ms(5_000, 10, 60_000, 'time for a count of a prompt, whose bytes bound it after that'),
  poolTenants: count(
    1_024,
    2,
    100_000,
    'tenants that wait for keys in shares of their own; further ones share one',
  ),
  rememberedAnswers: count(
    65_536,
    4,
    16_777_216,
    'answers of models whose account is known, so that calls that build upon one go there',
  ),
  providerAttempts: count(
    4,
    1,
    20,
    'times that one call to a model is sent, beside those that were refused for a key or its limits',
  ),
  providerErrorBytes: bytes(64 * KIB, KIB, 16 * MIB, 'error of a provider that is read; longer ones are cut'),
  streamEventBytes: bytes(
    MIB,
    KIB,
    64 * MIB,
    'one event of a stream, or one JSON answer, that is read for what a call used; longer ones pass unread',
  ),
  usageTokensMax: count(
    10_000_000,
    1,
    1_000_000_000_000,
    'tokens, in or out, that an answer may tell of one call where neither its bound nor its model says what it can have; more is not believed',
  ),
  testRequests: count(100_000, 1, 1_000_000, 'requests that one step of a policy test sends'),
  drainMs: ms(30_000, 0, 3_600_000, 'time requests in flight get to finish at shutdown'),
} as const satisfies Record<string, LimitDefinition>;

export type LimitName = keyof typeof LIMITS;
export type LimitValues = Readonly<Record<LimitName, number>>;

export const LIMIT_DEFAULTS: LimitValues = Object.freeze(
  Object.fromEntries(Object.entries(LIMITS).map(([name, definition]) => [name, definition.default])),
) as LimitValues;
