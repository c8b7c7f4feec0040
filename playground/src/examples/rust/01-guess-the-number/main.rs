//! Guess the number: a game that waits for you.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let secret = 1 + now.subsec_micros() % 100;
    let mut tries = 0;

    println!("I am thinking of a number from 1 to 100.");
    loop {
        print!("Your guess: ");
        io::stdout().flush().unwrap();

        let mut line = String::new();
        if io::stdin().read_line(&mut line).unwrap() == 0 {
            return;
        }
        let Ok(guess) = line.trim().parse::<u32>() else {
            println!("A whole number, please.");
            continue;
        };

        tries += 1;
        if guess < secret {
            println!("Higher.");
        } else if guess > secret {
            println!("Lower.");
        } else {
            println!("Yes, {secret}! It took you {tries} tries.");
            return;
        }
    }
}
