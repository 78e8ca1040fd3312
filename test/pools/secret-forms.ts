/** A secret as it could come out somewhere: as it is, or as others write what they are given. */

export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const escaped = [...secret].map(
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [
    ...new Set([
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      escaped.join(''),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      ...[0, 1, 2].flatMap((before) => base64Within(bytes, before)),
    ]),
  ];
}

/** Shorter ones stand in every long text. */
const CHARACTERS_MIN = 8;

/** Base64 of whatever the secret is a part of, behind so many bytes more than a multiple of three: what the others have no part in. */
function base64Within(bytes: Buffer, before: number): readonly string[] {
  const skipped = before === 0 ? 0 : before + 1;
  const whole = Math.floor(((before + bytes.length) * 8) / 6);
  return (['base64', 'base64url'] as const)
    .map((alphabet) =>
      Buffer.concat([Buffer.alloc(before), bytes])
        .toString(alphabet)
        .slice(skipped, whole),
    )
    .filter(({ length }) => before === 0 || length >= CHARACTERS_MIN);
}
