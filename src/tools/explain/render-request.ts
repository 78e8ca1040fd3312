import { type RuleView, sightLines } from '../sights.ts';
import type { FactChange } from './changes.ts';
import type { NeededChange, RequestExplanation } from './request.ts';

/** For people. */
export function renderRequest(explanation: RequestExplanation): string {
  const { request, route, decision, rules, change, retryAfterS } = explanation;
  const lines = [
    request,
    ...(route === null ? [] : [`route "${route}"`]),
    '',
    decision,
    ...(rules.length === 0 ? [] : ['', 'What each rule saw:', ...sightLines(rules, '  ')]),
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

function changeText({ fact, from, to, otherThan, flips }: FactChange, indent: string): string[] {
  const blank = ' '.repeat(indent.length);
  const was = from === 'not so' ? '' : ` (it was ${from})`;
  const wanted = otherThan === null ? `${to}${was}` : `other than ${otherThan}, for example ${to}`;
  return [
    `${indent}${fact} would have to be ${wanted}`,
    ...flips.map(
      ({ text, held, place }) => `${blank}  so that ${text} ${held ? 'holds' : 'does not hold'}  (${place})`,
    ),
  ];
}
