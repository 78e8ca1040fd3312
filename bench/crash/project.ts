import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONSUMERS, COUNTED_ROUTES, type CountedRoute, policyOf, WINDOW_ROUTE } from './counters.ts';

/** The project that is killed and started again, always on one data folder. */
export interface CrashProject {
  readonly folder: string;
  readonly dataFolder: string;
  readonly port: number;
  readonly adminPort: number;
}

/** The tenant of all consumers, and the consumer whose keys are issued and revoked. */
export const TENANT = 'acme';
export const ADMIN_CONSUMER = 'changed';

export interface CrashProjectOptions {
  readonly folder: string;
  readonly upstreamPort: number;
  readonly port: number;
  readonly adminPort: number;
}

export function writeCrashProject(options: CrashProjectOptions): CrashProject {
  const { folder, port, adminPort, upstreamPort } = options;
  for (const name of ['routes', 'tenants', 'policies']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(
    join(folder, 'portunus.yaml'),
    `portunus: 1
listen: { address: 127.0.0.1, port: ${port} }
admin: { address: 127.0.0.1, port: ${adminPort} }
dataThreads: 2
data: ./data
`,
  );
  writeFileSync(
    join(folder, 'routes', 'counted.yaml'),
    `services:
  s:
    owner: bench@portunus.example
    endpoints: [{ url: "http://127.0.0.1:${upstreamPort}" }]
    # on a machine that is busy, connections within it take more than a second, too
    timeouts: { connect: 30s, firstByte: 30s }
routes:
  free: { service: s, match: { path: /free } }
  ${WINDOW_ROUTE.name}: { service: s, match: { path: "/${WINDOW_ROUTE.name}/{group}/{consumer}" } }
${COUNTED_ROUTES.map(routeLine).join('\n')}
`,
  );
  const consumers = [...CONSUMERS, ADMIN_CONSUMER].map((name) => `${name}: {}`).join(', ');
  writeFileSync(
    join(folder, 'tenants', 'acme.yaml'),
    `tenants: { ${TENANT}: { plan: team, consumers: { ${consumers} } } }\n`,
  );
  return { folder, dataFolder: join(folder, 'data'), port, adminPort };
}

/** The rules of one group of kills. To be written while no gateway runs. */
export function writeGroup(folder: string, group: number): void {
  const policies = COUNTED_ROUTES.map(
    (route) =>
      `policy "${policyOf(route, group)}" applies to route "${route.name}" {\n    ${ruleOf(route)}\n}\n`,
  );
  writeFileSync(join(folder, 'policies', 'crash.policy'), `language 1\n${[ALWAYS, ...policies].join('\n')}`);
}

const ALWAYS = `policy "open" applies to every route {
    permit
}
policy "window" applies to route "${WINDOW_ROUTE.name}" {
    limit "window" at most ${WINDOW_ROUTE.amount} requests in any ${WINDOW_ROUTE.windowMs / 1_000}s for each consumer
}
`;

function routeLine(route: CountedRoute): string {
  const price = dollars(route.atMost);
  const cost =
    route.counts === 'requests'
      ? ''
      : `, cost: ${route.name === 'flat' ? `${price} per request` : `{ header: x-cost, atMost: ${price} }`}`;
  return `  ${route.name}: { service: s, match: { path: "/${route.name}/{group}/{consumer}" }${cost} }`;
}

/** Of a year: hardly a run meets the end of its period. */
function ruleOf({ counts, amount, keyed }: CountedRoute): string {
  return counts === 'requests'
    ? `quota "year" ${amount} requests per year ${keyed}`
    : `budget "year" ${dollars(amount)} per year ${keyed}`;
}

function dollars(nano: number): string {
  return `$${nano / 1_000_000_000}`;
}
