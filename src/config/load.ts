import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import type { World } from '../model/world.ts';
import { buildAttributes, NO_ATTRIBUTES } from './build/attributes.ts';
import { buildAuthorities, namesForAuthorities } from './build/authorities.ts';
import { catalogueNames } from './build/catalogue-prices.ts';
import { buildDeliveries } from './build/deliveries.ts';
import { buildEnforcement } from './build/enforcement.ts';
import { knownModels } from './build/known-models.ts';
import { buildModels } from './build/models.ts';
import { collectNames } from './build/names.ts';
import { buildOwnPrices } from './build/own-prices.ts';
import { buildPools } from './build/pools.ts';
import { checkPrices } from './build/price-checks.ts';
import { buildProviders } from './build/providers.ts';
import { buildAccounting } from './build/rates.ts';
import { SchemaFiles } from './build/request-schemas.ts';
import { buildRoutes } from './build/routes.ts';
import { buildServices } from './build/services.ts';
import { buildServer } from './build/settings.ts';
import { buildDirectory } from './build/tenants.ts';
import { checkFiles, FileMemory } from './check-files.ts';
import { kindOf } from './kinds.ts';
import { Ledger } from './ledger.ts';

const NO_DELIVERIES: World['deliveries'] = new Map();

export interface LoadOptions {
  /** Absolute; what relative paths lead to. */
  readonly projectFolder: string;
}

export interface LoadedWorld {
  /** Null when there is any error. */
  readonly world: World | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Turns the YAML files of a project into the world that policies speak about. Takes texts (paths relative to the
 * project folder) and does no I/O. All errors of all files are told in one run. With the `memory` of an earlier call only
 * files that changed are read.
 */
export function loadWorld(
  files: readonly SourceText[],
  options: LoadOptions,
  memory: FileMemory = new FileMemory(),
): LoadedWorld {
  const ledger = new Ledger();
  const { report } = ledger;
  const { checked, limits } = checkFiles(files, ledger, memory);
  const settings = checked.portunus.checked[0];
  const server = settings === undefined ? null : buildServer(settings, options.projectFolder, report);
  const attributes = settings === undefined ? NO_ATTRIBUTES : buildAttributes(settings, report);
  const names = {
    services: collectNames('service', checked.routes, 'services', report),
    routes: collectNames('route', checked.routes, 'routes', report),
    tenants: collectNames('tenant', checked.tenants, 'tenants', report),
    providers: collectNames('provider', checked.providers, 'providers', report),
    pools: collectNames('pool', checked.providers, 'pools', report),
    models: collectNames('model', checked.providers, 'models', report),
  };
  const accounting = buildAccounting(settings, report);
  const { projectFolder } = options;
  const providers = buildProviders(checked.providers, names.providers, {
    services: names.services,
    accounting,
    projectFolder,
    report,
  });
  const pools = buildPools(checked.providers, names.pools, {
    providers: names.providers,
    models: names.models,
    accounting,
    projectFolder,
    report,
  });
  const prices = {
    zone: settings?.sound(['zone']) === true ? settings.document.zone : 'UTC',
    accounting,
    report,
  };
  const ownPrices = buildOwnPrices(checked.providers, names.pools, { ...prices, models: names.models });
  const models = buildModels(checked.providers, names.models, {
    poolNames: names.pools,
    catalogue: catalogueNames(checked.providers, names.providers, report),
    knownModels: knownModels(checked.providers, names.providers),
    pools,
    providers,
    ownPrices,
    ...prices,
  });
  if (accounting !== null)
    checkPrices(models, { modelNames: names.models, poolNames: names.pools, pools, ownPrices, report });
  const defined = {
    limits,
    attributes: attributes.declared,
    services: buildServices(checked.routes, names.services, options.projectFolder, report),
    routes: buildRoutes(checked.routes, names.routes, {
      services: names.services,
      issuers: {
        what: 'token issuer',
        names: new Set(Object.keys(settings?.document.tokenIssuers ?? {})),
        complete: settings?.sound(['tokenIssuers']) === true,
      },
      trustedProxies:
        settings?.sound(['clientCertificates']) !== true
          ? 'unknown'
          : settings.document.clientCertificates === undefined
            ? 'none'
            : 'named',
      accounting,
      requestBodyBytes: limits.requestBodyBytes,
      schemas: new SchemaFiles(files, options.projectFolder, limits.regexInstructions),
      report,
      memory,
    }),
    models: { providers, pools, models },
    directory: buildDirectory(checked.tenants, names.tenants, {
      attributes,
      accounting,
      routes: names.routes,
      authorities:
        settings?.sound(['clientCertificates']) !== true
          ? 'unknown'
          : settings.document.clientCertificates?.authorities === undefined
            ? 'none'
            : 'named',
      projectFolder: options.projectFolder,
      report,
      memory,
    }),
    enforcement: buildEnforcement(checked.enforcement, null, report),
    deliveries:
      settings === undefined ? NO_DELIVERIES : buildDeliveries(settings, options.projectFolder, report),
    authorities:
      settings === undefined
        ? []
        : buildAuthorities(settings, namesForAuthorities(names, checked.routes), report),
  };
  const diagnostics = ledger.diagnostics(limits.diagnosticsPerFile);
  const failed = diagnostics.some(({ severity }) => severity === 'error');
  if (failed || settings === undefined || server === null || accounting === null)
    return { world: null, diagnostics };
  memory.routes = defined.routes;
  const { zone } = settings.document;
  return { world: { server, zone, ...accounting, ...defined }, diagnostics };
}

/**
 * What portunus.yaml says by itself: where the data folder is, and its limits. Null where it is wrong, which {@link loadWorld}
 * explains.
 */
export function loadSettings(
  files: readonly SourceText[],
  { projectFolder }: LoadOptions,
): Pick<World, 'server' | 'limits'> | null {
  const ledger = new Ledger();
  const own = files.filter(({ path }) => kindOf(path) === 'portunus');
  const { checked, limits } = checkFiles(own, ledger);
  const settings = checked.portunus.checked[0];
  if (settings === undefined) return null;
  const server = buildServer(settings, projectFolder, ledger.report);
  const found = ledger.diagnostics(limits.diagnosticsPerFile);
  return found.some(({ severity }) => severity === 'error') ? null : { server, limits };
}

/**
 * Names in enforcement.yaml that no policy has. Asked apart from {@link loadWorld}, because policies are read with the
 * world at hand. Says nothing else about the files.
 */
export function checkEnforcement(
  files: readonly SourceText[],
  policyNames: ReadonlySet<string>,
  memory: FileMemory = new FileMemory(),
): readonly Diagnostic[] {
  const asked = files.filter(({ path }) => kindOf(path) === 'portunus' || kindOf(path) === 'enforcement');
  const { checked, limits } = checkFiles(asked, new Ledger(), memory);
  const ledger = new Ledger();
  const policies = { what: 'policy', names: policyNames, complete: true };
  buildEnforcement(checked.enforcement, policies, ledger.report);
  return ledger.diagnostics(limits.diagnosticsPerFile);
}
