import { KEYWORD, NumberLiteral, SIGN, TEST_WORD, Text } from '../tokens.ts';
import { SendingGrammar } from './sendings.ts';
import { INNER } from './values.ts';

/** The grammar of what a test expects of what it sent. */
export class ExpectationGrammar extends SendingGrammar {
  readonly Expect = this.RULE(
    'Expect',
    () => {
      this.CONSUME(TEST_WORD.expect);
      this.OPTION(() => this.SUBRULE(this.Which));
      this.OR([
        { ALT: () => this.CONSUME(TEST_WORD.permitted) },
        { ALT: () => this.SUBRULE(this.Refused) },
        { ALT: () => this.SUBRULE(this.Watched) },
        { ALT: () => this.SUBRULE(this.Reply) },
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

  /** What the caller is answered, in words. */
  readonly Reply = this.RULE(
    'Reply',
    () => {
      this.CONSUME(TEST_WORD.reply);
      this.OPTION(() => this.CONSUME(KEYWORD.contains));
      this.CONSUME(Text);
    },
    INNER,
  );

  readonly ExpectClause = this.RULE(
    'ExpectClause',
    () => {
      this.OR([
        { ALT: () => this.SUBRULE(this.Watched) },
        { ALT: () => this.SUBRULE(this.Reply) },
        { ALT: () => this.words(0, KEYWORD.and, KEYWORD.no, TEST_WORD.call, TEST_WORD.upstream) },
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
            this.CONSUME(KEYWORD.pool);
            this.CONSUME5(Text);
          },
        },
        { ALT: () => this.words(2, KEYWORD.no, TEST_WORD.call, TEST_WORD.upstream) },
        {
          ALT: () => {
            this.SUBRULE(this.BodyPath);
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
}
