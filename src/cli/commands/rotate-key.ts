import type { ExitCode } from '../exit-codes.ts';
import { type RotateOptions, rotateConsumerKey } from './keys.ts';
import { rotatePoolKey } from './pool-keys.ts';

/** `portunus keys rotate`: keys of providers are `POOL/KEY`, those of consumers `TENANT/CONSUMER/KEY`. */
export async function rotateKey(key: string, folder: string, options: RotateOptions): Promise<ExitCode> {
  return key.split('/').length === 2
    ? await rotatePoolKey(key, folder, options)
    : await rotateConsumerKey(key, folder, options);
}
