import type { TokenType } from 'chevrotain';
import {
  AnyWord,
  DateLiteral,
  KEYWORD,
  NumberLiteral,
  PercentLiteral,
  SIGN,
  TEST_WORD,
  Text,
  TimeLiteral,
  ZoneName,
} from '../tokens.ts';
import { ExpectationGrammar } from './expectations.ts';
import { INNER } from './values.ts';

/** What tells a rule from a role. */
const GIVEN_RULE: ReadonlySet<TokenType> = new Set([KEYWORD.in, TEST_WORD.enforced]);

/**
 * The grammar of `test` blocks. The order of the statements (given, then when and its expects, and again) is checked
 * by the builder: "this test sends nothing" says more than "unexpected expect".
 */
export class TestGrammar extends ExpectationGrammar {
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
        { ALT: () => this.SUBRULE(this.GivenModel) },
        { ALT: () => this.words(1, KEYWORD.target, Text, KEYWORD.is, TEST_WORD.down) },
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

  /** `model "gpt-5" replies "Hello" with 20 output tokens`, `model "gpt-5" replies in chunks "Hel", "lo"`. */
  readonly GivenModel = this.RULE(
    'GivenModel',
    () => {
      this.CONSUME(KEYWORD.model);
      this.CONSUME(Text);
      this.CONSUME(TEST_WORD.replies);
      this.OPTION(() =>
        this.OR([{ ALT: () => this.SUBRULE(this.Chunks) }, { ALT: () => this.CONSUME2(Text) }]),
      );
      this.OPTION2(() => {
        this.CONSUME(KEYWORD.with);
        this.AT_LEAST_ONE_SEP({ SEP: KEYWORD.and, DEF: () => this.SUBRULE(this.UsedTokens) });
      });
    },
    INNER,
  );

  readonly Chunks = this.RULE(
    'Chunks',
    () => {
      this.words(0, KEYWORD.in, TEST_WORD.chunks);
      this.CONSUME(Text);
      this.MANY({
        // behind the comma may be the next piece, or something else: target …, "month" in "tokens" used 5
        GATE: () => this.LA(2).tokenType === Text && !GIVEN_RULE.has(this.LA(3).tokenType),
        DEF: () => {
          this.CONSUME(SIGN[',']);
          this.CONSUME2(Text);
        },
      });
    },
    INNER,
  );

  readonly UsedTokens = this.RULE(
    'UsedTokens',
    () => {
      this.CONSUME(NumberLiteral);
      this.OR([
        { ALT: () => this.CONSUME(KEYWORD.input) },
        { ALT: () => this.CONSUME(KEYWORD.output) },
        { ALT: () => this.CONSUME(KEYWORD.cached) },
        { ALT: () => this.CONSUME(KEYWORD.reasoning) },
      ]);
      this.CONSUME(KEYWORD.tokens);
    },
    INNER,
  );

  /** Requests, tokens, or money of a budget. */
  readonly Used = this.RULE(
    'Used',
    () => {
      this.OR([{ ALT: () => this.SUBRULE(this.Money) }, { ALT: () => this.CONSUME(NumberLiteral) }]);
    },
    INNER,
  );
}
