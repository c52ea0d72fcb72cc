/** A list answer for people: rank, score, title, id where it says more than the title, and the attributes that fit in a line. */
import type { Answer, AttributeValue, Result } from '../retrieval/types.js';
import { printLine, printTable, say } from './output.js';
import { count, duration } from './quantities.js';
import type { TableColumn } from './table.js';
import { textWidth } from './text-width.js';

/** At most this many attributes are shown; `--json` has them all. */
const attributeColumns = 3;
/** An attribute with longer values is a text to read, not a column. */
const widestAttribute = 72;
/** Keys into somebody else's catalogue say nothing to people. */
const foreignKey = /id$/i;

/** Prints the results on stdout and how they were found on stderr. */
export function printAnswer(answer: Answer): void {
  const { results } = answer;
  const withId = results.some(({ id, title }) => id !== title);
  const attributes = attributesToShow(results);
  const columns: TableColumn[] = [
    { header: '#', align: 'right' },
    { header: 'score', align: 'right' },
    { header: 'title', flexible: true },
    ...(withId ? [{ header: 'id', flexible: true }] : []),
    ...attributes.map((header) => ({ header, flexible: true })),
  ];
  const rows = results.map((result, i) => [
    String(i + 1),
    result.score.toFixed(4),
    result.title,
    ...(withId ? [result.id] : []),
    ...attributes.map((name) => attributeText(result.attributes[name])),
  ]);
  if (rows.length > 0) printTable(columns, rows);
  for (const [at, result] of results.entries()) for (const line of reasons(result)) printLine(`${at + 1}: ${line}`);
  for (const { title, id, because, source, score } of answer.explanation?.filtered ?? []) {
    const name = title === id ? id : `${title} (${id})`;
    printLine(`left out: ${name}, ${score.toFixed(4)} in ${source} [${because}]`);
  }
  say(footer(answer));
}

/** Why a result is there, where it was asked for. */
function reasons({ explanation, explored }: Result): string[] {
  if (explanation === undefined) return [];
  const { sources, scores, nearest, adjustments } = explanation;
  const named = (values: Readonly<Record<string, number>>) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value.toFixed(4)}`)
      .join(', ');
  return [
    `proposed by ${sources.map(({ source, rank }) => `${source} (place ${rank})`).join(', ')}; scores ${named(scores)}`,
    ...(nearest.length === 0
      ? []
      : [`near to ${nearest.map(({ title, likeness }) => `${title} ${likeness.toFixed(4)}`).join(', ')}`]),
    ...(adjustments === undefined ? [] : [`ranked by ${named({ ...adjustments })}`]),
    ...(explored === true ? ['drawn for an exploration slot'] : []),
  ];
}

function footer({ results, stats }: Answer): string {
  const found =
    results.length === 0 ? 'No results' : `${count(results.length)} ${results.length === 1 ? 'result' : 'results'}`;
  const exact = stats.exact ? 'exact' : 'approximate';
  const work = `${stats.plan}, ${exact}, ${count(stats.distances)} distances`;
  return `${found} from ${origin(stats)} (${work}, ${duration(stats.tookMs / 1000)}, generation ${stats.generation})`;
}

function origin({ space, fallback }: Answer['stats']): string {
  if (fallback === undefined) return `space ${space}`;
  const { to, passedOver } = fallback;
  const without = passedOver.length === 0 ? '' : `, for want of a vector in ${passedOver.join(', ')}`;
  const source = {
    space: `space ${space}`,
    content: 'shared attributes',
    weightedRating: 'weighted ratings',
    popularity: 'popularity',
  }[to];
  return `${source}${without}`;
}

function attributesToShow(results: readonly Result[]): string[] {
  const names = new Set(results.flatMap(({ attributes }) => Object.keys(attributes)));
  return [...names]
    .filter((name) => !foreignKey.test(name))
    .filter((name) =>
      results.every(({ attributes, title, id }) => {
        const text = attributeText(attributes[name]);
        return textWidth(text) <= widestAttribute && (text === '' || (text !== title && text !== id));
      }),
    )
    .slice(0, attributeColumns);
}

function attributeText(value: AttributeValue | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'object' ? value.join(', ') : String(value);
}
