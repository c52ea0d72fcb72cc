// What is asked of golden files: the same when they are made and for ever after.

const rounded = (value) => Number(value.toFixed(5)) + 0;

/**
 * @param {Pick<import('../../src/retrieval/retriever.js').Retriever, 'info' | 'similarItems' | 'recommend' | 'recommendFor' | 'query' | 'findItems' | 'item'>} world
 * @returns {Promise<Record<string, unknown>>}
 */
export async function collectionAnswers(world) {
  const list = ({ results }) => results.map(({ id, score }) => [id, rounded(score)]);
  const answers = {};
  for (const { name: space } of world.info.spaces) {
    for (const item of ['river-0', 'desert-5', 'opera-9']) {
      answers[`${space} ${item}`] = list(await world.similarItems(item, { space, k: 4, exact: true }));
    }
  }
  answers.user = list(await world.recommend('user-1-2', { k: 4, exact: true }));
  answers.newcomer = list(await world.recommendFor([{ item: 'river-3' }, { item: 'opera-1' }], { k: 4, exact: true }));
  answers.text = list(await world.query({ text: 'desert story', k: 4, exact: true }));
  answers.where = list(await world.similarItems('river-0', { k: 3, where: 'year >= 1995', exact: true }));
  answers.title = world.findItems('the opera', { limit: 3 }).map(({ id }) => id);
  answers.item = world.item('desert-2').attributes;
  return answers;
}

/**
 * Of some stored vectors their nearest, by exact search.
 * @param {Pick<import('../../src/index/vector-index.js').VectorIndex, 'vector' | 'search'>} index
 * @returns {Promise<Record<string, [number, number][]>>}
 */
export async function indexAnswers(index) {
  const answers = {};
  for (const id of [1, 34, 70]) {
    const { ids, distances } = await index.search(index.vector(id) ?? new Float32Array(), 4, { exact: true });
    answers[id] = Array.from(ids, (each, i) => [each, rounded(distances[i])]);
  }
  return answers;
}
