//! Insertion sort, drawn in place: each line is a number.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn draw(numbers: &[u32], now: usize) {
    let mut picture = String::from("\x1b[H\x1b[2JInsertion sort\n\n");
    for (i, &n) in numbers.iter().enumerate() {
        let colour = if i == now { 36 } else { 90 };
        let bar = "██".repeat(n as usize);
        picture += &format!("\x1b[{colour}m{bar}\x1b[0m {n}\n");
    }
    print!("{picture}");
    std::thread::sleep(Duration::from_millis(50));
}

fn shuffled(count: u32) -> Vec<u32> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut state = u64::from(now.subsec_nanos()) | 1;
    let mut numbers: Vec<u32> = (1..=count).collect();
    for i in (1..numbers.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        numbers.swap(i, (state % (i as u64 + 1)) as usize);
    }
    numbers
}

fn main() {
    let mut numbers = shuffled(16);
    for i in 1..numbers.len() {
        let mut j = i;
        while j > 0 && numbers[j - 1] > numbers[j] {
            numbers.swap(j - 1, j);
            j -= 1;
            draw(&numbers, j);
        }
    }
    println!("\nSorted.");
}
