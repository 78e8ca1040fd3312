import type { TokenType } from 'chevrotain';
import {
  DateLiteral,
  DurationLiteral,
  KEYWORD,
  Member,
  Method,
  MoneyLiteral,
  NumberLiteral,
  PercentLiteral,
  SIGN,
  SizeLiteral,
  TEST_WORD,
  Text,
  TimeLiteral,
  UrlPath,
} from '../tokens.ts';
import { RuleGrammar } from './rules.ts';
import { INNER } from './values.ts';

const BEGINS_LITERAL: ReadonlySet<TokenType> = new Set([
  ...[Text, NumberLiteral, MoneyLiteral, DurationLiteral, SizeLiteral, PercentLiteral],
  ...[DateLiteral, TimeLiteral, KEYWORD.true, KEYWORD.false],
]);

/** The grammar of what a test sends: `when GET /path is sent`, with its parts and who sends it. */
export class SendingGrammar extends RuleGrammar {
  readonly RequestParts = this.RULE(
    'RequestParts',
    () => {
      this.CONSUME(KEYWORD.with);
      this.AT_LEAST_ONE_SEP({ SEP: KEYWORD.and, DEF: () => this.SUBRULE(this.RequestPart) });
    },
    INNER,
  );

  readonly RequestPart = this.RULE(
    'RequestPart',
    () => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(KEYWORD.header);
            this.CONSUME(Text);
            this.CONSUME(KEYWORD.is);
            this.CONSUME2(Text);
          },
        },
        {
          ALT: () => {
            this.OR2([
              { ALT: () => this.CONSUME(TEST_WORD.ip) },
              { ALT: () => this.CONSUME(TEST_WORD.host) },
            ]);
            this.CONSUME3(Text);
          },
        },
        {
          ALT: () => {
            this.CONSUME(TEST_WORD.size);
            this.CONSUME(SizeLiteral);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.cost);
            this.SUBRULE(this.Money);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.status);
            this.CONSUME(NumberLiteral);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.model);
            this.CONSUME4(Text);
          },
        },
        {
          ALT: () => {
            this.SUBRULE(this.BodyPath);
            this.OR3([{ ALT: () => this.SUBRULE(this.Literal) }, { ALT: () => this.SUBRULE(this.List) }]);
          },
        },
      ]);
    },
    INNER,
  );

  /** `body.order.id`, `body["order-id"]`, `body.items[2].price` of the second element. */
  readonly BodyPath = this.RULE(
    'BodyPath',
    () => {
      this.CONSUME(TEST_WORD.body);
      this.SUBRULE(this.MemberName);
      this.MANY({
        GATE: () => !this.beginsList(),
        DEF: () => {
          this.OPTION(() => {
            this.CONSUME(SIGN['[']);
            this.CONSUME(NumberLiteral);
            this.CONSUME(SIGN[']']);
          });
          this.SUBRULE2(this.MemberName);
        },
      });
    },
    INNER,
  );

  readonly MemberName = this.RULE(
    'MemberName',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(Member) },
        {
          ALT: () => {
            this.CONSUME(SIGN['[']);
            this.CONSUME(Text);
            this.CONSUME(SIGN[']']);
          },
        },
      ]);
    },
    INNER,
  );

  readonly Sending = this.RULE(
    'Sending',
    () => {
      this.CONSUME(KEYWORD.when);
      this.OPTION(() => {
        this.CONSUME(NumberLiteral);
        this.OR([
          { ALT: () => this.CONSUME(KEYWORD.requests) },
          { ALT: () => this.CONSUME(KEYWORD.request) },
        ]);
      });
      this.CONSUME(Method);
      this.CONSUME(UrlPath);
      this.OR2([{ ALT: () => this.CONSUME(KEYWORD.is) }, { ALT: () => this.CONSUME(TEST_WORD.are) }]);
      this.CONSUME(TEST_WORD.sent);
      this.MANY(() => this.SUBRULE(this.SendingClause));
    },
    INNER,
  );

  readonly SendingClause = this.RULE(
    'SendingClause',
    () => {
      this.OR([
        {
          ALT: () => {
            this.OR2([
              { ALT: () => this.CONSUME(TEST_WORD.within) },
              { ALT: () => this.CONSUME(KEYWORD.after) },
            ]);
            this.SUBRULE(this.Length);
          },
        },
        { ALT: () => this.words(0, KEYWORD.at, KEYWORD.once) },
        {
          ALT: () => {
            this.words(0, KEYWORD.by, KEYWORD.consumer);
            this.CONSUME(Text);
          },
        },
        { ALT: () => this.SUBRULE(this.RequestParts) },
      ]);
    },
    INNER,
  );

  /** `[2]` and `["a"]` are lists of one value where neither a path nor, behind a text, a value follows. */
  private beginsList(): boolean {
    const [first, second, third, fourth] = [1, 2, 3, 4].map((at) => this.LA(at).tokenType);
    if (first !== SIGN['[']) return false;
    if (third !== SIGN[']']) return true;
    if (fourth === Member || fourth === SIGN['[']) return false;
    return second !== Text || !BEGINS_LITERAL.has(fourth!);
  }
}
