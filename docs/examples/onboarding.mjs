// Cold start: what to show somebody of whom nothing is known, what to ask them, and what each pick changes.
//   node onboarding.mjs <collection> <pick> <pick> …
import { Retriever } from 'nigh';

const [collection, ...picks] = process.argv.slice(2);
const retriever = await Retriever.open(collection);
const idsOf = ({ results }) => results.map(({ id }) => id);
const say = (what, ids) => console.log(`${what}: ${ids.join(', ')}`);

// 1. Nothing is known: what most people have, or rate highest.
say('for anybody', idsOf(await retriever.recommendFor([], { k: 4 })));

// 2. What to ask about: of what is popular, things unlike each other, so that each pick tells something.
say('do you like', idsOf(await retriever.recommendFor([], { k: 4, candidates: 50, diversity: 0.7 })));

// 3. Every pick counts from the next question on; one that starts with "-" is a dislike.
const history = [];
for (const pick of picks) {
  const isDislike = pick.startsWith('-');
  history.push({ item: isDislike ? pick.slice(1) : pick, weight: isDislike ? -1 : 1 });
  if (history.some(({ weight }) => weight > 0)) {
    say(`after ${pick}`, idsOf(await retriever.recommendFor(history, { k: 4 })));
  }
}
await retriever.close();
