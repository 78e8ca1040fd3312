import type { RequestContext } from '../../src/pipeline/context.ts';
import type { Outcome } from '../../src/pipeline/outcome.ts';
import { denied, NOT_PERMITTED, PERMITTED } from './answers.ts';
import {
  caller,
  Draw,
  entity,
  projectFiles,
  reference,
  request,
  type Sample,
  type Scenario,
  uid,
} from './scenario.ts';

/**
 * What a gateway is asked: who may call at all, from where, how old a key may be, what a plan includes, and which clients are
 * no longer served. Nine of ten requests are permitted, as in life. Further policies are for one tenant each, which
 * sends no request here.
 */
const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 24);
const KEY_DAYS_MAX = 120;
const OFFICE = ['10.0.0.0/8', '192.168.0.0/16', '2001:db8::/32'];
const WRITING = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** In order of their keys, which number them after the rules of `crowd` policies. */
const REASONS = {
  away: 'Call from the office network, or ask for the role remote.',
  'old-client': 'Clients of 2024 are no longer served.',
  'old-key': 'Rotate your key.',
  plan: 'The free plan reads only.',
};

function policy(crowd: number): string {
  const others = Array.from(
    { length: crowd },
    (_, index) =>
      `policy "crowd-${index}" { forbid "blocked" when tenant.name is "blocked-${index}" because "Tenant ${index} is blocked." }\n`,
  );
  return `language 1
policy "gate"
{
    permit "subscribed" when consumer is subscribed to route
    forbid "away" when request.ip not in [${OFFICE.map((network) => `"${network}"`).join(', ')}] and consumer does not have role "remote"
        because "${REASONS.away}"
    forbid "old-client" when request.header["x-client"] is present and request.header["x-client"] starts with "2024"
        because "${REASONS['old-client']}"
    forbid "old-key" when credential.age > ${KEY_DAYS_MAX} days because "${REASONS['old-key']}"
    forbid "plan" when request.method in ["POST", "PUT", "PATCH", "DELETE"] and tenant.plan is "free"
        because "${REASONS.plan}"
}
${others.join('')}`;
}

const CEDAR = `
permit (principal, action, resource) when { principal.subscriptions.contains(resource) };
forbid (principal, action, resource)
unless { context.ip.isInRange(ip("10.0.0.0/8")) || context.ip.isInRange(ip("192.168.0.0/16"))
  || context.ip.isInRange(ip("2001:db8::/32")) || principal.roles.contains("remote") };
forbid (principal, action, resource) when { context has client && context.client like "2024*" };
forbid (principal, action, resource) when { context.keyAgeMs > ${KEY_DAYS_MAX * DAY_MS} };
forbid (principal, action in [Action::"POST", Action::"PUT", Action::"PATCH", Action::"DELETE"], resource)
when { principal.plan == "free" };
`;

export function gateway(count: number, crowd: number): Scenario {
  return {
    name: 'gateway',
    files: {
      ...projectFiles({ policy: policy(crowd), route: 'orders', path: '/orders/{id}' }),
      'tenants/all.yaml': tenants(crowd),
    },
    route: 'orders',
    requests: samples(count),
    byHand: byHand(crowd),
    cedar: { policies: CEDAR, call: cedarCall },
    cel: `"orders" in subscriptions && (inOffice(ip) || "remote" in roles) && !client.startsWith("2024")
      && keyAgeMs <= ${KEY_DAYS_MAX * DAY_MS}.0 && !(method in ["POST", "PUT", "PATCH", "DELETE"] && plan == "free")`,
    casbin: [
      { rule: `has(r.f.subscriptions, 'orders')`, effect: 'allow' },
      { rule: `!inOffice(r.f.ip) && !has(r.f.roles, 'remote')`, effect: 'deny' },
      { rule: `startsWith(r.f.client, '2024')`, effect: 'deny' },
      { rule: `r.f.keyAgeMs > ${KEY_DAYS_MAX * DAY_MS}`, effect: 'deny' },
      {
        rule: `has(['POST', 'PUT', 'PATCH', 'DELETE'], r.f.method) && r.f.plan == 'free'`,
        effect: 'deny',
      },
    ],
  };
}

/** Tenants that the policies name must exist. */
function tenants(crowd: number): string {
  const blocked = Array.from({ length: crowd }, (_, index) => `  blocked-${index}: { plan: free }\n`);
  return `tenants:\n  acme: { plan: team, consumers: { web: { roles: [remote], subscriptions: [orders] } } }\n  other: { plan: free }\n${blocked.join('')}`;
}

function byHand(crowd: number): Scenario['byHand'] {
  const gate = crowd;
  const reasons = Object.entries(REASONS);
  const [away, oldClient, oldKey, plan] = reasons.map(([, detail], index) =>
    denied(403, 'forbidden', detail, gate + index),
  ) as [Outcome, Outcome, Outcome, Outcome];
  return (context) => {
    const { tenant, consumer, credential } = context.identity!;
    if (!isInOffice(context.ip) && !consumer.roles.includes('remote')) return away;
    const client = headerOf(context, 'x-client');
    if (client?.startsWith('2024')) return oldClient;
    if (context.nowWallMs - credential.createdMs > KEY_DAYS_MAX * DAY_MS) return oldKey;
    if (WRITING.includes(context.method) && tenant.plan === 'free') return plan;
    return consumer.subscriptions.has('orders') ? PERMITTED : NOT_PERMITTED;
  };
}

function headerOf({ headers }: RequestContext, name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1];
  return undefined;
}

/**
 * As one writes it who knows these three networks and cares for speed, right for every text an address can have: IPv6 with
 * or without leading zeros, IPv4 inside of IPv6.
 */
export function isInOffice(ip: string): boolean {
  const word = ipv4Of(ip);
  if (word !== -1) return word >>> 24 === 10 || word >>> 16 === 0xc0a8;
  if (ip.includes('.')) return isInOffice(ip.slice(ip.lastIndexOf(':') + 1)) && /^[0:]*:ffff:/i.test(ip);
  const [first, second] = ip.split(':', 2);
  return Number.parseInt(first!, 16) === 0x2001 && Number.parseInt(second!, 16) === 0xdb8;
}

/** -1 for other texts. */
function ipv4Of(text: string): number {
  let word = 0;
  let part = -1;
  let parts = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : 46;
    if (code >= 48 && code <= 57) {
      part = (part === -1 ? 0 : part * 10) + code - 48;
      if (part > 255) return -1;
    } else {
      if (code !== 46 || part === -1) return -1;
      word = (word << 8) | part;
      part = -1;
      parts++;
    }
  }
  return parts === 4 ? word >>> 0 : -1;
}

function samples(count: number): Sample[] {
  const draw = new Draw(4);
  const people = Array.from({ length: 40 }, (_, index) => ({
    name: `app${index}`,
    plan: index % 8 === 0 ? 'free' : 'team',
    roles: index % 5 === 0 ? ['buyer', 'remote'] : ['buyer'],
    subscriptions: index % 40 === 7 ? [] : ['orders', 'refunds'],
    keyAgeMs: (index % 40 === 9 ? 130 : index) * DAY_MS,
    /** Everybody calls from a place of their own: compiled rules remember addresses that they read. */
    address: [`10.1.${index}.3`, `192.168.7.${index}`, `2001:db8::7:${index}`][index % 3]!,
  }));
  const identities = people.map((person) => caller({ ...person, createdMs: NOW_MS - person.keyAgeMs }));
  return Array.from({ length: count }, () => {
    const who = draw.below(people.length);
    const ip = draw.below(30) === 0 ? `203.0.113.${who}` : people[who]!.address;
    const client = draw.below(60) === 0 ? '2024.1' : draw.one(['2025.2', '2026.1', '']);
    const { address: _address, ...person } = people[who]!;
    const facts = { ...person, ip, client, method: draw.one(['GET', 'GET', 'GET', 'POST']) };
    const headers = ['accept', '*/*', 'user-agent', 'bench', ...(client === '' ? [] : ['x-client', client])];
    const values = { method: facts.method, ip, headers, nowWallMs: NOW_MS };
    return { context: request(identities[who]!, '/orders/42', values), facts };
  });
}

function cedarCall(facts: Sample['facts']) {
  const texts = facts as Readonly<Record<string, string>>;
  const { roles, subscriptions } = facts as unknown as Readonly<Record<string, readonly string[]>>;
  const principal = uid('Consumer', texts.name!);
  return {
    principal,
    action: uid('Action', texts.method!),
    resource: uid('Route', 'orders'),
    context: {
      ip: { __extn: { fn: 'ip', arg: texts.ip! } },
      keyAgeMs: facts.keyAgeMs,
      ...(texts.client === '' ? {} : { client: texts.client }),
    },
    entities: [
      entity(principal, {
        plan: texts.plan!,
        roles,
        subscriptions: subscriptions!.map((name) => reference('Route', name)),
      }),
    ],
  };
}
