import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { DAY_MS } from '../../model/local-time.ts';
import { alternatives, problem, shown } from './problem.ts';

/** PT21xx: rules that cannot mean what they say. One factory per code. */

export function noCounterKey(span: Span): Diagnostic {
  return problem(
    'PT2101',
    span,
    'This limit has no counter key.',
    'Write "for each tenant", or "in total" if all callers share it.',
  );
}

export function clauseNotHere(
  span: Span,
  kind: string,
  clause: string,
  allowed: readonly string[],
): Diagnostic {
  const replies = ['status', 'code', 'because'];
  const over = allowed.find((one) => one === 'when exceeded' || one === 'when exhausted');
  const help =
    replies.includes(clause) && over !== undefined
      ? `Write \`${over} ${clause} …\`.`
      : `It can have ${alternatives(allowed.map((one) => `\`${one}\``))}.`;
  const article = /^[aeiou]/.test(kind) ? 'An' : 'A';
  return problem('PT2102', span, `${article} \`${kind.replace('-', ' ')}\` has no \`${clause}\`.`, help);
}

export function calendarPeriodInLimit(span: Span, period: string): Diagnostic {
  const glued: Readonly<Record<string, string>> = { day: '24h', week: '7 days' };
  const length = glued[period] ?? '30 days';
  return problem(
    'PT2103',
    span,
    `A limit is paced by a length of time, and \`${shown(period)}\` is a period of the calendar.`,
    `Write \`per ${length}\`, or \`quota … per ${shown(period)}\` for what follows the calendar.`,
  );
}

export function statusOutOfRange(span: Span, status: number): Diagnostic {
  return problem(
    'PT2104',
    span,
    `${status} is not a status of a refusal.`,
    'Write a status from 400 to 599, such as 403 or 429.',
  );
}

export function notAHeaderName(span: Span, name: string): Diagnostic {
  const meant = name
    .trim()
    .replace(/\s*:$/, '')
    .replace(/[\s_]+/g, '-');
  return problem(
    'PT2105',
    span,
    `"${shown(name)}" is not the name of a header.`,
    /^[A-Za-z0-9-]+$/.test(meant)
      ? `Write "${shown(meant)}".`
      : 'Names of headers are letters, digits and hyphens.',
  );
}

export function gatewayHeader(span: Span, name: string): Diagnostic {
  return problem(
    'PT2105',
    span,
    `"${shown(name)}" is written by the gateway itself.`,
    'Choose another header: this one frames the message or belongs to one connection.',
  );
}

export function holeNotAllowed(span: Span, path: string, why: string, help: string): Diagnostic {
  return problem('PT2106', span, `{${shown(path)}} cannot be shown here: ${why}.`, help);
}

export function endsBeforeItBegins(span: Span): Diagnostic {
  return problem(
    'PT2114',
    span,
    'This ends before it begins.',
    'Write the earlier date first; both dates belong to the time between them.',
  );
}

export function emptyHours(span: Span): Diagnostic {
  return problem(
    'PT2115',
    span,
    'These hours have no beginning or no length.',
    'Write a start before 24:00 and another end, such as 08:00..18:00, 22:00..06:00 or 00:00..24:00.',
  );
}

/** `lastDay` in days since 1970-01-01, `leftDays` from today. */
export function holidaysEnd(span: Span, name: string, lastDay: number, leftDays: number): Diagnostic {
  const date = new Date(lastDay * DAY_MS).toISOString().slice(0, 10);
  const days = `${Math.abs(leftDays)} day${Math.abs(leftDays) === 1 ? '' : 's'}`;
  const when = leftDays === 0 ? 'today' : leftDays > 0 ? `in ${days}` : `${days} ago`;
  return problem(
    'PT2116',
    span,
    `The holidays "${shown(name)}" end on ${date}, ${when}; every day after that counts as a working day.`,
    'Add the dates that follow.',
  );
}

export function appliesNowhere(span: Span, name: string): Diagnostic {
  return problem(
    'PT2108',
    span,
    `The policy "${shown(name)}" applies to no route.`,
    'Widen `applies to`, or remove the policy.',
  );
}

export function noEffect(span: Span, why: string): Diagnostic {
  return problem(
    'PT2109',
    span,
    `This rule never has an effect: ${why}.`,
    'Correct the condition, or remove the rule.',
  );
}

export function headerValue(span: Span): Diagnostic {
  return problem(
    'PT2111',
    span,
    'A header value holds only visible ASCII characters and blanks.',
    'Remove line breaks and other characters.',
  );
}

export function badCode(span: Span, code: string): Diagnostic {
  return problem(
    'PT2112',
    span,
    `"${shown(code)}" is not a code that programs can rely on.`,
    'Write lower-case letters, digits and _, beginning with a letter: "model_not_allowed".',
  );
}

export function notAKey(span: Span, fact: string, what: string): Diagnostic {
  return problem(
    'PT2113',
    span,
    `${shown(fact)} is ${what} and cannot tell counters apart.`,
    'Count for each of something with a name or an address: tenant, team, consumer, credential, route or request.ip.',
  );
}

export function routeWithoutCost(span: Span, route: string, place: string): Diagnostic {
  return problem(
    'PT2124',
    span,
    `Route "${shown(route)}" does not say what a request costs, so this budget can't count it (${place}).`,
    'Add `cost: $0.002 per request` to the route (`$0 per request` where it is free), or narrow `applies to`.',
  );
}

export function targetFact(span: Span, rule: string, fact: string): Diagnostic {
  const who =
    rule === 'applies to' || rule === 'because' ? `\`${rule}\`` : `A ${shown(rule.replace('-', ' '))}`;
  return problem(
    'PT2133',
    span,
    `${who} can't use ${shown(fact)}: it is not one call to one target that is asked about.`,
    `Only the conditions of \`forbid\` and \`require\` ask, of each pool in turn: \`require ${shown(fact)} in […]\`.`,
  );
}

export function routeWithoutPools(span: Span, route: string, place: string): Diagnostic {
  return problem(
    'PT2131',
    span,
    `Route "${shown(route)}" leads to a service, and only calls to models go to pools (${place}).`,
    'Narrow `applies to` to routes of models: `applies to routes tagged "ai"`.',
  );
}

export function uncachedRoute(span: Span, route: string, place: string): Diagnostic {
  return problem(
    'PT2160',
    span,
    `No answer of route "${shown(route)}" can be kept: only those to GET, HEAD and calls to models can (${place}).`,
    'Let the rule apply to other routes too, or remove it.',
  );
}

export function barsNoPool(span: Span): Diagnostic {
  return problem(
    'PT2134',
    span,
    'This forbid leaves out no pool of the project, so it forbids nothing.',
    'Look whether its texts are spelt like the names of pools and providers, and the regions of providers; or remove the rule.',
  );
}

export function barsAllPools(span: Span, model: string, place: string): Diagnostic {
  return problem(
    'PT2135',
    span,
    `This rule leaves model "${shown(model)}" no pool, so that no request to it is ever permitted here (${place}).`,
    `Give the model a pool that fits the rule, or narrow the rule: \`when model is not "${shown(model)}"\`.`,
  );
}

export function uselessPool(span: Span, pool: string): Diagnostic {
  return problem(
    'PT2132',
    span,
    `Pool "${shown(pool)}" serves no model that these routes can be asked for.`,
    'Name a pool that stands below `pools` of a model whose provider speaks the dialect of the route.',
  );
}

export function budgetBelowCost(span: Span, cost: string): Diagnostic {
  return problem(
    'PT2125',
    span,
    `This budget is smaller than one request, which costs at least ${cost} here.`,
    'Write a larger amount, or a lower price.',
  );
}

export function responseFact(span: Span, rule: string, fact: string): Diagnostic {
  return problem(
    'PT2110',
    span,
    rule === 'applies to'
      ? `\`applies to\` can't use ${shown(fact)}: it is asked before there is a response.`
      : `A ${shown(rule.replace('-', ' '))} can't use ${shown(fact)}: it is decided before there is a response.`,
    `Decide by what the request says; to be told of responses write \`alert when ${shown(fact)} …\`.`,
  );
}

export function tokensWithoutCalls(span: Span, route: string, place: string): Diagnostic {
  return problem(
    'PT2126',
    span,
    `Requests of route "${shown(route)}" ask no model, so this limit can't count their tokens (${place}).`,
    'Narrow `applies to` to routes with `ai`, or count requests.',
  );
}

export function tokensAtOnce(span: Span): Diagnostic {
  return problem(
    'PT2127',
    span,
    'Tokens are counted over a time: how many are under way at once is not known.',
    'Write `at most … tokens in any 1m`, or `at most … requests at once`.',
  );
}

export function dialectsOwnCap(span: Span, path: string, kind: 'cap' | 'default'): Diagnostic {
  return problem(
    'PT2128',
    span,
    `${shown(path)} is the field of one dialect: a call that bounds its answer by another one passes.`,
    `Write \`${kind} request.output_cap ${kind === 'cap' ? 'at' : 'to'} …\`, which is written into the field that the call needs.`,
  );
}
