import type { Cost, RouteExplanation, RuleExplanation, RulePhase } from './route.ts';

/** For people: the policy of a route in the order in which a request meets it. */
export function renderRoute(explanation: RouteExplanation): string {
  const { rules, cost, bakedIn, leftOut } = explanation;
  const lines = [
    ...headLines(explanation),
    '',
    ...section('match       before anyone is asked for a key', inPhase(rules, 'match')),
    identifyLine(explanation),
    ...authoriseLines(rules),
    ...section('body        what the body says, once nothing else refuses', inPhase(rules, 'body')),
    ...section('admit       limits: all of them, or none is counted', inPhase(rules, 'admit')),
    ...section('request     what the service is told', inPhase(rules, 'shape-request')),
    ...section(
      'look-up     an answer that is kept does for the same request again',
      inPhase(rules, 'look-up'),
    ),
    ...section('dispatch    how long it may take', inPhase(rules, 'dispatch')),
    ...section('response    what the caller is told', inPhase(rules, 'shape-response')),
    ...section('account     who is told, once it has ended', inPhase(rules, 'account')),
    '',
    `Cost of a request: at most ${counted(cost.checks, 'check')}, ${counted(cost.counters, 'counter')}, ${
      cost.bodyReads === 0 ? 'and its body is not read' : 'and its body is read'
    }${ofElements(cost.elements)}.`,
    ...list('Decided by the route alone, so no request is asked:', bakedIn),
    ...list(
      'Left out for this route:',
      leftOut.map(
        ({ policy, rule, why, place }) =>
          `"${policy}"${rule === null ? '' : ` "${rule}"`}: ${why}  (${place})`,
      ),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function headLines({
  route,
  methods,
  path,
  hosts,
  service,
  ai,
  state,
  tags,
  place,
}: RouteExplanation): string[] {
  const asked = `${methods.length === 0 ? 'every method' : methods.join(', ')} ${path}`;
  const at = hosts.length === 0 ? '' : ` at ${hosts.join(', ')}`;
  const tagged = tags.length === 0 ? '' : `, tagged ${tags.join(', ')}`;
  return [
    `Route "${route}": ${asked}${at}`,
    `    ${service === null ? `AI, ${ai}` : `service ${service}`}, ${state}${tagged}  (${place})`,
  ];
}

function identifyLine({ auth, identify }: RouteExplanation): string {
  const what = [
    ...(identify.keys ? ['key'] : []),
    ...(identify.issuers.length > 0 ? [`token of ${identify.issuers.join(' or ')}`] : []),
    ...(identify.certificates ? ['certificate'] : []),
    ...(identify.signatures ? ['signature'] : []),
  ].join(' or ');
  switch (auth) {
    case 'required':
      return `identify    a valid ${what} is required: 401 without one`;
    case 'optional':
      return `identify    a ${what} may be presented: 401 for one that is not valid`;
    case 'none':
      return 'identify    no key is looked at: every caller is anonymous';
  }
}

function authoriseLines(rules: readonly RuleExplanation[]): string[] {
  const here = inPhase(rules, 'authorise');
  const permits = [...here, ...inPhase(rules, 'body')].filter(
    ({ kind, mode }) => kind === 'permit' && mode === 'enforce',
  );
  const head =
    permits.length === 0
      ? 'authorise   nothing permits anything here: every request is refused'
      : 'authorise   at least one permit has to hold, and nothing refuse';
  return [head, ...here.flatMap(ruleLines)];
}

function inPhase(rules: readonly RuleExplanation[], phase: RulePhase): RuleExplanation[] {
  return rules.filter((rule) => rule.phase === phase).sort((a, b) => order(a) - order(b));
}

const KIND_ORDER = ['permit', 'forbid', 'require', 'warn'];

function order({ kind }: RuleExplanation): number {
  return KIND_ORDER.indexOf(kind);
}

function section(head: string, rules: readonly RuleExplanation[]): string[] {
  return rules.length === 0 ? [] : [head, ...rules.flatMap(ruleLines)];
}

function ruleLines({ policy, rule, mode, place, says, when, unless, counter }: RuleExplanation): string[] {
  const condition = when === '' ? '' : `${counter === null ? '' : ','} when ${when}`;
  const required = unless === '' ? '' : ` unless ${unless}`;
  const name = rule === null ? `"${policy}"` : `"${policy}" "${rule}"`;
  const shared = counter === null ? '' : `; ${sharedWith(counter.routes)}`;
  return [`    ${MODES[mode] ?? ''}${says}${condition}${required}`, `        ${name}  (${place})${shared}`];
}

const MODES: Readonly<Record<string, string>> = {
  warn: '[only warns] ',
  shadow: '[shadow: noted, nobody is told] ',
};

function sharedWith(routes: readonly string[]): string {
  if (routes.length === 1) return 'counts this route alone';
  const shown = routes.slice(0, ROUTES_SHOWN_MAX).join(', ');
  const rest = routes.length - ROUTES_SHOWN_MAX;
  return `one counter for ${routes.length} routes (${shown}${rest > 0 ? ` and ${rest} more` : ''})`;
}
const ROUTES_SHOWN_MAX = 6;

function ofElements(elements: Cost['elements']): string {
  if (elements.length === 0) return '';
  const each = elements.map(({ list, checks }) => `${counted(checks, 'check')} for each element of ${list}`);
  return `; besides ${each.join(', ')}`;
}

function counted(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}

function list(head: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', head, ...items.map((item) => `    ${item}`)];
}
