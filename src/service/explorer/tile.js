import { showPicture } from './api.js';
import { element } from './dom.js';

/** The collection whose items are shown: pictures are its own. */
let collection;

/** Says whose items the tiles are of, before they are made. */
export function tilesOf(name) {
  collection = name;
}

/** The picture of an item: the collection's, else its emoji, else its first letter on a colour of its own. */
export function tile(item, size = 'small') {
  if (item.picture === true) {
    const picture = element('img', {
      class: `tile tile-${size} tile-picture`,
      alt: '',
      loading: 'lazy',
      decoding: 'async',
    });
    showPicture(picture, collection, item.id);
    return picture;
  }
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
