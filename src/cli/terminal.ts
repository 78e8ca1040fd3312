/** Colour only on a terminal that has not asked to be left alone (no-color.org). */
export function colourFor(stream: NodeJS.WriteStream): 'on' | 'off' {
  return stream.isTTY && !process.env.NO_COLOR ? 'on' : 'off';
}
