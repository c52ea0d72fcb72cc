import { element } from './dom.js';

/** One of a group of choices that look like buttons. */
export function radio(name, checked, onChoose, ...label) {
  return element(
    'label',
    { class: 'segment' },
    element('input', { type: 'radio', name, class: 'visually-hidden', checked, onchange: onChoose }),
    element('span', { class: 'segment-label' }, ...label),
  );
}

/** New radios in a group; who was on the group with the keyboard stays there. */
export function replaceRadios(group, radios) {
  const focused = group.contains(document.activeElement);
  group.replaceChildren(...radios);
  if (focused) group.querySelector('input:checked')?.focus();
}
