import { problemsOf } from '../../src/admin/openapi.ts';
import { ADMIN_PROBLEMS, COMMON_PROBLEMS } from '../../src/admin/problems.ts';
import type { AdminRoute } from '../../src/admin/route.ts';
import { ADMIN_ROUTES } from '../../src/admin/routes.ts';
import { LIMITS, type LimitName } from '../../src/base/limits.ts';
import { written } from '../../src/config/shape/limits-schema.ts';
import { ADMIN_SCOPES } from '../../src/model/admin-scope.ts';

/** docs/admin-api.md: what the admin API does, from the table that it answers from. */
export function adminApiPage(): string {
  return `# The admin API, the audit log, and the history of the configuration

This page is generated from the tables that the server uses, by \`npm run generate\`; a test keeps it up to date. The running gateway gives the same,
with the schema of every body and answer, as an OpenAPI 3.1 document: \`GET /v1/openapi.json\`.

## Who may call

It listens on 127.0.0.1:9090 (\`admin:\` in portunus.yaml), and without TLS on loopback addresses only: another one is an error (PT3114). Each request has a token,
\`Authorization: Bearer ptn_admin_…\`, but for \`/healthz\`. \`portunus init\`, or else the first start, makes the token \`local\` for the commands on this machine and puts it into
\`admin-access.json\` in the data folder; \`portunus tokens issue NAME --scope read --expires '90 days'\` makes others. A token is shown once, only its hash is kept,
it can give others no scope that it lacks, and \`portunus tokens revoke ID\` ends it before the command returns.

**From other machines.** \`admin: { address: 0.0.0.0, port: 9090, tls: { certificate: admin.pem, key: admin.key } }\` serves https (TLS 1.2 and 1.3). \`Host\` has to be an IP
address, \`localhost\` or a name of the certificate; all else is refused, so that no page can reach it under a name of its own (DNS rebinding). Files that change are taken up
within seconds: new connections see the new certificate, those that there are go on; what can't be used is the alert \`certificate-refused\` of the admin API. Commands reach it with
\`portunus status --url https://gateway.example:9090 --ca authority.pem --token-file token\` (or the token in \`PORTUNUS_ADMIN_TOKEN\`); without \`--ca\` the authorities that Node.js
knows count. Commands on the same machine need none of it: the access file says which certificate to expect.

| scope | allows to |
|---|---|
${rows(Object.entries(ADMIN_SCOPES).map(([scope, what]) => [code(scope), what]))}

## Operations

What is not in this table is refused.

| operation | scope | does |
|---|---|---|
${rows(ADMIN_ROUTES.map((route) => [code(`${route.method} ${route.path}`), code(route.scope), route.summary + refusals(route)]))}

Each \`GET\` answers with an \`ETag\`: \`If-None-Match\` asks whether it is still so (304), and where it is said above, \`If-Match\` lets a change be made only to what was read (412).
A \`POST\` with an \`Idempotency-Key\` is done once: whoever repeats it gets the first answer again, also after a crash of the gateway. The answer is kept for
${limit('adminIdempotencyMs')} (\`limits.adminIdempotencyMs\`), sealed with the token that asked; of ${limit('adminIdempotencyKeys')} (\`limits.adminIdempotencyKeys\`) kept ones none is given up for another: one more is refused.
A request that was refused has done nothing, and its key may be used again.

Bounds: body ${limit('adminBodyBytes')}, header section ${limit('adminHeaderBytes')}, time for a whole request ${limit('adminRequestMs')}, time without taking any of the answer ${limit('adminStalledMs')}, connections ${limit('adminConnections')}.

## Refusals

All are \`application/problem+json\` (RFC 9457). \`code\` is stable; \`errors\` names places in the request. Any operation may answer ${COMMON_PROBLEMS.map(code).join(', ')}.

| code | status | says |
|---|---|---|
${rows(Object.entries(ADMIN_PROBLEMS).map(([name, { status, title, detail }]) => [code(name), String(status), `${title}. ${detail}`]))}

## Audit log

Every change leaves a record: who (a token, an account of this machine, or the gateway and what made it act), what, before and after. It is durable before the change is
answered, in one transaction with it where the change is in the store. Records are chained by SHA-256; the end is signed (HMAC) with the key in
\`audit.key\` of the data folder, which no backup holds. After each change the signed end is also written to \`audit-anchors.jsonl\` beside the store, and once an hour, at start
and at stop to the event log. A webhook of \`deliveries\` in \`portunus.yaml\` with \`audit: anchors\` gets it at start, at stop and within seconds of each change: a signed message
\`{ "type": "audit.anchor", "timestamp": …, "data": { "sequence", "hash", "mac" } }\`, tried again like alerts; the newest stands for those that still wait.
Have such a receiver, ship that log elsewhere, or keep \`GET /v1/audit/anchor\` now and then: whoever can write the data folder can replace key, store and
anchors together, and only an anchor that lies elsewhere shows it.

\`portunus audit verify [--anchor SEQUENCE:HASH]\` finds every edit, gap, truncation and rewrite back to the last anchor, with or without a running gateway; \`audit show\` and
\`audit export\` give the records. \`portunus restore\` and \`start --recover\` put an older store in place: they record it, and leave a signed mark among the anchors, so that
verification tells it from a store that somebody put back past Portunus – of which a start raises the alert \`audit-not-sound\`. Changes of the configuration that come from files
are live even where the disk is full: their records wait in memory, with the alert \`history-not-kept\`, and a reload that somebody asked for is answered
\`live_not_recorded\` until then. At most ${limit('auditRecords')} records are kept (\`limits.auditRecords\`); of more the oldest go, and the signed beginning says so.

## History of the configuration

Of the versions that ran the newest ${limit('configurationVersions')} are kept, with all of their files (\`limits.configurationVersions\`, up to ${LIMITS.configurationVersions.maximum.toLocaleString('en')}): \`portunus history list\`, \`history show VERSION\`,
\`history diff FROM --to VERSION\`. A roll-back to an older one is refused, and says which is the oldest; a text that several versions have is kept once, so whoever wants them all sets the bound higher. A start with the files of the newest version goes on with its number.

\`portunus rollback VERSION\` writes the files of that version back into the project folder and loads them, as a new version. So folder and gateway say the same, the next saved file
does not undo it, and the next edit starts from what runs. It is checked before anything is written; what lay there is kept in \`replaced-files\` of the data folder, if no version has it;
a crash in between is finished by the next start or load – who began it is in the audit log before anything is written (\`configuration.rollback-begun\`), and a file that somebody
edited after the crash is kept beside, as \`.NAME.edited-…\`. Where files are links, or can't be written – a volume of Kubernetes, a checkout that others own – it is
refused: roll back where the files come from.
`;
}

const HOUR_MS = 3_600_000;

function rows(cells: readonly (readonly string[])[]): string {
  return cells.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function refusals(route: AdminRoute): string {
  const own = problemsOf(route).filter((problem) => route.problems?.includes(problem));
  const guarded = route.changes === undefined ? '' : ' Takes `If-Match`.';
  return own.length === 0 ? guarded : `${guarded} Refusals: ${own.map(code).join(', ')}.`;
}

function limit(name: LimitName): string {
  const { unit, default: value } = LIMITS[name];
  if (unit === 'count') return value.toLocaleString('en-US');
  return unit === 'ms' && value % HOUR_MS === 0 ? `${value / HOUR_MS}h` : written(value, unit);
}
