/** The grammar, LL(2), in one class as Chevrotain wants it. The words and signs are in `tokens.ts`. */
import { CstParser, EOF, tokenMatcher, type IToken } from 'chevrotain';
import { messageProvider } from './messages.ts';
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

/** Reads tokens to Chevrotain's concrete tree, and goes on behind mistakes. */
export class AdapterParser extends CstParser {
  constructor() {
    super(t.tokens, {
      maxLookahead: 2,
      recoveryEnabled: true,
      nodeLocationTracking: 'onlyOffset',
      errorMessageProvider: messageProvider,
      skipValidations: false,
    });
    this.performSelfAnalysis();
  }

  file = this.RULE('file', () => {
    this.MANY(() => this.SUBRULE(this.declaration));
  });

  declaration = this.RULE('declaration', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.importDeclaration) },
      { ALT: () => this.SUBRULE(this.base) },
      { ALT: () => this.SUBRULE(this.param) },
      { ALT: () => this.SUBRULE(this.data) },
      { ALT: () => this.SUBRULE(this.adapter) },
      { ALT: () => this.SUBRULE(this.recipe) },
      { ALT: () => this.SUBRULE(this.sweep) },
    ]);
  });

  importDeclaration = this.RULE('importDeclaration', () => {
    this.CONSUME(t.Import);
    this.CONSUME(t.StringToken);
  });

  base = this.RULE('base', () => {
    this.CONSUME(t.Base);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.block);
  });

  param = this.RULE('param', () => {
    this.CONSUME(t.Param);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression);
  });

  data = this.RULE('data', () => {
    this.CONSUME(t.Data);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression);
  });

  adapter = this.RULE('adapter', () => {
    this.CONSUME(t.Adapter);
    this.CONSUME(t.Identifier);
    this.OPTION(() => this.SUBRULE(this.onName));
    this.OPTION1(() => this.SUBRULE(this.extendsName));
    this.CONSUME(t.LeftBrace);
    this.MANY(() => this.SUBRULE(this.item));
    this.CONSUME(t.RightBrace);
  });

  recipe = this.RULE('recipe', () => {
    this.CONSUME(t.Recipe);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.For);
    this.CONSUME1(t.Identifier);
    this.SUBRULE(this.block);
  });

  sweep = this.RULE('sweep', () => {
    this.CONSUME(t.Sweep);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Over);
    this.CONSUME1(t.Identifier);
    this.CONSUME(t.With);
    this.CONSUME2(t.Identifier);
    this.CONSUME(t.LeftBrace);
    this.MANY(() =>
      this.OR([{ ALT: () => this.SUBRULE(this.condition) }, { ALT: () => this.SUBRULE(this.field) }]),
    );
    this.CONSUME(t.RightBrace);
  });

  condition = this.RULE('condition', () => {
    this.CONSUME(t.Where);
    this.SUBRULE(this.expression);
    this.OR([{ ALT: () => this.CONSUME(t.EqualEqual) }, { ALT: () => this.CONSUME(t.NotEqual) }]);
    this.SUBRULE1(this.expression);
  });

  item = this.RULE('item', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.group) },
      { ALT: () => this.SUBRULE(this.task) },
      { ALT: () => this.SUBRULE(this.expert) },
      { ALT: () => this.SUBRULE(this.override) },
      { ALT: () => this.SUBRULE(this.drop) },
      { ALT: () => this.SUBRULE(this.part) },
    ]);
  });

  part = this.RULE('part', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME1(t.Identifier);
    this.OPTION(() => this.SUBRULE(this.on));
    this.OPTION1(() => this.SUBRULE(this.fromName));
    this.OPTION2(() => this.SUBRULE(this.block));
  });

  group = this.RULE('group', () => {
    this.CONSUME(t.Group);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression);
  });

  task = this.RULE('task', () => {
    this.CONSUME(t.Task);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.onName);
    this.SUBRULE(this.trains);
    this.OPTION(() => this.SUBRULE(this.block));
  });

  expert = this.RULE('expert', () => {
    this.CONSUME(t.Expert);
    this.CONSUME(t.Identifier);
    this.OPTION(() => this.SUBRULE(this.block));
  });

  override = this.RULE('override', () => {
    this.CONSUME(t.Override);
    this.CONSUME(t.Identifier);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Equal);
          this.SUBRULE(this.expression);
        },
      },
      {
        ALT: () => {
          this.OPTION(() => this.SUBRULE(this.on));
          this.OPTION1(() => this.SUBRULE(this.fromName));
          this.OPTION2(() => this.SUBRULE(this.trains));
          this.OPTION3(() => this.SUBRULE(this.block));
        },
      },
    ]);
  });

  drop = this.RULE('drop', () => {
    this.CONSUME(t.Drop);
    this.CONSUME(t.Identifier);
  });

  onName = this.RULE('onName', () => {
    this.CONSUME(t.On);
    this.CONSUME(t.Identifier);
  });

  extendsName = this.RULE('extendsName', () => {
    this.CONSUME(t.Extends);
    this.CONSUME(t.Identifier);
  });

  fromName = this.RULE('fromName', () => {
    this.CONSUME(t.From);
    this.CONSUME(t.Identifier);
  });

  on = this.RULE('on', () => {
    this.CONSUME(t.On);
    this.SUBRULE(this.expression);
  });

  trains = this.RULE('trains', () => {
    this.CONSUME(t.Trains);
    this.SUBRULE(this.expression);
  });

  block = this.RULE('block', () => {
    this.CONSUME(t.LeftBrace);
    // Two words in a row start the next item: the brace that closes this block was forgotten.
    this.MANY({
      GATE: () => !tokenMatcher(this.LA(2), t.Word),
      DEF: () => this.SUBRULE(this.field),
    });
    this.CONSUME(t.RightBrace);
  });

  field = this.RULE('field', () => {
    this.CONSUME(t.Word);
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expression);
  });

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
