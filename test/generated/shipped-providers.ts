import { readdirSync, readFileSync } from 'node:fs';
import { CORE_SCHEMA, load } from 'js-yaml';

const FOLDER = new URL('../../providers/', import.meta.url);

/** `providers/all.json`: the one description of each file in that folder, by name, as `extends` finds them. */
export function shippedProviders(): string {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
  const descriptions = files.sort().map((file): [string, unknown] => {
    const name = file.slice(0, -'.yaml'.length);
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    const { providers } = load(text, { schema: CORE_SCHEMA }) as { providers: Record<string, unknown> };
    return [name, providers[name]];
  });
  return `${JSON.stringify(Object.fromEntries(descriptions), null, 2)}\n`;
}
