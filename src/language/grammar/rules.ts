import {
  DateLiteral,
  KEYWORD,
  Name,
  NumberLiteral,
  Period,
  Regex,
  RouteHead,
  SIGN,
  Text,
  ZoneName,
} from '../tokens.ts';
import { ClauseGrammar } from './clauses.ts';
import { INNER } from './values.ts';

/** The grammar of rules: one head for each keyword, and the clauses behind it. */
export class RuleGrammar extends ClauseGrammar {
  readonly Rule = this.RULE('Rule', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.Permit) },
      { ALT: () => this.SUBRULE(this.Forbid) },
      { ALT: () => this.SUBRULE(this.Require) },
      { ALT: () => this.SUBRULE(this.Warn) },
      { ALT: () => this.SUBRULE(this.Limit) },
      { ALT: () => this.SUBRULE(this.Quota) },
      { ALT: () => this.SUBRULE(this.Budget) },
      { ALT: () => this.SUBRULE(this.SetHeader) },
      { ALT: () => this.SUBRULE(this.RemoveHeader) },
      { ALT: () => this.SUBRULE(this.Cap) },
      { ALT: () => this.SUBRULE(this.Default) },
      { ALT: () => this.SUBRULE(this.Timeout) },
      { ALT: () => this.SUBRULE(this.Cache) },
      { ALT: () => this.SUBRULE(this.RouteTo) },
      { ALT: () => this.SUBRULE(this.Mask) },
      { ALT: () => this.SUBRULE(this.Deprecate) },
      { ALT: () => this.SUBRULE(this.Alert) },
      { ALT: () => this.SUBRULE(this.Rotate) },
    ]);
    this.MANY({
      // `alert at 80%` belongs to the limit before it, `alert when` is the next rule
      GATE: () => this.LA(1).tokenType !== KEYWORD.alert || this.LA(2).tokenType === KEYWORD.at,
      DEF: () => this.SUBRULE(this.Clause),
    });
  });

  readonly Permit = this.RULE(
    'Permit',
    () => {
      this.CONSUME(KEYWORD.permit);
      this.OPTION(() => this.CONSUME(Text));
    },
    INNER,
  );

  readonly Forbid = this.RULE(
    'Forbid',
    () => {
      this.CONSUME(KEYWORD.forbid);
      this.OPTION(() => this.CONSUME(Text));
    },
    INNER,
  );

  readonly Require = this.RULE(
    'Require',
    () => {
      this.CONSUME(KEYWORD.require);
      this.OPTION(() => this.CONSUME(Text));
      this.SUBRULE(this.Condition);
    },
    INNER,
  );

  readonly Warn = this.RULE(
    'Warn',
    () => {
      this.CONSUME(KEYWORD.warn);
      this.OPTION(() => this.CONSUME(Text));
    },
    INNER,
  );

  readonly Limit = this.RULE(
    'Limit',
    () => {
      this.CONSUME(KEYWORD.limit);
      this.OPTION(() => this.CONSUME(Text));
      this.OR([{ ALT: () => this.SUBRULE(this.AtMost) }, { ALT: () => this.SUBRULE(this.Pace) }]);
    },
    INNER,
  );

  readonly AtMost = this.RULE(
    'AtMost',
    () => {
      this.words(0, KEYWORD.at, KEYWORD.most);
      this.SUBRULE(this.Amount);
      this.OR([
        {
          ALT: () => {
            this.words(0, KEYWORD.in, KEYWORD.any);
            this.SUBRULE(this.Length);
          },
        },
        { ALT: () => this.words(1, KEYWORD.at, KEYWORD.once) },
      ]);
    },
    INNER,
  );

  readonly Pace = this.RULE(
    'Pace',
    () => {
      this.SUBRULE(this.Amount);
      this.CONSUME(KEYWORD.per);
      this.SUBRULE(this.Length);
      this.OPTION(() => {
        this.words(0, SIGN[','], KEYWORD.burst);
        this.CONSUME(NumberLiteral);
      });
    },
    INNER,
  );

  readonly Quota = this.RULE(
    'Quota',
    () => {
      this.CONSUME(KEYWORD.quota);
      this.OPTION(() => this.CONSUME(Text));
      this.SUBRULE(this.Amount);
      this.SUBRULE(this.ByCalendar);
    },
    INNER,
  );

  /** A quota of money. */
  readonly Budget = this.RULE(
    'Budget',
    () => {
      this.CONSUME(KEYWORD.budget);
      this.OPTION(() => this.CONSUME(Text));
      this.SUBRULE(this.Money);
      this.SUBRULE(this.ByCalendar);
    },
    INNER,
  );

  readonly ByCalendar = this.RULE(
    'ByCalendar',
    () => {
      this.CONSUME(KEYWORD.per);
      this.CONSUME(Period);
      this.OPTION({
        // `in total` begins alike, and belongs to the clauses
        GATE: () => this.LA(2).tokenType === ZoneName,
        DEF: () => {
          this.CONSUME(KEYWORD.in);
          this.CONSUME(ZoneName);
        },
      });
    },
    INNER,
  );

  readonly Amount = this.RULE(
    'Amount',
    () => {
      this.CONSUME(NumberLiteral);
      this.OR([
        { ALT: () => this.CONSUME(KEYWORD.requests) },
        { ALT: () => this.CONSUME(KEYWORD.request) },
        { ALT: () => this.SUBRULE(this.Tokens) },
      ]);
    },
    INNER,
  );

  /** Of calls to models; without a word before it input and output together. */
  readonly Tokens = this.RULE(
    'Tokens',
    () => {
      this.OPTION(() => {
        this.OR([
          { ALT: () => this.CONSUME(KEYWORD.input) },
          { ALT: () => this.CONSUME(KEYWORD.output) },
          { ALT: () => this.CONSUME(KEYWORD.cached) },
          { ALT: () => this.CONSUME(KEYWORD.reasoning) },
        ]);
      });
      this.CONSUME(KEYWORD.tokens);
    },
    INNER,
  );

  readonly SetHeader = this.RULE(
    'SetHeader',
    () => {
      this.words(0, KEYWORD.set, KEYWORD.header);
      this.CONSUME(Text);
      this.CONSUME(KEYWORD.to);
      this.CONSUME2(Text);
      this.CONSUME(KEYWORD.in);
      this.SUBRULE(this.Side);
    },
    INNER,
  );

  readonly RemoveHeader = this.RULE(
    'RemoveHeader',
    () => {
      this.words(0, KEYWORD.remove, KEYWORD.header);
      this.CONSUME(Text);
      this.CONSUME(KEYWORD.in);
      this.SUBRULE(this.Side);
    },
    INNER,
  );

  readonly Cap = this.RULE(
    'Cap',
    () => {
      this.CONSUME(KEYWORD.cap);
      this.SUBRULE(this.Path);
      this.CONSUME(KEYWORD.at);
      this.SUBRULE(this.Literal);
    },
    INNER,
  );

  readonly Default = this.RULE(
    'Default',
    () => {
      this.CONSUME(KEYWORD.default);
      this.SUBRULE(this.Path);
      this.CONSUME(KEYWORD.to);
      this.SUBRULE(this.Literal);
    },
    INNER,
  );

  readonly Timeout = this.RULE(
    'Timeout',
    () => {
      this.CONSUME(KEYWORD.timeout);
      this.SUBRULE(this.Length);
    },
    INNER,
  );

  readonly Cache = this.RULE(
    'Cache',
    () => {
      this.CONSUME(KEYWORD.cache);
      this.SUBRULE(this.Length);
    },
    INNER,
  );

  readonly RouteTo = this.RULE(
    'RouteTo',
    () => {
      this.CONSUME(RouteHead);
      this.words(0, KEYWORD.to, KEYWORD.pool);
      this.AT_LEAST_ONE_SEP({ SEP: KEYWORD.then, DEF: () => this.CONSUME(Text) });
    },
    INNER,
  );

  readonly Mask = this.RULE(
    'Mask',
    () => {
      this.CONSUME(KEYWORD.mask);
      this.AT_LEAST_ONE_SEP({ SEP: SIGN[','], DEF: () => this.SUBRULE(this.MaskKind) });
      this.CONSUME(KEYWORD.in);
      this.SUBRULE(this.Side);
      this.OPTION(() => {
        this.CONSUME(KEYWORD.and);
        this.SUBRULE2(this.Side);
      });
      this.OPTION2(() => {
        this.CONSUME(KEYWORD.with);
        this.CONSUME(Text);
      });
    },
    INNER,
  );

  readonly MaskKind = this.RULE(
    'MaskKind',
    () => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(KEYWORD.pattern);
            this.CONSUME(Regex);
          },
        },
        { ALT: () => this.CONSUME(Name) },
      ]);
    },
    INNER,
  );

  readonly Deprecate = this.RULE(
    'Deprecate',
    () => {
      this.words(0, KEYWORD.deprecate, KEYWORD.from);
      this.CONSUME(DateLiteral);
      this.CONSUME(KEYWORD.sunset);
      this.CONSUME2(DateLiteral);
      this.OPTION(() => {
        this.words(1, KEYWORD.successor, KEYWORD.route);
        this.CONSUME(Text);
      });
    },
    INNER,
  );

  readonly Alert = this.RULE(
    'Alert',
    () => {
      this.CONSUME(KEYWORD.alert);
      this.OPTION(() => this.CONSUME(Text));
      this.CONSUME(KEYWORD.when);
      this.SUBRULE(this.Condition);
    },
    INNER,
  );

  readonly Rotate = this.RULE(
    'Rotate',
    () => {
      this.words(0, KEYWORD.rotate, KEYWORD.keys, KEYWORD.of, KEYWORD.pool);
      this.CONSUME(Text);
      this.CONSUME(KEYWORD.every);
      this.SUBRULE(this.Length);
    },
    INNER,
  );
}
