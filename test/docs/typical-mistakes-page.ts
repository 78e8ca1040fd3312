import { createRequire } from 'node:module';
import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';
import { renderText } from '../../src/diagnostics/render/text.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkPolicies } from '../../src/language/check.ts';
import { WORLD } from '../../src/language/world.cases.ts';
import { block } from './diagnostics-page.ts';
import { CEDAR_SCHEMA, MISTAKES, type Mistake } from './typical-mistakes.cases.ts';

const cedar = createRequire(import.meta.url)(
  '@cedar-policy/cedar-wasm/nodejs',
) as typeof import('@cedar-policy/cedar-wasm/nodejs');

/** The page `docs/typical-mistakes.md`: both checkers are run for it. */
export function typicalMistakesPage(): string {
  const sections = MISTAKES.map((mistake, index) =>
    [
      `## ${index + 1}. ${mistake.what}`,
      block('portunus', fileOf(mistake)),
      block('text', ours(mistake).text),
      ...theirs(mistake),
    ].join('\n\n'),
  );
  return `${[introduction(), ...sections].join('\n\n')}\n`;
}

/** The codes that our check finds. */
export function codesFor(mistake: Mistake): readonly string[] {
  return ours(mistake).codes;
}

function introduction(): string {
  return `# Typical mistakes

${MISTAKES.length} mistakes that people make when they write policies: what \`portunus check\` says, and what Cedar ${cedar.getCedarVersion()} says to the nearest equivalent –
both run by the script that writes this page (\`npm run generate\`; a test keeps it up to date). Cedar's answers are the message, its help, and the labelled places of the errors and warnings
of its validator (\`@cedar-policy/cedar-wasm\`), with the schema below. The other codes are in [diagnostics.md](diagnostics.md).

${block('cedarschema', CEDAR_SCHEMA)}`;
}

function fileOf({ policy }: Mistake): string {
  return policy.startsWith('language')
    ? policy
    : `language 1\npolicy "p" applies to routes tagged "v1" {\n  ${policy}\n}\n`;
}

function ours(mistake: Mistake): { readonly codes: readonly string[]; readonly text: string } {
  const { diagnostics } = checkPolicies([new SourceText('a.policy', fileOf(mistake))], WORLD);
  return { codes: diagnostics.map(({ code }) => code), text: renderText(diagnostics, { colour: 'off' }) };
}

function theirs({ cedar: policy }: Mistake): readonly string[] {
  if (typeof policy !== 'string') return [`Cedar: ${policy.none}`];
  return ['Cedar:', block('cedar', policy), block('text', cedarSays(policy))];
}

function cedarSays(policy: string): string {
  const answer = cedar.validate({ schema: CEDAR_SCHEMA, policies: { staticPolicies: policy } });
  const errors =
    answer.type === 'failure'
      ? [...answer.errors, ...answer.warnings]
      : [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error);
  return errors.length === 0
    ? '(accepted, nothing said)'
    : errors.flatMap((error) => told(error, policy)).join('\n');
}

function told(
  { message, help, sourceLocations = [], related = [] }: DetailedError,
  policy: string,
): readonly string[] {
  const bytes = Buffer.from(policy);
  const places = sourceLocations.map(
    ({ start, end, label }) =>
      `  at \`${bytes.subarray(start, end).toString()}\`${label === null ? '' : `: ${label}`}`,
  );
  return [
    message,
    ...places,
    ...(help === null ? [] : [`  help: ${help}`]),
    ...related.flatMap((one) => told(one, policy)),
  ];
}
