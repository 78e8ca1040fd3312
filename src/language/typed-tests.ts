import type { Span } from '../diagnostics/source.ts';
import type { TokenKind } from '../model/model-call.ts';
import type { ScalarValue, Value } from '../model/types.ts';
import type { EnforcementMode } from '../model/world.ts';

/** A `test` block with every name resolved: what the runner is handed. */
export interface CheckedTest {
  readonly name: string;
  readonly span: Span;
  /** When the first request is sent. */
  readonly wallMs: number;
  /** Policies that do not decide in this test; every other one is enforced, whatever enforcement.yaml says. */
  readonly modes: ReadonlyMap<string, EnforcementMode>;
  /** What limits have counted before, for every key that the test meets. */
  readonly used: readonly { readonly policy: string; readonly rule: string; readonly amount: number }[];
  /** Rules that hold for another share in this test than in the file. */
  readonly shares: readonly {
    readonly policy: string;
    readonly rule: string;
    readonly percent: number;
  }[];
  /** What models answer, by their names; a model that is not named answers nothing in words. */
  readonly replies: ReadonlyMap<string, CheckedReply>;
  /** Pools that no call reaches. */
  readonly down: ReadonlySet<string>;
  readonly steps: readonly CheckedStep[];
}

export interface CheckedReply {
  /** `whole`: one piece, in an answer that does not stream. */
  readonly kind: 'whole' | 'chunks';
  /** Empty: the test says nothing of its text. */
  readonly pieces: readonly string[];
  /** Null: it tells nothing, so that all that was reserved is used. */
  readonly usage: Readonly<Record<TokenKind, number>> | null;
}

export interface CheckedStep {
  readonly count: number;
  readonly method: string;
  readonly path: string;
  /** Without '?'. */
  readonly query: string;
  readonly host: string;
  readonly ip: string;
  /** Lower-case name, value, … */
  readonly headers: readonly string[];
  readonly bodyBytes: number;
  /** JSON text; '' when the request has none, or only its size is given. */
  readonly body: string;
  /** That is called; null: the body says it, or the test says nothing of it. */
  readonly model: string | null;
  /** What the answer says that it cost, in nano-units; null: nothing. */
  readonly cost: number | null;
  /** What the service answers. */
  readonly status: number;
  readonly caller: TestCaller;
  /** From the end of the step before to the first request. */
  readonly afterMs: number;
  /** The requests are spread evenly over this time; 0 sends all at one moment. */
  readonly withinMs: number;
  /** `at-once`: none ends before the last has been answered. */
  readonly pace: 'at-once' | 'spread';
  readonly expects: readonly CheckedExpect[];
  readonly span: Span;
}

/**
 * Who sends. `unsaid`: the test names nobody, so routes that require identity are called by one of the first tenant,
 * and all others without identity.
 */
export type TestCaller =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'said' | 'unsaid'; readonly identity: TestIdentity };

export interface TestIdentity {
  readonly tenant: { readonly name: string; readonly plan: string; readonly attributes: Attributes };
  readonly team: { readonly name: string; readonly attributes: Attributes } | null;
  readonly consumer: {
    readonly name: string;
    readonly roles: readonly string[];
    /** Null: every route. */
    readonly subscriptions: readonly string[] | null;
    readonly attributes: Attributes;
  };
  readonly credential: {
    readonly name: string;
    readonly kind: 'key' | 'token' | 'certificate' | 'signature';
    readonly createdMs: number;
    readonly expiresMs: number | null;
  };
}
export type Attributes = Readonly<Record<string, Value>>;

export interface CheckedExpect {
  readonly which:
    | { readonly kind: 'first' | 'last'; readonly count: number }
    /** Any so many of the step. */
    | { readonly kind: 'some'; readonly least: number; readonly most: number };
  readonly outcome:
    | { readonly kind: 'permitted' | 'any' }
    | { readonly kind: 'refused'; readonly status: number | null; readonly by: RuleName | null };
  readonly watched: readonly { readonly mode: 'warn' | 'shadow' | 'alert'; readonly by: RuleName }[];
  readonly code: string | null;
  readonly because: TextMatch | null;
  /** What the caller is answered. */
  readonly reply: TextMatch | null;
  readonly retryAfter: { readonly operator: 'le' | 'ge' | 'is'; readonly ms: number } | null;
  /** That the call goes to. */
  readonly model: string | null;
  readonly pool: string | null;
  /** `none`: nothing leaves for a service or provider. */
  readonly calls: 'any' | 'none';
  readonly timeoutMs: number | null;
  /** Members of the body that the service gets, as JSON values; a number counts the elements of a list, from 1. */
  readonly body: readonly { readonly path: readonly (string | number)[]; readonly value: ScalarValue }[];
  /** `value` null: not there. Names in lower case. */
  readonly headers: readonly {
    readonly name: string;
    readonly value: string | null;
    readonly side: 'request' | 'response';
  }[];
  readonly span: Span;
}

export interface TextMatch {
  readonly match: 'is' | 'contains';
  readonly text: string;
}

/** `rule` null: any rule of the policy. */
export interface RuleName {
  readonly policy: string;
  readonly rule: string | null;
}
