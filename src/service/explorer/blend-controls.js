import { element } from './dom.js';

/** How much each space counts, on sliders that answer as they move. */

/** @param {{ id: string, onWeights: (weights: Record<string, number>) => void }} options */
export function blendControls({ id, onWeights }) {
  const node = element('fieldset', { class: 'blend', hidden: true });
  let shown = '';

  return {
    node,
    /** @param {{ name: string }[]} choices @param {Record<string, number> | undefined} weights nothing is blended without them */
    show(choices, weights) {
      node.hidden = weights === undefined;
      if (weights === undefined) return;
      const spaces = choices.map(({ name }) => name).join('\n');
      // The sliders stay while one of them is moved.
      if (spaces === shown) return;
      shown = spaces;
      const sliders = choices.map(({ name }) => slider(name, weights[name] ?? 0));
      node.replaceChildren(
        element('legend', { class: 'visually-hidden' }, 'Weights of the spaces'),
        ...sliders.map(({ label }) => label),
      );
      function changed() {
        const given = sliders.map(({ name, input }) => [name, Number(input.value)]).filter(([, weight]) => weight > 0);
        if (given.length > 0) onWeights(Object.fromEntries(given));
      }
      function slider(name, weight) {
        const output = element('output', { class: 'faint' }, weight.toFixed(2));
        const input = element('input', {
          type: 'range',
          id: `${id}-weight-${name}`,
          min: '0',
          max: '1',
          step: '0.05',
          value: String(weight),
          oninput: () => {
            output.textContent = Number(input.value).toFixed(2);
            changed();
          },
        });
        return {
          name,
          input,
          label: element('label', { class: 'blend-space' }, element('span', {}, name), input, output),
        };
      }
    },
  };
}

/** What items must fulfil, as text: `year >= 1990 and genres has "Comedy"`. */
export function filterInput(id, onFilter) {
  const input = element('input', {
    type: 'text',
    id: `${id}-where`,
    class: 'filter-input',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'year >= 1990 and genres has "Comedy"',
    oninput: () => onFilter(input.value.trim() === '' ? undefined : input.value.trim()),
  });
  const node = element('label', { class: 'filter' }, element('span', { class: 'faint' }, 'Only where'), input);
  return {
    node,
    show(where) {
      if (document.activeElement !== input) input.value = where ?? '';
    },
  };
}
