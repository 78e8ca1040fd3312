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
 * Lists of tasks, after the `tinytodo` example of Cutler et al. (OOPSLA 2024, section 2 and 6). Everybody makes lists and
 * sees an overview; the owner of a list does everything with it; its readers and editors see it; its editors change it.
 *
 * Hierarchies: the groups a person is in, with those that these are in and the person's own, are one list, made when the
 * request comes; a list names one group of readers and one of editors.
 */
const ACTIONS = [
  'CreateList',
  'GetLists',
  'GetList',
  'UpdateList',
  'DeleteList',
  'CreateTask',
  'UpdateTask',
  'DeleteTask',
  'EditShare',
];
const PEOPLE = Array.from({ length: 40 }, (_, index) => `person${index}`);
const GROUPS = Array.from({ length: 25 }, (_, index) => `group${index}`);

const POLICY = `language 1
policy "todo"
{
    permit "overview" when request.parameter["action"] in ["CreateList", "GetLists"]
    permit "owner" when request.parameter["owner"] is consumer.name
    permit "sees" when request.parameter["action"] is "GetList"
        and (request.parameter["readers"] in consumer.groups or request.parameter["editors"] in consumer.groups)
    permit "edits" when request.parameter["action"] in ["UpdateList", "CreateTask", "UpdateTask", "DeleteTask"]
        and request.parameter["editors"] in consumer.groups
}
`;

const CEDAR = `
permit (principal, action in [Action::"CreateList", Action::"GetLists"], resource);
permit (principal, action, resource) when { resource.owner == principal };
permit (principal, action == Action::"GetList", resource)
when { principal in resource.readers || principal in resource.editors };
permit (principal, action in [Action::"UpdateList", Action::"CreateTask", Action::"UpdateTask", Action::"DeleteTask"], resource)
when { principal in resource.editors };
`;

export function tinytodo(count: number): Scenario {
  return {
    name: 'tinytodo',
    files: projectFiles({
      policy: POLICY,
      route: 'todo',
      path: '/todo/{action}/{owner}/{readers}/{editors}',
      consumerLists: ['groups'],
    }),
    route: 'todo',
    requests: samples(count),
    byHand,
    cedar: { policies: CEDAR, call: cedarCall },
    cel: `action in ["CreateList", "GetLists"] || owner == name
      || (action == "GetList" && (readers in groups || editors in groups))
      || (action in ["UpdateList", "CreateTask", "UpdateTask", "DeleteTask"] && editors in groups)`,
    casbin: [
      `has(['CreateList', 'GetLists'], r.f.action)`,
      `r.f.owner == r.f.name`,
      `r.f.action == 'GetList' && (has(r.f.groups, r.f.readers) || has(r.f.groups, r.f.editors))`,
      `has(['UpdateList', 'CreateTask', 'UpdateTask', 'DeleteTask'], r.f.action) && has(r.f.groups, r.f.editors)`,
    ].map((rule) => ({ rule, effect: 'allow' })),
  };
}

function byHand(context: RequestContext): Outcome {
  const [action, owner, readers, editors] = context.parameters as [string, string, string, string];
  const { consumer } = context.identity!;
  const groups = consumer.attributes.groups as readonly string[];
  switch (action) {
    case 'CreateList':
    case 'GetLists':
      return PERMITTED;
    case 'GetList':
      if (groups.includes(readers) || groups.includes(editors)) return PERMITTED;
      break;
    case 'UpdateList':
    case 'CreateTask':
    case 'UpdateTask':
    case 'DeleteTask':
      if (groups.includes(editors)) return PERMITTED;
      break;
  }
  return owner === consumer.name ? PERMITTED : NOT_PERMITTED;
}

function samples(count: number): Sample[] {
  const draw = new Draw(3);
  const groups = PEOPLE.map((name) => [name, ...draw.some(GROUPS, 6)]);
  const identities = PEOPLE.map((name, who) => caller({ name, attributes: { groups: groups[who]! } }));
  return Array.from({ length: count }, () => {
    const who = draw.below(PEOPLE.length);
    const facts = {
      name: PEOPLE[who]!,
      groups: groups[who]!,
      action: draw.one(ACTIONS),
      owner: draw.below(5) === 0 ? PEOPLE[who]! : draw.one(PEOPLE),
      readers: draw.one(GROUPS),
      editors: draw.one(GROUPS),
    };
    const path = `/todo/${facts.action}/${facts.owner}/${facts.readers}/${facts.editors}`;
    return { context: request(identities[who]!, path), facts };
  });
}

function cedarCall(facts: Sample['facts']) {
  const texts = facts as Readonly<Record<string, string>>;
  const { groups } = facts as unknown as { readonly groups: readonly string[] };
  const principal = uid('User', texts.name!);
  const list = uid('List', 'list');
  return {
    principal,
    action: uid('Action', texts.action!),
    resource: list,
    context: {},
    entities: [
      entity(
        principal,
        {},
        groups.slice(1).map((group) => uid('Team', group)),
      ),
      entity(list, {
        owner: reference('User', texts.owner!),
        readers: reference('Team', texts.readers!),
        editors: reference('Team', texts.editors!),
      }),
    ],
  };
}
