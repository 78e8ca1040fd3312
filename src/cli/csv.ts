/** RFC 4180, with a header line. */
export function csvText(
  names: readonly string[],
  rows: Iterable<readonly (string | number | boolean)[]>,
): string {
  const lines = [names.map(field).join(',')];
  for (const row of rows) lines.push(row.map((value) => field(String(value))).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** A text that a spreadsheet would take for a formula is given a quote in front (OWASP, CSV injection). */
function field(text: string): string {
  const harmless = /^[=+@\t\r]|^-(?!\d)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
