import {
  DateLiteral,
  KEYWORD,
  Name,
  NumberLiteral,
  PercentLiteral,
  Period,
  Regex,
  RouteHead,
  SIGN,
  Text,
  TimeLiteral,
  WeekdayWord,
  ZoneName,
} from '../tokens.ts';
import { INNER } from './expressions.ts';
import { LazyLookahead } from './lazy-lookahead.ts';
import { TestGrammar } from './tests.ts';

const LOOKAHEAD_MAX = 2;
/** Far more than are shown of a file. */
const MISTAKES_PER_DECLARATION_MAX = 200;

/**
 * The grammar of declarations, policies and rules. A rule that cannot be read is skipped up to the next rule or the end of
 * its policy, so one run reports every mistake. Which clauses a rule takes is a table of the builder (`CLAUSES_OF`):
 * "a permit has no status" says more than "unexpected status".
 */
export class PolicyGrammar extends TestGrammar {
  /**
   * `stops` ends at the first mistake and is a sixth faster: for who expects none. Checking the grammar itself for ambiguities takes
   * as long as all the rest of the start: a test does it.
   */
  constructor(onMistake: 'recovers' | 'stops' = 'recovers', checks: 'texts' | 'grammar-too' = 'texts') {
    super({
      recoveryEnabled: onMistake === 'recovers',
      nodeLocationTracking: 'onlyOffset',
      maxLookahead: LOOKAHEAD_MAX,
      lookaheadStrategy: new LazyLookahead({ maxLookahead: LOOKAHEAD_MAX }),
      skipValidations: checks === 'texts',
    });
    this.performSelfAnalysis();
  }

  /** Of chevrotain: mistakes in what is being parsed. */
  declare protected readonly _errors: readonly unknown[];

  /**
   * Chevrotain asks this before it recovers, and what it is for – trying alternatives – is not used here. Recovering in a row of
   * rules goes deeper into the stack with each mistake, which thirteen thousand of them overflowed; so there is an end of it.
   */
  protected isBackTracking(): boolean {
    return this._errors.length >= MISTAKES_PER_DECLARATION_MAX;
  }

  /** A file is a row of declarations, the language line first; `parse.ts` hands them over one by one. */
  readonly Declaration = this.RULE('Declaration', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.LanguageLine) },
      { ALT: () => this.SUBRULE(this.Zone) },
      { ALT: () => this.SUBRULE(this.Holidays) },
      { ALT: () => this.SUBRULE(this.Calendar) },
      { ALT: () => this.SUBRULE(this.Define) },
      { ALT: () => this.SUBRULE(this.Policy) },
      { ALT: () => this.SUBRULE(this.Test) },
    ]);
  });

  readonly LanguageLine = this.RULE('LanguageLine', () => {
    this.CONSUME(KEYWORD.language);
    this.CONSUME(NumberLiteral);
  });

  readonly Zone = this.RULE('Zone', () => {
    this.CONSUME(KEYWORD.zone);
    this.CONSUME(ZoneName);
  });

  readonly Holidays = this.RULE('Holidays', () => {
    this.CONSUME(KEYWORD.holidays);
    this.CONSUME(Text);
    this.AT_LEAST_ONE_SEP({ SEP: SIGN[','], DEF: () => this.CONSUME(DateLiteral) });
  });

  readonly Calendar = this.RULE('Calendar', () => {
    this.CONSUME(KEYWORD.calendar);
    this.CONSUME(Text);
    this.OPTION(() => {
      this.CONSUME(KEYWORD.in);
      this.CONSUME(ZoneName);
    });
    this.AT_LEAST_ONE_SEP({ SEP: SIGN[','], DEF: () => this.SUBRULE(this.Hours) });
    this.OPTION2(() => {
      this.words(0, KEYWORD.except, KEYWORD.holidays);
      this.SUBRULE(this.Texts);
    });
  });

  readonly Hours = this.RULE('Hours', () => {
    this.CONSUME(WeekdayWord);
    this.OPTION(() => {
      this.CONSUME(SIGN['..']);
      this.CONSUME2(WeekdayWord);
    });
    this.CONSUME(TimeLiteral);
    this.CONSUME2(SIGN['..']);
    this.CONSUME2(TimeLiteral);
  });

  readonly Define = this.RULE('Define', () => {
    this.CONSUME(KEYWORD.define);
    this.CONSUME(Name);
    this.CONSUME(SIGN['=']);
    this.OR([{ ALT: () => this.SUBRULE(this.Literal) }, { ALT: () => this.SUBRULE(this.List) }]);
  });

  readonly Policy = this.RULE('Policy', () => {
    this.SUBRULE(this.PolicyName);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.Owner) },
        { ALT: () => this.SUBRULE(this.Review) },
        { ALT: () => this.SUBRULE(this.Reviewed) },
        { ALT: () => this.SUBRULE(this.Effective) },
        { ALT: () => this.SUBRULE(this.AppliesTo) },
      ]);
    });
    this.CONSUME(SIGN['{']);
    this.MANY2(() => this.SUBRULE(this.Rule));
    this.CONSUME(SIGN['}']);
  });

  readonly PolicyName = this.RULE('PolicyName', () => {
    this.CONSUME(KEYWORD.policy);
    this.CONSUME(Text);
    this.OPTION(() => this.CONSUME2(Text));
  });

  readonly Owner = this.RULE('Owner', () => {
    this.CONSUME(KEYWORD.owner);
    this.CONSUME(Text);
  });

  readonly Review = this.RULE('Review', () => {
    this.CONSUME(KEYWORD.review);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(KEYWORD.every);
          this.SUBRULE(this.Length);
        },
      },
      {
        ALT: () => {
          this.CONSUME(KEYWORD.by);
          this.CONSUME(DateLiteral);
        },
      },
    ]);
  });

  readonly Reviewed = this.RULE('Reviewed', () => {
    this.CONSUME(KEYWORD.reviewed);
    this.CONSUME(DateLiteral);
  });

  readonly Effective = this.RULE('Effective', () => {
    this.CONSUME(KEYWORD.effective);
    this.SUBRULE(this.Dates);
  });

  readonly AppliesTo = this.RULE('AppliesTo', () => {
    this.words(0, KEYWORD.applies, KEYWORD.to);
    this.SUBRULE(this.Condition);
  });

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

  readonly Requests = this.RULE(
    'Requests',
    () => {
      this.CONSUME(NumberLiteral);
      this.OR([{ ALT: () => this.CONSUME(KEYWORD.requests) }, { ALT: () => this.CONSUME(KEYWORD.request) }]);
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

  /** A missing or surplus token is reported, never guessed: a guess would give a rule that nobody wrote. */
  protected override canTokenTypeBeInsertedInRecovery(): boolean {
    return false;
  }
  protected override canTokenTypeBeDeletedInRecovery(): boolean {
    return false;
  }
}
