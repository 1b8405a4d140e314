/** Sets of layers as text, and places by their layers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { layerRuns, placesByLayers, printLayers } from '../../compiler/model/layers.ts';

const t = suite('layers');

t('layers that follow one another are one run', () => {
  assert.equal(layerRuns([0, 1, 2, 5, 7, 8]), ['0..2', '5', '7..8']);
  assert.equal(layerRuns([]), []);
  assert.is(printLayers([0, 1, 5]), '0..1, 5');
  assert.is(printLayers([]), 'none');
});

t('places of the same layers stand together, in the order of the sites', () => {
  const sites = [
    { place: 'tok_embeddings', layer: null },
    { place: 'attention.wq', layer: 0 },
    { place: 'attention.wk', layer: 0 },
    { place: 'attention.wq', layer: 1 },
    { place: 'attention.wv', layer: 0 },
    { place: 'attention.wv', layer: 1 },
    { place: 'norm', layer: null },
  ];
  assert.equal(placesByLayers(sites), [
    { layers: [], places: ['tok_embeddings', 'norm'] },
    { layers: [0, 1], places: ['attention.wq', 'attention.wv'] },
    { layers: [0], places: ['attention.wk'] },
  ]);
});

t.run();
