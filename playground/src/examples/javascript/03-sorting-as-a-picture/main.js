// Merge sort, drawn in place: each line is a number.

const numbers = Array.from({ length: 16 }, (_, i) => i + 1)
  .sort(() => Math.random() - 0.5);

const pause = () => new Promise((done) => setTimeout(done, 120));

async function draw(from, to) {
  const lines = numbers.map((n, i) => {
    const colour = i >= from && i < to ? 36 : 90;
    return `\x1b[${colour}m${'█'.repeat(2 * n).padEnd(34)}\x1b[0m ${n}`;
  });
  console.log('\x1b[H\x1b[2JMerge sort\n\n' + lines.join('\n'));
  await pause();
}

async function sort(from, to) {
  if (to - from < 2) {
    return;
  }
  const middle = (from + to) >> 1;
  await sort(from, middle);
  await sort(middle, to);

  const left = numbers.slice(from, middle);
  const right = numbers.slice(middle, to);
  for (let i = from; i < to; i++) {
    const takeLeft = !right.length || left[0] <= right[0];
    numbers[i] = left.length && takeLeft ? left.shift() : right.shift();
  }
  await draw(from, to);
}

sort(0, numbers.length).then(() => console.log('\nSorted.'));
