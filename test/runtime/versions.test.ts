import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../../runtime/versions.ts';

const t = suite('versions');

t('the version that files carry is that of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  assert.is(VERSION, version);
});

t.run();
