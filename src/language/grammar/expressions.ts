import { KEYWORD, Name, Regex, SIGN, TEST_WORD, Text } from '../tokens.ts';
import { INNER, ValueGrammar } from './values.ts';

/**
 * The grammar of conditions; `grammar/portunus.ebnf` says the same with the same names. Every operand begins with a
 * path and two operands never stand side by side, so line breaks need no meaning.
 */
export class ExpressionGrammar extends ValueGrammar {
  /** `and` and `or` in one list: the builder refuses to mix them (PT0107). */
  readonly Condition = this.RULE(
    'Condition',
    () => {
      this.SUBRULE(this.Term);
      this.MANY(() => {
        this.OR([{ ALT: () => this.CONSUME(KEYWORD.and) }, { ALT: () => this.CONSUME(KEYWORD.or) }]);
        this.SUBRULE2(this.Term);
      });
    },
    INNER,
  );

  readonly Term = this.RULE(
    'Term',
    () => {
      this.OR([
        { ALT: () => this.SUBRULE(this.Negation) },
        { ALT: () => this.SUBRULE(this.Group) },
        { ALT: () => this.SUBRULE(this.Constant) },
        { ALT: () => this.SUBRULE(this.Selector) },
        { ALT: () => this.SUBRULE(this.CalendarTest) },
        { ALT: () => this.SUBRULE(this.Quantified) },
        { ALT: () => this.SUBRULE(this.Predicate) },
      ]);
    },
    INNER,
  );

  readonly Negation = this.RULE(
    'Negation',
    () => {
      this.CONSUME(KEYWORD.not);
      this.SUBRULE(this.Term);
    },
    INNER,
  );

  readonly Group = this.RULE(
    'Group',
    () => {
      this.CONSUME(SIGN['(']);
      this.SUBRULE(this.Condition);
      this.CONSUME(SIGN[')']);
    },
    INNER,
  );

  readonly CalendarTest = this.RULE(
    'CalendarTest',
    () => {
      this.OR([{ ALT: () => this.CONSUME(KEYWORD.during) }, { ALT: () => this.CONSUME(KEYWORD.outside) }]);
      this.CONSUME(Text);
    },
    INNER,
  );

  /** The condition takes all that follows: what says nothing of `it` needs parentheses (PT0121). */
  readonly Quantified = this.RULE(
    'Quantified',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(KEYWORD.any) },
        { ALT: () => this.CONSUME(KEYWORD.every) },
        { ALT: () => this.words(0, KEYWORD.no, KEYWORD.one) },
      ]);
      this.CONSUME(KEYWORD.of);
      this.SUBRULE(this.Path);
      this.CONSUME(KEYWORD.has);
      this.SUBRULE(this.Condition);
    },
    INNER,
  );

  readonly Selector = this.RULE(
    'Selector',
    () => {
      this.OR([
        { ALT: () => this.words(0, KEYWORD.every, KEYWORD.route) },
        {
          ALT: () => {
            this.CONSUME2(KEYWORD.route);
            this.SUBRULE(this.Texts);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.service);
            this.SUBRULE2(this.Texts);
          },
        },
        {
          ALT: () => {
            this.CONSUME(KEYWORD.model);
            this.SUBRULE3(this.Texts);
          },
        },
        { ALT: () => this.SUBRULE(this.ModelSet) },
        { ALT: () => this.SUBRULE(this.RouteSet) },
      ]);
    },
    INNER,
  );

  readonly RouteSet = this.RULE(
    'RouteSet',
    () => {
      this.CONSUME(KEYWORD.routes);
      this.OR([
        {
          ALT: () => {
            this.CONSUME(KEYWORD.tagged);
            this.CONSUME(Text);
          },
        },
        {
          ALT: () => {
            this.words(0, KEYWORD.in, KEYWORD.state);
            this.CONSUME(Name);
          },
        },
        { ALT: () => this.words(0, KEYWORD.requiring, KEYWORD.identity) },
      ]);
    },
    INNER,
  );

  readonly ModelSet = this.RULE(
    'ModelSet',
    () => {
      this.words(0, KEYWORD.models, KEYWORD.tagged);
      this.CONSUME(Text);
    },
    INNER,
  );

  readonly Texts = this.RULE(
    'Texts',
    () => {
      this.AT_LEAST_ONE_SEP({ SEP: SIGN[','], DEF: () => this.CONSUME(Text) });
    },
    INNER,
  );

  readonly Predicate = this.RULE(
    'Predicate',
    () => {
      this.SUBRULE(this.Sum);
      this.OR([
        { ALT: () => this.SUBRULE(this.IsTest) },
        { ALT: () => this.SUBRULE(this.OrderTest) },
        { ALT: () => this.SUBRULE(this.InTest) },
        { ALT: () => this.SUBRULE(this.TextTest) },
        { ALT: () => this.SUBRULE(this.RegexTest) },
        { ALT: () => this.SUBRULE(this.RoleTest) },
        { ALT: () => this.SUBRULE(this.ExhaustedTest) },
      ]);
    },
    INNER,
  );

  readonly IsTest = this.RULE(
    'IsTest',
    () => {
      this.CONSUME(KEYWORD.is);
      this.OR([
        { ALT: () => this.CONSUME(KEYWORD.present) },
        { ALT: () => this.CONSUME(KEYWORD.absent) },
        {
          ALT: () => {
            this.OPTION(() => this.CONSUME(KEYWORD.not));
            this.OR2([
              { ALT: () => this.words(0, KEYWORD.subscribed, KEYWORD.to, KEYWORD.route) },
              { ALT: () => this.SUBRULE(this.Value) },
            ]);
          },
        },
      ]);
    },
    INNER,
  );

  readonly OrderTest = this.RULE(
    'OrderTest',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(SIGN['<']) },
        { ALT: () => this.CONSUME(SIGN['<=']) },
        { ALT: () => this.CONSUME(SIGN['>']) },
        { ALT: () => this.CONSUME(SIGN['>=']) },
      ]);
      this.SUBRULE(this.Value);
    },
    INNER,
  );

  readonly InTest = this.RULE(
    'InTest',
    () => {
      this.OPTION(() => this.CONSUME(KEYWORD.not));
      this.CONSUME(KEYWORD.in);
      this.OR([
        { ALT: () => this.SUBRULE(this.List) },
        { ALT: () => this.SUBRULE(this.RouteSet) },
        { ALT: () => this.SUBRULE(this.ModelSet) },
        { ALT: () => this.SUBRULE(this.Operand) },
      ]);
    },
    INNER,
  );

  readonly TextTest = this.RULE(
    'TextTest',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(KEYWORD.contains) },
        { ALT: () => this.words(0, KEYWORD.starts, KEYWORD.with) },
        { ALT: () => this.words(1, KEYWORD.ends, KEYWORD.with) },
        { ALT: () => this.CONSUME(KEYWORD.like) },
      ]);
      this.SUBRULE(this.Value);
    },
    INNER,
  );

  readonly RegexTest = this.RULE(
    'RegexTest',
    () => {
      this.CONSUME(KEYWORD.matches);
      this.CONSUME(Regex);
    },
    INNER,
  );

  readonly RoleTest = this.RULE(
    'RoleTest',
    () => {
      this.OR([
        { ALT: () => this.CONSUME(KEYWORD.has) },
        { ALT: () => this.words(0, KEYWORD.does, KEYWORD.not, KEYWORD.have) },
      ]);
      this.CONSUME(KEYWORD.role);
      this.CONSUME(Text);
    },
    INNER,
  );

  readonly ExhaustedTest = this.RULE(
    'ExhaustedTest',
    () => {
      this.CONSUME(KEYWORD.exhausted);
      this.CONSUME(TEST_WORD.within);
      this.SUBRULE(this.Length);
    },
    INNER,
  );
}
