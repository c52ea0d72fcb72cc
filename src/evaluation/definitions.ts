/** What the figures of a table mean, to be printed with them. */

/** One line a figure. */
export function rankingDefinitions(k: number): readonly string[] {
  return [
    `HR: users with a relevant item among their first ${k} / users; ARHR: Σ 1/rank of relevant items / users; MRR: of the first one only`,
    `NDCG: binary gains, log2(rank + 1), over the best list of ${k}; MAP: mean precision at the hits / min(${k}, relevant)`,
    `recall: relevant among the first ${k} / relevant; precision: / ${k}; AUC: share of pairs (relevant, other) in the right order`,
    'coverage: items ever recommended / items; diversity: 1 − mean pairwise cosine of the users of two items of a list',
    'novelty: mean popularity rank of what is recommended, 1 the most popular',
    'what a user has in training is never recommended; ties go to the smaller ordinal',
  ];
}

/** One line a figure. */
export function stabilityDefinitions(k: number): readonly string[] {
  return [
    `responsiveness: 1 − overlap of a user's ${k} items without one event of the history and with it`,
    `churn: 1 − overlap of a user's ${k} items by a fit without a tenth of the interactions and by one with them`,
  ];
}

export const ratingDefinitions: readonly string[] = [
  'RMSE: root of the mean squared difference; MAE: mean absolute difference; means over splits',
  'baseline: μ + b_u + b_i, the row that a model has to beat',
];
