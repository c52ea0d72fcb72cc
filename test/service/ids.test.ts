import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildApp } from '../../src/service/index.js';
import { collectionDouble } from './collection-double.js';
import { oddIds } from './small-collections.js';

/** Whole characters, as encodeURIComponent takes them; dots alone are steps of a path, and clients resolve those themselves. */
const anyId = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((id) => id !== '.' && id !== '..');

test('any id reaches the collection as it is, percent-encoded in a path', async () => {
  const app = await buildApp({ collections: [collectionDouble()] });
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyId, fc.constantFrom(...oddIds)), async (id) => {
      // The double puts the id that it was asked for into the title.
      const encoded = encodeURIComponent(id);
      const similar = await app.inject(`/v1/collections/double/items/${encoded}/similar`);
      expect(similar.json().results[0].title).toBe(id);
      const recommended = await app.inject(`/v1/collections/double/users/${encoded}/recommendations`);
      expect(recommended.json().results[0].title).toBe(id);
    }),
    { numRuns: 300 },
  );
  await app.close();
});

test('ids of 1,024 characters work, encoded to twelve bytes each', async () => {
  const app = await buildApp({ collections: [collectionDouble()] });
  for (const id of ['x'.repeat(1024), 'é'.repeat(1024), '日'.repeat(1024), '🦊'.repeat(512)]) {
    const response = await app.inject(`/v1/collections/double/items/${encodeURIComponent(id)}/similar`);
    expect(response.statusCode).toBe(200);
    expect(response.json().results[0].title).toBe(id);
  }
  await app.close();
});
