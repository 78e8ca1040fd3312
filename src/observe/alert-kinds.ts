/**
 * Every kind of alert, and what it says: nothing else can be raised, docs/alerts.md is made of it, and a test demands that each stands
 * in a test.
 */
export interface AlertKindView {
  /** What the subject names; '' where the gateway itself is meant. */
  readonly subject: string;
  readonly says: string;
}

export const ALERT_KINDS = {
  'audit-not-anchored': {
    subject: '',
    says: 'The audit log is kept, but its end can not be anchored beside the store.',
  },
  'audit-not-sound': {
    subject: '',
    says: 'A start found a store that is older than its anchors: somebody put it back past Portunus.',
  },
  'certificate-expires': { subject: 'certificate file', says: 'A certificate that is served ends soon.' },
  'certificate-refused': {
    subject: '`admin API`, or none for the listener',
    says: 'Renewed certificates can not be used: those of before are served.',
  },
  'configuration-refused': {
    subject: '',
    says: 'The files have errors: the version of before goes on.',
  },
  'connections-not-counted': {
    subject: '',
    says: 'The connections of each address can not be counted: limits.connectionsPerAddress is not kept.',
  },
  'delivery-failing': { subject: 'delivery', says: 'A webhook did not take a message, which was given up.' },
  'files-not-watched': { subject: '', says: 'Changes of files may go unnoticed.' },
  'history-not-kept': {
    subject: '',
    says: 'A version that went live, or its audit record, waits in memory for room on the disk.',
  },
  'issuer-keys-missing': { subject: 'token issuer', says: 'The keys of a token issuer can not be had.' },
  'key-rotation-due': {
    subject: 'pool/key',
    says: 'A policy has the secret of a provider key replaced by now.',
  },
  'key-rotation-failed': {
    subject: 'pool/key',
    says: 'The new secret of a provider key is not known to its provider: the former one serves again.',
  },
  'key-rotation-hook-failed': {
    subject: 'pool/key',
    says: 'A rotation hook gave no new secret.',
  },
  'key-rotation-not-kept': {
    subject: 'secret',
    says: 'The next step of the rotation of a secret can not be written down.',
  },
  'limit-keys-full': {
    subject: 'limit',
    says: 'A limit has more keys than counters: further ones share one counter. Over when none has shared it for a minute.',
  },
  'limit-threshold': { subject: 'limit, share and caller', says: 'What `alert at` of a limit asks for.' },
  'limit-unavailable': {
    subject: 'limit',
    says: 'A limit could not be counted, because its memory stayed in use: `on failure` decided. Over when it could for a minute.',
  },
  'name-not-resolved': {
    subject: 'host name',
    says: 'The name of an endpoint can not be resolved: it keeps the addresses that it had.',
  },
  'policy-alert': { subject: 'rule and key', says: 'What an `alert when` of a policy asks for.' },
  'pools-lost': {
    subject: '',
    says: 'What was learned of provider keys could not be read at a start. Over when somebody removes `pools.json.damaged`.',
  },
  'pools-not-kept': {
    subject: '',
    says: 'What is known of provider keys can not be kept for the next start.',
  },
  'provider-key': {
    subject: 'pool/key',
    says: 'A provider key takes no calls, or may soon take none: it is suspect, invalid or out of funds, say.',
  },
  'provider-secret-refused': {
    subject: 'pool/key',
    says: 'The secret of a provider key can not be read: what was read before still counts.',
  },
  'provider-usage-doubted': {
    subject: 'pool/key',
    says: 'Answers told more use than the limits of a provider key can have had. Over when a person enables the key.',
  },
  'quotas-not-kept': {
    subject: '',
    says: 'Quotas can not be written down: each that needs more of its amount does what its `on failure` says.',
  },
  'rate-windows-full': {
    subject: '',
    says: 'A start found no state of rate windows that it can rely on: each begins full.',
  },
  'rate-windows-not-kept': {
    subject: '',
    says: 'Rate windows can not be written down: counters are in memory alone.',
  },
  'replaced-limits-not-kept': {
    subject: '',
    says: 'Limits that stay in force as they were before an edit can not be kept for the next start.',
  },
  'request-log-damaged': { subject: '', says: 'The request log was damaged and is begun anew.' },
  'request-log-not-kept': { subject: '', says: 'Requests are served and not logged.' },
  'service-down': { subject: 'service', says: 'A service has no endpoint that is well.' },
  'signatures-full': {
    subject: '',
    says: 'Signed requests are refused, because no more signatures can be remembered.',
  },
  'signing-secret-refused': {
    subject: 'credential and place',
    says: 'The secret of a signer can not be read: what was read before still counts.',
  },
  'thresholds-lost': {
    subject: '',
    says: 'Crossed thresholds of limits were not told: too many were crossed at once.',
  },
  'traces-not-sent': { subject: '', says: 'The receiver of traces does not take them.' },
} as const satisfies Readonly<Record<string, AlertKindView>>;

export type AlertKind = keyof typeof ALERT_KINDS;
