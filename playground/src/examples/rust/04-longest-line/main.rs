//! Measures the lines of its input. See "Arguments and input" below.

use std::io::{self, BufRead};

fn main() -> io::Result<()> {
    let lines = io::stdin().lock().lines().collect::<Result<Vec<_>, _>>()?;
    let longest = lines.iter().max_by_key(|line| line.chars().count());

    for line in &lines {
        println!("{:>3} {line}", line.chars().count());
    }
    match longest {
        Some(line) => println!("\nThe longest: {line}"),
        None => println!("There was no input."),
    }
    Ok(())
}
