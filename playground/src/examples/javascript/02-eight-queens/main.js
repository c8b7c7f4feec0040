// Eight queens that leave each other alone: recursion that goes back.

const SIZE = 8;
const columns = [];
let tried = 0;

function safe(column) {
  return columns.every((other, row) => other !== column
    && Math.abs(other - column) !== columns.length - row);
}

function place() {
  if (columns.length === SIZE) {
    return true;
  }
  for (let column = 0; column < SIZE; column++) {
    tried++;
    if (safe(column)) {
      columns.push(column);
      if (place()) {
        return true;
      }
      columns.pop();
    }
  }
  return false;
}

place();
for (const [row, column] of columns.entries()) {
  const cells = Array.from({ length: SIZE }, (_, i) =>
    i === column ? '♛ ' : (row + i) % 2 ? '\x1b[90m■ \x1b[0m' : '□ ');
  console.log(cells.join(''));
}
console.log(`\nFound after ${tried} tries.`);
