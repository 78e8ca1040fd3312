/** A terminal that is written over again and again: ECMA-48, and xterm's alternate screen. */
export const OPEN_SCREEN = '\u001b[?1049h\u001b[?25l';
export const CLOSE_SCREEN = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const ERASE_LINE_END = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/** Written over what is there, line by line: nothing flickers. What does not fit is left out. */
export function frame(text: string, columns: number, rows: number): string {
  const lines = text.trimEnd().split('\n').slice(0, rows);
  return HOME + lines.map((line) => line.slice(0, columns) + ERASE_LINE_END).join('\n') + ERASE_BELOW;
}
