import type { RequestContext } from '../../src/pipeline/context.ts';
import type { Outcome } from '../../src/pipeline/outcome.ts';
import { NOT_PERMITTED, PERMITTED } from './answers.ts';
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
 * Roles on repositories, after the `github` example of Cutler et al. (OOPSLA 2024, section 6; from OpenFGA's sample stores).
 * Five levels, each with all that the ones below it may do, are granted on a repository to people, teams and
 * organisations; and readers, writers and administrators of the organisation that owns a repository have them on it.
 *
 * Hierarchies: for each level, one list of all repositories on which the person, a team or an organisation of the person
 * has it, and for the owner's three levels one list of organisations, made when the request comes.
 */
const LEVELS = ['read', 'triage', 'write', 'maintain', 'admin'] as const;
const OWNER_LEVELS = ['read', 'write', 'admin'] as const;
const REPOSITORIES = Array.from({ length: 80 }, (_, index) => `repository${index}`);
const OWNERS = Array.from({ length: 10 }, (_, index) => `owner${index}`);

/** The levels that a grant of `level` covers. */
function covered(level: (typeof LEVELS)[number]): readonly string[] {
  return LEVELS.slice(0, LEVELS.indexOf(level) + 1);
}

function quoted(items: readonly string[], quote: '"' | "'"): string {
  return `[${items.map((item) => `${quote}${item}${quote}`).join(', ')}]`;
}

const RULES = [
  ...LEVELS.map((level) => ({
    name: `on-${level}`,
    level,
    fact: 'repository',
    list: `repositories_${level}`,
  })),
  ...OWNER_LEVELS.map((level) => ({ name: `owner-${level}`, level, fact: 'owner', list: `owners_${level}` })),
];

const POLICY = `language 1
policy "repositories"
{
${RULES.map(({ name, level, fact, list }) => `    permit "${name}" when request.parameter["action"] in ${quoted(covered(level), '"')} and request.parameter["${fact}"] in consumer.${list}`).join('\n')}
}
`;

/** The groups of actions are written out, as ours are: Cedar would take them from entities of actions. */
const CEDAR = RULES.map(({ level, fact, list }) => {
  const actions = covered(level).map((name) => `Action::"${name}"`);
  const what = fact === 'owner' ? 'resource.owner' : 'resource';
  return `permit (principal, action in [${actions.join(', ')}], resource) when { principal.${list}.contains(${what}) };`;
}).join('\n');

export function github(count: number): Scenario {
  return {
    name: 'github',
    files: projectFiles({
      policy: POLICY,
      route: 'code',
      path: '/code/{action}/{owner}/{repository}',
      consumerLists: RULES.map(({ list }) => list),
    }),
    route: 'code',
    requests: samples(count),
    byHand,
    cedar: { policies: CEDAR, call: cedarCall },
    cel: RULES.map(
      ({ level, fact, list }) => `(action in ${quoted(covered(level), '"')} && ${fact} in ${list})`,
    ).join(' || '),
    casbin: RULES.map(({ level, fact, list }) => ({
      rule: `has(${quoted(covered(level), "'")}, r.f.action) && has(r.f.${list}, r.f.${fact})`,
      effect: 'allow',
    })),
  };
}

type Grants = Readonly<
  Record<
    `repositories_${(typeof LEVELS)[number]}` | `owners_${(typeof OWNER_LEVELS)[number]}`,
    readonly string[]
  >
>;

function byHand(context: RequestContext): Outcome {
  const [action, owner, repository] = context.parameters as [string, string, string];
  const grants = context.identity!.consumer.attributes as unknown as Grants;
  const isRead = action === 'read';
  const upToTriage = isRead || action === 'triage';
  const upToWrite = upToTriage || action === 'write';
  const upToMaintain = upToWrite || action === 'maintain';
  const upToAdmin = upToMaintain || action === 'admin';
  if (isRead && grants.repositories_read.includes(repository)) return PERMITTED;
  if (upToTriage && grants.repositories_triage.includes(repository)) return PERMITTED;
  if (upToWrite && grants.repositories_write.includes(repository)) return PERMITTED;
  if (upToMaintain && grants.repositories_maintain.includes(repository)) return PERMITTED;
  if (upToAdmin && grants.repositories_admin.includes(repository)) return PERMITTED;
  if (isRead && grants.owners_read.includes(owner)) return PERMITTED;
  if (upToWrite && grants.owners_write.includes(owner)) return PERMITTED;
  if (upToAdmin && grants.owners_admin.includes(owner)) return PERMITTED;
  return NOT_PERMITTED;
}

function samples(count: number): Sample[] {
  const draw = new Draw(2);
  const people = Array.from({ length: 40 }, (_, index) => ({
    name: `person${index}`,
    ...Object.fromEntries(
      RULES.map(({ fact, list }) => [
        list,
        fact === 'owner' ? draw.some(OWNERS, 8) : draw.some(REPOSITORIES, 16),
      ]),
    ),
  }));
  const identities = people.map(({ name, ...attributes }) => caller({ name, attributes }));
  return Array.from({ length: count }, () => {
    const who = draw.below(people.length);
    const facts = {
      ...people[who]!,
      action: draw.one(LEVELS),
      owner: draw.one(OWNERS),
      repository: draw.one(REPOSITORIES),
    };
    const path = `/code/${facts.action}/${facts.owner}/${facts.repository}`;
    return { context: request(identities[who]!, path), facts };
  });
}

function cedarCall(facts: Sample['facts']) {
  const texts = facts as Readonly<Record<string, string>>;
  const lists = facts as Readonly<Record<string, readonly string[]>>;
  const principal = uid('User', texts.name!);
  const repository = uid('Repository', texts.repository!);
  const grants = RULES.map(({ fact, list }) => {
    const type = fact === 'owner' ? 'Organization' : 'Repository';
    return [list, lists[list]!.map((name) => reference(type, name))] as const;
  });
  return {
    principal,
    action: uid('Action', texts.action!),
    resource: repository,
    context: {},
    entities: [
      entity(principal, Object.fromEntries(grants)),
      entity(repository, { owner: reference('Organization', texts.owner!) }),
    ],
  };
}
