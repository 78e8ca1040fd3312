/** Colour only on a terminal that has not asked to be left alone (no-color.org). */
export function colourFor(stream: NodeJS.WriteStream): 'on' | 'off' {
  return stream.isTTY && !process.env.NO_COLOR ? 'on' : 'off';
}

/** How this person calls the command line: by npm in a checkout, or by its name. For messages to copy. */
export const PORTUNUS = process.env.npm_command === undefined ? 'portunus' : 'npx portunus';
