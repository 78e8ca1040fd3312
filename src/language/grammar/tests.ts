import type { TokenType } from 'chevrotain';
import {
  AnyWord,
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
  ZoneName,
} from '../tokens.ts';
import { ExpressionGrammar, INNER } from './expressions.ts';

/** What tells a rule from a role. */
const GIVEN_RULE: ReadonlySet<TokenType> = new Set([KEYWORD.in, TEST_WORD.enforced]);

const BEGINS_LITERAL: ReadonlySet<TokenType> = new Set([
  ...[Text, NumberLiteral, MoneyLiteral, DurationLiteral, SizeLiteral, PercentLiteral],
  ...[DateLiteral, TimeLiteral, KEYWORD.true, KEYWORD.false],
]);

/**
 * The grammar of `test` blocks. The order of the statements (given, then when and its expects, and again) is checked
 * by the builder: "this test sends nothing" says more than "unexpected expect".
 */
export class TestGrammar extends ExpressionGrammar {
  readonly Test = this.RULE('Test', () => {
    this.SUBRULE(this.TestName);
    this.CONSUME(SIGN['{']);
    this.MANY(() => this.SUBRULE(this.TestStatement));
    this.CONSUME(SIGN['}']);
  });

  readonly TestName = this.RULE('TestName', () => {
    this.CONSUME(KEYWORD.test);
    this.CONSUME(Text);
  });

  readonly TestStatement = this.RULE('TestStatement', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.Given) },
      { ALT: () => this.SUBRULE(this.Sending) },
      { ALT: () => this.SUBRULE(this.Expect) },
    ]);
  });

  readonly Given = this.RULE(
    'Given',
    () => {
      this.CONSUME(TEST_WORD.given);
      this.AT_LEAST_ONE_SEP({ SEP: SIGN[','], DEF: () => this.SUBRULE(this.GivenItem) });
    },
    INNER,
  );

  readonly GivenItem = this.RULE(
    'GivenItem',
    () => {
      this.OR([
        { ALT: () => this.SUBRULE(this.GivenCaller) },
        { ALT: () => this.SUBRULE(this.GivenRoles) },
        { ALT: () => this.words(0, KEYWORD.no, KEYWORD.identity) },
        { ALT: () => this.SUBRULE(this.GivenTime) },
        { ALT: () => this.SUBRULE(this.GivenRule) },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.request);
            this.SUBRULE(this.RequestParts);
          },
        },
      ]);
    },
    INNER,
  );

  readonly GivenCaller = this.RULE(
    'GivenCaller',
    () => {
      this.OR([
        {
          ALT: () => {
            this.OR2([
              { ALT: () => this.CONSUME(KEYWORD.tenant) },
              { ALT: () => this.CONSUME(KEYWORD.team) },
              { ALT: () => this.CONSUME(KEYWORD.consumer) },
            ]);
            this.CONSUME(Text);
            this.OPTION(() => {
              this.CONSUME(KEYWORD.with);
              this.AT_LEAST_ONE_SEP({ SEP: KEYWORD.and, DEF: () => this.SUBRULE(this.Attribute) });
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.credential);
            this.OPTION2(() => this.CONSUME2(Text));
            this.OPTION3(() => {
              this.CONSUME(TEST_WORD.aged);
              this.SUBRULE(this.Length);
            });
          },
        },
      ]);
    },
    INNER,
  );

  readonly Attribute = this.RULE(
    'Attribute',
    () => {
      this.CONSUME(AnyWord);
      this.OR([{ ALT: () => this.SUBRULE(this.Literal) }, { ALT: () => this.SUBRULE(this.List) }]);
    },
    INNER,
  );

  readonly GivenRoles = this.RULE(
    'GivenRoles',
    () => {
      this.OR([{ ALT: () => this.CONSUME(KEYWORD.role) }, { ALT: () => this.CONSUME(TEST_WORD.roles) }]);
      this.CONSUME(Text);
      this.MANY({
        // behind the comma may be the next role, or something else: time …, "month" in "tokens" used 5
        GATE: () => this.LA(2).tokenType === Text && !GIVEN_RULE.has(this.LA(3).tokenType),
        DEF: () => {
          this.CONSUME(SIGN[',']);
          this.CONSUME2(Text);
        },
      });
    },
    INNER,
  );

  readonly GivenTime = this.RULE(
    'GivenTime',
    () => {
      this.CONSUME(TEST_WORD.time);
      this.CONSUME(DateLiteral);
      this.OPTION(() => this.CONSUME(TimeLiteral));
      this.OPTION2(() => {
        this.CONSUME(KEYWORD.in);
        this.CONSUME(ZoneName);
      });
    },
    INNER,
  );

  /** `"month" in "tokens" used 5`, `"brown-out" in "v1" at 100%`, `"hygiene" enforced`, `"hygiene" in shadow`. */
  readonly GivenRule = this.RULE(
    'GivenRule',
    () => {
      this.CONSUME(Text);
      this.OR([
        { ALT: () => this.CONSUME(TEST_WORD.enforced) },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.in);
            this.OR2([
              { ALT: () => this.CONSUME(TEST_WORD.shadow) },
              { ALT: () => this.CONSUME(KEYWORD.warn) },
              {
                ALT: () => {
                  this.CONSUME2(Text);
                  this.OR3([
                    {
                      ALT: () => {
                        this.CONSUME(TEST_WORD.used);
                        this.SUBRULE(this.Used);
                      },
                    },
                    {
                      ALT: () => {
                        this.CONSUME(KEYWORD.at);
                        this.CONSUME(PercentLiteral);
                      },
                    },
                  ]);
                },
              },
            ]);
          },
        },
      ]);
    },
    INNER,
  );

  /** Requests, or money of a budget. */
  readonly Used = this.RULE(
    'Used',
    () => {
      this.OR([{ ALT: () => this.SUBRULE(this.Money) }, { ALT: () => this.CONSUME(NumberLiteral) }]);
    },
    INNER,
  );

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

  /** Of the body as the service gets it. */
  readonly ShapedPath = this.RULE(
    'ShapedPath',
    () => {
      this.CONSUME(TEST_WORD.body);
      this.AT_LEAST_ONE(() => this.SUBRULE(this.MemberName));
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

  /** `[2]` and `["a"]` are lists of one value where neither a path nor, behind a text, a value follows. */
  private beginsList(): boolean {
    const [first, second, third, fourth] = [1, 2, 3, 4].map((at) => this.LA(at).tokenType);
    if (first !== SIGN['[']) return false;
    if (third !== SIGN[']']) return true;
    if (fourth === Member || fourth === SIGN['[']) return false;
    return second !== Text || !BEGINS_LITERAL.has(fourth!);
  }

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

  readonly Expect = this.RULE(
    'Expect',
    () => {
      this.CONSUME(TEST_WORD.expect);
      this.OPTION(() => this.SUBRULE(this.Which));
      this.OR([
        { ALT: () => this.CONSUME(TEST_WORD.permitted) },
        { ALT: () => this.SUBRULE(this.Refused) },
        { ALT: () => this.SUBRULE(this.Watched) },
      ]);
      this.MANY(() => this.SUBRULE(this.ExpectClause));
    },
    INNER,
  );

  readonly Which = this.RULE(
    'Which',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(TEST_WORD.all) },
        {
          ALT: () => {
            this.CONSUME(NumberLiteral);
            this.OPTION(() => {
              this.CONSUME(SIGN['..']);
              this.CONSUME2(NumberLiteral);
            });
          },
        },
        {
          ALT: () => {
            this.OPTION2(() => this.CONSUME(TEST_WORD.the));
            this.OR2([
              { ALT: () => this.CONSUME(TEST_WORD.first) },
              { ALT: () => this.CONSUME(TEST_WORD.last) },
            ]);
            this.OPTION3(() => this.CONSUME3(NumberLiteral));
          },
        },
      ]);
    },
    INNER,
  );

  readonly Refused = this.RULE(
    'Refused',
    () => {
      this.CONSUME(TEST_WORD.refused);
      this.OPTION(() => this.CONSUME(NumberLiteral));
      this.OPTION2(() => {
        this.CONSUME(KEYWORD.by);
        this.SUBRULE(this.RuleName);
      });
    },
    INNER,
  );

  /** A policy, and a rule of it. */
  readonly RuleName = this.RULE(
    'RuleName',
    () => {
      this.CONSUME(Text);
      this.OPTION(() => this.CONSUME2(Text));
    },
    INNER,
  );

  readonly Watched = this.RULE(
    'Watched',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(TEST_WORD.warned) },
        { ALT: () => this.CONSUME(TEST_WORD.shadowed) },
        { ALT: () => this.CONSUME(TEST_WORD.alerted) },
      ]);
      this.CONSUME(KEYWORD.by);
      this.SUBRULE(this.RuleName);
    },
    INNER,
  );

  readonly ExpectClause = this.RULE(
    'ExpectClause',
    () => {
      this.OR([
        { ALT: () => this.SUBRULE(this.Watched) },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.code);
            this.CONSUME(Text);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.because);
            this.OPTION(() => this.CONSUME(KEYWORD.contains));
            this.CONSUME2(Text);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.with);
            this.AT_LEAST_ONE_SEP({ SEP: KEYWORD.and, DEF: () => this.SUBRULE(this.ExpectPart) });
          },
        },
      ]);
    },
    INNER,
  );

  readonly ExpectPart = this.RULE(
    'ExpectPart',
    () => {
      this.OR([
        {
          ALT: () => {
            this.words(0, KEYWORD.retry, KEYWORD.after);
            this.OR2([
              { ALT: () => this.CONSUME(SIGN['<=']) },
              { ALT: () => this.CONSUME(SIGN['>=']) },
              { ALT: () => this.CONSUME(KEYWORD.is) },
            ]);
            this.SUBRULE(this.Length);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.timeout);
            this.SUBRULE2(this.Length);
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
            this.SUBRULE(this.ShapedPath);
            this.SUBRULE(this.Literal);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.header);
            this.CONSUME(Text);
            this.CONSUME2(KEYWORD.is);
            this.CONSUME2(Text);
            this.CONSUME(KEYWORD.in);
            this.SUBRULE(this.Side);
          },
        },
        {
          ALT: () => {
            this.words(1, KEYWORD.no, KEYWORD.header);
            this.CONSUME3(Text);
            this.CONSUME2(KEYWORD.in);
            this.SUBRULE2(this.Side);
          },
        },
      ]);
    },
    INNER,
  );

  readonly Side = this.RULE(
    'Side',
    () => {
      this.OR([{ ALT: () => this.CONSUME(KEYWORD.request) }, { ALT: () => this.CONSUME(KEYWORD.response) }]);
    },
    INNER,
  );
}
