/** The path a route sends upstream: `/internal/orders/{id}`, filled with the still escaped values of the match. */
export type PathTemplate = readonly (string | number)[];

/** Texts and indexes of parameters, in order. Names were checked with the configuration; an unknown one stays as text. */
export function parseTemplate(template: string, parameterNames: readonly string[]): PathTemplate {
  const parts: (string | number)[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const close = open === -1 ? -1 : template.indexOf('}', open);
    if (close === -1) break;
    const parameter = parameterNames.indexOf(template.slice(open + 1, close).replace('...', ''));
    parts.push(template.slice(at, parameter === -1 ? close + 1 : open));
    if (parameter !== -1) parts.push(parameter);
    at = close + 1;
  }
  if (at < template.length) parts.push(template.slice(at));
  return parts;
}

export function fillTemplate(template: PathTemplate, parameters: readonly string[]): string {
  let path = '';
  for (const part of template) path += typeof part === 'string' ? part : parameters[part]!;
  return path;
}
