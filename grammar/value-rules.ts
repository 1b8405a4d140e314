/** Rules for values: numbers, layers, paths, lists, calls and sums of them. `rules.ts` has those around them. */
import { CstParser, EOF, type IToken } from 'chevrotain';
import { messageProvider } from './diagnostics/structure.ts';
import * as t from './tokens.ts';

const MAX_DEPTH = 100;

/** Thrown out of a rule when values are nested too deeply to be read. */
export class TooDeep extends Error {
  readonly token: IToken;

  constructor(token: IToken) {
    super('nested too deeply');
    this.token = token;
  }
}

/** The half of the grammar that knows no declarations; its heir calls `performSelfAnalysis`. */
export class ValueParser extends CstParser {
  /** @param validate whether Chevrotain looks for ambiguities in the rules, which takes longer than reading a spec; a test does */
  constructor(validate = false) {
    super(t.tokens, {
      maxLookahead: 2,
      recoveryEnabled: true,
      nodeLocationTracking: 'onlyOffset',
      errorMessageProvider: messageProvider,
      skipValidations: !validate,
    });
  }

  expression = this.RULE('expression', () => {
    this.SUBRULE(this.term);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Plus) },
        { ALT: () => this.CONSUME(t.Minus) },
        { ALT: () => this.CONSUME(t.Ampersand) },
      ]);
      this.SUBRULE1(this.term);
    });
  });

  term = this.RULE('term', () =>
    this.nested(() =>
      this.OR([
        { ALT: () => this.SUBRULE(this.number) },
        { ALT: () => this.CONSUME(t.StringToken) },
        { ALT: () => this.SUBRULE(this.edge) },
        { ALT: () => this.SUBRULE(this.every) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.call) },
        { ALT: () => this.SUBRULE(this.path) },
        {
          ALT: () => {
            this.CONSUME(t.LeftParen);
            this.SUBRULE(this.expression);
            this.CONSUME(t.RightParen);
          },
        },
      ]),
    ),
  );

  private depth = 0;

  /** Terms in terms are read by functions in functions, so a text of nothing but brackets has to be stopped. */
  private nested(read: () => void): void {
    if (this.depth === MAX_DEPTH) throw new TooDeep(this.LA(1));
    this.depth += 1;
    try {
      read();
    } finally {
      this.depth -= 1;
    }
  }

  number = this.RULE('number', () => {
    this.SUBRULE(this.literal);
    this.OPTION(() => {
      this.CONSUME(t.DotDot);
      this.SUBRULE1(this.literal);
      this.OPTION1({
        GATE: () => !this.beginsField(),
        DEF: () => {
          this.CONSUME(t.By);
          this.SUBRULE2(this.literal);
        },
      });
    });
  });

  literal = this.RULE('literal', () => {
    this.OPTION(() => this.CONSUME(t.Minus));
    this.CONSUME(t.NumberToken);
    // `2 epochs` is one number, `batch = 2  epochs = 3` is two attributes.
    this.OPTION1({
      GATE: () => t.units.includes(this.LA(1).image) && !this.beginsField(),
      DEF: () => this.CONSUME(t.Identifier),
    });
  });

  /** `in`, `by` and `epochs` go on with a value, unless they are the name of the next attribute. */
  private beginsField(): boolean {
    return this.LA(2).tokenType === t.Equal;
  }

  edge = this.RULE('edge', () => {
    this.OR([{ ALT: () => this.CONSUME(t.First) }, { ALT: () => this.CONSUME(t.Last) }]);
    this.OR1([{ ALT: () => this.SUBRULE(this.literal) }, { ALT: () => this.CONSUME(t.Identifier) }]);
    this.OPTION({ GATE: () => !this.beginsField(), DEF: () => this.SUBRULE(this.within) });
  });

  every = this.RULE('every', () => {
    this.CONSUME(t.Every);
    this.CONSUME(t.Identifier);
    this.OPTION({ GATE: () => !this.beginsField(), DEF: () => this.SUBRULE(this.within) });
  });

  within = this.RULE('within', () => {
    this.CONSUME(t.In);
    this.SUBRULE(this.term);
  });

  list = this.RULE('list', () => {
    this.CONSUME(t.LeftBracket);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.expression) });
    this.CONSUME(t.RightBracket);
  });

  call = this.RULE('call', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.LeftParen);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.argument) });
    this.CONSUME(t.RightParen);
  });

  argument = this.RULE('argument', () => {
    this.OPTION(() => {
      this.CONSUME(t.Word);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.expression);
  });

  path = this.RULE('path', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Identifier);
          this.OPTION(() => this.SUBRULE(this.index));
        },
      },
      // The whole base is a group too: `trains base`.
      { ALT: () => this.CONSUME(t.Base) },
      { ALT: () => this.CONSUME(t.Star) },
      { ALT: () => this.CONSUME(t.StarStar) },
    ]);
    this.MANY(() => this.SUBRULE(this.segment));
  });

  segment = this.RULE('segment', () => {
    this.CONSUME(t.Dot);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Word);
          this.OPTION(() => this.SUBRULE(this.index));
        },
      },
      { ALT: () => this.CONSUME(t.NumberToken) },
      { ALT: () => this.CONSUME(t.Star) },
      { ALT: () => this.CONSUME(t.StarStar) },
      {
        ALT: () => {
          this.CONSUME(t.LeftBrace);
          this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.CONSUME1(t.Word) });
          this.CONSUME(t.RightBrace);
        },
      },
    ]);
  });

  index = this.RULE('index', () => {
    this.CONSUME(t.LeftBracket);
    this.SUBRULE(this.expression);
    this.CONSUME(t.RightBracket);
  });

  /** A value on its own, as `--set` takes it. */
  value = this.RULE('value', () => {
    this.SUBRULE(this.expression);
    this.CONSUME(EOF);
  });
}
