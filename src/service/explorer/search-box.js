import { ask, requests } from './api.js';
import { announce, element, icon } from './dom.js';
import { formatCompact, subtitle } from './format.js';
import { tile } from './tile.js';

const delayMs = 60;
const shown = 8;

/**
 * Type-ahead over titles: a combobox with a list, by the ARIA practice. Arrow keys move, Enter chooses, Escape closes, `/`
 * focuses it from anywhere.
 *
 * @param {{ container: HTMLElement, onChoose: (item: object) => void, onError: (error: Error) => void }} options
 */
export function searchBox({ container, onChoose, onError }) {
  let collection;
  let items = [];
  let active = -1;
  let asked;
  let timer;
  /** Whether what is typed was not answered yet, and whether Enter was pressed meanwhile. */
  let pending = false;
  let chosenEarly = false;

  const input = element('input', {
    id: 'search-input',
    type: 'text',
    role: 'combobox',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    enterkeyhint: 'search',
    maxlength: '256',
    'aria-label': 'Search items by title',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': 'search-list',
    oninput: () => schedule(),
    onkeydown: (event) => onKey(event),
    onfocus: () => input.value !== '' && schedule(),
    onblur: () => close(),
  });
  const list = element('ul', {
    id: 'search-list',
    role: 'listbox',
    'aria-label': 'Items',
    class: 'options',
    hidden: true,
  });
  const hint = element('kbd', { class: 'search-hint', 'aria-hidden': 'true' }, '/');
  container.replaceChildren(icon('search'), input, hint, list);
  // A press on an option must not take the focus from the field: that would close the list before the click.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select') !== null;
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });

  function schedule() {
    clearTimeout(timer);
    asked?.abort();
    const query = input.value.trim();
    if (query === '' || collection === undefined) return close();
    pending = true;
    chosenEarly = false;
    timer = setTimeout(() => find(query), delayMs);
  }

  async function find(query) {
    asked = new AbortController();
    const { signal } = asked;
    try {
      const found = await ask(requests.find(collection, query, shown), signal);
      if (!signal.aborted && document.activeElement === input) open(query, found.items);
    } catch (error) {
      if (signal.aborted) return;
      pending = false;
      onError(error);
    }
  }

  function open(query, found) {
    const before = items[active]?.id;
    items = found;
    active = -1;
    pending = false;
    const options = items.map((item, at) =>
      element(
        'li',
        { id: `option-${at}`, role: 'option', 'aria-selected': 'false', class: 'option', onclick: () => choose(at) },
        tile(item),
        element(
          'span',
          { class: 'option-text' },
          element('span', { class: 'option-title' }, marked(item.title, query)),
          element('span', { class: 'faint' }, subtitle(item.attributes)),
        ),
        item.interactions > 0 && element('span', { class: 'faint count' }, `${formatCompact(item.interactions)} users`),
      ),
    );
    list.replaceChildren(
      ...(options.length > 0 ? options : [element('li', { class: 'option-none' }, `Nothing is called “${query}”.`)]),
    );
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    // Who has gone down the list stays where they are when the answer to their last letter comes.
    const kept = items.findIndex(({ id }) => id === before);
    move(options.length > 0 ? Math.max(0, kept) : -1);
    if (chosenEarly) return choose(active);
    announce(options.length === 1 ? '1 item' : `${options.length} items`);
  }

  function close() {
    clearTimeout(timer);
    asked?.abort();
    pending = false;
    items = [];
    active = -1;
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function move(to) {
    list.children[active]?.setAttribute('aria-selected', 'false');
    active = to;
    const option = items.length > 0 ? list.children[active] : undefined;
    if (option === undefined) return input.removeAttribute('aria-activedescendant');
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', option.id);
  }

  function choose(at) {
    const item = items[at];
    if (item === undefined) return;
    input.value = '';
    close();
    onChoose(item);
  }

  function onKey(event) {
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      if (list.hidden) input.value = '';
      close();
    } else if (event.key === 'ArrowDown' && list.hidden) {
      schedule();
    } else if (event.key === 'ArrowDown' && items.length > 0) {
      event.preventDefault();
      move((active + 1) % items.length);
    } else if (event.key === 'ArrowUp' && items.length > 0) {
      event.preventDefault();
      move((active - 1 + items.length) % items.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      // What is shown still answers fewer letters: the first of the answer on its way is meant.
      if (pending) chosenEarly = true;
      else choose(active);
    }
  }

  return {
    /** Searches in this collection from now on. */
    use(info) {
      if (info.name === collection) return;
      collection = info.name;
      input.value = '';
      close();
      input.placeholder = `Search ${formatCompact(info.items)} items`;
    },
  };
}

/** The title with the words that were typed marked. */
function marked(title, query) {
  const words = query.split(/\s+/).filter((word) => word !== '');
  const pattern = new RegExp(words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'giu');
  const parts = [];
  let end = 0;
  for (const match of title.matchAll(pattern)) {
    parts.push(title.slice(end, match.index), element('mark', {}, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, title.slice(end)];
}
