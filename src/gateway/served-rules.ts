import type { RouteProgram, RuleBundle, RuleInfo } from '../pipeline/program.ts';
import type { ModelApis } from './model-apis.ts';
import type { PackedRoutes } from './packed-routes.ts';

/** A rule set as a data thread serves it: what few requests ask for is read when one does. */
export interface ServedRules
  extends Pick<RuleBundle, 'hash' | 'services' | 'models' | 'functions' | 'counters'> {
  readonly matcher: PackedRoutes;
  readonly apis: ModelApis;
  readonly routeCount: number;
  /** Shared memory that was made for this version: see `DroppedMemory`. */
  readonly ownBytes: number;
  /** Null for a number that no rule has. */
  rule(index: number): RuleInfo | null;
  /** Made anew with each call; routes that share constants share the same ones. */
  program(route: number): RouteProgram;
}
