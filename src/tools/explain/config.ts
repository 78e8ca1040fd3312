import { type EffectiveValue, effectiveConfiguration } from '../../config/effective.ts';
import type { SourceText } from '../../diagnostics/source.ts';
import type { CheckedPolicies } from '../../language/typed.ts';
import { routesNamed } from '../../model/route-lines.ts';
import type { World } from '../../model/world.ts';

/** The whole configuration in force, with the modes of policies that enforcement.yaml does not name. */
export function explainConfiguration(
  texts: readonly SourceText[],
  world: World,
  policies: CheckedPolicies,
): readonly EffectiveValue[] {
  const files = texts.filter(({ path }) => !path.endsWith('.policy'));
  const unnamed = policies.policies.filter(({ name }) => !world.enforcement.has(name));
  const enforced = unnamed.map(({ name }) => ({
    file: 'enforcement.yaml',
    path: `policies.${name}`,
    value: '"enforce"',
    place: null,
  }));
  const values = effectiveConfiguration(files, world.limits).map((value) => withBodyLimit(value, world));
  return [...values, ...enforced];
}

/** A route that says nothing of its bodies has the limit of all. */
function withBodyLimit(value: EffectiveValue, world: World): EffectiveValue {
  const route = /^routes\.(.*)\.request$/.exec(value.path)?.[1];
  const [first = ''] = route === undefined || value.value !== '{}' ? [] : routesNamed(world.routes, route);
  const known = world.routes.get(first);
  if (known === undefined) return value;
  return {
    ...value,
    path: `${value.path}.maxBody`,
    value: JSON.stringify(`${known.maxBodyBytes}B`),
    place: 'limits.requestBodyBytes',
  };
}

/** For people: file by file, each value with the place that says it. */
export function renderConfiguration(values: readonly EffectiveValue[]): string {
  const files = [...new Set(values.map(({ file }) => file))];
  const blocks = files.map((file) => {
    const own = values.filter((value) => value.file === file);
    const width = Math.min(WIDTH_MAX, Math.max(...own.map((value) => said(value).length)));
    const lines = own.map((value) => `  ${said(value).padEnd(width)}  ${value.place ?? 'default'}`);
    return [file, ...lines].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

const WIDTH_MAX = 72;

function said({ path, value }: EffectiveValue): string {
  return `${path}: ${value}`;
}
