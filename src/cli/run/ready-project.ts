import type { Result } from '../../base/result.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { BundlePacker, PackedBundle } from '../../gateway/packed-bundle.ts';
import type { UnchangedDays } from '../../language/due.ts';
import type { World } from '../../model/world.ts';
import type { RuleBundle } from '../../pipeline/program.ts';
import type { BuiltProject } from '../../tools/build-project.ts';
import type { ReplacedLimit } from '../../tools/replaced-limits.ts';

/** A project as the control thread needs it. Routes and rules are many: they are packed, and of routes only the names are kept. */
export interface ReadyProject {
  /** Null when there is any error. */
  readonly built: ReadyVersion | null;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ReadyVersion {
  readonly world: ServedWorld;
  readonly bundle: ReadyBundle;
  readonly policyCount: number;
  /** Of the texts alone: certificates that lie beside them are looked at with every load. */
  readonly findings: readonly Diagnostic[];
  /** See `BuiltProject`. */
  readonly days: readonly UnchangedDays[];
  readonly replaced: readonly ReplacedLimit[];
}

export interface ServedWorld extends Omit<World, 'routes'> {
  /** By name. */
  readonly routes: ReadonlyMap<string, unknown> | ReadonlySet<string>;
}

export interface ReadyBundle
  extends Pick<RuleBundle, 'hash' | 'services' | 'models' | 'counters' | 'alerts' | 'poolRules'> {
  readonly ruleCount: number;
  /** As data threads take it, made when first asked for. The error is one sentence. */
  pack(): Result<PackedBundle, string>;
}

export function readyProject({ built, diagnostics }: BuiltProject, packer: BundlePacker): ReadyProject {
  if (built === null) return { built, diagnostics };
  const { world, policies, replaced } = built;
  const ready: ReadyVersion = {
    world,
    policyCount: policies.policies.length,
    replaced,
    findings: diagnostics,
    get bundle() {
      return readyBundle(built.bundle, packer);
    },
    get days() {
      return built.days;
    },
  };
  return { built: ready, diagnostics };
}

/** Of one rule set the same: what was packed once is packed. */
const READY = new WeakMap<RuleBundle, ReadyBundle>();

function readyBundle(bundle: RuleBundle, packer: BundlePacker): ReadyBundle {
  const known = READY.get(bundle);
  if (known !== undefined) return known;
  const { hash, services, models, counters, alerts, poolRules } = bundle;
  let packed: Result<PackedBundle, string> | null = null;
  const ready: ReadyBundle = {
    hash,
    services,
    models,
    counters,
    alerts,
    poolRules,
    ruleCount: bundle.rules.length,
    pack() {
      packed ??= packer.pack(bundle);
      return packed;
    },
  };
  READY.set(bundle, ready);
  return ready;
}
