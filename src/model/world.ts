import type { LimitValues } from '../base/limits.ts';
import type { ExchangeRate } from './money.ts';
import type { Models, OperationName } from './pools.ts';
import type { RequestBodySchema } from './request-body.ts';
import type { AttributeType, Value } from './types.ts';

/** A place in the configuration, for messages: `routes/orders.yaml:12:3`. */
export type Place = string;

/**
 * One checked project folder, without its policies: the names, types and settings that policies speak about and
 * that the compiler turns into routes. Plain data (no class instances, no functions), so it can be sent to threads.
 */
export interface World {
  readonly server: ServerSettings;
  readonly limits: LimitValues;
  /** IANA time zone that periods use where a policy names none. */
  readonly zone: string;
  /** ISO 4217 accounting currency. */
  readonly currency: string;
  /** To the accounting currency. */
  readonly rates: Readonly<Record<string, ExchangeRate>>;
  readonly attributes: Readonly<Record<AttributeOwner, Readonly<Record<string, AttributeType>>>>;
  readonly services: ReadonlyMap<string, Service>;
  readonly routes: ReadonlyMap<string, Route>;
  readonly models: Models;
  readonly directory: Directory;
  readonly enforcement: ReadonlyMap<string, Enforcement>;
  /** Where alerts go besides the log, by name. */
  readonly deliveries: ReadonlyMap<string, Delivery>;
  /** By folder, in order of code points. */
  readonly authorities: readonly Authority[];
}

/** What the policies of one folder, and of the folders in it, may govern (language-rules #36). */
export interface Authority {
  /** From the project folder on: `policies/tenants/acme`. */
  readonly folder: string;
  /** Null: everything. */
  readonly scope: AuthorityScope | null;
  readonly place: Place;
}
export interface AuthorityScope {
  /** Null: every caller, with or without identity. */
  readonly tenants: readonly string[] | null;
  /** Null: every route, but none is owned: permits don’t count. */
  readonly owned: OwnedRoutes | null;
}
/** Routes of these names, services and tags. */
export interface OwnedRoutes {
  readonly routes: readonly string[];
  readonly services: readonly string[];
  readonly tags: readonly string[];
}

export type AttributeOwner = 'tenant' | 'team' | 'consumer';

/** `enforce` decides; `warn` answers with a header and logs; `shadow` only counts and logs. */
export type EnforcementMode = 'enforce' | 'warn' | 'shadow';
export interface Enforcement {
  readonly mode: EnforcementMode;
  readonly place: Place;
}

/** A webhook that alerts are sent to. */
export interface Delivery {
  readonly name: string;
  /** http or https, without credentials. */
  readonly url: string;
  /** Absolute path of the file with the secret that messages are signed with. */
  readonly secretFile: string;
  /** `all`, or those alone that a policy names it for. */
  readonly takes: 'all' | 'named';
  /** Least severity of alerts that name nobody. */
  readonly from: 'notice' | 'warning' | 'critical';
  /** `anchors`: it gets the signed end of the audit log, too. */
  readonly audit: 'none' | 'anchors';
  readonly place: Place;
}

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** PEM files of a certificate (with its chain) and its key, by absolute path. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface ServerSettings {
  readonly listen: ListenAddress;
  /** Null: requests come without TLS. Else the first one is for clients that ask for no name of the others. */
  readonly certificates: readonly CertificateFiles[] | null;
  readonly admin: ListenAddress;
  /** Null: the admin API is asked without TLS, on a loopback address. */
  readonly adminCertificate: CertificateFiles | null;
  /** `auto` is resolved by the gateway: one per core. */
  readonly dataThreads: number | 'auto';
  /** Absolute path of the data folder. */
  readonly dataFolder: string;
  /** Refuse requests with a chunked body (411), for deployments behind proxies that could be smuggled through. */
  readonly refuseChunkedRequests: boolean;
  /** Which forwarding fields are added: `x-forwarded` (X-Forwarded-For, -Proto, -Host), `forwarded` (RFC 7239), `none`. */
  readonly forwardedFields: 'x-forwarded' | 'forwarded' | 'none';
  /** Fold runs of slashes in a path into one before matching (default); otherwise `//admin` is another path than `/admin`. */
  readonly mergeSlashes: boolean;
  /** Callers are told what a call to a model cost, where that is known when its answer begins. */
  readonly tellCosts: boolean;
  /** Whose tokens routes may accept, by name. */
  readonly tokenIssuers: readonly TokenIssuer[];
  /** Null: no proxy is believed what it says of certificates. */
  readonly clientCertificates: ClientCertificateSettings | null;
  readonly signatures: SignatureSettings;
  readonly history: HistorySettings;
  /** Null: no traces are recorded. */
  readonly traces: TraceSettings | null;
}

/** Where spans go by OTLP over HTTP. */
export interface TraceSettings {
  /** The whole URL. */
  readonly endpoint: string;
  /** Of the traces that begin here, 0 … 1. */
  readonly share: number;
}

/** What is kept of requests, and how long. */
export interface HistorySettings {
  /** Room of the request log, compressed; 0 keeps none. */
  readonly logBytes: number;
  readonly logAgeMs: number;
  /** Sums by minute, hour and day. */
  readonly minutesMs: number;
  readonly hoursMs: number;
  readonly daysMs: number;
}

/** Certificates of clients, which a proxy has asked for and hands on (RFC 9440). */
export interface ClientCertificateSettings {
  /** Networks of the proxies. */
  readonly trustedProxies: readonly string[];
  /** Absolute path of a PEM bundle of those who may vouch for names in certificates; null: only fingerprints count. */
  readonly authoritiesFile: string | null;
}

/** What signatures of requests must be (RFC 9421). */
export interface SignatureSettings {
  /** Components that each must cover. */
  readonly components: readonly string[];
  readonly maxAgeMs: number;
  readonly clockSkewMs: number;
}

/** An issuer of JSON Web Tokens. */
export interface TokenIssuer {
  readonly name: string;
  /** What `iss` must be. */
  readonly issuer: string;
  /** One of these must be among `aud`. */
  readonly audience: readonly string[];
  /** Where its set of keys (JWKS) lies: there, or where the configuration of the issuer says (OpenID Connect Discovery 1.0). */
  readonly keys: { readonly from: 'address'; readonly address: string } | { readonly from: 'discovery' };
  /** Of public keys only. */
  readonly algorithms: readonly string[];
  readonly clockSkewMs: number;
  readonly tenant:
    | { readonly kind: 'fixed'; readonly name: string }
    | { readonly kind: 'claim'; readonly claim: string };
  readonly consumerClaim: string;
}

export interface Service {
  readonly name: string;
  readonly owner: string | null;
  readonly endpoints: readonly Endpoint[];
  readonly timeouts: Timeouts;
  /** TLS to `https:` endpoints; certificates are always verified. */
  readonly tls: UpstreamTls;
  /** Null: no requests of the gateway's own; what requests meet is all that is known. */
  readonly health: HealthCheckSettings | null;
  readonly outliers: OutlierSettings;
  /** How long an endpoint that came back takes to get its whole share again; 0: at once. */
  readonly slowStartMs: number;
  /** How often the names of endpoints are resolved anew. */
  readonly resolveMs: number;
  readonly retries: RetrySettings;
  readonly place: Place;
}

/** Requests of the gateway's own that ask each endpoint whether it is well. */
export interface HealthCheckSettings {
  /** Put behind the base path of the endpoint. */
  readonly path: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** Good answers in a row that bring an endpoint back. */
  readonly healthyAfter: number;
  /** Failures in a row that take it out. */
  readonly unhealthyAfter: number;
  /** Statuses that are good; empty: 200 to 299. */
  readonly expect: readonly number[];
}

/** When an endpoint is left alone because of what requests met there. */
export interface OutlierSettings {
  /**
   * `beside-others`: by what the other endpoints of the service do meanwhile, and the least bad one is tried where all are out; so
   * are services. `alone`: by its own failures, and nothing is sent where all are out; so are providers, whose calls have other pools
   * to go to.
   */
  readonly judged: 'beside-others' | 'alone';
  /**
   * Broken exchanges in a row; a refused connection counts at once. Alone, errors and exchanges that take too long count too, and
   * refused connections do not take the last one out at once.
   */
  readonly failures: number;
  /** Share, 0 to 1, of answers that fail (5xx, or none); beside others where it is at least twice that of the other endpoints. */
  readonly errorShare: number;
  readonly windowMs: number;
  /** Fewer requests in the window say nothing about a share. */
  readonly requestsMin: number;
  readonly firstMs: number;
  readonly longestMs: number;
  /** The largest share, 0 to 1, of a service's endpoints that is ejected by judgement (not by refused connections) at a time. */
  readonly outMax: number;
}

export interface RetrySettings {
  /** Retries, as a share, 0 to 1, of requests. */
  readonly share: number;
  /** The first one included. */
  readonly attempts: number;
}

export interface Endpoint {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Path put before every upstream path; '' or begins with '/', never ends with one. */
  readonly basePath: string;
  readonly weight: number;
}

export interface UpstreamTls {
  /** Absolute path of a PEM bundle that replaces the system's roots, or null. */
  readonly caFile: string | null;
  /** Absolute paths of PEM files: the certificate (with its chain) that the gateway shows, and its key. Both or none. */
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
  /** Server name for SNI and verification, or null for the endpoint's host. */
  readonly serverName: string | null;
}

export interface Timeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** Who is served while a gateway has too much to do. */
export type Priority = 'high' | 'normal' | 'low';

export type LifecycleState = 'draft' | 'published' | 'deprecated' | 'retired';

export interface Route {
  readonly name: string;
  /** Null: calls go to keys of the pools that serve the model they name. */
  readonly service: string | null;
  /** What its calls ask of a model; null for the routes of services. */
  readonly ai: OperationName | null;
  readonly match: RouteMatch;
  /** Template of the upstream's path, `{name}` filled from the match; null keeps the path as it is. */
  readonly upstreamPath: string | null;
  readonly state: LifecycleState;
  readonly version: string | null;
  readonly tags: readonly string[];
  readonly auth: 'required' | 'optional' | 'none';
  /** How callers may show who they are. */
  readonly identify: Identification;
  readonly maxBodyBytes: number;
  /** What bodies must be; null where nothing is said of them. */
  readonly requestBody: RequestBodySchema | null;
  /** Methods that may be repeated although they are not idempotent (RFC 9110, 9.2.2). */
  readonly repeatUnsafeMethods: boolean;
  /** Null: requests are answered; else they open WebSockets. */
  readonly websocket: WebSocketSettings | null;
  /** Null: that of the tenant. */
  readonly priority: Priority | null;
  /** Null: nothing is said of it, so no budget can count it. */
  readonly cost: RouteCost | null;
  readonly summary: string | null;
  readonly place: Place;
}

export interface Identification {
  readonly keys: boolean;
  /** Names of token issuers. */
  readonly issuers: readonly string[];
  readonly certificates: boolean;
  readonly signatures: boolean;
}

export interface WebSocketSettings {
  /** Without a message, ping or pong. */
  readonly idleMs: number;
  readonly totalMs: number;
}

/** What a request to a route costs, in nano-units of the accounting currency. */
export interface RouteCost {
  /** The most that one request can cost: what budgets reserve. */
  readonly atMost: number;
  /** ISO 4217: the accounting currency. */
  readonly currency: string;
  /** Where the answer says what it was in the end; null: always `atMost`. */
  readonly told: CostSource | null;
}

export type CostSource =
  /** The value of a header field; lower-case name. */
  | { readonly kind: 'header'; readonly name: string }
  /** A member of the JSON body, by the names that lead to it. */
  | { readonly kind: 'body'; readonly path: readonly string[] };

export interface RouteMatch {
  /** Upper-case method names; empty means every method. */
  readonly methods: readonly string[];
  /** Pattern: literal segments, `{name}` for one segment, `{name...}` last for the rest. */
  readonly path: string;
  /** Lower-case hosts; `*.example.com` covers one or more labels; empty means every host. */
  readonly hosts: readonly string[];
  /** Header fields that must have exactly this value, or any one value where it is null; names in lower case. */
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
}

/** Who may call. It has an epoch of its own: compiled rules read it at run time and never bake it in. */
export interface Directory {
  readonly tenants: ReadonlyMap<string, Tenant>;
  /** Plans, roles and tags that the files mention; policies may name only these. */
  readonly plans: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
}

export interface Tenant {
  readonly name: string;
  readonly plan: string;
  readonly priority: Priority;
  /** Its weight beside other tenants where calls wait for keys of a pool. */
  readonly share: number;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly teams: ReadonlyMap<string, Team>;
  readonly consumers: ReadonlyMap<string, Consumer>;
  readonly place: Place;
}

export interface Team {
  readonly name: string;
  readonly attributes: Readonly<Record<string, Value>>;
}

export interface Consumer {
  readonly name: string;
  readonly team: string | null;
  readonly roles: readonly string[];
  /** Names of routes the consumer is subscribed to. */
  readonly subscriptions: readonly string[];
  readonly attributes: Readonly<Record<string, Value>>;
  readonly credentials: readonly Credential[];
  readonly place: Place;
}

export const CREDENTIAL_KINDS = ['key', 'certificate', 'signature'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** What a consumer shows who it is by, as the gateway keeps it: never a key itself. */
export interface Credential {
  readonly name: string;
  readonly kind: CredentialKind;
  /** Public: the id inside a key (`ptn_<env>_<id>_…`), for others the beginning of a digest of their name. */
  readonly keyId: string;
  /** Keyed hash of the whole key (`governance/consumer-key`), for others of their name (`model/credential-hash`). */
  readonly hash: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
  /** Of one to sign with; empty for the other kinds. */
  readonly secrets: readonly SecretReference[];
}

/** Where a secret is: a variable of the environment, a file by its absolute path, or the store, which keeps it sealed. */
export type SecretReference =
  | { readonly in: 'environment'; readonly name: string }
  | { readonly in: 'store'; readonly name: string }
  | { readonly in: 'file'; readonly path: string };
