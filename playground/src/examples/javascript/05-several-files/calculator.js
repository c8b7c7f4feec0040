// Recursive descent: a function for each level of precedence.

function evaluate(text) {
  const tokens = text.match(/\d+(\.\d+)?|[-+*/()]/g) ?? [];

  function atom() {
    const token = tokens.shift();
    if (token === '(') {
      const value = sum();
      tokens.shift();
      return value;
    }
    if (token === undefined || Number.isNaN(Number(token))) {
      throw new Error('something is missing');
    }
    return Number(token);
  }

  function product() {
    let value = atom();
    while (tokens[0] === '*' || tokens[0] === '/') {
      value = tokens.shift() === '*' ? value * atom() : value / atom();
    }
    return value;
  }

  function sum() {
    let value = product();
    while (tokens[0] === '+' || tokens[0] === '-') {
      value = tokens.shift() === '+' ? value + product() : value - product();
    }
    return value;
  }

  return sum();
}

module.exports = { evaluate };
