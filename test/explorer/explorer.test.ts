import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningService, serve } from '../../src/service/index.js';
import { type SmallCollections, smallCollections } from '../service/small-collections.js';
import { findChromium, launchChromium, screenshotPath } from './chromium.js';

const executablePath = findChromium();
if (executablePath === undefined) {
  console.warn('Skipped the explorer’s tests: they need Chromium (Debian: apt-get install chromium).');
}

const telephone = { width: 360, height: 740 };
const desk = { width: 1280, height: 900 };

let collections: SmallCollections;
let service: RunningService;
let browser: Browser;

describe.skipIf(executablePath === undefined)('the explorer in Chromium', () => {
  beforeAll(async () => {
    collections = await smallCollections();
    service = await serve({ collections: [collections.films, collections.signs], port: 0 });
    browser = await launchChromium(executablePath ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    await collections?.[Symbol.asyncDispose]();
  });

  /** A page with what must never happen on it counted: console errors, and requests to another host. */
  async function open(address = '', options: BrowserContextOptions = {}, url = service.url) {
    const context = await browser.newContext({ viewport: desk, reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/`)) faults.push(`asked ${request.url()}`);
    });
    await page.goto(`${url}/${address}`);
    await page.locator('#columns, #notice').and(page.locator(':visible')).first().waitFor();
    return {
      page,
      faults,
      async [Symbol.asyncDispose]() {
        await context.close();
      },
    };
  }

  /** The whole page, from its top: what is fixed to the window would otherwise stand in the middle of the picture. */
  async function photograph(page: Page, name: string): Promise<void> {
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: screenshotPath(name), fullPage: true });
  }

  const rows = (page: Page, panel: 'similar' | 'recommended') => page.locator(`#${panel} .row`);
  const titles = (page: Page, panel: 'similar' | 'recommended') =>
    page.locator(`#${panel} .row-title`).allTextContents();
  const settled = async (page: Page, panel: 'similar' | 'recommended') => {
    await rows(page, panel).first().waitFor();
    await page.waitForFunction((id) => !document.getElementById(id)?.hasAttribute('aria-busy'), panel);
  };

  test('shows both collections and things to start with', async () => {
    await using opened = await open();
    const { page, faults } = opened;
    expect(await page.title()).toBe('Films: nigh');
    expect(await page.locator('#collections a').allTextContents()).toEqual([
      `Films ${collections.films.info.items}`,
      `Signs ${collections.signs.info.items}`,
    ]);
    expect(await page.locator('.start').count()).toBe(24);
    expect(await page.locator('#about').textContent()).toContain('public domain');
    await page.screenshot({ path: screenshotPath('start-light') });
    await page.getByRole('link', { name: /^Signs/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Signs' }).waitFor();
    await page.locator('.tile-emoji').first().waitFor();
    await page.screenshot({ path: screenshotPath('start-emoji') });
    expect(faults).toEqual([]);
  });

  test('search, choose with a click, see the card and what is similar', async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.getByRole('combobox', { name: 'Search' }).fill('harbour song');
    const options = page.getByRole('option');
    await options.first().waitFor();
    const found = collections.films.findItems('harbour song', { limit: 8 });
    expect(await page.locator('.option-title').allTextContents()).toEqual(found.map(({ title }) => title));
    expect(await page.locator('mark').first().textContent()).toBe('harbour');
    await page.screenshot({ path: screenshotPath('search') });
    await options.getByText('harbour song 0', { exact: true }).click();
    await page.getByRole('heading', { level: 2, name: 'harbour song 0' }).waitFor();
    await settled(page, 'similar');
    const { results } = await collections.films.similarItems('harbour-0', { k: 12 });
    expect(await titles(page, 'similar')).toEqual(results.map(({ title }) => title));
    expect(await page.locator('.card .tag').allTextContents()).toEqual(['harbour', 'song']);
    expect(new URL(page.url()).hash).toBe('#c=films&item=harbour-0');
    expect(await page.title()).toBe('harbour song 0: nigh');
    await photograph(page, 'item');
    expect(faults).toEqual([]);
  });

  /** How wide each picture is in itself: 0 where it did not load. Pictures load as they come into view. */
  const pictureWidths = async (page: Page, within: string) => {
    const widths: number[] = [];
    for (const picture of await page.locator(`${within} img.tile-picture`).all()) {
      await picture.scrollIntoViewIfNeeded();
      const width = () => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth);
      await expect.poll(width).toBeGreaterThan(0);
      widths.push(await width());
      // What is left for it within its frame.
      const share = await picture.evaluate((image) => {
        const { paddingLeft, paddingRight } = getComputedStyle(image);
        return 1 - (Number.parseFloat(paddingLeft) + Number.parseFloat(paddingRight)) / image.clientWidth;
      });
      expect(share).toBeGreaterThan(0.8);
    }
    return widths;
  };

  test('items with pictures show them: on the card, in the search and among what is similar', async () => {
    await using opened = await open('#c=films&item=canyon-0');
    const { page, faults } = opened;
    await settled(page, 'similar');
    expect(await pictureWidths(page, '.card')).toEqual([48]);
    const { results } = await collections.films.similarItems('canyon-0', { k: 12 });
    // Every third has a PNG of one pixel, the others an SVG.
    const widthOf = ({ id }: { id: string }) => (Number(id.split('-')[1]) % 3 === 1 ? 1 : 48);
    const expected = results.filter(({ picture }) => picture === true).map(widthOf);
    expect(new Set(expected)).toEqual(new Set([48, 1]));
    expect(await pictureWidths(page, '#similar')).toEqual(expected);
    await photograph(page, 'pictures');
    await page.getByRole('combobox', { name: 'Search' }).fill('canyon');
    await page.getByRole('option').first().waitFor();
    expect(await pictureWidths(page, '[role=listbox]')).toEqual(
      collections.films.findItems('canyon', { limit: 8 }).map(widthOf),
    );
    await page.screenshot({ path: screenshotPath('pictures-search') });
    expect(faults).toEqual([]);
  });

  test('a similar item leads on, and back leads back', async () => {
    await using opened = await open('#c=films&item=harbour-0');
    const { page, faults } = opened;
    await settled(page, 'similar');
    const next = (await titles(page, 'similar'))[0] ?? '';
    await page.locator('#similar .row-link').first().click();
    await page.getByRole('heading', { level: 2, name: next, exact: true }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('item-title');
    await page.goBack();
    await page.getByRole('heading', { level: 2, name: 'harbour song 0' }).waitFor();
    await settled(page, 'similar');
    expect(faults).toEqual([]);
  });

  test('spaces differ, exact search shows its effort and what the approximate one found', async () => {
    await using opened = await open('#c=films&item=river-7');
    const { page, faults } = opened;
    await settled(page, 'similar');
    const similar = page.locator('#similar');
    await similar.getByText('text', { exact: true }).click();
    await page.waitForURL(/space=text/);
    await settled(page, 'similar');
    const text = await collections.films.similarItems('river-7', { k: 12, space: 'text' });
    expect(await titles(page, 'similar')).toEqual(text.results.map(({ title }) => title));
    await similar.getByText('Exact', { exact: true }).click();
    await page.waitForURL(/exact=1/);
    await similar
      .locator('.comparison')
      .filter({ hasText: /found \d+ of the exact 12/ })
      .waitFor();
    const figures = await similar.locator('.mode-figures').allTextContents();
    for (const line of figures) {
      expect(line).toMatch(/^recall [01]\.\d\d, [\d,]+ visited \([\d.<]+\s%\), [\d,.]+\s(µs|ms)$/);
    }
    await similar.getByText('This as a request').click();
    expect(await similar.locator('code').textContent()).toBe(
      `curl '${service.url}/v1/collections/films/items/river-7/similar?k=12&space=text&exact=true'`,
    );
    expect(faults).toEqual([]);
  });

  test('sliders blend the spaces, answer as they move, and survive in the address', async () => {
    await using opened = await open('#c=films&item=harbour-0');
    const { page, faults } = opened;
    await settled(page, 'similar');
    expect(await page.locator('#similar .blend').isVisible()).toBe(false);
    await page.locator('#similar').getByText('Blend', { exact: true }).click();
    await page.waitForFunction(() => location.hash.includes('weights='));
    await settled(page, 'similar');
    const expected = async (weights: Record<string, number>) =>
      (await collections.films.similarItems('harbour-0', { k: 12, weights })).results.map(({ title }) => title);
    await expect.poll(() => titles(page, 'similar')).toEqual(await expected({ cf: 0.5, text: 0.5 }));
    await page.getByRole('slider', { name: /^cf/ }).fill('0');
    await expect.poll(() => new URL(page.url()).hash).toContain('weights=text%3D0.5');
    await expect.poll(() => titles(page, 'similar')).toEqual(await expected({ text: 0.5 }));
    await page.getByRole('slider', { name: /^cf/ }).press('ArrowRight');
    await expect.poll(() => titles(page, 'similar')).toEqual(await expected({ cf: 0.05, text: 0.5 }));
    await photograph(page, 'blend');
    await page.reload();
    await settled(page, 'similar');
    expect(await page.getByRole('slider', { name: /^cf/ }).inputValue()).toBe('0.05');
    expect(await titles(page, 'similar')).toEqual(await expected({ cf: 0.05, text: 0.5 }));
    expect(faults).toEqual([]);
  });

  test('a filter holds, and one that makes no sense is answered in the service’s words', async () => {
    await using opened = await open('#c=films&item=harbour-0');
    const { page, faults } = opened;
    await settled(page, 'similar');
    const filter = page.locator('#similar').getByLabel('Only where');
    await filter.fill('year >= 2000');
    const { results } = await collections.films.similarItems('harbour-0', { k: 12, where: 'year >= 2000' });
    await expect.poll(() => titles(page, 'similar')).toEqual(results.map(({ title }) => title));
    expect(results.every(({ attributes }) => Number(attributes.year) >= 2000)).toBe(true);
    await filter.fill('yaer >= 2000');
    await page.locator('#similar .notice').getByText('year').waitFor();
    await filter.fill('');
    await settled(page, 'similar');
    // The browser itself reports the refused request.
    expect(faults.filter((fault) => !fault.includes('status of 400'))).toEqual([]);
  });

  test('the request is there for a shell, a program and the command line', async () => {
    await using opened = await open('#c=films&item=harbour-0&where=year+%3E%3D+2000');
    const { page, faults } = opened;
    await settled(page, 'similar');
    const snippet = page.locator('#similar .snippet').first();
    await snippet.getByText('This as a request').click();
    const code = snippet.locator('code');
    expect(await code.textContent()).toContain(
      `curl '${service.url}/v1/collections/films/items/harbour-0/similar?k=12`,
    );
    await snippet.getByText('CLI').click();
    expect(await code.textContent()).toBe("nigh similar films harbour-0 -k 12 --space cf --where 'year >= 2000'");
    await snippet.getByText('TypeScript').click();
    expect(await code.textContent()).toContain(
      '.similarItems("harbour-0", {"k":12,"space":"cf","where":"year >= 2000"})',
    );
    expect(faults).toEqual([]);
  });

  test('the map shows the item, its neighbours and the rest of the space', async () => {
    await using opened = await open('#c=films&item=harbour-0');
    const { page, faults } = opened;
    await settled(page, 'similar');
    await page.getByText('Map of the space').click();
    const picture = page.getByRole('img', { name: 'harbour song 0 among its neighbours' });
    await picture.waitFor();
    const map = await collections.films.mapSpace('cf', 'harbour-0');
    expect(await page.locator('.map-dot').count()).toBe(map.points.length);
    expect(await page.locator('.map-near').count()).toBe(12);
    expect(await page.locator('.map-item').count()).toBe(1);
    await photograph(page, 'map');
    const scores = (await collections.films.similarItems('harbour-0', { k: 12 })).results.map(({ score }) => score);
    expect((await page.locator('.map-score').allTextContents()).map(Number)).toEqual(
      scores.map((score) => Number(score.toFixed(2))),
    );
    const places = () => page.locator('.map-near').evaluateAll((dots) => dots.map((dot) => dot.getAttribute('cx')));
    const onPlane = await places();
    await page.locator('.map').getByText('Neighbours', { exact: true }).click();
    await page.locator('.map p').filter({ hasText: 'lies together' }).waitFor();
    expect(await page.locator('.map-dot').count()).toBe(map.points.length);
    expect(await places()).not.toEqual(onPlane);
    await photograph(page, 'map-neighbours');
    await page.locator('.map').getByText('Plane', { exact: true }).click();
    await expect.poll(places).toEqual(onPlane);
    // The last is drawn above the others.
    await page.locator('.map-near').last().click();
    await page.getByRole('heading', { level: 2, name: map.neighbours.at(-1)?.title ?? '', exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  test('the chart shows what effort buys, with the figures beside it', async () => {
    await using opened = await open('#c=films');
    const { page, faults } = opened;
    await page.getByText('Recall against time').click();
    await page.getByRole('img', { name: 'Recall against time of cf' }).waitFor();
    const rows = page.locator('.efforts tbody tr');
    await expect.poll(() => rows.count()).toBe(12);
    expect(await page.locator('.efforts circle').count()).toBe(12);
    expect(await rows.last().locator('td').first().textContent()).toBe('1.000');
    await page.locator('.efforts').getByText('text', { exact: true }).click();
    await page.getByRole('img', { name: 'Recall against time of text' }).waitFor();
    await photograph(page, 'efforts');
    expect(faults).toEqual([]);
  });

  test('picks give recommendations, which change with the picks and survive in the address', async () => {
    await using opened = await open('#c=films&item=desert-1');
    const { page, faults } = opened;
    await settled(page, 'similar');
    expect(await page.locator('#recommended').isVisible()).toBe(false);
    for (const at of [0, 1, 2]) await page.locator('#similar .like').nth(at).click();
    await settled(page, 'recommended');
    const likes = new URLSearchParams(new URL(page.url()).hash.slice(1)).getAll('like');
    expect(likes).toHaveLength(3);
    const expected = await collections.films.recommendFor(
      likes.map((item) => ({ item })),
      { k: 12 },
    );
    await expect.poll(() => titles(page, 'recommended')).toEqual(expected.results.map(({ title }) => title));
    expect(await page.locator('#similar .like[aria-pressed="true"]').count()).toBe(3);
    await photograph(page, 'picks-light');

    await using shared = await open(new URL(page.url()).hash);
    await settled(shared.page, 'recommended');
    expect(await titles(shared.page, 'recommended')).toEqual(await titles(page, 'recommended'));

    await page
      .getByRole('button', { name: /^Remove / })
      .first()
      .click();
    await expect.poll(() => page.locator('.chip').count()).toBe(2);
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => page.locator('#recommended').isVisible()).toBe(false);
    expect(new URL(page.url()).hash).toBe('#c=films&item=desert-1');
    expect(faults).toEqual([]);
  });

  test('ids of any shape are linked, liked and asked for', async () => {
    await using opened = await open(
      `#${new URLSearchParams({ c: 'films', item: '@angular/core', like: 'a?b#c&d=e;f' })}`,
    );
    const { page, faults } = opened;
    await settled(page, 'similar');
    await settled(page, 'recommended');
    expect(await page.locator('.id').textContent()).toBe('@angular/core');
    await page.locator('#recommended summary').click();
    expect(await page.locator('#recommended code').textContent()).toContain(`-d '{"history":[{"item":"a?b#c&d=e;f"}],`);
    expect(faults).toEqual([]);
  });

  test('the keyboard alone is enough', async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('search-input');
    await page.keyboard.type('canyon');
    await page.getByRole('option').nth(2).waitFor();
    await page.waitForFunction(() => document.querySelector('mark')?.textContent === 'canyon');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const chosen = collections.films.findItems('canyon', { limit: 8 })[2]?.title ?? '';
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: chosen, exact: true }).waitFor();
    await settled(page, 'similar');
    // From the heading: like, spaces, filter, modes, first result.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await settled(page, 'recommended');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/space=text/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/exact=1/);
    await settled(page, 'similar');
    await page.keyboard.press('Tab');
    const linked = await page.evaluate(() => document.activeElement?.getAttribute('href'));
    expect(linked).toContain('item=');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.hash === linked);
    expect(faults).toEqual([]);
  });

  test('Enter right after typing takes the first of what was typed', async () => {
    await using opened = await open();
    const { page, faults } = opened;
    const search = page.getByRole('combobox', { name: 'Search' });
    await search.fill('r');
    await page.getByRole('option').first().waitFor();
    await search.pressSequentially('iver story 6');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: 'river story 6', exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  test('Escape closes the list, and a search without a result says so', async () => {
    await using opened = await open();
    const { page } = opened;
    const search = page.getByRole('combobox', { name: 'Search' });
    await search.fill('zzzz');
    await page.getByText('Nothing is called “zzzz”.').waitFor();
    await search.press('Escape');
    expect(await page.getByRole('listbox').isVisible()).toBe(false);
    expect(await search.getAttribute('aria-expanded')).toBe('false');
  });

  test('everything that can be used has a name', async () => {
    await using opened = await open('#c=films&item=river-1&like=river-2');
    const { page } = opened;
    await settled(page, 'similar');
    await settled(page, 'recommended');
    const nameless = await page.evaluate(() => {
      const named = (node: Element) =>
        (node.getAttribute('aria-label') ?? node.textContent ?? '').trim() !== '' ||
        (node instanceof HTMLInputElement &&
          [...(node.labels ?? [])].some((label) => label.textContent?.trim() !== ''));
      return [...document.querySelectorAll('a, button, input, select, summary, [role]')]
        .filter((node) => !named(node) && !['search', 'alert'].includes(node.getAttribute('role') ?? ''))
        .map((node) => node.outerHTML.slice(0, 120));
    });
    expect(nameless).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('en');
    const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(['light', 'dark'] as const)('text has contrast enough: %s', async (colorScheme) => {
    await using opened = await open('#c=films&item=river-1&like=river-2', { colorScheme });
    const { page } = opened;
    await settled(page, 'similar');
    await settled(page, 'recommended');
    const low = await page.evaluate(lowContrast);
    expect(low).toEqual([]);
  });

  test.each(['light', 'dark'] as const)('on a telephone nothing scrolls sideways: %s', async (colorScheme) => {
    const long = 'A'.repeat(300);
    for (const address of [
      '',
      '#c=signs',
      '#c=films&item=river-1&like=river-2&like=river-3&like=a%2Fb',
      `#c=films&item=${long}`,
    ]) {
      await using opened = await open(address, { viewport: telephone, colorScheme, hasTouch: true });
      const { page } = opened;
      if (address.includes('river')) {
        await settled(page, 'recommended');
        await page.locator('#similar summary').click();
        await photograph(page, `telephone-${colorScheme}`);
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(telephone.width);
    }
  });

  test('on a telephone the recommendations are one press away', async () => {
    await using opened = await open('#c=films&item=river-1&like=river-2', { viewport: telephone, hasTouch: true });
    const { page, faults } = opened;
    await settled(page, 'recommended');
    await page.getByRole('link', { name: '1 pick: see recommendations' }).click();
    await expect
      .poll(() => page.locator('#picks-title').evaluate((node) => node.getBoundingClientRect().top))
      .toBeLessThan(300);
    expect(new URL(page.url()).hash).toBe('#c=films&item=river-1&like=river-2');
    expect(faults).toEqual([]);
  });

  test('dark is dark, light is light', async () => {
    const brightness = async (colorScheme: 'light' | 'dark') => {
      await using opened = await open('#c=films&item=river-1&like=river-2', { colorScheme });
      await settled(opened.page, 'recommended');
      await photograph(opened.page, `item-${colorScheme}`);
      const colour = await opened.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(opened.faults).toEqual([]);
      return [...colour.matchAll(/\d+/g)].slice(0, 3).reduce((sum, [part]) => sum + Number(part), 0);
    };
    expect(await brightness('dark')).toBeLessThan(150);
    expect(await brightness('light')).toBeGreaterThan(600);
  });

  test('an item that is not there is said in the service’s words', async () => {
    await using opened = await open('#c=films&item=nothing');
    await opened.page.getByRole('alert').filter({ hasText: 'nothing' }).waitFor();
    await opened.page.getByRole('combobox', { name: 'Search' }).fill('river');
    await opened.page.getByRole('option').first().click();
    await settled(opened.page, 'similar');
    expect(await opened.page.getByRole('alert').isVisible()).toBe(false);
  });

  test('with a token the page asks for it, once', async () => {
    await using guarded = await serve({
      collections: [collections.films],
      port: 0,
      token: 'open sesame'.replace(' ', '-'),
    });
    await using opened = await open('', {}, guarded.url);
    const { page } = opened;
    await page.getByLabel('Token').fill('open-sesame');
    await page.getByRole('button', { name: 'Use token' }).click();
    await page.locator('.start').first().click();
    await settled(page, 'similar');
    await page.reload();
    await settled(page, 'similar');
    // An address of a picture takes no token: its bytes are asked for.
    await page.goto(`${guarded.url}/#c=films&item=canyon-0`);
    await page.getByRole('heading', { level: 2, name: collections.films.item('canyon-0').title }).waitFor();
    expect(await pictureWidths(page, '.card')).toEqual([48]);
    expect(await page.locator('.card img').getAttribute('src')).toMatch(/^data:image\/svg\+xml;base64,/);
  });

  test('the documentation page works under its policy, and asks nobody else', async () => {
    const context = await browser.newContext({ viewport: desk });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('request', (request) => {
      if (!request.url().startsWith(service.url) && !request.url().startsWith('data:')) faults.push(request.url());
    });
    await page.goto(`${service.url}/docs`);
    await page.getByText('/v1/collections/{collection}/query').waitFor();
    await page.screenshot({ path: screenshotPath('docs') });
    expect(faults).toEqual([]);
    await context.close();
  });
});

/** Runs in the page: texts whose contrast with what is behind them is under 4.5 (3 where they are large), by WCAG 2. */
function lowContrast(): string[] {
  const channel = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parse = (colour: string) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    if (canvas === null) throw new Error('no canvas');
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return { luminance: 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255), a };
  };
  const behind = (node: Element | null): number => {
    for (let at = node; at !== null; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== 'none') return Number.NaN;
      const { luminance, a } = parse(style.backgroundColor);
      if (a === 255) return luminance;
    }
    return 1;
  };
  const low: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent?.trim() ?? '';
    if (node === null || text === '' || !node.checkVisibility() || node.closest('.visually-hidden, .skip') !== null)
      continue;
    const style = getComputedStyle(node);
    const front = parse(style.color).luminance;
    const back = behind(node);
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    const large =
      Number.parseFloat(style.fontSize) >= 24 ||
      (Number.parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) low.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return low;
}
