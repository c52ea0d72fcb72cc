import { element } from './dom.js';

/** The picture of an item: its emoji, or its first letter on a colour of its own. */
export function tile(item, size = 'small') {
  const emoji = item.attributes.emoji;
  if (typeof emoji === 'string' && emoji !== '') {
    return element('span', { class: `tile tile-${size} tile-emoji`, 'aria-hidden': 'true' }, emoji);
  }
  const letter = /[\p{L}\p{N}]/u.exec(item.title)?.[0] ?? '·';
  const node = element('span', { class: `tile tile-${size}`, 'aria-hidden': 'true' }, letter.toUpperCase());
  node.style.setProperty('--hue', String(hueOf(item.id)));
  return node;
}

function hueOf(id) {
  let hash = 2166136261;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619);
  return (hash >>> 0) % 360;
}
