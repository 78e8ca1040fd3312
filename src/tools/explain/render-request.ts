import { type RuleView, sightLines } from '../sights.ts';
import type { FactChange } from './changes.ts';
import type { NeededChange, RequestExplanation } from './request.ts';
import type { ShapedPart, ShapedRequest } from './shaped.ts';

/** For people. */
export function renderRequest(explanation: RequestExplanation): string {
  const { request, route, decision, rules, shaped, change, retryAfterS } = explanation;
  const lines = [
    request,
    ...(route === null ? [] : [`route "${route}"`]),
    '',
    decision,
    ...(rules.length === 0 ? [] : ['', 'What each rule saw:', ...sightLines(rules, '  ')]),
    ...(shaped === null ? [] : shapedLines(shaped)),
    ...(change === null ? [] : ['', ...changeLines(change)]),
    ...(retryAfterS === null ? [] : ['', `To be permitted: wait ${retryAfterS}s.`]),
    '',
    ...(rules.some(drewLots) ? [LOTS_DRAWN] : []),
    'What the running gateway has counted is not looked at: limits begin unused here.',
  ];
  return `${lines.join('\n')}\n`;
}

const LOTS_DRAWN =
  'Lots are drawn by a secret of the data folder: the running gateway may draw others than were drawn here.';

function drewLots({ clauses }: RuleView): boolean {
  return clauses.some(({ isDrawn, held }) => isDrawn && held !== 'unseen');
}

function shapedLines({ service, caller, body }: ShapedRequest): string[] {
  return [
    ...(service.length === 0 ? [] : ['', 'To the service it goes with:', ...service.flatMap(partLines)]),
    ...(body === null ? [] : ['', 'Its body as it leaves:', ...bodyLines(body)]),
    ...(caller.length === 0 ? [] : ['', 'The answer comes with:', ...caller.flatMap(partLines)]),
  ];
}

function partLines({ part, becomes, rules }: ShapedPart): string[] {
  return [
    `  ${part}: ${becomes}`,
    ...rules.map(({ says, rule, place }) => `      ${says}: ${rule}  (${place})`),
  ];
}

function bodyLines(body: string): string[] {
  const rest = body.length - BODY_CHARACTERS_MAX;
  const shown = rest > 0 ? body.slice(0, BODY_CHARACTERS_MAX) : body;
  const lines = shown.trimEnd().split(/\r?\n/);
  return [...lines.map((line) => `  ${line}`), ...(rest > 0 ? [`  (and ${rest} characters more)`] : [])];
}
/** `--json` has all of it. */
const BODY_CHARACTERS_MAX = 4_000;

function changeLines({ ways, factsMax, complete }: NeededChange): string[] {
  if (ways.length === 0) {
    const searched = complete
      ? `No change of up to ${factsMax} facts`
      : `No change that was tried (up to ${factsMax} facts, not all of them)`;
    return [`To be permitted: ${searched} is enough, with the values that the rules name.`];
  }
  const [only] = ways;
  if (ways.length === 1)
    return ['To be permitted:', ...only!.changes.flatMap((each) => changeText(each, '  '))];
  return [
    'To be permitted, one of these:',
    ...ways.flatMap(({ changes }) => {
      const [first, ...rest] = changes;
      return [...changeText(first!, '  - '), ...rest.flatMap((each) => changeText(each, '    and '))];
    }),
  ];
}

function changeText({ fact, from, to, enough, flips }: FactChange, indent: string): string[] {
  const blank = ' '.repeat(indent.length);
  const example = enough === null ? to : enough.endsWith(` ${to}`) ? enough : `${enough}, for example ${to}`;
  const isSaid = from === '' || ` ${enough} `.includes(` ${from} `);
  return [
    `${indent}${fact} would have to be ${example}${isSaid ? '' : ` (it was ${from})`}`,
    ...flips.map(
      ({ text, held, place }) => `${blank}  so that ${text} ${held ? 'holds' : 'does not hold'}  (${place})`,
    ),
  ];
}
