/** Whether a body is said to be JSON in UTF-8 (RFC 8259, 8.1 and 11; RFC 6839, 3.1). Once: what is said twice is not said. */
export function isJson(fields: readonly string[]): boolean {
  let value: string | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== 'content-type') continue;
    if (value !== null) return false;
    value = fields[index + 1]!;
  }
  if (value === null) return false;
  const [type = '', ...parameters] = value.toLowerCase().split(';');
  return JSON_TYPE.test(type.trim()) && parameters.every(isHarmless);
}

function isHarmless(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=', 2);
  return name.trim() !== 'charset' || UTF_8.test(value.trim());
}

const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)$/;
const UTF_8 = /^"?utf-8"?$/;
