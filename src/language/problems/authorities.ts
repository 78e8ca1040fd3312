import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { problem, shown } from './problem.ts';

/** PT23xx: what the policies of a folder may govern. One factory per code. */

export function folderWithoutAuthority(span: Span, folder: string, suggestion: string | null): Diagnostic {
  const help =
    suggestion === null
      ? `Name it in \`authorities\`: \`${shown(folder)}: { everything: true }\` if it may govern everything.`
      : `Name it in \`authorities\`; or is it "${suggestion}" there?`;
  return problem(
    'PT2310',
    span,
    `The folder ${shown(folder)} has no authority in portunus.yaml, although one beside it has.`,
    help,
  );
}

export function permitWithoutRoute(span: Span, folder: string): Diagnostic {
  return problem(
    'PT2311',
    span,
    `A permit of the folder ${shown(folder)} counts nowhere: the folder owns no route.`,
    'Give it routes, services or tags in `authorities` of portunus.yaml, or write the permit in another folder.',
  );
}

export function beyondAuthority(
  span: Span,
  policy: string,
  folder: string,
  routes: readonly string[],
): Diagnostic {
  const named = routes.slice(0, ROUTES_SHOWN_MAX).map((route) => `"${shown(route)}"`);
  const more = routes.length > named.length ? ` and ${routes.length - named.length} more` : '';
  return problem(
    'PT2312',
    span,
    `The policy "${shown(policy)}" claims routes that its folder ${shown(folder)} does not own: ${named.join(', ')}${more}.`,
    'It has no effect there. Narrow `applies to`, or widen the authority of the folder in portunus.yaml.',
  );
}
const ROUTES_SHOWN_MAX = 3;
