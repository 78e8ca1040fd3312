/** What the gateway does with header fields it knows by name. Fields that are not in the table are passed on. */
export const PASS = 0;
export const HOST = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const EXPECT = 4;
export const CONNECTION = 5;
/** Only for this hop (RFC 9110, 7.6.1), or made afresh: never passed on. */
export const HOP_BY_HOP = 6;
export const AUTHORIZATION = 7;
/** A field whose whole value is a key. */
export const KEY = 8;
/** Made by the gateway; the client's is dropped. */
export const REQUEST_ID = 9;
export const TRACEPARENT = 10;
export const TRACESTATE = 11;
/** Says who the client is: replaced, because a client could say anything. */
export const FORWARDING = 12;
/** Certificates of clients (RFC 9440): a service behind the gateway could believe whoever wrote them. */
export const CLIENT_CERTIFICATE = 13;
export const CLIENT_CERTIFICATE_CHAIN = 14;
/** RFC 9421. */
export const SIGNATURE_INPUT = 15;
export const SIGNATURE = 16;

export const REQUEST_FIELD_KINDS: ReadonlyMap<string, number> = new Map([
  ['host', HOST],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['expect', EXPECT],
  ['connection', CONNECTION],
  ['keep-alive', HOP_BY_HOP],
  ['proxy-connection', HOP_BY_HOP],
  ['proxy-authorization', HOP_BY_HOP],
  ['te', HOP_BY_HOP],
  ['trailer', HOP_BY_HOP],
  ['upgrade', HOP_BY_HOP],
  // RFC 7540, 3.2.1: meant for this hop.
  ['http2-settings', HOP_BY_HOP],
  ['authorization', AUTHORIZATION],
  ['x-api-key', KEY],
  ['api-key', KEY],
  ['x-goog-api-key', KEY],
  ['x-request-id', REQUEST_ID],
  ['traceparent', TRACEPARENT],
  ['tracestate', TRACESTATE],
  ['forwarded', FORWARDING],
  ['x-forwarded-for', FORWARDING],
  ['x-forwarded-proto', FORWARDING],
  ['x-forwarded-host', FORWARDING],
  ['x-forwarded-port', FORWARDING],
  ['x-real-ip', FORWARDING],
  ['client-cert', CLIENT_CERTIFICATE],
  ['client-cert-chain', CLIENT_CERTIFICATE_CHAIN],
  // To services that read fields as variables (RFC 3875) they are the same.
  ['client_cert', HOP_BY_HOP],
  ['client_cert_chain', HOP_BY_HOP],
  ['signature-input', SIGNATURE_INPUT],
  ['signature', SIGNATURE],
]);

/** Response fields that are dropped: uWebSockets.js writes its own Date and Content-Length, the id is the gateway's. */
export const RESPONSE_FIELDS_DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'content-length',
  'te',
  'trailer',
  'upgrade',
  'date',
  'x-request-id',
]);

/** RFC 9110, 9.2.2. */
export const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PROPFIND',
]);
