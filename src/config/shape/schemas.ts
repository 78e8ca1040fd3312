import enforcementSchema from '../../../schemas/enforcement.schema.json' with { type: 'json' };
import portunusSchema from '../../../schemas/portunus.schema.json' with { type: 'json' };
import providersSchema from '../../../schemas/providers.schema.json' with { type: 'json' };
import routesSchema from '../../../schemas/routes.schema.json' with { type: 'json' };
import tenantsSchema from '../../../schemas/tenants.schema.json' with { type: 'json' };
import type { FileKind } from '../kinds.ts';

/** The schemas as published, by kind of file. */
export const SCHEMAS: Readonly<Record<FileKind, object>> = {
  portunus: portunusSchema,
  routes: routesSchema,
  tenants: tenantsSchema,
  providers: providersSchema,
  enforcement: enforcementSchema,
};
