import { ask, requests } from './api.js';
import { element } from './dom.js';
import { formatScore } from './format.js';
import { neighbourLayout } from './neighbour-layout.js';
import { radio, replaceRadios } from './radios.js';
import { shape } from './svg.js';

/**
 * The map of a space: a sample of its items as dots, the item that is looked at, and lines to its neighbours with their scores. Either on the
 * plane that shows most of how the items differ, at once, or so that neighbours lie together. Made when it is opened.
 */

const size = 400;
const margin = 16;

/** @param {{ itemHref: (id: string) => string }} options */
export function spaceMap({ itemHref }) {
  const picture = element('div', { class: 'map-picture' });
  const caption = element('p', { class: 'faint' });
  const layouts = element('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Layout' });
  const node = element(
    'details',
    { class: 'snippet map', ontoggle: () => load() },
    element('summary', {}, 'Map of the space'),
    layouts,
    picture,
    caption,
  );
  let wanted;
  let layout = 'plane';
  let shown;
  let asked;
  showLayouts();

  function showLayouts() {
    const choice = (name, label) => {
      const choose = () => {
        layout = name;
        load();
      };
      return radio('map-layout', layout === name, choose, label);
    };
    replaceRadios(layouts, [choice('plane', 'Plane'), choice('neighbours', 'Neighbours')]);
  }

  async function load() {
    const key = JSON.stringify([wanted, layout]);
    if (!node.open || wanted === undefined || key === shown) return;
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    const linked = layout === 'neighbours';
    node.setAttribute('aria-busy', 'true');
    try {
      const { collection, space, item } = wanted;
      const map = await ask(requests.map(collection, space, item, linked), signal);
      if (linked) await moveTogether(map, signal);
      if (signal.aborted) return;
      shown = key;
      picture.replaceChildren(draw(map, itemHref));
      caption.textContent = `${map.points.length} items of ${map.space} and the ${map.neighbours.length} nearest, ${linked ? together : onPlane(map)}`;
    } catch (error) {
      if (signal.aborted) return;
      picture.replaceChildren();
      caption.textContent = error.message;
    } finally {
      if (!signal.aborted) node.removeAttribute('aria-busy');
    }
  }

  return {
    node,
    /** @param {{ collection: string, space?: string, item: string }} next a blend of spaces has no map */
    show(next) {
      wanted = next.space === undefined ? undefined : next;
      node.hidden = wanted === undefined;
      load();
    },
  };
}

const together =
  'placed so that what is near in the space lies together. How far apart two groups lie says nothing, and neither does a direction.';

function onPlane({ explained }) {
  return `on the plane that shows most of how they differ (${Math.round(100 * explained)}\u00a0%). What is near here may be far in what the plane leaves out.`;
}

/** Puts every point of the map in the place that the links give it. */
async function moveTogether({ points, item, neighbours, links }, signal) {
  const all = [...points, ...(item === undefined ? [] : [item]), ...neighbours];
  const places = await neighbourLayout(all, links, signal);
  all.forEach((point, at) => {
    Object.assign(point, places[at]);
  });
}

function draw({ points, item, neighbours }, itemHref) {
  const all = [...points, ...neighbours, ...(item === undefined ? [] : [item])];
  const scaleOf = (axis) => {
    const values = all.map((point) => point[axis]);
    const least = Math.min(...values);
    const span = Math.max(...values) - least || 1;
    return (point) => margin + ((point[axis] - least) / span) * (size - 2 * margin);
  };
  const x = scaleOf('x');
  const y = scaleOf('y');
  const svg = shape('svg', {
    viewBox: `0 0 ${size} ${size}`,
    role: 'img',
    'aria-label': item === undefined ? 'Map of the space' : `${item.title} among its neighbours`,
  });
  for (const point of points) svg.append(dot(point, 'map-dot', 2.5));
  if (item !== undefined) {
    for (const near of neighbours) {
      svg.append(shape('line', { class: 'map-line', x1: x(item), y1: y(item), x2: x(near), y2: y(near) }));
    }
  }
  for (const near of neighbours) {
    svg.append(shape('a', { href: itemHref(near.id), tabindex: '-1' }, dot(near, 'map-near', 5)));
    if (near.score === undefined) continue;
    // On the side where there is room.
    const left = x(near) > size - 48;
    const place = { x: x(near) + (left ? -8 : 8), y: y(near) + 3, 'text-anchor': left ? 'end' : 'start' };
    svg.append(shape('text', { class: 'map-score', ...place }, formatScore(near.score)));
  }
  if (item !== undefined) svg.append(dot(item, 'map-item', 7));
  return svg;

  function dot(point, className, radius) {
    const score = point.score === undefined ? '' : `, score ${formatScore(point.score)}`;
    const title = shape('title', {}, `${point.title}${score}`);
    return shape('circle', { class: className, cx: x(point), cy: y(point), r: radius }, title);
  }
}
