import { CstParser, type IParserConfig, type TokenType } from 'chevrotain';
import {
  CurrencyCode,
  DateLiteral,
  DurationLiteral,
  KEYWORD,
  Member,
  MoneyLiteral,
  NumberLiteral,
  PathHead,
  PercentLiteral,
  SIGN,
  SizeLiteral,
  Text,
  TimeLiteral,
  Unit,
  VOCABULARY,
} from '../tokens.ts';

/** The grammar of values: facts, what is written for them, and what is calculated of both. */
export class ValueGrammar extends CstParser {
  constructor(config: IParserConfig) {
    super([...VOCABULARY], config);
  }

  /** What a condition begins with: a fact, and what is calculated from it. */
  readonly Sum = this.RULE(
    'Sum',
    () => {
      this.SUBRULE(this.Operand);
      this.MANY(() => this.SUBRULE(this.Step));
    },
    INNER,
  );

  readonly Value = this.RULE(
    'Value',
    () => {
      this.SUBRULE(this.Factor);
      this.MANY(() => this.SUBRULE(this.Step));
    },
    INNER,
  );

  /** Signs in one list: the builder lets `*` and `/` bind before `+` and `-`. */
  readonly Step = this.RULE(
    'Step',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(SIGN['+']) },
        { ALT: () => this.CONSUME(SIGN['-']) },
        { ALT: () => this.CONSUME(SIGN['*']) },
        { ALT: () => this.CONSUME(SIGN['/']) },
      ]);
      this.SUBRULE(this.Factor);
    },
    INNER,
  );

  readonly Factor = this.RULE(
    'Factor',
    () => {
      this.OR([
        { ALT: () => this.SUBRULE(this.Literal) },
        { ALT: () => this.SUBRULE(this.Operand) },
        {
          ALT: () => {
            this.CONSUME(SIGN['(']);
            this.SUBRULE(this.Value);
            this.CONSUME(SIGN[')']);
          },
        },
      ]);
    },
    INNER,
  );

  /** A path, or – alone, on the right – a defined name. */
  readonly Operand = this.RULE(
    'Operand',
    () => {
      this.SUBRULE(this.Path);
      this.OPTION(() => {
        this.CONSUME(KEYWORD.otherwise);
        this.SUBRULE(this.Literal);
      });
      this.OPTION2(() => {
        this.CONSUME(KEYWORD.as);
        this.OR([{ ALT: () => this.CONSUME(CurrencyCode) }, { ALT: () => this.CONSUME(Unit) }]);
      });
    },
    INNER,
  );

  /** What stands in brackets: a member that no word can name, or the parameter of a fact. */
  readonly Path = this.RULE(
    'Path',
    () => {
      this.CONSUME(PathHead);
      this.MANY(() => {
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
      });
    },
    INNER,
  );

  readonly List = this.RULE(
    'List',
    () => {
      this.CONSUME(SIGN['[']);
      this.SUBRULE(this.Literal);
      this.MANY(() => {
        this.CONSUME(SIGN[',']);
        this.SUBRULE2(this.Literal);
      });
      this.OPTION(() => this.CONSUME2(SIGN[',']));
      this.CONSUME(SIGN[']']);
    },
    INNER,
  );

  readonly Literal = this.RULE(
    'Literal',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(Text) },
        { ALT: () => this.SUBRULE(this.Quantity) },
        { ALT: () => this.CONSUME(DateLiteral) },
        { ALT: () => this.CONSUME(TimeLiteral) },
        { ALT: () => this.SUBRULE(this.Constant) },
      ]);
    },
    INNER,
  );

  readonly Constant = this.RULE(
    'Constant',
    () => {
      this.OR([{ ALT: () => this.CONSUME(KEYWORD.true) }, { ALT: () => this.CONSUME(KEYWORD.false) }]);
    },
    INNER,
  );

  readonly Quantity = this.RULE(
    'Quantity',
    () => {
      this.OR([
        { ALT: () => this.SUBRULE(this.Money) },
        { ALT: () => this.SUBRULE(this.Length) },
        { ALT: () => this.CONSUME(SizeLiteral) },
        { ALT: () => this.CONSUME(PercentLiteral) },
      ]);
    },
    INNER,
  );

  readonly Money = this.RULE(
    'Money',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(MoneyLiteral) },
        {
          ALT: () => {
            this.CONSUME(NumberLiteral);
            this.CONSUME(CurrencyCode);
          },
        },
      ]);
    },
    INNER,
  );

  /** A number, with its unit glued or spelled; whether one is needed depends on the place. */
  readonly Length = this.RULE(
    'Length',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(DurationLiteral) },
        {
          ALT: () => {
            this.CONSUME(NumberLiteral);
            this.OPTION(() => this.CONSUME(Unit));
          },
        },
      ]);
    },
    INNER,
  );

  /** Fixed words in a row; `occurrence` tells the same word at two places of a rule apart, as chevrotain demands. */
  protected words(occurrence: number, ...types: readonly TokenType[]): void {
    for (const type of types) this.consume(occurrence, type);
  }
}

/** Only whole statements are re-synchronised (see `PolicyGrammar`): a half condition has no meaning. */
export const INNER = { resyncEnabled: false } as const;
