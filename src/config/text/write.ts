import { stringify } from 'yaml';

/** A value as YAML that both readers read back as the same value. Lines are as long as their texts. */
export function writeYaml(value: unknown): string {
  return stringify(value, {
    version: '1.2',
    schema: 'core',
    lineWidth: 0,
    aliasDuplicateObjects: false,
    blockQuote: false,
    defaultKeyType: 'PLAIN',
  });
}
