// A small calculator: the parser is in the other tab.

const { evaluate } = require('./calculator');

for (const text of ['1 + 2 * 3', '(1 + 2) * 3', '2 * (10 - 4) / 3', '7 +']) {
  try {
    console.log(`${text} = ${evaluate(text)}`);
  } catch (problem) {
    console.log(`${text}: ${problem.message}`);
  }
}
