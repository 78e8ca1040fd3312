import type { LimitDefinition } from '../../base/limits.ts';

/**
 * The schema of the block `limits`, made from the table of bounds so that there is one place to add one. The file
 * `schemas/limits.schema.json` is this, written out for editors (`npx vitest run src/config/shape/limits-schema --update`).
 */
export function limitsSchema(limits: Readonly<Record<string, LimitDefinition>>): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'limits of portunus.yaml',
    description: 'Bounds of the gateway.',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(limits).map(([name, definition]) => [name, limitField(definition)]),
    ),
  };
}

const LITERAL_OF_UNIT = { bytes: 'size', ms: 'duration', count: 'count' } as const;

function limitField({ unit, what, minimum, maximum, default: value }: LimitDefinition): object {
  return {
    type: unit === 'count' ? ['integer', 'string'] : 'string',
    description: `Most of: ${what}.`,
    literal: { of: LITERAL_OF_UNIT[unit], from: minimum, to: maximum },
    default: unit === 'count' ? value : written(value, unit),
  };
}

const WRITTEN_UNITS = {
  bytes: [
    [1_048_576, 'MiB'],
    [1_024, 'KiB'],
    [1, 'B'],
  ],
  ms: [
    [60_000, 'm'],
    [1_000, 's'],
    [1, 'ms'],
  ],
} as const;

/** 65536 bytes as `64KiB`: in the largest unit that divides it. */
export function written(value: number, unit: 'bytes' | 'ms'): string {
  const [factor, name] = WRITTEN_UNITS[unit].find(([size]) => value % size === 0)!;
  return `${value / factor}${name}`;
}
