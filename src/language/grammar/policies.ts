import {
  DateLiteral,
  KEYWORD,
  Name,
  NumberLiteral,
  SIGN,
  Text,
  TimeLiteral,
  WeekdayWord,
  ZoneName,
} from '../tokens.ts';
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

  /** A missing or surplus token is reported, never guessed: a guess would give a rule that nobody wrote. */
  protected override canTokenTypeBeInsertedInRecovery(): boolean {
    return false;
  }
  protected override canTokenTypeBeDeletedInRecovery(): boolean {
    return false;
  }
}
