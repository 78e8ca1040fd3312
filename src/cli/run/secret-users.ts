import type { World } from '../../model/world.ts';

/** What of a version has the secret `store:NAME`, in words. */
export function secretUsers(
  name: string,
  { models, directory }: Pick<World, 'models' | 'directory'>,
): string[] {
  const users: string[] = [];
  for (const pool of models.pools.values())
    for (const key of pool.keys)
      if (key.secret.in === 'store' && key.secret.name === name)
        users.push(`key "${key.name}" of pool "${pool.name}"`);
  for (const tenant of directory.tenants.values())
    for (const consumer of tenant.consumers.values())
      for (const { name: credential, secrets } of consumer.credentials)
        if (secrets.some((secret) => secret.in === 'store' && secret.name === name))
          users.push(`credential "${credential}" of "${consumer.name}" of "${tenant.name}"`);
  return users;
}
