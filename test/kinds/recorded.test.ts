import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recordedPart } from '../../compiler/kinds/recorded.ts';
import { modelOf } from '../compiler/subjects.ts';

const t = suite('parts as recorded runs know them');

const recorded = (line: string): unknown => {
  const [part] = modelOf(line).parts;
  return (recordedPart(part!) as { fields: unknown }).fields;
};

t('an attribute that came later says nothing at its default', () => {
  const plain = 'prompt w on layers[last 1] { length = 3';
  assert.equal(recorded(`${plain}  key_norm = true }`), recorded(`${plain} }`));
  assert.is(JSON.stringify(recorded(`${plain} }`)).includes('key_norm'), false);
  assert.is(JSON.stringify(recorded(`${plain}  key_norm = false }`)).includes('"key_norm":false'), true);
});

t('so do arguments of calls; other defaults stay', () => {
  const eye = (more: string) =>
    recorded(
      `encoder v { model = vit(resolution: 4, patch: 2, width: 6, layers: 2, heads: 2${more})  take = tokens }`,
    );
  assert.equal(eye(', eps: 1e-5'), eye(''));
  assert.is(JSON.stringify(eye(', eps: 1e-6')).includes('"eps":0.000001'), true);
  assert.is(JSON.stringify(eye('')).includes('"output":null'), true);
});

t.run();
