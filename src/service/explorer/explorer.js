import { ask, ProblemError, rememberToken, requests } from './api.js';
import { showAbout, showCollections } from './collection-view.js';
import { element } from './dom.js';
import { itemView } from './item-view.js';
import { picksView } from './picks-view.js';
import { searchBox } from './search-box.js';
import { hashOf, readState } from './state.js';
import { tilesOf } from './tile.js';

/** The explorer: what the address says is shown, and what is chosen changes the address. */

const startItems = 24;
const manyItems = 100;
const letters = 8;

const byId = (id) => document.getElementById(id);
const notice = byId('notice');

/** Every collection, and items that were looked at: neither changes while the page is open. */
let collections;
const itemCache = new Map();
const startCache = new Map();
let state = readState();
/** Counts renderings, so that one that was overtaken stops. */
let rendering = 0;

const hrefWith = (changes) => hashOf({ ...state, ...changes });
const isLiked = (id) => state.likes.includes(id);
const hooks = { itemHref: (id) => hrefWith({ item: id }), isLiked, onLike: toggleLike };

const search = searchBox({
  container: byId('search'),
  onChoose: (item) => go({ item: item.id }),
  onError: showError,
});
const item = itemView({
  ...hooks,
  container: byId('explore'),
  onOptions: (options) => replace({ similar: options }),
});
const picks = picksView({
  ...hooks,
  container: byId('picks'),
  shortcut: byId('picks-shortcut'),
  onClear: () => replace({ likes: [] }),
  onOptions: (options) => replace({ recommend: options }),
});

window.addEventListener('hashchange', () => {
  state = readState();
  void render();
});
byId('home').addEventListener('click', (event) => {
  event.preventDefault();
  go({ item: undefined });
});

void render();

/** A step that the back button takes back. */
function go(changes) {
  location.hash = hrefWith(changes);
}

/** A change of how something is shown. */
function replace(changes) {
  state = { ...state, ...changes };
  history.replaceState(null, '', hashOf(state));
  void render();
}

function toggleLike({ id }) {
  replace({ likes: isLiked(id) ? state.likes.filter((like) => like !== id) : [...state.likes, id] });
}

async function render() {
  rendering += 1;
  const turn = rendering;
  const overtaken = () => turn !== rendering;
  try {
    collections ??= (await ask(requests.collections())).collections;
    const info = collections.find(({ name }) => name === state.collection) ?? collections[0];
    if (state.collection !== info.name) {
      // An address without a collection, or with one that is not served, is that of the first.
      state = { ...readState('#'), collection: info.name };
      history.replaceState(null, '', hashOf(state));
    }
    showCollection(info);
    const [shown, liked, starts] = await Promise.all([
      state.item === undefined ? undefined : itemOf(info.name, state.item),
      likedItems(info.name),
      state.item === undefined ? startingItems(info) : undefined,
    ]);
    if (overtaken()) return;
    notice.hidden = true;
    byId('columns').hidden = false;
    document.body.dataset.view = shown === undefined ? 'start' : 'item';
    if (shown === undefined) {
      item.showStart({ info, items: starts.slice(0, startItems), onSurprise: () => surprise(starts) });
    } else if (item.showItem({ info, item: shown, options: state.similar })) {
      window.scrollTo({ top: 0 });
      item.focusHeading();
    }
    picks.show({ info, liked, options: state.recommend });
    item.refreshLikes();
    picks.refreshLikes();
    document.title = shown === undefined ? `${info.title}: nigh` : `${shown.title}: nigh`;
  } catch (error) {
    if (!overtaken()) showError(error);
  }
}

function showCollection(info) {
  tilesOf(info.name);
  byId('collection-title').textContent = info.title || info.name;
  byId('collection-description').textContent = info.description;
  showCollections(byId('collections'), collections, info.name, (name) =>
    hashOf({ ...readState('#'), collection: name }),
  );
  // What was opened there stays open.
  if (byId('about').dataset.collection !== info.name) showAbout(byId('about'), info);
  search.use(info);
}

async function itemOf(collection, id) {
  const key = `${collection}\n${id}`;
  if (!itemCache.has(key)) itemCache.set(key, await ask(requests.item(collection, id)));
  return itemCache.get(key);
}

/** What is liked; ids of an old address that the collection no longer has are left out. */
async function likedItems(collection) {
  const found = await Promise.all(
    state.likes.map((id) =>
      itemOf(collection, id).catch((error) => {
        if (error instanceof ProblemError && error.code === 'UNKNOWN_ITEM') return undefined;
        throw error;
      }),
    ),
  );
  return found.filter((each) => each !== undefined);
}

/** Things to start with: the most used, or, where nothing was used, some of all over the alphabet. */
async function startingItems({ name, interactions }) {
  if (!startCache.has(name)) {
    const first = ask(requests.popular(name, manyItems));
    const found = interactions > 0 ? [await first] : await Promise.all([...scattered(name), first]);
    const sampled = found.flatMap(({ items }, at) =>
      at < found.length - 1 ? sample(items, startItems / letters) : items,
    );
    startCache.set(name, [...new Map(sampled.map((each) => [each.id, each])).values()]);
  }
  return startCache.get(name);
}

function scattered(collection) {
  return sample([...'abcdefghijklmnoprstuw'], letters).map((letter) =>
    ask(requests.find(collection, letter, manyItems)),
  );
}

function sample(values, count) {
  const rest = [...values];
  return Array.from(
    { length: Math.min(count, rest.length) },
    () => rest.splice(Math.floor(Math.random() * rest.length), 1)[0],
  );
}

function surprise(items) {
  const [chosen] = sample(items, 1);
  if (chosen !== undefined) go({ item: chosen.id });
}

function showError(error) {
  notice.hidden = false;
  if (!(error instanceof ProblemError)) {
    notice.textContent = 'This page failed; the browser’s console has more.';
    throw error;
  }
  notice.replaceChildren(error.message, ...(error.status === 401 ? [tokenForm()] : []));
}

function tokenForm() {
  const input = element('input', {
    type: 'password',
    autocomplete: 'off',
    'aria-label': 'Token',
    placeholder: 'NIGH_TOKEN',
    required: true,
  });
  return element(
    'form',
    {
      class: 'token',
      onsubmit: (event) => {
        event.preventDefault();
        rememberToken(input.value.trim());
        void render();
      },
    },
    input,
    element('button', { type: 'submit' }, 'Use token'),
  );
}
