/** One generated function, from its statements. */
export function functionCode(head: string, statements: readonly string[]): string {
  return [`function ${head} {`, ...indent(statements), '}'].join('\n');
}

export function indent(lines: readonly string[]): string[] {
  return lines.flatMap((line) => line.split('\n').map((part) => (part === '' ? part : `  ${part}`)));
}

/** `if (condition) { … }`, or just the statements when the condition always holds. */
export function guarded(condition: string, statements: readonly string[]): string[] {
  if (condition === 'true') return [...statements];
  if (statements.length === 1 && !statements[0]!.includes('\n'))
    return [`if (${condition}) ${statements[0]!}`];
  return [`if (${condition}) {`, ...indent(statements), '}'];
}
