const names = 'http://www.w3.org/2000/svg';

/** An SVG element; a text among the children becomes a text node. */
export function shape(tag, attributes, ...children) {
  const node = document.createElementNS(names, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}
