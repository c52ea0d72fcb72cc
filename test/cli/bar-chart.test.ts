import { expect, test } from 'vitest';
import { barChart } from '../../src/cli/bar-chart.js';

test('bars are as long as their values, what is not a number has none, and names are no markup', () => {
  const svg = barChart('a <b> & c', [
    {
      title: 'NDCG',
      bars: [
        { label: 'best', value: 0.5 },
        { label: 'half <as> good', value: 0.25 },
        { label: 'unknown', value: Number.NaN },
      ],
    },
  ]);
  const lengths = [...svg.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, length]) => Number(length));
  expect(lengths[0]! / lengths[1]!).toBeCloseTo(2, 6);
  expect(lengths[2]).toBe(0);
  expect(svg).toContain('a &lt;b&gt; &amp; c');
  expect(svg).toContain('half &lt;as&gt; good');
  expect(svg).not.toContain('<as>');
  expect(svg).toContain('>0.2500</text>');
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]+>\n.*<\/svg>\n$/s);
});
