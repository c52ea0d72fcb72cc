import { ask, requests } from './api.js';
import { element } from './dom.js';

/** The map of a space: a sample of its items as dots, the item that is looked at, and lines to its neighbours. Made when it is opened. */

const names = 'http://www.w3.org/2000/svg';
const size = 400;
const margin = 16;

/** @param {{ itemHref: (id: string) => string }} options */
export function spaceMap({ itemHref }) {
  const picture = element('div', { class: 'map-picture' });
  const caption = element('p', { class: 'faint' });
  const node = element(
    'details',
    { class: 'snippet map', ontoggle: () => load() },
    element('summary', {}, 'Map of the space'),
    picture,
    caption,
  );
  let wanted;
  let shown;
  let asked;

  async function load() {
    const key = JSON.stringify(wanted);
    if (!node.open || wanted === undefined || key === shown) return;
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const map = await ask(requests.map(wanted.collection, wanted.space, wanted.item), signal);
      if (signal.aborted) return;
      shown = key;
      picture.replaceChildren(draw(map, itemHref));
      const share = Math.round(100 * map.explained);
      caption.textContent = `${map.points.length} items of ${map.space} and the ${map.neighbours.length} nearest, on the plane that shows most of how they differ (${share}\u00a0%). What is near here may be far in what the plane leaves out.`;
    } catch (error) {
      if (signal.aborted) return;
      picture.replaceChildren();
      caption.textContent = error.message;
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
    const link = shape('a', { href: itemHref(near.id), tabindex: '-1' });
    link.append(dot(near, 'map-near', 5));
    svg.append(link);
  }
  if (item !== undefined) svg.append(dot(item, 'map-item', 7));
  return svg;

  function dot(point, className, radius) {
    const circle = shape('circle', { class: className, cx: x(point), cy: y(point), r: radius });
    const title = shape('title', {});
    title.textContent = point.title;
    circle.append(title);
    return circle;
  }
}

function shape(tag, attributes) {
  const node = document.createElementNS(names, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}
