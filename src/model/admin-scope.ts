/** What a token of the admin API may do. A token has one or several; what none of them names it may not do. */
export const ADMIN_SCOPES = {
  read: 'see status, configuration, directory, keys (never the keys themselves) and usage',
  metrics: 'read metrics',
  log: 'read the request log, which tells who called what',
  operate: 'reload, roll back, back up',
  directory: 'change tenants, teams, consumers and roles',
  keys: 'issue, rotate and revoke keys of consumers',
  audit: 'read the audit log',
  tokens: 'make and revoke tokens of the admin API',
} as const satisfies Readonly<Record<string, string>>;

export type AdminScope = keyof typeof ADMIN_SCOPES;

export const ADMIN_SCOPE_NAMES = Object.keys(ADMIN_SCOPES) as readonly AdminScope[];
