import { DateLiteral, KEYWORD, NumberLiteral, PercentLiteral, SIGN, Text } from '../tokens.ts';
import { ExpressionGrammar } from './expressions.ts';
import { INNER } from './values.ts';

/** The grammar of clauses: what follows the head of a rule, in any order. Which rule takes which is a table of the builder (`CLAUSES_OF`). */
export class ClauseGrammar extends ExpressionGrammar {
  readonly Clause = this.RULE(
    'Clause',
    () => {
      this.OR([
        { ALT: () => this.SUBRULE(this.Share) },
        { ALT: () => this.SUBRULE(this.When) },
        { ALT: () => this.SUBRULE(this.Dates) },
        { ALT: () => this.SUBRULE(this.AtLeast) },
        { ALT: () => this.SUBRULE(this.Per) },
        { ALT: () => this.SUBRULE(this.ReplyClause) },
        { ALT: () => this.SUBRULE(this.MaxKeys) },
        { ALT: () => this.SUBRULE(this.OnFailure) },
        { ALT: () => this.SUBRULE(this.Was) },
        { ALT: () => this.SUBRULE(this.Overlap) },
        { ALT: () => this.SUBRULE(this.AlertAt) },
        { ALT: () => this.SUBRULE(this.Notify) },
      ]);
    },
    INNER,
  );

  readonly Share = this.RULE(
    'Share',
    () => {
      this.CONSUME(PercentLiteral);
      this.CONSUME(KEYWORD.of);
      this.OR([
        { ALT: () => this.CONSUME(KEYWORD.requests) },
        { ALT: () => this.CONSUME(KEYWORD.consumers) },
        { ALT: () => this.CONSUME(KEYWORD.tenants) },
      ]);
    },
    INNER,
  );

  readonly When = this.RULE(
    'When',
    () => {
      this.CONSUME(KEYWORD.when);
      this.OR([{ ALT: () => this.SUBRULE(this.Exceeded) }, { ALT: () => this.SUBRULE(this.Condition) }]);
    },
    INNER,
  );

  /** The dates on which something is in force, both included. */
  readonly Dates = this.RULE(
    'Dates',
    () => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(KEYWORD.from);
            this.CONSUME(DateLiteral);
            this.OPTION(() => {
              this.CONSUME(KEYWORD.until);
              this.CONSUME2(DateLiteral);
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME2(KEYWORD.until);
            this.CONSUME3(DateLiteral);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.after);
            this.CONSUME4(DateLiteral);
          },
        },
      ]);
    },
    INNER,
  );

  readonly Exceeded = this.RULE(
    'Exceeded',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(KEYWORD.exceeded) },
        { ALT: () => this.CONSUME(KEYWORD.exhausted) },
      ]);
      this.OR2([
        {
          ALT: () => {
            this.SUBRULE(this.Fallback);
            this.OPTION(() => this.SUBRULE(this.Queue));
          },
        },
        { ALT: () => this.SUBRULE2(this.Queue) },
        { ALT: () => this.SUBRULE(this.ReplyClause) },
      ]);
      this.MANY(() => this.SUBRULE2(this.ReplyClause));
    },
    INNER,
  );

  /** Other models for calls without room, and what is allowed to them. */
  readonly Fallback = this.RULE(
    'Fallback',
    () => {
      this.words(0, KEYWORD.fall, KEYWORD.back, KEYWORD.to);
      this.CONSUME(KEYWORD.model);
      this.AT_LEAST_ONE_SEP({ SEP: SIGN[','], DEF: () => this.CONSUME(Text) });
      this.OPTION({
        // `for each` begins alike, and belongs to the limit
        GATE: () => this.LA(2).tokenType !== KEYWORD.each,
        DEF: () => {
          this.CONSUME(KEYWORD.for);
          this.OR([
            {
              ALT: () => {
                this.words(1, KEYWORD.at, KEYWORD.most);
                this.SUBRULE(this.Money);
                this.CONSUME(KEYWORD.more);
              },
            },
            { ALT: () => this.words(2, KEYWORD.any, KEYWORD.amount) },
          ]);
        },
      });
    },
    INNER,
  );

  readonly Queue = this.RULE(
    'Queue',
    () => {
      this.words(0, KEYWORD.queue, KEYWORD.up, KEYWORD.to);
      this.SUBRULE(this.Length);
    },
    INNER,
  );

  readonly Per = this.RULE(
    'Per',
    () => {
      this.OR([
        {
          ALT: () => {
            this.words(0, KEYWORD.for, KEYWORD.each);
            this.SUBRULE(this.KeyList);
          },
        },
        { ALT: () => this.words(0, KEYWORD.in, KEYWORD.total) },
      ]);
    },
    INNER,
  );

  readonly KeyList = this.RULE(
    'KeyList',
    () => {
      this.AT_LEAST_ONE_SEP({ SEP: KEYWORD.and, DEF: () => this.SUBRULE(this.Path) });
      this.OPTION(() => {
        this.CONSUME(KEYWORD.otherwise);
        this.SUBRULE2(this.Path);
      });
    },
    INNER,
  );

  readonly ReplyClause = this.RULE(
    'ReplyClause',
    () => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(KEYWORD.status);
            this.CONSUME(NumberLiteral);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.code);
            this.CONSUME(Text);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.because);
            this.CONSUME2(Text);
          },
        },
      ]);
    },
    INNER,
  );

  readonly MaxKeys = this.RULE(
    'MaxKeys',
    () => {
      this.words(0, KEYWORD.max, KEYWORD.keys);
      this.CONSUME(NumberLiteral);
    },
    INNER,
  );

  readonly Was = this.RULE(
    'Was',
    () => {
      this.CONSUME(KEYWORD.was);
      this.CONSUME(Text);
    },
    INNER,
  );

  readonly Overlap = this.RULE(
    'Overlap',
    () => {
      this.CONSUME(KEYWORD.overlap);
      this.SUBRULE(this.Length);
    },
    INNER,
  );

  readonly AlertAt = this.RULE(
    'AlertAt',
    () => {
      this.words(0, KEYWORD.alert, KEYWORD.at);
      this.AT_LEAST_ONE_SEP({ SEP: SIGN[','], DEF: () => this.CONSUME(PercentLiteral) });
      this.OPTION(() => this.SUBRULE(this.Notify));
    },
    INNER,
  );

  readonly Notify = this.RULE(
    'Notify',
    () => {
      this.CONSUME(KEYWORD.notify);
      this.CONSUME(Text);
    },
    INNER,
  );

  readonly AtLeast = this.RULE(
    'AtLeast',
    () => {
      this.words(0, KEYWORD.for, KEYWORD.at, KEYWORD.least);
      this.SUBRULE(this.Requests);
      this.words(1, KEYWORD.in, KEYWORD.any);
      this.SUBRULE(this.Length);
    },
    INNER,
  );

  readonly OnFailure = this.RULE(
    'OnFailure',
    () => {
      this.words(0, KEYWORD.on, KEYWORD.failure);
      this.OR([{ ALT: () => this.CONSUME(KEYWORD.refuse) }, { ALT: () => this.CONSUME(KEYWORD.allow) }]);
    },
    INNER,
  );

  readonly Requests = this.RULE(
    'Requests',
    () => {
      this.CONSUME(NumberLiteral);
      this.OR([{ ALT: () => this.CONSUME(KEYWORD.requests) }, { ALT: () => this.CONSUME(KEYWORD.request) }]);
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
