import { assert } from '../base/assert.ts';
import { isLimitOfTargets, LIMIT_KINDS } from '../language/limit-rules.ts';
import type {
  AlertRule,
  CacheRule,
  DeprecateRule,
  FilterRule,
  ForbidRule,
  HeaderRule,
  LimitRule,
  MaskRule,
  MaskSide,
  MemberRule,
  PermitRule,
  RequireRule,
  RouteToRule,
  TemplateHole,
  TextTemplate,
  TimeoutRule,
  WarnRule,
} from '../language/typed.ts';
import { OUTPUT_CAP } from '../model/facts.ts';
import type { EnforcementMode } from '../model/world.ts';
import type { Conditions } from './conditions.ts';
import { deprecationFields } from './deprecation-fields.ts';
import type { Condition, DecisionPhase, RuleIr } from './ir.ts';
import type { RouteFacts } from './route-facts.ts';
import { Specialiser } from './specialise.ts';

/** What is left of the rules for the routes of one signature, by the phase that runs it. */
export interface ResidualProgram extends ResidualDecisions, ResidualShaping {
  /** Those of which any rule is left. */
  readonly policies: readonly string[];
  readonly route: RouteFacts;
  readonly specialiser: Specialiser;
}

/** What decides. */
export interface ResidualDecisions {
  /** Those of which any such rule is left. */
  readonly decidingPolicies: readonly string[];
  readonly decisions: Readonly<Record<DecisionPhase, PhaseDecisions>>;
  /** In every mode: the field tells apart who may hear it. */
  readonly warns: readonly Residual<WarnRule>[];
  /** In order; nothing follows one that always holds. Those about the body are asked where no other holds. */
  readonly permits: Readonly<Record<PermitPhase, readonly Residual<PermitRule>[]>>;
  /** Whether one of those about the body could hold: else a request is refused before its body is read. */
  readonly mayBePermitted: Condition;
  readonly limits: readonly Residual<LimitRule>[];
  /** Limits of policies in warn and shadow, each policy a group taken alone. */
  readonly observedLimits: readonly ObservedLimits[];
  /** Both again, of those that are counted by what a call is sent to. */
  readonly targetLimits: readonly Residual<LimitRule>[];
  readonly observedTargetLimits: readonly ObservedLimits[];
  /** Policies in warn or shadow with a permit that could hold. */
  readonly unenforcedPermits: readonly string[];
}

/** What a request and its answer become once all has been decided. */
export interface ResidualShaping {
  readonly shapingPolicies: readonly string[];
  readonly headers: Readonly<Record<HeaderRule['side'], readonly HeaderAction[]>>;
  /** Changes of the body, in order. */
  readonly members: readonly Residual<MemberRule>[];
  /** Bounds of the answer to a call. */
  readonly outputCaps: readonly Residual<MemberRule>[];
  readonly timeouts: readonly Residual<TimeoutRule>[];
  readonly caches: readonly Residual<CacheRule>[];
  readonly routings: readonly Residual<RouteToRule>[];
  /** In order of rules. */
  readonly filters: readonly FilterCase[];
  readonly masks: Readonly<Record<MaskSide, readonly Residual<MaskRule>[]>>;
  readonly deprecations: readonly Residual<DeprecateRule>[];
  /** In every mode: whoever is told knows the mode. By the phase that knows what they ask about besides the answer. */
  readonly alerts: Readonly<Record<DecisionPhase, readonly Residual<AlertRule>[]>>;
}

export interface Residual<Rule extends RuleIr['rule']> {
  readonly ir: RuleIr<Rule>;
  readonly rule: Rule;
  /** Never the constant false. */
  readonly condition: Condition;
}

/** Pools that a rule leaves out where the condition holds. */
export interface FilterCase extends Residual<FilterRule> {
  readonly pools: readonly string[];
}

export interface PhaseDecisions {
  readonly enforced: readonly Residual<DenyRule>[];
  readonly observed: readonly Residual<DenyRule>[];
}
export type DenyRule = ForbidRule | RequireRule;
export type PermitPhase = Exclude<DecisionPhase, 'match'>;
export type ObservedMode = Exclude<EnforcementMode, 'enforce'>;

export interface ObservedLimits {
  readonly policy: string;
  readonly mode: ObservedMode;
  readonly limits: readonly Residual<LimitRule>[];
}

/** Equal actions of several rules are one, done when any of their conditions holds. */
export interface HeaderAction {
  readonly kind: HeaderRule['kind'] | 'add-header';
  readonly header: string;
  readonly value: TextTemplate;
  readonly condition: Condition;
  readonly rules: readonly RuleIr<HeaderRule | DeprecateRule>[];
}

/** Pass 6: specialises the candidate rules for one signature and sorts what remains by phase. */
export function residualProgram(
  candidates: readonly RuleIr[],
  route: RouteFacts,
  conditions: Conditions,
): ResidualProgram {
  const specialiser = new Specialiser(conditions, route);
  const deciding = candidates.filter((ir) => !isShaping(ir));
  return joined(residualDecisions(deciding, specialiser), residualShaping(candidates, specialiser), {
    route,
    specialiser,
  });
}

/** The same where only rules that shape are others than those of `before`. */
export function reshaped(before: ResidualProgram, candidates: readonly RuleIr[]): ResidualProgram {
  return joined(before, residualShaping(candidates, before.specialiser), before);
}

/** Whether a rule decides nothing: it changes what a request or its answer becomes, or tells of it. */
export function isShaping({ rule }: RuleIr): boolean {
  return SHAPING_KINDS.has(rule.kind);
}

const SHAPING_KINDS: ReadonlySet<string> = new Set<RuleIr['rule']['kind']>([
  ...([
    'set-header',
    'remove-header',
    'cap',
    'default',
    'timeout',
    'cache',
    'route-to',
    'filter',
    'mask',
    'deprecate',
    'alert',
  ] as const),
]);

function joined(
  decisions: ResidualDecisions,
  shaping: ResidualShaping,
  { route, specialiser }: Pick<ResidualProgram, 'route' | 'specialiser'>,
): ResidualProgram {
  const policies = [...new Set([...decisions.decidingPolicies, ...shaping.shapingPolicies])];
  return { ...decisions, ...shaping, policies, route, specialiser };
}

function residualDecisions(rules: readonly RuleIr[], specialiser: Specialiser): ResidualDecisions {
  const { conditions } = specialiser;
  const residuals = residualsOf(rules, specialiser);
  const enforced = residuals.filter((residual) => residual.ir.mode === 'enforce');
  const observed = residuals.filter((residual) => residual.ir.mode !== 'enforce');
  const limits = only<LimitRule>(enforced, LIMIT_KINDS);
  const watching = only<LimitRule>(observed, LIMIT_KINDS);
  return {
    decidingPolicies: policiesOf(residuals),
    decisions: {
      match: decisionsOf('match', residuals),
      authorise: decisionsOf('authorise', residuals),
      body: decisionsOf('body', residuals),
    },
    warns: only<WarnRule>(residuals, ['warn']),
    permits: permitsOf(only<PermitRule>(enforced, ['permit']), conditions),
    mayBePermitted: conditions.any(
      rules.filter(isPermitOfBody).map(({ possible }) => specialiser.condition(possible)),
    ),
    limits: limits.filter(isOfRequests),
    observedLimits: groupByPolicy(watching.filter(isOfRequests)),
    targetLimits: limits.filter((limit) => !isOfRequests(limit)),
    observedTargetLimits: groupByPolicy(watching.filter((limit) => !isOfRequests(limit))),
    unenforcedPermits: policiesOf(only<PermitRule>(observed, ['permit'])),
  };
}

function residualShaping(candidates: readonly RuleIr[], specialiser: Specialiser): ResidualShaping {
  const { conditions, route } = specialiser;
  const residuals = residualsOf(candidates.filter(isShaping), specialiser);
  const enforced = residuals.filter((residual) => residual.ir.mode === 'enforce');
  return {
    shapingPolicies: policiesOf(residuals),
    headers: {
      request: headerActions(enforced, 'request', conditions),
      response: headerActions(enforced, 'response', conditions),
    },
    members: only<MemberRule>(enforced, ['cap', 'default']).filter(
      ({ rule }) => rule.member.definition.path in route.body,
    ),
    outputCaps: only<MemberRule>(enforced, ['cap', 'default']).filter(
      ({ rule }) => rule.member.definition.path === OUTPUT_CAP && route.calls === 'calls',
    ),
    timeouts: only<TimeoutRule>(enforced, ['timeout']),
    caches: only<CacheRule>(enforced, ['cache']),
    routings: only<RouteToRule>(enforced, ['route-to']),
    filters: filterCases(enforced, specialiser),
    masks: { request: masksOf(enforced, 'request'), response: masksOf(enforced, 'response') },
    deprecations: only<DeprecateRule>(enforced, ['deprecate']),
    alerts: {
      match: alertsOf('match', residuals),
      authorise: alertsOf('authorise', residuals),
      body: alertsOf('body', residuals),
    },
  };
}

function filterCases(enforced: readonly AnyResidual[], specialiser: Specialiser): FilterCase[] {
  return only<FilterRule>(enforced, ['filter']).flatMap(({ ir, rule }) =>
    rule.barred.flatMap(({ pools }, at) => {
      const condition = specialiser.condition(ir.barred[at]!);
      return condition === specialiser.conditions.never ? [] : [{ ir, rule, condition, pools }];
    }),
  );
}

function residualsOf(rules: readonly RuleIr[], specialiser: Specialiser): AnyResidual[] {
  return rules
    .map((ir) => ({ ir, rule: ir.rule, condition: specialiser.condition(ir.condition) }))
    .filter((residual) => residual.condition !== specialiser.conditions.never);
}

function policiesOf(residuals: readonly AnyResidual[]): string[] {
  return [...new Set(residuals.map(({ ir }) => ir.policy))];
}

function isOfRequests({ rule }: Residual<LimitRule>): boolean {
  return !isLimitOfTargets(rule);
}

function isPermitOfBody({ rule, mode, phase }: RuleIr): boolean {
  return rule.kind === 'permit' && mode === 'enforce' && phase === 'body';
}

const DENY_KINDS = ['forbid', 'require'];

type AnyResidual = Residual<RuleIr['rule']>;

function only<Rule extends RuleIr['rule']>(
  residuals: readonly AnyResidual[],
  kinds: readonly string[],
): Residual<Rule>[] {
  return residuals.filter((residual) => kinds.includes(residual.rule.kind)) as unknown as Residual<Rule>[];
}

function decisionsOf(phase: DecisionPhase, residuals: readonly AnyResidual[]): PhaseDecisions {
  const here = only<DenyRule>(residuals, DENY_KINDS).filter((residual) => residual.ir.phase === phase);
  return {
    enforced: here.filter((residual) => residual.ir.mode === 'enforce'),
    observed: here.filter((residual) => residual.ir.mode !== 'enforce'),
  };
}

function masksOf(enforced: readonly AnyResidual[], side: MaskSide): readonly Residual<MaskRule>[] {
  return only<MaskRule>(enforced, ['mask']).filter(({ rule }) => rule.sides.includes(side));
}

function alertsOf(phase: DecisionPhase, residuals: readonly AnyResidual[]): readonly Residual<AlertRule>[] {
  return only<AlertRule>(residuals, ['alert']).filter(({ ir }) => ir.phase === phase);
}

function permitsOf(
  permits: readonly Residual<PermitRule>[],
  conditions: Conditions,
): ResidualProgram['permits'] {
  const authorise = untilCertain(
    permits.filter(({ ir }) => ir.phase !== 'body'),
    conditions,
  );
  const isCertain = authorise.at(-1)?.condition === conditions.always;
  const body = isCertain ? [] : permits.filter(({ ir }) => ir.phase === 'body');
  return { authorise, body: untilCertain(body, conditions) };
}

/** What comes after a permit that always holds is never asked. */
function untilCertain(
  permits: readonly Residual<PermitRule>[],
  conditions: Conditions,
): Residual<PermitRule>[] {
  const certain = permits.findIndex((permit) => permit.condition === conditions.always);
  return certain === -1 ? [...permits] : permits.slice(0, certain + 1);
}

function groupByPolicy(limits: readonly Residual<LimitRule>[]): ObservedLimits[] {
  const groups = new Map<string, Residual<LimitRule>[]>();
  for (const limit of limits) {
    const group = groups.get(limit.ir.policy);
    if (group === undefined) groups.set(limit.ir.policy, [limit]);
    else group.push(limit);
  }
  return [...groups].map(([policy, group]) => {
    const mode = group[0]!.ir.mode;
    assert(mode !== 'enforce', 'enforced limits are not observed');
    return { policy, mode, limits: group };
  });
}

function headerActions(
  enforced: readonly AnyResidual[],
  side: HeaderRule['side'],
  conditions: Conditions,
): HeaderAction[] {
  const actions = new Map<string, HeaderAction>();
  for (const { ir, condition, fields } of [
    ...fieldsOfRules(enforced, side),
    ...fieldsOfDeprecations(enforced, side),
  ]) {
    for (const { kind, header, value } of fields) {
      const key = actionKey({ kind, header, value });
      const known = actions.get(key);
      actions.set(key, {
        kind,
        header,
        value,
        condition: known === undefined ? condition : conditions.any([known.condition, condition]),
        rules: [...(known?.rules ?? []), ir],
      });
    }
  }
  return [...actions.values()];
}

type HeaderField = Pick<HeaderAction, 'kind' | 'header' | 'value'>;
interface RuleFields {
  readonly ir: RuleIr<HeaderRule | DeprecateRule>;
  readonly condition: Condition;
  readonly fields: readonly HeaderField[];
}

function fieldsOfRules(enforced: readonly AnyResidual[], side: HeaderRule['side']): RuleFields[] {
  return only<HeaderRule>(enforced, ['set-header', 'remove-header'])
    .filter(({ rule }) => rule.side === side)
    .map(({ ir, rule, condition }) => ({ ir, condition, fields: [rule] }));
}

function fieldsOfDeprecations(enforced: readonly AnyResidual[], side: HeaderRule['side']): RuleFields[] {
  if (side === 'request') return [];
  return only<DeprecateRule>(enforced, ['deprecate']).map(({ ir, rule, condition }) => ({
    ir,
    condition,
    fields: deprecationFields(rule),
  }));
}

function actionKey(rule: HeaderField): string {
  return JSON.stringify([
    rule.kind,
    rule.header,
    rule.kind === 'remove-header' ? null : templateKey(rule.value),
  ]);
}

function templateKey(template: TextTemplate): unknown {
  return template.parts.map((part) => (typeof part === 'string' ? part : holeKey(part)));
}

function holeKey(hole: TemplateHole): unknown {
  switch (hole.kind) {
    case 'fact':
      return { fact: hole.definition.path, of: hole.parameter };
    case 'url-part':
      return { url: hole.fact.definition.path, of: hole.fact.parameter };
    case 'calendar-fact':
      return { calendar: hole.calendar.name, of: hole.fact };
    case 'limit-fact':
      return { limit: hole.fact };
  }
}
