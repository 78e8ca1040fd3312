import type { AdminRoute } from './route.ts';
import { AUDIT_ROUTES } from './routes/audit.ts';
import { CONFIGURATION_ROUTES } from './routes/configuration.ts';
import { DIRECTORY_ROUTES } from './routes/directory.ts';
import { KEY_ROUTES } from './routes/keys.ts';
import { MODEL_ROUTES } from './routes/models.ts';
import { OBSERVATION_ROUTES } from './routes/observation.ts';
import { POOL_ROUTES } from './routes/pools.ts';
import { SECRET_ROUTES } from './routes/secrets.ts';
import { SYSTEM_ROUTES } from './routes/system.ts';
import { TOKEN_ROUTES } from './routes/tokens.ts';

/** Every route of the admin API, version 1; what is not in this table is refused. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...SYSTEM_ROUTES,
  ...TOKEN_ROUTES,
  ...KEY_ROUTES,
  ...POOL_ROUTES,
  ...MODEL_ROUTES,
  ...SECRET_ROUTES,
  ...DIRECTORY_ROUTES,
  ...AUDIT_ROUTES,
  ...OBSERVATION_ROUTES,
  ...CONFIGURATION_ROUTES,
];
