/**
 * Compiles a glob: `*` stands for any run of characters, `?` for one. Matching is linear in the text for each star
 * (greedy with one point of return), without regular expressions and without allocation.
 */
export function globTest(pattern: string): (text: string) => boolean {
  const folded = pattern.replace(/\*+/g, '*');
  return (text) => matches(folded, text);
}

const STAR = 42;
const QUESTION = 63;

function matches(pattern: string, text: string): boolean {
  let at = 0;
  let want = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < text.length) {
    const code = want < pattern.length ? pattern.charCodeAt(want) : -1;
    if (code === STAR) {
      starAt = want++;
      resumeAt = at;
    } else if (code === QUESTION) {
      at += characterLength(text, at);
      want++;
    } else if (code === text.charCodeAt(at)) {
      at++;
      want++;
    } else if (starAt !== -1) {
      resumeAt += characterLength(text, resumeAt);
      at = resumeAt;
      want = starAt + 1;
    } else return false;
  }
  while (pattern.charCodeAt(want) === STAR) want++;
  return want === pattern.length;
}

/** A pair of surrogates is one character. */
function characterLength(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdbff || at + 1 >= text.length) return 1;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff ? 2 : 1;
}
