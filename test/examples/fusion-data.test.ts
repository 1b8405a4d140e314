import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instructionTokens, loadTokenizer } from '../../examples/base/tokens.ts';
import {
  collectWords,
  heldOutWords,
  mentions,
  type Instruction,
  scoredTasks,
} from '../../examples/base/words.ts';
import { plainLook, randomLook, render, side } from '../../examples/fusion/augment.ts';
import { readInstructions } from '../../examples/fusion/build.ts';
import {
  chooseConcepts,
  conceptsFile,
  loadConcepts,
  roleCounts,
  roles,
  toManifest,
  withRole,
} from '../../examples/fusion/concepts.ts';
import { heldStyle, iconNames, styles, svgOf, trainedStyles } from '../../examples/fusion/icons.ts';
import {
  buildLists,
  type Contextual,
  type Pair,
  type Pictured,
  questions,
} from '../../examples/fusion/lists.ts';
import { chooseClasses, classCopies, classLists, classTokens } from '../../examples/fusion/classes.ts';
import { blankPath, copies, draw, picture, picturePath } from '../../examples/fusion/draw.ts';

const t = suite('fusion: data');
const concepts = loadConcepts();
const instructions: { train: Instruction[]; heldout: Instruction[] } = {
  train: readInstructions('train'),
  heldout: readInstructions('heldout'),
};
const tokenizer = loadTokenizer();
const tokensOf = (item: Instruction) => instructionTokens(item, tokenizer).tokens.length;
const lists = buildLists(concepts, instructions, tokensOf);
const pairs = (name: string) => lists[`pairs.${name}.jsonl`] as readonly Pair[];
const pictured = (name: string) => lists[`${name}.jsonl`] as readonly Pictured[];
const names = (items: readonly { readonly name: string }[]) => new Set(items.map(({ name }) => name));
/** The concept and the style a picture shows. */
const shows = (image: string) => {
  const [, style = '', name = ''] = /^pictures\/([^/]+)\/([a-z]+)(?:\.\d+)?\.png$/.exec(image) ?? [];
  return { style, name };
};

t('the committed concepts are what words, icons and tokenizer give', () => {
  const words = collectWords();
  const tokenizer = loadTokenizer();
  const chosen = chooseConcepts(words, tokenizer);
  assert.is(toManifest(chosen), readFileSync(conceptsFile, 'utf8'));
  const held = heldOutWords(words).forms;
  for (const { name, plural } of chosen) {
    assert.not(held.has(name) || held.has(plural), name);
    assert.match(name, /^[a-z]{1,12}$/);
    assert.ok(tokenizer.encode(` ${name}`).length <= 4, name);
  }
});

t('at least 80 concepts are captioned, one in ten is held out, and no name comes twice', () => {
  for (const role of roles) assert.is(withRole(concepts, role).length, roleCounts[role]);
  assert.ok(withRole(concepts, 'asked', 'named').length >= 80);
  assert.is(withRole(concepts, 'unseen').length, Math.round(concepts.length / 10));
  assert.is(names(concepts).size, concepts.length);
  for (const style of styles) for (const { name } of concepts) assert.ok(iconNames(style).has(name), name);
});

t('no training picture is of the held-out style or of a held-out concept', () => {
  const unseen = names(withRole(concepts, 'unseen'));
  const lists = [pairs('train'), pictured('questions.train'), pictured('instructions.pictured.train')];
  for (const { image } of lists.flat()) {
    const { style, name } = shows(image);
    assert.ok((trainedStyles as readonly string[]).includes(style), image);
    assert.not(unseen.has(name), image);
  }
  assert.ok(pairs('heldstyle').every(({ style }) => style === heldStyle));
  assert.ok(pairs('heldconcepts').every(({ image }) => unseen.has(shows(image).name)));
});

t('questions are trained about some concepts and held out about others, which captions name', () => {
  const [asked, named] = [names(withRole(concepts, 'asked')), names(withRole(concepts, 'named'))];
  for (const { image } of pictured('questions.train')) assert.ok(asked.has(shows(image).name), image);
  for (const { image } of pictured('questions.heldconcepts')) assert.ok(named.has(shows(image).name), image);
  const captioned = new Set(pairs('train').map(({ image }) => shows(image).name));
  assert.ok([...named].every((name) => captioned.has(name)));
  for (const list of ['questions.trained', 'questions.heldconcepts'])
    for (const question of questions) assert.ok(pictured(list).some(({ task }) => task === question));
});

t('captions and questions say what is shown', () => {
  const byName = new Map(concepts.map((concept) => [concept.name, concept]));
  for (const list of ['train', 'trained', 'heldstyle', 'heldconcepts'])
    for (const { image, caption } of pairs(list)) assert.is(caption, ` ${shows(image).name}`);
  for (const { image, instruction, output, task } of pictured('questions.train')) {
    const concept = byName.get(shows(image).name);
    const right = { see_plural: concept?.plural, see_letter: concept?.name[0] }[task];
    assert.is(output, ` ${right ?? `${concept?.article} ${concept?.name}`}`);
    assert.match(instruction, /what you see$/);
  }
});

t('instructions with a picture are the instructions; the picture has nothing to do with them', () => {
  for (const side of ['train', 'heldout'] as const) {
    const own = side === 'train' ? lists['instructions.train.jsonl'] : instructions.heldout;
    for (const list of [`instructions.pictured.${side}`, `instructions.blank.${side}`])
      assert.equal(
        pictured(list).map(({ instruction, output, task }) => ({ instruction, output, task })),
        own,
      );
    assert.ok(pictured(`instructions.blank.${side}`).every(({ image }) => image === blankPath));
  }
  const related = pictured('instructions.pictured.heldout').filter((it) =>
    mentions(it.instruction, new Set([shows(it.image).name])),
  );
  assert.is(related.length, 0);
});

t('text that is trained on: the scored tasks in at most 16 tokens, nearly all of them', () => {
  const own = lists['instructions.train.jsonl'] as readonly Instruction[];
  const scored = instructions.train.filter(({ task }) => (scoredTasks as readonly string[]).includes(task));
  assert.ok(own.every((it) => scored.includes(it) && tokensOf(it) <= 16));
  assert.ok(own.length > 0.95 * scored.length && own.length < scored.length, `${own.length}`);
});

t('contexts ask about what an expert names, with the answer of the instruction about that word', () => {
  const answers = new Map(instructions.train.map((it) => [it.instruction, it.output]));
  const own = lists['contexts.train.jsonl'] as readonly Contextual[];
  assert.ok(own.length > 4000, `${own.length}`);
  for (const { instruction, input, output } of own) {
    const [, word = ''] = /^seen ([a-z]+), $/.exec(input) ?? [];
    assert.is(answers.get(instruction.replace('what you see', word)), output);
  }
});

t('classes: one token each, and no picture of the held-out style or of an unseen concept to train on', () => {
  const classes = chooseClasses(concepts);
  const tokens = classTokens(classes, tokenizer);
  assert.is(new Set(tokens.values()).size, classes.length);
  for (const text of tokens.values()) assert.is(tokenizer.encode(text).length, 1, text);
  const { 'classes.train.jsonl': train, 'classes.heldstyle.jsonl': held } = classLists(
    classes,
    concepts,
    tokenizer,
  );
  const unseen = names(withRole(concepts, 'unseen'));
  assert.ok(train.every(({ style, image }) => style !== heldStyle && !unseen.has(shows(image).name)));
  assert.is(train.length, classes.length * trainedStyles.length * classCopies);
  assert.equal(
    held.map(({ image, caption }) => [shows(image).style, caption]),
    withRole(concepts, 'asked', 'named').map(({ name }) => [heldStyle, tokens.get(name)]),
  );
  assert.throws(
    () =>
      classTokens(
        Array.from({ length: 3000 }, (_, i) => `${i}`),
        tokenizer,
      ),
    /only \d+ tokens/,
  );
});

t('the lists are as long as they should be, and come out the same twice', () => {
  const shown = roleCounts.asked + roleCounts.named;
  assert.is(pairs('train').length, shown * trainedStyles.length * copies);
  assert.is(new Set(pairs('train').map(({ image }) => image)).size, pairs('train').length);
  assert.is(pairs('trained').length, shown * trainedStyles.length);
  assert.is(pairs('heldstyle').length, shown);
  assert.is(pairs('heldconcepts').length, roleCounts.unseen * styles.length);
  assert.equal(buildLists(concepts, instructions, tokensOf), lists);
});

t('pictures have their size, are not empty, and differ between styles and copies', async () => {
  for (const name of ['cat', 'key', 'volcano']) {
    const made = new Map<string, string>();
    for (const style of styles) {
      const drawing = await draw(style, name);
      for (const copy of [0, 1, 2]) {
        const rgb = picture(drawing, style, name, copy);
        assert.is(rgb.length, 3 * side * side);
        assert.ok(new Set(rgb).size > 20, `${style} ${name} ${copy} is nearly empty`);
        made.set(picturePath(style, name, copy), rgb.join());
        assert.is(picture(drawing, style, name, copy).join(), rgb.join());
      }
    }
    assert.is(new Set(made.values()).size, made.size);
  }
});

t('an icon is drawn on the whole of the picture', () => {
  for (const style of styles)
    assert.match(svgOf(style, 'cat', 96), /^<svg [^>]*width="96" height="96" viewBox/);
});

t('a look moves, mirrors and lights a drawing', () => {
  // The left half is red, the right half has nothing.
  const rgba = Uint8Array.from({ length: 4 * 4 * 4 }, (_, i) => {
    const red = Math.floor(i / 4) % 4 < 2;
    return [red ? 200 : 0, 0, 0, red ? 255 : 0][i % 4] ?? 0;
  });
  const drawing = { size: 4, rgba };
  const at = (rgb: Uint8Array, x: number) => [...rgb.subarray((16 * side + x) * 3, (16 * side + x) * 3 + 3)];
  assert.equal(at(render(drawing, plainLook), 4), [200, 0, 0]);
  assert.equal(at(render(drawing, plainLook), 28), [255, 255, 255]);
  assert.equal(at(render(drawing, { ...plainLook, flip: true }), 28), [200, 0, 0]);
  assert.equal(at(render(drawing, { ...plainLook, shift: [0.25, 0] }), 4), [255, 255, 255]);
  assert.equal(at(render(drawing, { ...plainLook, light: [0.5, 1, 1] }), 4), [100, 0, 0]);
  assert.equal(at(render(drawing, { ...plainLook, ground: [1, 2, 3] }), 28), [1, 2, 3]);
  assert.equal(randomLook(5), randomLook(5));
  assert.not.equal(randomLook(5), randomLook(6));
});

t.run();
