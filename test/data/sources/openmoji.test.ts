import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openmojiPicture } from '../../../src/data/sources/openmoji-pictures.js';
import { loadDataset } from '../../../src/data/sources/registry.js';
import { attributesOf } from '../support/dataset-view.js';
import { nighError } from '../support/expect-error.js';
import { npmData } from '../support/npm-data.js';
import { tarball } from '../support/tarball.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const grin = {
  hexcode: '1F600',
  annotation: 'grinning face',
  emoji: '😀',
  group: 'smileys-emotion',
  subgroups: 'face-smiling',
  tags: 'face, grin, ',
  openmoji_tags: 'smile, grin',
  order: 1,
};

async function load(files: Record<string, string>, options: object = {}) {
  const baseDirectory = await temporaryDirectory({ 'openmoji.tgz': await tarball(files) });
  return loadDataset({ source: 'openmoji', path: 'openmoji.tgz', ...options }, { baseDirectory });
}

describe('the OpenMoji source', () => {
  it('makes items of emoji: hexcodes, annotations, both kinds of tags without repetition', async () => {
    const plain = { ...grin, hexcode: 'E000', annotation: 'plain', tags: '', openmoji_tags: '' };
    const dataset = await load({ 'package/data/openmoji.json': JSON.stringify([grin, plain]) });
    expect(dataset.items.terms).toEqual(['1F600', 'E000']);
    expect(dataset.titles).toEqual(['grinning face', 'plain']);
    expect(attributesOf(dataset, '1F600')).toEqual({
      emoji: '😀',
      group: 'smileys-emotion',
      subgroup: 'face-smiling',
      tags: ['face', 'grin', 'smile'],
    });
    expect(attributesOf(dataset, 'E000')).not.toHaveProperty('tags');
    expect([dataset.users.size, dataset.interactions.entries]).toEqual([0, 0]);
  });

  it('has keywords as users where asked for, each with the emoji that bear it', async () => {
    const cat = { ...grin, hexcode: 'E001', annotation: 'cat', tags: 'face', openmoji_tags: '' };
    const files = { 'package/data/openmoji.json': JSON.stringify([grin, cat]) };
    const { users, interactions } = await load(files, { keywords: true });
    expect(users.terms).toEqual(['face', 'grin', 'smile']);
    expect([...interactions.offsets]).toEqual([0, 2, 3, 4]);
    expect([...interactions.columns]).toEqual([0, 1, 0, 0]);
    expect(new Set(interactions.values)).toEqual(new Set([1]));
    await expect(load(files, { keywords: 'yes' })).rejects.toEqual(nighError('INVALID_ARGUMENT', 'keywords'));
  });

  it.each([
    ['no JSON', '[', 'INVALID_RECORD', 'JSON'],
    ['no array', '{}', 'INVALID_RECORD', 'array'],
    [
      'a record without a group',
      JSON.stringify([grin, { ...grin, group: undefined }]),
      'INVALID_RECORD',
      'record 1: group',
    ],
    ['no emoji', '[]', 'EMPTY_DATASET', 'openmoji'],
    ['the same emoji twice', JSON.stringify([grin, grin]), 'DUPLICATE_ID', '1F600'],
  ] as const)('refuses a catalogue of %s', async (_, json, code, text) => {
    await expect(load({ 'package/data/openmoji.json': json })).rejects.toEqual(nighError(code, text));
  });

  it('refuses a tarball without the catalogue', async () => {
    await expect(load({ 'package/index.js': '' })).rejects.toEqual(nighError('FORMAT', 'package/data/openmoji.json'));
  });
});

const real = await npmData('openmoji');

describe.skipIf(real === undefined)('the real OpenMoji (needs the npm registry once)', () => {
  it('has 4,495 emoji with a group each', async () => {
    const dataset = await loadDataset({ source: 'openmoji' }, { baseDirectory: '/' });
    expect(dataset.items.size).toBe(4495);
    expect(new Set<unknown>(dataset.columns.get('group')?.values).size).toBe(12);
    expect(attributesOf(dataset, '1F600')).toMatchObject({ emoji: '😀', group: 'smileys-emotion' });
  });

  it('has a color picture of every emoji, unpacked once', async () => {
    const cache = await temporaryDirectory();
    // The tarball comes from where it is; what is unpacked goes into the cache of this test.
    const environment = { NIGH_DATA: join(real ?? '', '..'), NIGH_CACHE: cache };
    const pictures = await Promise.all(['1F600', '1F468-200D-1F373'].map((id) => openmojiPicture(id, { environment })));
    for (const picture of pictures) expect(picture.toString()).toMatch(/^<svg[^>]*>/);
    expect(await readdir(cache)).toEqual(['openmoji-17.0.0-pictures']);
    expect(await readdir(join(cache, 'openmoji-17.0.0-pictures'))).toHaveLength(4495);
    const again = await openmojiPicture('1F600', { environment: { NIGH_CACHE: cache } });
    expect(again.equals(pictures[0]!)).toBe(true);
    for (const id of ['1F6000', '../1F600', '1F600.svg', '']) {
      await expect(openmojiPicture(id, { environment })).rejects.toEqual(nighError('UNKNOWN_ITEM', id));
    }
  });
});
