import { ask, requests } from './api.js';
import { element } from './dom.js';
import { formatCount, formatTime } from './format.js';
import { radio, replaceRadios } from './radios.js';
import { shape } from './svg.js';

/** Recall against time of the collection's indexes, as the service measures it now: what a larger pool buys. Asked for when it is opened. */

const width = 480;
const height = 260;
const edge = { left: 52, right: 18, top: 16, bottom: 40 };

/** @param {{ name: string, spaces: { name: string, similar: { kind: string } }[] }} info */
export function effortChart(info) {
  const graphs = info.spaces.filter(({ similar }) => similar.kind === 'hnsw').map(({ name }) => name);
  const picture = element('div', { class: 'chart-picture' });
  const caption = element('p', { class: 'faint' });
  const choices = element('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Space of the chart' });
  let chosen = graphs[0];
  let asked;
  const node = element(
    'details',
    { class: 'snippet efforts', hidden: graphs.length === 0, ontoggle: () => node.open && load() },
    element('summary', {}, 'Recall against time'),
    choices,
    picture,
    caption,
  );
  choices.hidden = graphs.length < 2;
  showChoices();
  return node;

  function showChoices() {
    const choice = (name) => {
      const choose = () => {
        chosen = name;
        load();
      };
      return radio('efforts-space', name === chosen, choose, name);
    };
    replaceRadios(choices, graphs.map(choice));
  }

  async function load() {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    caption.textContent = 'Measuring …';
    try {
      const measured = await ask(requests.efforts(info.name, chosen), signal);
      picture.replaceChildren(draw(measured), tableOf(measured));
      caption.textContent = `Recall@${measured.k} of ${measured.queries} items, and the time of a search on one thread, by pool size. Comparing every item takes ${formatTime(measured.exactMicros / 1000)}.`;
    } catch (error) {
      if (signal.aborted) return;
      picture.replaceChildren();
      caption.textContent = error.message;
    }
  }
}

function draw({ space, efforts, efSearch, exactMicros }) {
  const times = efforts.map(({ micros }) => micros);
  const lowest = Math.min(...efforts.map(({ recall }) => recall));
  // Round steps below the lowest, so that the interesting end is seen.
  const floor = Math.max(0, Math.floor(lowest * 20 - 0.001) / 20);
  const [from, to] = [Math.log(Math.min(...times) * 0.9), Math.log(Math.max(...times, exactMicros) * 1.1)];
  const x = (micros) => edge.left + ((Math.log(micros) - from) / (to - from)) * (width - edge.left - edge.right);
  const y = (recall) => edge.top + ((1 - recall) / (1 - floor)) * (height - edge.top - edge.bottom);
  const svg = shape('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `Recall against time of ${space}`,
  });
  for (let step = 0; step <= 4; step++) {
    const recall = floor + ((1 - floor) * step) / 4;
    svg.append(
      shape('line', { class: 'chart-grid', x1: edge.left, x2: width - edge.right, y1: y(recall), y2: y(recall) }),
      shape(
        'text',
        { class: 'chart-label', x: edge.left - 6, y: y(recall) + 4, 'text-anchor': 'end' },
        recall.toFixed(3),
      ),
    );
  }
  for (const micros of roundTimes(Math.exp(from), Math.exp(to))) {
    svg.append(
      shape(
        'text',
        { class: 'chart-label', x: x(micros), y: height - 22, 'text-anchor': 'middle' },
        formatTime(micros / 1000),
      ),
    );
  }
  svg.append(
    shape(
      'text',
      { class: 'chart-label', x: (edge.left + width) / 2, y: height - 4, 'text-anchor': 'middle' },
      'time of a search',
    ),
    shape('line', {
      class: 'chart-exact',
      x1: x(exactMicros),
      x2: x(exactMicros),
      y1: edge.top,
      y2: height - edge.bottom,
    }),
    shape(
      'text',
      { class: 'chart-label', x: x(exactMicros) - 4, y: height - edge.bottom - 6, 'text-anchor': 'end' },
      'exact',
    ),
    shape('polyline', {
      class: 'chart-line',
      points: efforts.map(({ micros, recall }) => `${x(micros)},${y(recall)}`).join(' '),
    }),
  );
  for (const { efSearch: effort, micros, recall } of efforts) {
    const own = effort === efSearch;
    const said = `efSearch ${effort}: recall ${recall.toFixed(3)}, ${formatTime(micros / 1000)}`;
    svg.append(
      shape(
        'circle',
        { class: own ? 'chart-own' : 'chart-dot', cx: x(micros), cy: y(recall), r: own ? 6 : 3.5 },
        shape('title', {}, said),
      ),
    );
  }
  return svg;
}

/** 1, 2 and 5 of every power of ten within the range. */
function roundTimes(from, to) {
  const times = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const digit of [1, 2, 5]) times.push(digit * 10 ** power);
  }
  const within = times.filter((time) => time >= from && time <= to);
  return within.length <= 6 ? within : within.filter((_, at) => at % 2 === 0);
}

/** The same in figures, for whoever does not see the picture. */
function tableOf({ efforts, efSearch }) {
  const names = ['efSearch', 'Recall', 'Time', 'Visited'];
  return element(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'Recall by pool size' },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name)))),
      element(
        'tbody',
        {},
        ...efforts.map((effort) =>
          element(
            'tr',
            {},
            element(
              'th',
              { scope: 'row' },
              `${effort.efSearch}${effort.efSearch === efSearch ? ', the recipe’s' : ''}`,
            ),
            element('td', {}, effort.recall.toFixed(3)),
            element('td', {}, formatTime(effort.micros / 1000)),
            element('td', {}, formatCount(Math.round(effort.visited))),
          ),
        ),
      ),
    ),
  );
}
