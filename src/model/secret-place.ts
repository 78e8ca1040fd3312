import type { SecretReference } from './world.ts';

/** How messages call the place of a secret: `/run/secrets/bot`, `the variable SECRET`, `store:openai/k2`. */
export function spellSecretPlace(reference: SecretReference): string {
  switch (reference.in) {
    case 'environment':
      return `the variable ${reference.name}`;
    case 'store':
      return `store:${reference.name}`;
    case 'file':
      return reference.path;
  }
}
