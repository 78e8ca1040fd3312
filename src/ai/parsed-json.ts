/** JSON that others wrote; null where it is none, such as `[DONE]` or the page of a proxy: it tells nothing. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What tells nothing is not an error of anybody.
    return null;
  }
}
