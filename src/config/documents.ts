import type { CallError, Dialect, OperationName, PoolStrategy, ResetFormat } from '../model/pools.ts';
import type { MeterUnit } from '../model/provider-limits.ts';
import type { TokenizerName } from '../model/tokenizers.ts';

/**
 * What a file of each kind holds once its schema has accepted it and filled in the defaults: `schemas/*.schema.json`
 * as types. Literals are still texts.
 */
export interface PortunusDocument {
  readonly listen: ListenDocument & { readonly tls?: FrontTlsDocument };
  readonly admin: ListenDocument & { readonly tls?: CertificateDocument };
  readonly dataThreads: number | string;
  readonly data: string;
  readonly zone: string;
  readonly currency: string;
  readonly rates: Readonly<Record<string, RateDocument>>;
  readonly attributes: Readonly<
    Record<'tenant' | 'team' | 'consumer', Readonly<Record<string, AttributeDocument>>>
  >;
  readonly authorities: Readonly<Record<string, AuthorityDocument>>;
  readonly deliveries: Readonly<Record<string, DeliveryDocument>>;
  readonly limits: Readonly<Record<string, number | string>>;
  readonly refuseChunkedRequests: boolean;
  readonly forwardedFields: 'x-forwarded' | 'forwarded' | 'none';
  readonly mergeSlashes: boolean;
  readonly tellCosts: boolean;
  readonly history: {
    readonly log: { readonly size: string; readonly age: string };
    readonly minutes: string;
    readonly hours: string;
    readonly days: string;
  };
  readonly tokenIssuers: Readonly<Record<string, TokenIssuerDocument>>;
  readonly clientCertificates?: { readonly trustedProxies: readonly string[]; readonly authorities?: string };
  readonly signatures: {
    readonly components: readonly string[];
    readonly maxAge: string;
    readonly clockSkew: string;
  };
  readonly traces?: { readonly endpoint: string; readonly share: string };
}
export interface TokenIssuerDocument {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly keys: string;
  readonly algorithms: readonly string[];
  readonly clockSkew: string;
  readonly tenant: string;
  readonly consumerClaim: string;
}
export interface DeliveryDocument {
  readonly webhook: string;
  readonly secretFile: string;
  readonly takes: 'all' | 'named';
  readonly audit: 'none' | 'anchors';
  readonly from: 'notice' | 'warning' | 'critical';
}
export interface AuthorityDocument {
  readonly everything: boolean;
  readonly tenants?: readonly string[];
  readonly routes?: readonly string[];
  readonly services?: readonly string[];
  readonly tags?: readonly string[];
}
export interface CertificateDocument {
  readonly certificate: string;
  readonly key: string;
}
export interface FrontTlsDocument extends CertificateDocument {
  readonly further?: readonly CertificateDocument[];
}
export interface ListenDocument {
  readonly address: string;
  readonly port: number | string;
}
export interface AttributeDocument {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly list?: string;
  readonly optional: boolean;
  readonly label: 'caller' | 'internal';
}

export interface RoutesDocument {
  readonly services: Readonly<Record<string, ServiceDocument>>;
  readonly routes: Readonly<Record<string, RouteDocument>>;
}
export interface ServiceDocument extends CallDocument {
  readonly owner?: string;
  readonly endpoints: readonly { readonly url: string; readonly weight: number | string }[];
}
/** How whatever stands behind the gateway is called. */
export interface CallDocument {
  readonly timeouts: Readonly<Record<'connect' | 'firstByte' | 'idle' | 'total', string>>;
  readonly tls: {
    readonly ca?: string;
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName?: string;
  };
  readonly health?: HealthDocument;
  readonly outliers: {
    readonly failures: number | string;
    readonly errorShare: string;
    readonly window: string;
    readonly requests: number | string;
    readonly first: string;
    readonly longest: string;
    readonly outAtMost: string;
  };
  readonly slowStart: string;
  readonly resolve: string;
  readonly retries: { readonly share: string; readonly attempts: number | string };
}
export interface HealthDocument {
  readonly path: string;
  readonly every: string;
  readonly timeout: string;
  readonly healthyAfter: number | string;
  readonly unhealthyAfter: number | string;
  readonly expect?: readonly number[];
}
export interface CostDocument {
  readonly header?: string;
  readonly body?: string;
  readonly atMost: string;
}
export interface RouteDocument {
  /** Either this or `ai`. */
  readonly service?: string;
  readonly ai?: OperationName | Dialect;
  readonly match: {
    readonly methods?: readonly string[];
    readonly path: string;
    readonly hosts?: readonly string[];
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly upstreamPath?: string;
  readonly state: 'draft' | 'published' | 'deprecated' | 'retired';
  readonly version?: string;
  readonly cost?: string | CostDocument;
  readonly tags: readonly string[];
  readonly auth: 'required' | 'optional' | 'none';
  readonly identify: readonly string[];
  readonly request: { readonly maxBody?: string; readonly schema?: string };
  readonly repeatUnsafeMethods: boolean;
  readonly websocket?: { readonly idle: string; readonly total: string };
  readonly priority?: 'high' | 'normal' | 'low';
  readonly docs: { readonly summary?: string };
}

export interface TenantsDocument {
  readonly tenants: Readonly<Record<string, TenantDocument>>;
}
export interface TenantDocument {
  readonly plan: string;
  readonly priority: 'high' | 'normal' | 'low';
  readonly share: number | string;
  readonly attributes: AttributeValues;
  readonly teams: Readonly<Record<string, { readonly attributes: AttributeValues }>>;
  readonly consumers: Readonly<Record<string, ConsumerDocument>>;
}
export type AttributeValues = Readonly<Record<string, unknown>>;
export interface ConsumerDocument {
  readonly team?: string;
  readonly roles: readonly string[];
  readonly subscriptions: readonly string[];
  readonly attributes: AttributeValues;
  readonly credentials: Readonly<Record<string, CredentialDocument>>;
}
/** One of `hash`, `certificate` and `secrets`. */
export interface CredentialDocument {
  readonly hash?: string;
  readonly certificate?: CertificateNameDocument;
  readonly secrets?: readonly string[];
  readonly created: string;
  readonly expires?: string;
}

/** One of these. */
export interface CertificateNameDocument {
  readonly sha256?: string;
  readonly uri?: string;
  readonly dns?: string;
  readonly subject?: string;
}

export interface ProvidersDocument {
  readonly providers: Readonly<Record<string, ProviderDocument>>;
  readonly pools: Readonly<Record<string, PoolDocument>>;
  readonly models: Readonly<Record<string, ModelDocument>>;
}
/** With what the description that it extends says. */
export interface ProviderDocument extends CallDocument {
  readonly extends?: string;
  readonly dialect?: Dialect;
  readonly baseUrl?: string;
  readonly region?: string;
  readonly regions: Readonly<Record<string, string>>;
  readonly auth: { readonly header: string; readonly prefix: string };
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: readonly LimitHeadersDocument[];
  readonly retry: readonly RetryHeaderDocument[];
  readonly errors: readonly ErrorRuleDocument[];
  readonly tokensCounted: 'reserved' | 'used';
  readonly dailyLimitsZone?: string;
  readonly outputCapMember: 'max_tokens' | 'max_completion_tokens';
  readonly modelMembers: readonly string[];
  readonly knownModels: readonly KnownModelsDocument[];
  readonly streamUsage: 'asked' | 'always' | 'never';
  readonly usage: UsageDocument;
  readonly prices?: string;
}
/** Names are those at the provider. */
export interface KnownModelsDocument {
  readonly names: readonly string[];
  readonly outputTokens?: number | string;
  readonly searches: boolean;
}
/** Paths of members, with points between them. */
export interface UsageDocument {
  readonly inStreams: readonly string[];
  readonly input?: string;
  readonly output?: string;
  readonly total?: string;
  readonly cached?: string;
  readonly reasoning?: string;
  readonly cost?: { readonly at: string; readonly currency: string; readonly decimals: number | string };
}
export interface LimitHeadersDocument {
  readonly unit: MeterUnit;
  readonly window: string;
  readonly limit?: string;
  readonly remaining: string;
  readonly reset?: string;
  readonly format: ResetFormat;
}
export interface RetryHeaderDocument {
  readonly header: string;
  readonly format: ResetFormat | 'http-date';
}
export interface ErrorRuleDocument {
  readonly statuses?: readonly number[];
  readonly codes?: readonly string[];
  readonly message?: string;
  readonly means: CallError;
}
/** What a pool or a key says of prices. */
export interface OwnPricesDocument {
  readonly discount?: string;
  readonly surcharge?: string;
  /** By model. */
  readonly prices?: Readonly<Record<string, PriceDocument>>;
  /** By model, and by day. */
  readonly pricesFrom?: Readonly<Record<string, Readonly<Record<string, PriceAmountsDocument>>>>;
}
export interface PoolDocument extends OwnPricesDocument {
  readonly provider: string;
  readonly choose: PoolStrategy;
  readonly sticky?: 'conversation';
  readonly queue: { readonly upTo: string; readonly waiting: number | string };
  readonly rotation?: RotationDocument;
  readonly keys: Readonly<Record<string, PoolKeyDocument>>;
}
export interface RotationDocument {
  readonly command?: readonly string[];
  readonly webhook?: string;
  readonly secretFile?: string;
  readonly within: string;
}
export interface PoolKeyDocument extends OwnPricesDocument {
  readonly account?: string;
  readonly secret: string;
  readonly priority: number | string;
  readonly weight: number | string;
  readonly limits: KeyLimitsDocument;
}
export interface KeyLimitsDocument extends AmountsDocument {
  readonly zone?: string;
  readonly models: Readonly<Record<string, AmountsDocument>>;
  readonly account?: AmountsDocument;
}
export interface AmountsDocument {
  readonly rps?: number | string;
  readonly rpm?: number | string;
  readonly rpd?: number | string;
  readonly tpm?: number | string;
  readonly tpd?: number | string;
  readonly itpm?: number | string;
  readonly otpm?: number | string;
  readonly concurrency?: number | string;
  readonly perDay?: string;
  readonly perMonth?: string;
}
export interface ModelDocument {
  readonly pools: readonly string[];
  readonly as?: string;
  readonly tags: readonly string[];
  readonly price?: PriceDocument;
  /** By day. */
  readonly pricesFrom: Readonly<Record<string, PriceAmountsDocument>>;
  readonly outputTokensMax?: number | string;
  readonly tokenizer?: TokenizerName | 'none';
}
export interface PriceAmountsDocument {
  readonly input: string;
  readonly output: string;
  readonly cached?: string;
  readonly request?: string;
}
export interface PriceDocument extends PriceAmountsDocument {
  readonly asOf: string;
}

export interface EnforcementDocument {
  readonly policies: Readonly<Record<string, 'enforce' | 'warn' | 'shadow'>>;
}

export interface RateDocument {
  readonly rate: number | string;
  readonly date: string;
}
