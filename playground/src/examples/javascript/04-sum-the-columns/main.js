// Reads a table from its input. See "Arguments and input" below.

const lines = require('fs').readFileSync(0, 'utf8').trim().split('\n');
const [head, ...rows] = lines.map((line) => line.split(','));

const totals = head.map((_, i) =>
  rows.reduce((sum, row) => sum + Number(row[i]), 0));

console.table(rows.map((row) =>
  Object.fromEntries(head.map((name, i) => [name, row[i]]))));
head.forEach((name, i) => {
  if (!Number.isNaN(totals[i])) {
    console.log(`${name}: ${totals[i]}`);
  }
});
