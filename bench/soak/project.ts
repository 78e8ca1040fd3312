import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project of a soak, and the edits that are made while it runs. */
export interface SoakProject {
  readonly folder: string;
  readonly dataFolder: string;
  readonly port: number;
  readonly adminPort: number;
  /** The edit of this number; every one but a broken one makes a version of its own. */
  edit(number: number): Edit;
}

export interface Edit {
  /** `refused`: the files have an error, so the version before goes on. */
  readonly outcome: 'live' | 'refused';
  /** What `x-edit` of an answer says once it is live. */
  readonly mark: string;
}

/** Of those that may be asked in a second, the fewer. */
export const LIMIT_LEAST = 20;

/**
 * More than a soak issues, and so few that the warm-up touches each page of their table: with room for a million keys each
 * new one touches pages for the first time, which cannot be told from a leak in an hour.
 */
const CONSUMER_KEYS_MAX = 5_000;

export function writeSoakProject(
  folder: string,
  ports: { readonly service: number; readonly gateway: number; readonly admin: number },
): SoakProject {
  for (const name of ['routes', 'tenants', 'policies']) mkdirSync(join(folder, name), { recursive: true });
  // A file that is written in place is empty for a moment, and may be read in it: whoever edits under load renames.
  const unfinished = `${folder}.unfinished`;
  const write = (path: string, text: string): void => {
    writeFileSync(unfinished, text);
    renameSync(unfinished, join(folder, path));
  };
  write(
    'portunus.yaml',
    `portunus: 1
listen: { address: 127.0.0.1, port: ${ports.gateway} }
admin: { address: 127.0.0.1, port: ${ports.admin} }
dataThreads: 2
data: ./data
history: { log: { size: 4MiB } }
limits: { consumerKeys: ${CONSUMER_KEYS_MAX} }
attributes: { tenant: { edit: { type: number } } }
`,
  );
  write('routes/soak.yaml', routes(ports.service));
  write('tenants/acme.yaml', tenants(0));
  write('policies/limits.policy', limits(LIMIT_LEAST));
  write('policies/edit.policy', marking(0));
  return {
    folder,
    dataFolder: join(folder, 'data'),
    port: ports.gateway,
    adminPort: ports.admin,
    edit(number) {
      const mark = String(number);
      switch (number % 5) {
        case 0:
          write('policies/limits.policy', limits(LIMIT_LEAST + 10 * ((number / 5) % 2)));
          break;
        case 1:
          write('routes/extra.yaml', EXTRA_ROUTE);
          break;
        case 2:
          rmSync(join(folder, 'routes/extra.yaml'));
          break;
        case 3:
          write('tenants/acme.yaml', tenants(number));
          break;
        default:
          write('policies/edit.policy', 'language 1\npolicy "edit" { permit whenever }\n');
          return { outcome: 'refused', mark };
      }
      write('policies/edit.policy', marking(number));
      return { outcome: 'live', mark };
    },
  };
}

const EXTRA_ROUTE = 'routes: { extra: { service: good, match: { path: /extra }, auth: none } }\n';

const routes = (port: number): string => `services:
  good: { endpoints: [{ url: "http://127.0.0.1:${port}" }] }
  faulty: { endpoints: [{ url: "http://127.0.0.1:${port}" }], timeouts: { firstByte: 2s } }
  closing: { endpoints: [{ url: "http://127.0.0.1:${port}" }] }
routes:
  get: { service: good, match: { path: /get } }
  post: { service: good, match: { methods: [POST], path: /post }, auth: none }
  big: { service: good, match: { path: /big }, auth: none }
  stream: { service: good, match: { path: /stream }, auth: none }
  socket: { service: good, match: { path: /socket }, auth: none, websocket: {} }
  limited: { service: good, match: { path: /limited }, auth: none }
  spend: { service: good, match: { path: /spend }, cost: $0.0001 per request }
  faulty: { service: faulty, match: { path: "/faulty/{kind}" }, auth: none }
  closing: { service: closing, match: { path: /closing }, auth: none }
`;

const tenants = (number: number): string => `tenants:
  acme:
    plan: free
    attributes: { edit: ${number} }
    consumers: { web: {}, guest: {} }
`;

const limits = (amount: number): string => `language 1
policy "pace" applies to route "limited" { limit "pace" at most ${amount} requests in any 1s in total }
policy "quota" applies to route "get" { quota "year" 1_000_000_000 requests per year for each consumer }
policy "budget" applies to route "spend" { budget "year" $1_000_000 per year for each consumer }
`;

const marking = (number: number): string => `language 1
policy "edit" {
    permit
    forbid "never" when request.path is "/never-${number}"
    set header "x-edit" to "${number}" in response
}
`;
