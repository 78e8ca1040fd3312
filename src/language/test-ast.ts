import type { Span } from '../diagnostics/source.ts';
import type { TokenKind } from '../model/model-call.ts';
import type { EnforcementMode } from '../model/world.ts';
import type { ListNode, LiteralNode, NumberNode, TextNode } from './ast.ts';

/** What a `test` block says, before any name is looked up. Blocks with a mistake in them are left out of the AST. */
export interface TestNode {
  readonly name: TextNode;
  readonly given: readonly GivenNode[];
  /** At least one, each with at least one expectation. */
  readonly steps: readonly StepNode[];
  /** From `test` to `}`. */
  readonly span: Span;
}

export type GivenNode =
  | {
      readonly kind: 'tenant' | 'team' | 'consumer';
      readonly name: TextNode;
      readonly attributes: readonly AttributeNode[];
      readonly span: Span;
    }
  | {
      readonly kind: 'credential';
      readonly name: TextNode | null;
      readonly age: NumberNode | null;
      readonly span: Span;
    }
  | { readonly kind: 'roles'; readonly names: readonly TextNode[]; readonly span: Span }
  | { readonly kind: 'no-identity'; readonly span: Span }
  /** `day` since 1970-01-01, `minute` of that day; null is midnight. */
  | {
      readonly kind: 'time';
      readonly day: NumberNode;
      readonly minute: NumberNode | null;
      readonly zone: TextNode | null;
      readonly span: Span;
    }
  | {
      readonly kind: 'used';
      readonly rule: TextNode;
      readonly policy: TextNode;
      /** Requests; nano-units of money. */
      readonly amount: NumberNode;
      /** ISO 4217; null where no money is written. */
      readonly currency: string | null;
      readonly span: Span;
    }
  /** The share of a rule is another one in this test. */
  | {
      readonly kind: 'share';
      readonly rule: TextNode;
      readonly policy: TextNode;
      readonly percent: NumberNode;
      readonly span: Span;
    }
  /** What it answers in this test. */
  | {
      readonly kind: 'reply';
      readonly model: TextNode;
      readonly text: ReplyTextNode | null;
      readonly used: readonly UsedTokensNode[];
      readonly span: Span;
    }
  /** A pool, or a provider, that no call reaches. */
  | { readonly kind: 'down'; readonly target: TextNode; readonly span: Span }
  | { readonly kind: 'mode'; readonly policy: TextNode; readonly mode: EnforcementMode; readonly span: Span }
  | { readonly kind: 'request'; readonly parts: readonly RequestPartNode[]; readonly span: Span };

/** `whole`: one piece, in an answer that does not stream. */
export interface ReplyTextNode {
  readonly kind: 'whole' | 'chunks';
  readonly pieces: readonly TextNode[];
}

export interface UsedTokensNode {
  readonly which: TokenKind;
  readonly count: NumberNode;
  readonly span: Span;
}

export interface AttributeNode {
  readonly name: TextNode;
  readonly value: LiteralNode | ListNode;
}

export type RequestPartNode =
  | { readonly kind: 'header'; readonly name: TextNode; readonly value: TextNode; readonly span: Span }
  | { readonly kind: 'ip' | 'host'; readonly value: TextNode; readonly span: Span }
  | { readonly kind: 'size'; readonly bytes: NumberNode; readonly span: Span }
  /** What the answer says that the request cost. */
  | {
      readonly kind: 'cost';
      readonly amount: NumberNode;
      readonly currency: string | null;
      readonly span: Span;
    }
  /** That is called. */
  | { readonly kind: 'model'; readonly name: TextNode; readonly span: Span }
  /** Of the answer of the service. */
  | { readonly kind: 'status'; readonly status: NumberNode; readonly span: Span }
  /** `body.order.lines 3`: the path below the body. A number counts the elements of a list, from 1. */
  | {
      readonly kind: 'body';
      readonly path: readonly (string | number)[];
      readonly value: LiteralNode | ListNode;
      readonly span: Span;
    };

export interface StepNode {
  /** Null for one request, said without a number. */
  readonly count: NumberNode | null;
  readonly method: TextNode;
  /** Path and query, as a client sends them. */
  readonly target: TextNode;
  readonly withinMs: NumberNode | null;
  readonly afterMs: NumberNode | null;
  readonly pace: 'at-once' | 'spread';
  readonly consumer: TextNode | null;
  readonly parts: readonly RequestPartNode[];
  readonly expects: readonly ExpectNode[];
  readonly span: Span;
}

export interface ExpectNode {
  readonly which: WhichNode;
  readonly outcome: OutcomeNode;
  readonly watched: readonly WatchedNode[];
  readonly reply: TextMatchNode | null;
  readonly code: TextNode | null;
  readonly because: TextMatchNode | null;
  readonly parts: readonly ExpectPartNode[];
  readonly span: Span;
}

/** Of the requests of a step; `count` null is one. */
export type WhichNode =
  | { readonly kind: 'all' }
  /** So many of them, whichever: where lots are drawn. */
  | { readonly kind: 'some'; readonly least: NumberNode; readonly most: NumberNode }
  | { readonly kind: 'first' | 'last'; readonly count: NumberNode | null };

/** `any`: only what watching policies saw is asked. */
export type OutcomeNode =
  | { readonly kind: 'permitted' | 'any' }
  | { readonly kind: 'refused'; readonly status: NumberNode | null; readonly by: RuleNameNode | null };

export interface TextMatchNode {
  readonly match: 'is' | 'contains';
  readonly text: TextNode;
}

export interface RuleNameNode {
  readonly policy: TextNode;
  readonly rule: TextNode | null;
}

export interface WatchedNode {
  readonly mode: 'warn' | 'shadow' | 'alert';
  readonly by: RuleNameNode;
  readonly span: Span;
}

export type ExpectPartNode =
  | {
      readonly kind: 'retry-after';
      readonly operator: 'le' | 'ge' | 'is';
      readonly ms: NumberNode;
      readonly span: Span;
    }
  | { readonly kind: 'timeout'; readonly ms: NumberNode; readonly span: Span }
  /** That the call goes to. */
  | { readonly kind: 'model' | 'pool'; readonly name: TextNode; readonly span: Span }
  | { readonly kind: 'no-call'; readonly span: Span }
  | {
      readonly kind: 'body';
      /** As of a {@link RequestPartNode}. */
      readonly path: readonly (string | number)[];
      readonly value: LiteralNode;
      readonly span: Span;
    }
  /** `value` null: the header is not there. */
  | {
      readonly kind: 'header';
      readonly name: TextNode;
      readonly value: TextNode | null;
      readonly side: 'request' | 'response';
      readonly span: Span;
    };
