/** Rules for declarations and what adapters hold, LL(2). The words and signs are in `tokens.ts`. */
import { tokenMatcher } from 'chevrotain';
import * as t from './tokens.ts';
import { ValueParser } from './value-rules.ts';

/** Reads tokens to Chevrotain's concrete tree, and goes on behind mistakes. */
export class AdapterParser extends ValueParser {
  constructor(validate = false) {
    super(validate);
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
    this.OR([
      {
        ALT: () => {
          this.SUBRULE(this.fromModel);
          this.OPTION(() => this.SUBRULE1(this.block));
        },
      },
      { ALT: () => this.SUBRULE(this.block) },
    ]);
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

  fromModel = this.RULE('fromModel', () => {
    this.CONSUME(t.From);
    this.CONSUME(t.StringToken);
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
}
