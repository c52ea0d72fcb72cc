/** Makes elements. Text only ever becomes text nodes, so nothing from a collection can become markup. */

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `class`, `on…` listeners, anything else an attribute; false and undefined are left out
 * @param {...(Node | string | undefined | false | (Node | string | undefined | false)[])} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG, drawn on 24 × 24. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  fill(svg, { viewBox: '0 0 24 24', class: `icon icon-${name}`, 'aria-hidden': 'true', focusable: 'false' }, []);
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', icons[name]);
  svg.append(path);
  return svg;
}

const icons = {
  heart: 'M12 20.5C5.6 15.9 3 12.6 3 9a4.8 4.8 0 0 1 9-2.3A4.8 4.8 0 0 1 21 9c0 3.600-2.600 6.900-9 11.500Z',
  search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Zm4.800 11.300L20 20',
  cross: 'M6 6l12 12M18 6 6 18',
  dice: 'M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2ZM8.500 8.500h.01M15.500 15.500h.01M12 12h.01M15.500 8.500h.01M8.500 15.500h.01',
  copy: 'M9 9h10v11H9ZM5 15V4h10',
};

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return node;
}

/** Says something to a screen reader. */
export function announce(text) {
  const live = document.getElementById('live');
  if (live !== null) live.textContent = text;
}
