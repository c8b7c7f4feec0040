// Guess the number: a game that waits for you.

const readline = require('readline/promises');

const rl = readline.createInterface({
  input: process.stdin,
  output: process.stdout,
});

async function play() {
  const secret = 1 + Math.floor(Math.random() * 100);
  console.log('I am thinking of a number from 1 to 100.');

  for (let tries = 1; ; tries++) {
    const guess = Number(await rl.question('Your guess: '));
    if (guess === secret) {
      console.log(`Yes, ${secret}! It took you ${tries} tries.`);
      return;
    }
    console.log(guess < secret ? 'Higher.' : 'Lower.');
  }
}

play().finally(() => rl.close());
