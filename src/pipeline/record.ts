/**
 * Access record, version 3: what is kept of every request. Never a credential, never a body. Everything later (log,
 * rollups, replay, forecast) reads it; fields that a request does not have are -1 or ''.
 */
export interface AccessRecord {
  /** 1 called `costNano` by the name of one currency; 2 did not tell parts of tokens. */
  version: 3;
  timeMs: number;
  requestId: string;
  /** Trace id of `traceparent` (W3C Trace Context), 32 hex digits, or ''. */
  traceId: string;
  /** The caller's span, 16 hex digits, or ''. */
  parentSpanId: string;
  /** Its spans are to be exported. */
  traceSampled: boolean;
  tenant: string;
  team: string;
  consumer: string;
  credential: string;
  /** The person behind the credential, where an identity provider names one. */
  person: string;
  method: string;
  path: string;
  route: string;
  routeVersion: string;
  /** Hash of the rule set that handled the request, 16 hex digits. */
  configurationHash: string;
  status: number;
  /** Stable code of the gateway's own answers, '' when the upstream answered. */
  code: string;
  /** What was seen of a service that failed, for operators only: it may name addresses. */
  fault: string;
  /** `policy/rule`: the permit that let it through, or the rule that refused; '' where the gateway, service or client ended it. */
  decidingRule: string;
  /** Further rules that denied, by the same names. */
  alsoDenied: readonly string[];
  shadowDenied: readonly string[];
  /** Rules that warned; those of shadowed policies are only here, never told to the caller. */
  warnedRules: readonly string[];
  waivedRules: readonly string[];
  model: string;
  target: string;
  providerKey: string;
  inputTokens: number;
  outputTokens: number;
  /** Parts of the above; -1 where nobody told them. */
  cachedTokens: number;
  reasoningTokens: number;
  /**
   * Who tells the tokens; '' where there are none. `bound`: nobody, so they are the most that they can be; `counted`: the same, where
   * those of the prompt were counted by the model's tokenizer.
   */
  tokensFrom: '' | 'provider' | 'bound' | 'counted';
  /** In 1/1,000,000,000 of the currency of account. */
  costNano: number;
  requestBytes: number;
  responseBytes: number;
  /** Microseconds from arrival. */
  decidedUs: number;
  dispatchedUs: number;
  firstByteUs: number;
  finishedUs: number;
  attempts: number;
  clientAborted: boolean;
  /** Where rules let answers be kept: whether this one came from there, or was not to. '' where no rule says so. */
  cache: CacheOutcome;
}

export type CacheOutcome = '' | 'hit' | 'miss' | 'bypass';

/** A record of which nothing is known yet: made once per thread and filled anew for each request. */
export function emptyRecord(): AccessRecord {
  return {
    version: 3,
    timeMs: 0,
    requestId: '',
    traceId: '',
    parentSpanId: '',
    traceSampled: false,
    tenant: '',
    team: '',
    consumer: '',
    credential: '',
    person: '',
    method: '',
    path: '',
    route: '',
    routeVersion: '',
    configurationHash: '',
    status: 0,
    code: '',
    fault: '',
    decidingRule: '',
    alsoDenied: NONE,
    shadowDenied: NONE,
    warnedRules: NONE,
    waivedRules: NONE,
    model: '',
    target: '',
    providerKey: '',
    inputTokens: -1,
    outputTokens: -1,
    cachedTokens: -1,
    reasoningTokens: -1,
    tokensFrom: '',
    costNano: -1,
    requestBytes: 0,
    responseBytes: 0,
    decidedUs: -1,
    dispatchedUs: -1,
    firstByteUs: -1,
    finishedUs: -1,
    attempts: 0,
    clientAborted: false,
    cache: '',
  };
}

const NONE: readonly string[] = Object.freeze([]);

/** Where data threads put records; never blocks. A full sink drops and counts. */
export interface RecordSink {
  write(record: AccessRecord): void;
}
