import { readdirSync, readFileSync } from 'node:fs';

const PACKAGE = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//;

/** The licences of all packages that these files belong to, as those ask of whoever hands on a copy. */
export function licencesOf(files: readonly string[]): string {
  const folders = new Map<string, string>();
  for (const file of files) {
    const [, folder, name] = PACKAGE.exec(file) ?? [];
    if (folder !== undefined && name !== undefined) folders.set(name, folder);
  }
  return [...folders].sort().map(licenceOf).join('\n');
}

function licenceOf([name, folder]: readonly [string, string]): string {
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
    readonly version: string;
  };
  const texts = readdirSync(folder).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file));
  if (texts.length === 0) throw new Error(`${name} has no licence to hand on`);
  return [`${name} ${version}`, ...texts.map((text) => readFileSync(`${folder}/${text}`, 'utf8'))].join(
    '\n\n',
  );
}
