/**
 * Limits that an edit has replaced (language-rules #27): a limit whose counter begins anew, because its window or its key is another
 * now, stays in force as it was until nothing counts there any more that the new counter does not know. Else every such edit would
 * let each caller have the old amount and the new one. A limit that is removed, or loses its name, has no successor and goes at once;
 * what has no name is succeeded by what has none, measures the same, and was not there before.
 */
import { isPolicyFile } from '../config/kinds.ts';
import { SourceText } from '../diagnostics/source.ts';
import { canonicalRule, counterMeasure } from '../language/canonical.ts';
import { checkParsedPolicies, PolicyMemory } from '../language/check.ts';
import { isTestFile } from '../language/check-tests.ts';
import { isLimitRule } from '../language/limit-rules.ts';
import { compareCodePoints } from '../language/order.ts';
import { type ParsedPolicyFile, parsePolicyFile } from '../language/parse.ts';
import type { CheckedPolicies, CheckedPolicy, LimitRule, LimitWindow } from '../language/typed.ts';
import type { World } from '../model/world.ts';

export interface PolicyText {
  readonly path: string;
  readonly text: string;
}

/** Names one of the limits in a policy file as it was. Plain data. */
export interface ReplacedLimit extends PolicyText {
  /** Of its counter. */
  readonly identity: string;
  /** How long what it counted counts; null for `at once`, which counts until requests end. */
  readonly lengthMs: number | null;
}

/** What may have to stay in force of the version that runs. */
export interface FormerLimits {
  /** Policy files that are others now, or gone. */
  readonly files: readonly PolicyText[];
  /** Limits that earlier edits replaced and that are still in force, the oldest first. */
  readonly replaced: readonly ReplacedLimit[];
}

export const NO_FORMER_LIMITS: FormerLimits = { files: [], replaced: [] };

/** Policy files of a version that are others in the next one, or gone. */
export function editedFiles(
  before: readonly PolicyText[],
  after: readonly PolicyText[],
): readonly PolicyText[] {
  const texts = new Map(after.map(({ path, text }) => [path, text]));
  return before
    .filter(({ path, text }) => isPolicyFile(path) && !isTestFile(path) && texts.get(path) !== text)
    .map(({ path, text }) => ({ path, text }));
}

export interface ReplacedLimits {
  /** Each with what stays in force of it, in the order of {@link ReplacedLimits.limits}. */
  readonly policies: readonly CheckedPolicy[];
  /** The oldest first; of more than the limit `replacedLimits` the newest. */
  readonly limits: readonly ReplacedLimit[];
}

export const NONE_REPLACED: ReplacedLimits = { policies: [], limits: [] };

/** `files`: of the project as it is now, checked in `world` as `checked`, with `memory`. */
export function replacedLimits(
  former: FormerLimits,
  { files, checked, world, memory = new PolicyMemory() }: CheckedFiles,
): ReplacedLimits {
  if (former.files.length === 0 && former.replaced.length === 0) return NONE_REPLACED;
  const present = new Present(checked);
  const reader = new FormerFiles(files, world, memory);
  const before = former.replaced.flatMap((limit) =>
    reader.limits(limit).filter(({ rule }) => rule.counterIdentity === limit.identity),
  );
  const edited = former.files.flatMap((file) => reader.limits(file));
  const known = new Set(former.files.flatMap((file) => reader.identities(file)));
  const kept = new Map<string, FormerLimit>();
  const keep = (limits: readonly FormerLimit[], formerly: ReadonlySet<string>): void => {
    for (const each of limits) {
      const { counterIdentity } = each.rule;
      if (!kept.has(counterIdentity) && present.replaces(each.policy.name, each.rule, formerly))
        kept.set(counterIdentity, each);
    }
  };
  // What succeeded those of earlier edits has been there since then.
  keep(before, new Set());
  keep(edited, known);
  const newest = [...kept.values()].slice(-world.limits.replacedLimits);
  return {
    policies: newest.map(({ policy, rule }) => ({ ...policy, rules: [asReplaced(rule)] })),
    limits: newest.map(({ file: { path, text }, rule }) => ({
      path,
      text,
      identity: rule.counterIdentity,
      lengthMs: lengthMs(rule.window),
    })),
  };
}

export interface CheckedFiles {
  readonly files: readonly ParsedPolicyFile[];
  readonly checked: CheckedPolicies;
  readonly world: World;
  readonly memory?: PolicyMemory;
}

interface FormerLimit {
  readonly file: PolicyText;
  readonly policy: CheckedPolicy;
  readonly rule: LimitRule;
}

/** The limits that the project has now. */
class Present {
  readonly #counters = new Set<string>();
  /** Identities by policy and name of each, and the names that it had before. */
  readonly #byName = new Map<string, string[]>();

  constructor({ policies }: CheckedPolicies) {
    for (const { name: policy, rules } of policies) {
      for (const rule of rules) {
        if (!isLimitRule(rule)) continue;
        for (const identity of [rule.counterIdentity, rule.formerIdentity]) {
          if (identity === null) continue;
          this.#counters.add(identity);
          const name = JSON.stringify([policy, nameIn(identity)]);
          this.#byName.set(name, [...(this.#byName.get(name) ?? []), identity]);
        }
      }
    }
  }

  /** Whether there is a limit in place of this one, and it counts elsewhere. `known`: what its policy file counted before. */
  replaces(policy: string, { name, counterIdentity }: LimitRule, known: ReadonlySet<string>): boolean {
    if (this.#counters.has(counterIdentity)) return false;
    const named = this.#byName.get(JSON.stringify([policy, name])) ?? [];
    if (name !== null) return named.length > 0;
    const measure = counterMeasure(counterIdentity);
    return named.some((identity) => !known.has(identity) && counterMeasure(identity) === measure);
  }
}

function nameIn(identity: string): unknown {
  return (JSON.parse(identity) as readonly unknown[])[1];
}

/** Reads policy files as they were, in the world as it is: what does not fit it any more can't be judged any more either. */
class FormerFiles {
  readonly #files: readonly ParsedPolicyFile[];
  readonly #world: World;
  readonly #memory: PolicyMemory;
  readonly #read = new Map<string, readonly FormerLimit[]>();

  constructor(files: readonly ParsedPolicyFile[], world: World, memory: PolicyMemory) {
    // Calendars and holidays are there for all files; nothing else is.
    this.#files = files.filter(({ file }) => file.calendars.length + file.holidays.length > 0);
    this.#world = world;
    this.#memory = memory;
  }

  /** Those of quotas and budgets are not among them: what they counted is of a period. */
  limits(file: PolicyText): readonly FormerLimit[] {
    return this.#all(file).filter(({ rule }) => rule.window.kind !== 'calendar');
  }

  /** Of the counters of all limits. */
  identities(file: PolicyText): readonly string[] {
    return this.#all(file).map(({ rule }) => rule.counterIdentity);
  }

  #all(file: PolicyText): readonly FormerLimit[] {
    const name = `${file.path}\0${file.text}`;
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const limits = this.#check(file);
    this.#read.set(name, limits);
    return limits;
  }

  #check(file: PolicyText): FormerLimit[] {
    const source = new SourceText(file.path, file.text);
    const parsed = parsePolicyFile(source, this.#world.limits.nestingDepth);
    const beside = this.#files.filter((each) => each.source.path !== file.path);
    const { policies } = checkParsedPolicies([...beside, parsed], this.#world, this.#memory).policies;
    return policies
      .filter(({ span }) => span.source === source)
      .flatMap((policy) =>
        policy.rules
          .filter(isLimitRule)
          .sort((a, b) => compareCodePoints(a.counterIdentity, b.counterIdentity))
          .map((rule) => ({ file, policy, rule })),
      );
  }
}

/** Has the name of the limit in its place: in logs its text tells them apart. */
function asReplaced(rule: LimitRule): LimitRule {
  const name = rule.name === null ? '' : `${rule.name} `;
  return { ...rule, key: `${name}before an edit: ${canonicalRule(rule)}`, replaced: true };
}

/** How long what a limit counted counts; null where that is not a time. */
export function lengthMs(window: LimitWindow): number | null {
  switch (window.kind) {
    case 'window':
      return Math.ceil(window.windowMs);
    case 'pace':
      // until a bucket that was filled to the brim has run out
      return Math.ceil(window.periodMs * Math.max(1, window.burst / window.amount));
    case 'concurrency':
    case 'calendar':
      return null;
  }
}
